"""The money of SIP accounts as NGNPro changes and tells it."""

from decimal import Decimal

from sqlalchemy import select

from models import Account, Balance, LedgerEntry
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotPermitted
from xmlrpc_api.services.accounts.sip_accounts import lock
from xmlrpc_api.services.money import ledger
from xmlrpc_api.services.money.ledger import Booking, Paid
from xmlrpc_api.services.ngnpro import accounts
from xmlrpc_api.services.sip.ids import SipId
from xmlrpc_api.services.tree import names, ownership, resellers
from xmlrpc_api.services.tree.lists import Asked, Found, List
from xmlrpc_api.services.tree.resellers import Level
from xmlrpc_api.turns import ACCOUNT as OF_ACCOUNT
from xmlrpc_api.turns import Key

BOOKINGS = List(
    select(
        LedgerEntry.created, LedgerEntry.kind, LedgerEntry.notes, LedgerEntry.amount, LedgerEntry.balance_after
    ).join(Balance, Balance.i_balance == LedgerEntry.i_balance),
    LedgerEntry.i_ledger.desc(),
)


async def key_of(call: Call, sip_id: SipId) -> set[Key]:
    """Whose balance an account's bookings are on, looked up before they wait for it; nobody's if it is not there."""
    wanted = select(Account.i_account).where(names.is_account(call, sip_id.address))
    return {(OF_ACCOUNT, i_account) for i_account in (await call.session.execute(wanted)).scalars()}


async def add(call: Call, sip_id: SipId, value: Decimal, description: str) -> tuple[Decimal, Decimal]:
    """
    Add money to an account, or take it (a negative value).

    Returns:
        The balance before and after.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: The caller is neither administrator nor reseller: customers use vouchers.
        NotEnoughCredit: What is taken is not there.
    """
    account = await lock(call, sip_id.address)
    path = await ownership.path_of(call, account.i_customer)
    if resellers.level_of(call, path, account.i_customer) is Level.CUSTOMER:
        raise NotPermitted("balances are changed by the reseller only")
    kind = ledger.FUNDS if value > 0 else ledger.DEBIT
    paid = Paid(amount=abs(value), currency=account.base_currency, rate=Decimal(1))
    before = account.balance
    await ledger.book(call, account.money, Booking(amount=value, kind=kind, notes=description or None, paid=paid))
    return before, account.balance


async def history(call: Call, sip_id: SipId, count: int) -> Found:
    """
    The bookings of an account, newest first.

    Raises:
        NotFound: It is not there for the caller.
    """
    account = await accounts.info(call, sip_id, tells=False)
    return await BOOKINGS.page(call, Asked(count=count), Balance.i_account == account["i_account"])
