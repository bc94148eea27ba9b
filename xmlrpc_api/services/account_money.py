"""Payments to accounts. Their customer does not pay for them: calls are charged to both."""

from sqlalchemy import Integer, bindparam, select

from models import Account, Balance, Customer
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.money import ledger, payments
from xmlrpc_api.services.money.payments import Payment
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Rows

_LOCKING = Query(
    select(*Balance.__table__.columns)
    .join(Account, Account.i_account == Balance.i_account)
    .join(Customer, Customer.i_customer == Account.i_customer)
    .where(Account.i_account == bindparam("i_account", type_=Integer), ownership.reached(sip_accounts.REACH))
    .with_for_update(of=(Account, Balance))
)


async def pay(call: Call, i_account: int, kind: str, payment: Payment) -> None:
    """
    Give money to an account, or take it (kind debit).

    Raises:
        NotFound: The account is not there for the caller.
        NotEnoughCredit: What is taken is not there.
        WrongReference: There is no rate for the currency.
    """
    balance = await _lock(call, i_account)
    sign = -1 if kind == ledger.DEBIT else 1
    await ledger.book(call, balance, await payments.booking(call, balance, payment, kind, sign))


async def _lock(call: Call, i_account: int) -> Balance:
    """Lock an account and its balance, which is part of no session; NotFound if it is not there for the caller."""
    rows = await call.store.rows(_LOCKING, **ownership.bounds(call.caller), i_account=i_account)
    if not rows:
        raise NotFound(Account)
    return Balance(**rows[0])


async def entries(call: Call, i_account: int, page: Values) -> Rows:
    """The ledger of an account, newest first; NotFound if it is not the caller's."""
    return await payments.entries_of(call, await sip_accounts.balance_of(call, i_account), page)
