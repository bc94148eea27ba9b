"""Payments to accounts. Their customer does not pay for them: calls are charged to both."""

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.services import accounts
from xmlrpc_api.services.money import ledger, payments
from xmlrpc_api.services.money.payments import Payment
from xmlrpc_api.storage.rows import Rows


async def pay(call: Call, i_account: int, kind: str, payment: Payment) -> None:
    """
    Give money to an account, or take it (kind debit).

    Raises:
        NotFound: The account is not there for the caller.
        NotEnoughCredit: What is taken is not there.
        WrongReference: There is no rate for the currency.
    """
    account = await accounts.lock(call, i_account)
    sign = -1 if kind == ledger.DEBIT else 1
    await ledger.book(call, account.money, await payments.booking(call, account.money, payment, kind, sign))


async def entries(call: Call, i_account: int, page: Values) -> Rows:
    """The ledger of an account, newest first; NotFound if it is not the caller's."""
    return await payments.entries_of(call, await accounts.balance_of(call, i_account), page)
