"""Payments to accounts. Their customer does not pay for them: calls are charged to both."""

from sqlalchemy import Integer, and_, bindparam, func, select, type_coerce

from models import Account, Balance, Customer, Money
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NotFound
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.services import records
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.money import ledger, payments
from xmlrpc_api.services.money.payments import Payment
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row, Rows

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


LOW_BALANCE = (*payments.LOW_BALANCE, *payments.BALANCE.some(*payments.BEFORE_BILLING))


async def low_balance(call: Call, i_customer: int | None, i_account: int | None) -> Row:
    """
    What is to happen when the balance of an account, or of a customer, runs low; and the id of the balance.

    Raises:
        BadParameter: Neither was named.
        NotFound: It is not the caller's.
    """
    told = payments.LOW_BALANCE
    if i_account is not None:
        told, wanted = LOW_BALANCE, Balance.i_balance == await sip_accounts.balance_of(call, i_account)
    elif i_customer is not None:
        await ownership.find(call, i_customer, Reach.CHILDREN_AND_SELF)
        wanted = and_(Balance.i_customer == i_customer, Balance.is_default)
    else:
        raise BadParameter.required("i_account")
    columns = [Balance.i_balance, *(getattr(Balance, field.name) for field in told)]
    return dict((await call.session.execute(select(*columns).where(wanted))).mappings().one())


async def set_low_balance(call: Call, i_customer: int | None, i_account: int | None, changes: Values) -> None:
    """
    Change what is to happen when the balance of an account, or of a direct sub-customer, runs low.

    Raises:
        BadParameter: Neither was named.
        NotPermitted: The right to edit accounts, or customers, is missing.
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        WrongReference: A card is to be charged that is not kept here.
    """
    if i_account is not None:
        call.caller.demand(Right.ACCOUNTS_EDIT)
        values = payments.without_cards(changes)
        await records.change(call, (await sip_accounts.lock(call, i_account)).money, values)
    elif i_customer is not None:
        call.caller.demand(Right.CUSTOMERS_EDIT)
        await payments.set_low_balance(call, i_customer, changes)
    else:
        raise BadParameter.required("i_account")


async def totals(call: Call, i_balances: list[int]) -> Rows:
    """
    What these balances hold together, by currency; each counts once.

    Raises:
        NotFound: One of them is not there for the caller.
    """
    wanted = set(i_balances)
    seen = (Balance.i_balance.in_(wanted), ownership.within(call.caller, Reach.SUBTREE_AND_SELF))
    mine = select(Balance.i_balance).join(Customer, Customer.i_customer == Balance.i_customer).where(*seen)
    if len((await call.session.scalars(mine)).all()) != len(wanted):
        raise NotFound(Balance)
    sums = (
        type_coerce(func.sum(column), Money).label(column.key) for column in (Balance.balance, Balance.credit_limit)
    )
    by_currency = select(Balance.currency.label("commodity"), *sums).where(Balance.i_balance.in_(wanted))
    return await call.store.select(by_currency.group_by(Balance.currency).order_by(Balance.currency))


async def entries(call: Call, i_account: int, page: Values) -> Row:
    """The ledger of an account, newest first, as `ledger`; NotFound if it is not the caller's."""
    return await payments.entries_of(call, await sip_accounts.balance_of(call, i_account), page)
