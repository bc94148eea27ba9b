"""Money: every change of a balance is a conditional update and a ledger row, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Integer, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from models import LOW_BALANCE, ROOT_ID, Balance, LedgerEntry, Money, ancestors
from xmlrpc_api import metrics
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import table_of
from xmlrpc_api.declaration.faults import NotEnoughCredit
from xmlrpc_api.services.history import audit, events
from xmlrpc_api.storage.fast_path import Query, inserting
from xmlrpc_api.turns import ACCOUNT, CUSTOMER, Key

INITIAL, SET, FUNDS, CREDIT, DEBIT, PAYER, TRANSFER = "initial", "set", "funds", "credit", "debit", "payer", "transfer"
VOUCHER, CLOSED, FEE = "voucher", "closed", "fee"
PAYMENTS = (FUNDS, CREDIT, DEBIT, VOUCHER)
_BALANCES, _LEDGER = table_of(Balance.__mapper__.columns["balance"]), table_of(LedgerEntry.__mapper__.columns["amount"])
_ENTRY = Query(inserting(_LEDGER, (column.name for column in _LEDGER.columns)))
_AMOUNT, _FUNDED_CHANGE = (bindparam(name, type_=Money()) for name in ("amount", "funded_change"))
_CHANGED = (
    update(_BALANCES)
    .where(_BALANCES.c.i_balance == bindparam("wanted", type_=Integer))
    .values(balance=_BALANCES.c.balance + _AMOUNT, funded=_BALANCES.c.funded + _FUNDED_CHANGE)
    .returning(_BALANCES.c.i_balance)
)
_IS_THERE = or_(_AMOUNT >= 0, _BALANCES.c.balance + _BALANCES.c.credit_limit + _AMOUNT >= 0)
_CHANGE, _OWE = Query(_CHANGED.where(_IS_THERE), row="wanted"), Query(_CHANGED, row="wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """
    How money came in, when that was not in the currency of the balance.

    Attributes:
        amount: Positive, in `currency`.
        currency: ISO 4217 code.
        rate: What `amount` was multiplied by.
    """

    amount: Decimal
    currency: str
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """
    One row to be.

    Attributes:
        amount: What is added, in the currency of the balance; negative: taken.
        kind: One of the kinds above.
        funded_change: What is added to `funded`, in the parent's currency; see `services.funding`.
        payment_time: When it was paid; now if left out.
        source: The row that this one is the other side of.
        is_owed: Whether it is booked for what has been had already, be the money there or not.
    """

    amount: Decimal
    kind: str
    funded_change: Decimal = Decimal(0)
    notes: str | None = None
    payment_time: datetime | None = None
    paid: Paid | None = None
    source: int | None = None
    is_owed: bool = False


async def lock(call: Call, customers: Iterable[int]) -> dict[int, Balance]:
    """
    Lock the main balances of these customers, until the end of the transaction, parents before children.

    Returns:
        Those that are there, by i_customer, as they are now. They are part of no session: `book` alone changes them.
    """
    wanted = sorted(set(customers))
    for i_customer in wanted:
        _note_unqueued(call, (CUSTOMER, i_customer))
    if not wanted:
        return {}
    rows = await call.store.rows(_locking(len(wanted)), **{f"place_{place}": one for place, one in enumerate(wanted)})
    return {row["i_customer"]: Balance(**row) for row in rows}


@cache
def _locking(count: int) -> Query:
    """The query that locks so many balances."""
    wanted = [bindparam(f"place_{place}", type_=Integer) for place in range(count)]
    found = select(_BALANCES).where(_BALANCES.c.i_customer.in_(wanted), _BALANCES.c.is_default)
    return Query(found.order_by(_BALANCES.c.i_customer).with_for_update())


async def book(call: Call, balance: Balance, booking: Booking, i_ledger: int | None = None) -> int:
    """
    Change a locked balance and write the ledger row.

    What is taken must be there: balance and credit limit together never fall below zero, but by what is owed. `balance`
    is then as it has become.

    Args:
        call: The call.
        balance: As it is, locked by this call.
        booking: What to add to it.
        i_ledger: The id of the row, if one has been drawn since the balance was locked: they follow each other.

    Returns:
        The id of the row.

    Raises:
        NotEnoughCredit: It is not there; nothing was changed.
    """
    _note_unqueued(call, (CUSTOMER, balance.i_customer) if balance.i_account is None else (ACCOUNT, balance.i_account))
    after = balance.balance + booking.amount
    if booking.amount < 0 and after + balance.credit_limit < 0 and not booking.is_owed:
        raise NotEnoughCredit
    if i_ledger is None:
        i_ledger = (await call.transaction.draw({LedgerEntry: 1}))[LedgerEntry][0]
    change = _OWE if booking.is_owed else _CHANGE
    await call.transaction.write(
        change, wanted=balance.i_balance, amount=booking.amount, funded_change=booking.funded_change
    )
    set_committed_value(balance, "balance", after)
    set_committed_value(balance, "funded", balance.funded + booking.funded_change)
    await _write(call, balance, booking, i_ledger)
    if balance.threshold is not None and after < balance.threshold <= after - booking.amount:
        await _tell_low_balance(call, balance, after, balance.threshold)
    return i_ledger


async def open_with(call: Call, balance: Balance, i_ledger: int) -> None:
    """
    Write what explains the amount with which a new balance begins, if that is not nothing.

    Raises:
        NotEnoughCredit: That is less than the credit limit allows; what is written with it is refused first.
    """
    if balance.balance + balance.credit_limit < 0:
        await call.store.flush()
        raise NotEnoughCredit
    if balance.balance:
        await _write(call, balance, Booking(amount=balance.balance, kind=INITIAL), i_ledger)


async def allot(call: Call, balance: Balance, wanted: Decimal | None, kind: str) -> None:
    """
    Book what makes a balance the wanted one, if that is not what it is; None: it stays.

    Raises:
        NotEnoughCredit: That is less than the credit limit allows.
    """
    if wanted is not None and wanted != balance.balance:
        await book(call, balance, Booking(amount=wanted - balance.balance, kind=kind))


async def as_of(session: AsyncSession, i_customer: int, time: datetime) -> Decimal:
    """What a customer's main balance was."""
    statement = (
        select(LedgerEntry.balance_after)
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .where(Balance.i_customer == i_customer, Balance.is_default, LedgerEntry.created <= time)
        .order_by(LedgerEntry.i_ledger.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none() or Decimal(0)


def _note_unqueued(call: Call, key: Key) -> None:
    """Count a booking that the method's declaration does not announce; a test demands that there is none."""
    if key not in call.queued and key != (CUSTOMER, ROOT_ID):
        metrics.UNQUEUED.labels(call.method).inc()


async def _write(call: Call, balance: Balance, booking: Booking, i_ledger: int) -> None:
    paid = booking.paid
    row = {
        "i_ledger": i_ledger,
        "i_balance": balance.i_balance,
        "amount": booking.amount,
        "balance_after": balance.balance,
        "funded_change": booking.funded_change,
        "kind": booking.kind,
        "i_customer_actor": call.actor.i_customer,
        "notes": booking.notes,
        "payment_time": booking.payment_time or call.now,
        "created": call.now,
        "paid_amount": paid.amount if paid else None,
        "paid_currency": paid.currency if paid else None,
        "rate": paid.rate if paid else None,
        "i_ledger_source": booking.source,
        "idempotency_key": call.idempotency_key,
        **await _parties(call, balance, booking),
    }
    await call.transaction.write(_ENTRY, **row)
    details: dict[str, Any] = {
        "kind": booking.kind,
        "amount": booking.amount,
        "currency": balance.currency,
        "balance": balance.balance,
        "funded_change": booking.funded_change,
        "i_ledger": i_ledger,
        "i_ledger_source": booking.source,
    }
    of_account = balance.i_account is not None
    await audit.event(
        call,
        audit.FUNDS,
        object_type="accounts" if of_account else "customers",
        object_id=balance.i_account if of_account else balance.i_customer,
        i_customer=balance.i_customer,
        details=details,
    )


async def _parties(call: Call, balance: Balance, booking: Booking) -> dict[str, int | None]:
    """By whom lists of payments find one."""
    if booking.kind not in PAYMENTS:
        return {"i_payee": None, "i_payer": None}
    payer, payee = [None, *ancestors(await audit.scope_of(call.store, balance.i_customer))][-2:]
    return {"i_payee": payee, "i_payer": payer}


async def _tell_low_balance(call: Call, balance: Balance, after: Decimal, threshold: Decimal) -> None:
    """One event for a balance that has just fallen below its threshold."""
    details = {
        "balance": after,
        "threshold": threshold,
        "currency": balance.currency,
        "notify_by_email": balance.notify_by_email,
        "charge_card": balance.charge_card,
        "charge_amount": balance.charge_amount,
    }
    await events.write(call, LOW_BALANCE, balance.i_customer, details)
