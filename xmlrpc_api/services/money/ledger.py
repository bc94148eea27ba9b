"""Money: every change of a balance is a conditional update and a ledger row, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from models import LOW_BALANCE, ROOT_ID, Balance, Customer, LedgerEntry
from xmlrpc_api import metrics
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotEnoughCredit
from xmlrpc_api.services.history import audit, events
from xmlrpc_api.turns import ACCOUNT, CUSTOMER, Key

INITIAL, SET, FUNDS, CREDIT, DEBIT, PAYER, TRANSFER = "initial", "set", "funds", "credit", "debit", "payer", "transfer"
VOUCHER, CLOSED = "voucher", "closed"
PAYMENTS = (FUNDS, CREDIT, DEBIT, VOUCHER)


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
    """

    amount: Decimal
    kind: str
    funded_change: Decimal = Decimal(0)
    notes: str | None = None
    payment_time: datetime | None = None
    paid: Paid | None = None
    source: int | None = None


async def lock(call: Call, customers: Iterable[int]) -> dict[int, Balance]:
    """
    Lock the main balances of these customers, until the end of the transaction, parents before children.

    Returns:
        Those that are there, by i_customer, as they are now.
    """
    customers = set(customers)
    for i_customer in customers:
        _note_unqueued(call, (CUSTOMER, i_customer))
    statement = (
        select(Balance)
        .where(Balance.i_customer.in_(customers), Balance.is_default)
        .order_by(Balance.i_customer)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {balance.i_customer: balance for balance in (await call.session.execute(statement)).scalars()}


async def book(call: Call, balance: Balance, booking: Booking) -> int:
    """
    Change a balance and write the ledger row.

    What is taken must be there: balance and credit limit together never fall below zero. `balance` is then as it
    has become.

    Returns:
        The id of the row.

    Raises:
        NotEnoughCredit: It is not there; nothing was changed.
    """
    if booking.kind != INITIAL:  # nobody else can wait for a balance that is just being made
        _note_unqueued(
            call, (CUSTOMER, balance.i_customer) if balance.i_account is None else (ACCOUNT, balance.i_account)
        )
    statement = (
        update(Balance)
        .where(Balance.i_balance == balance.i_balance)
        .values(balance=Balance.balance + booking.amount, funded=Balance.funded + booking.funded_change)
        .returning(Balance.balance, Balance.funded, Balance.threshold)
        .execution_options(synchronize_session=False)
    )
    if booking.amount < 0:
        statement = statement.where(Balance.balance + Balance.credit_limit + booking.amount >= 0)
    changed = (await call.session.execute(statement)).one_or_none()
    if changed is None:
        raise NotEnoughCredit
    set_committed_value(balance, "balance", changed.balance)
    set_committed_value(balance, "funded", changed.funded)
    i_ledger = await _write(call, balance, booking, changed.balance)
    if changed.threshold is not None and changed.balance < changed.threshold <= changed.balance - booking.amount:
        await _tell_low_balance(call, balance, changed.balance, changed.threshold)
    return i_ledger


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


async def _write(call: Call, balance: Balance, booking: Booking, after: Decimal) -> int:
    paid = booking.paid
    row = {
        "i_balance": balance.i_balance,
        "amount": booking.amount,
        "balance_after": after,
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
        **(_parties(balance) if booking.kind in PAYMENTS else {}),
    }
    statement = insert(LedgerEntry).values(row).returning(LedgerEntry.i_ledger)
    i_ledger: int = (await call.session.execute(statement)).scalar_one()
    details: dict[str, Any] = {
        "kind": booking.kind,
        "amount": booking.amount,
        "currency": balance.currency,
        "balance": after,
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
    return i_ledger


def _parties(balance: Balance) -> dict[str, Any]:
    """By whom lists of payments find one."""
    above = select(Customer.i_wholesaler).where(Customer.i_customer == balance.i_customer)
    return {"i_payee": balance.i_customer, "i_payer": above.scalar_subquery()}


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
