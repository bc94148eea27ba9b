"""Payments: money that customers are given and that is taken from them, with the other side of each."""

import dataclasses
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Integer, bindparam, not_, select

from models import ROOT_ID, Balance, Customer, LedgerEntry
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NothingToChange, WrongReference
from xmlrpc_api.declaration.fields import GMT_DATE
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.money import currencies, funding, ledger, overcommit
from xmlrpc_api.services.money.funding import NOTHING
from xmlrpc_api.services.money.ledger import Booking, Paid
from xmlrpc_api.services.tree import lists, ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.ids import Wanted
from xmlrpc_api.storage.rows import Member, Row

LEDGER = entity_of(LedgerEntry)
BALANCE = entity_of(Balance)
WHEN_LOW = (
    "threshold",
    "notify_by_email",
    "charge_card",
    "charge_amount",
    "notification_retry_count",
    "notification_retry_interval",
)
BEFORE_BILLING = ("br_charge_card", "br_charge_amount")  # of accounts alone
LOW_BALANCE = BALANCE.some(*WHEN_LOW)
LOW_BALANCE_CHANGES = tuple(field for field in BALANCE.update if field.name in (*WHEN_LOW, *BEFORE_BILLING))
CARDS = {"i_debit_credit_card": "charge_card", "br_i_debit_credit_card": "br_charge_card"}  # none is kept
IS_DEBIT = LedgerEntry.kind == ledger.DEBIT
ENTRIES = lists.List(LEDGER.select(LEDGER.read), LedgerEntry.i_ledger.desc(), lists.times(LedgerEntry.created))
PAYMENTS = lists.List(
    select(
        LedgerEntry.i_ledger,
        LedgerEntry.i_payee,
        select(Balance.i_account)
        .where(Balance.i_balance == LedgerEntry.i_balance)
        .scalar_subquery()
        .label("i_account"),
        LedgerEntry.kind,
        LedgerEntry.payment_time,
        LedgerEntry.paid_amount,
        LedgerEntry.paid_currency,
        LedgerEntry.notes,
    ).where(LedgerEntry.i_payee.is_not(None)),
    LedgerEntry.i_ledger.desc(),
    {**lists.times(LedgerEntry.payment_time), "type": lambda of: IS_DEBIT if of == ledger.DEBIT else not_(IS_DEBIT)},
)
SHOWN = {
    "i_payment": Member("i_ledger"),
    "i_account": Member("i_account"),
    "i_customer": Member("i_payee"),
    "payment_time": Member("payment_time", lambda time: time.strftime(GMT_DATE)),
    "amount": Member("paid_amount"),
    "currency": Member("paid_currency"),
    "type": Member("kind", lambda kind: "debit" if kind == ledger.DEBIT else "credit"),
    "tx_id": Member(always=""),
    "tx_error": Member(always=""),
    "tx_result": Member(always=1),
    "by_credit_debit_card": Member(always=False),
    "by_voucher": Member("kind", lambda kind: kind == ledger.VOUCHER),
    "notes": Member("notes", lambda notes: notes or ""),
}
NO_ID = 0
_BALANCES = select(Balance.i_balance).join(Customer, Customer.i_customer == Balance.i_customer)
_MAIN_BALANCE = Query(
    _BALANCES.where(
        ownership.reached(Reach.CHILDREN_AND_SELF),
        Balance.i_customer == bindparam("i_customer", type_=Integer),
        Balance.is_default,
    ),
    is_short=True,
)
_PAYEE = select(Customer.i_customer).where(Customer.i_customer == LedgerEntry.i_payee)
IS_THERE = _PAYEE.scalar_subquery().is_not(None)  # asked of each row of a page, where EXISTS may become a join of all


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What a client says of a payment; the amount is positive, in `currency`."""

    amount: Decimal
    currency: str
    payment_notes: str | None = None
    payment_time: datetime | None = None


async def pay(call: Call, i_customer: int, kind: str, payment: Payment) -> Decimal:
    """
    Give money to a direct sub-customer of the caller, or take it (kind debit).

    The caller pays what the sub-customer is given, and gets back of it what is taken again; see `services.funding`.
    Root is not billed.

    Returns:
        By how much the caller's own balance rose, in its currency; negative: fell.

    Raises:
        NotFound: The sub-customer is not the caller's.
        NotEnoughCredit: Whoever gives does not have it, or would hand out too much.
        WrongReference: There is no rate for the currency.
    """
    payer = call.caller.i_customer
    balances = await ledger.lock(call, {payer, i_customer} - {ROOT_ID})
    ready = await _prepared(call, [i_customer], [payer, i_customer], bookings=1 if payer == ROOT_ID else 2)
    balance, own = balances[i_customer], balances.get(payer)
    paid = await booking(call, balance, payment, kind, -1 if kind == ledger.DEBIT else 1)
    other = await _other_side(call, balance, own, payment, paid)
    change = other.amount if other else NOTHING
    source = await ledger.book(call, balance, dataclasses.replace(paid, funded_change=-change), ready.ids[0])
    if own is not None and other is not None:
        await ledger.book(call, own, dataclasses.replace(other, source=source), ready.ids[1])
    await overcommit.check_those(call.store, ready.protected)
    return change


@dataclasses.dataclass(frozen=True, slots=True)
class _Ready:
    """Ids for bookings to come, and which of those concerned are protected against over-commit."""

    ids: list[int]
    protected: list[int]


async def _prepared(call: Call, children: list[int], concerned: list[int], *, bookings: int) -> _Ready:
    """
    What bookings on locked balances need to know, in one round trip.

    Raises:
        NotFound: One of `children` is not the caller's.
    """
    wanted: Wanted = {LedgerEntry: bookings}
    asked = [ownership.finding(call, i_customer) for i_customer in children]
    rows = await call.transaction.together(
        call.transaction.ids.drawing(wanted), *asked, *overcommit.asking(sorted(concerned))
    )
    drawn, *rest = rows
    for row in rest[: len(children)]:
        ownership.found(call, row)
    ids = call.transaction.ids.drawn(wanted, drawn or {})[LedgerEntry]
    return _Ready(ids, overcommit.of_rows(rest[len(children) :]))


async def _other_side(
    call: Call, balance: Balance, own: Balance | None, payment: Payment, paid: Booking
) -> Booking | None:
    """What a booking on a sub-customer's balance does to that of the payer (None: root's); None: nothing."""
    if own is None:
        return None
    if paid.amount > 0:
        return await booking(call, own, payment, ledger.PAYER, -1)
    back = await _share(call, balance, own, payment, -paid.amount)
    return (
        Booking(amount=back, kind=ledger.PAYER, notes=payment.payment_notes, payment_time=payment.payment_time)
        if back
        else None
    )


async def _share(call: Call, balance: Balance, own: Balance | None, payment: Payment, taken: Decimal) -> Decimal:
    """What of a debit is the payer's, in its currency."""
    if own is None or not balance.funded:
        return NOTHING
    worth = await currencies.worth(call.session, payment.amount, payment.currency, own.currency)
    return funding.share(balance, taken, worth.amount)


async def transfer(call: Call, i_customer_from: int, i_customer_to: int, payment: Payment) -> None:
    """
    Move money from one direct sub-customer of the caller to another, and what it may get back of it along with it.

    Raises:
        NotFound: One of them is not the caller's.
        NotEnoughCredit: The first does not have it.
        WrongReference: There is no rate for the currency, or both are the same.
    """
    if i_customer_from == i_customer_to:
        raise WrongReference("i_customer_to")
    concerned = [call.caller.i_customer, i_customer_from, i_customer_to]
    balances = await ledger.lock(call, {*concerned} - {ROOT_ID})
    ready = await _prepared(call, concerned[1:], concerned, bookings=2)
    giver, taker, own = balances[i_customer_from], balances[i_customer_to], balances.get(call.caller.i_customer)
    taken = await booking(call, giver, payment, ledger.TRANSFER, -1)
    moved = await _share(call, giver, own, payment, -taken.amount)
    source = await ledger.book(call, giver, dataclasses.replace(taken, funded_change=-moved), ready.ids[0])
    given = await booking(call, taker, payment, ledger.TRANSFER, 1)
    await ledger.book(call, taker, dataclasses.replace(given, funded_change=moved, source=source), ready.ids[1])
    await overcommit.check_those(call.store, ready.protected)


async def booking(call: Call, balance: Balance, payment: Payment, kind: str, sign: int) -> Booking:
    """
    What a payment adds to a balance (`sign` 1), or takes from it (-1), in its currency.

    Raises:
        WrongReference: There is no rate for the currency.
    """
    converted = await currencies.convert(call.session, payment.amount, payment.currency, balance.currency)
    return Booking(
        amount=sign * converted.amount,
        kind=kind,
        notes=payment.payment_notes,
        payment_time=payment.payment_time,
        paid=Paid(amount=payment.amount, currency=payment.currency, rate=converted.rate),
    )


async def entries(call: Call, i_customer: int | None, page: Values) -> Row:
    """The ledger of the caller or of a direct sub-customer, as `ledger`; NotFound if it is not the caller's."""
    wanted = call.caller.i_customer if i_customer is None else i_customer
    found = await call.store.rows(_MAIN_BALANCE, **ownership.bounds(call.caller), i_customer=wanted)
    if not found:
        raise NotFound(Customer)
    return await entries_of(call, found[0]["i_balance"], page)


async def entries_of(call: Call, i_balance: int, page: Values) -> Row:
    """The ledger of a balance that the caller may see, newest first, as `ledger`."""
    return await ENTRIES.told(call, page, "ledger", of=Of({LedgerEntry.i_balance: i_balance}))


async def payments(call: Call, filters: Values) -> Row:
    """
    Payments of the caller, of its direct sub-customers and of their accounts, newest first, as `payments`.

    Args:
        call: The call.
        filters: Each optional: i_customer, i_account, type, start_date, end_date, after, offset, limit, with_total.

    Raises:
        NotFound: i_customer is not the caller's.
    """
    owners = await _owners(call, filters.get("i_customer"), filters.get("i_account"))
    found = await lists.told(call, filters, "payments", *((PAYMENTS, owner) for owner in owners))
    return {**found, "payments": found["payments"].told(SHOWN)}


async def _owners(call: Call, i_customer: int | None, i_account: int | None) -> list[Of]:
    """Whose payments are told; none is of two."""
    if i_customer is not None:
        await ownership.find(call, i_customer, Reach.CHILDREN_AND_SELF)
    if i_account is not None:
        also = [] if i_customer is None else [Balance.i_customer == i_customer]
        mine = _BALANCES.where(ownership.within(call.caller, Reach.CHILDREN_AND_SELF), *also)
        found = await call.store.select(mine.where(Balance.i_account == i_account), is_short=True)
        balance = found[0]["i_balance"] if found else NO_ID
        return [Of({LedgerEntry.i_balance: balance})]
    if i_customer is not None:
        return [Of({LedgerEntry.i_payee: i_customer})]
    caller = call.caller.i_customer
    return [Of({LedgerEntry.i_payee: caller}), Of({LedgerEntry.i_payer: caller}, (IS_THERE,))]


async def payment(call: Call, i_payment: int, i_customer: int | None, i_account: int | None) -> Row:
    """
    One payment of a customer or of an account.

    Raises:
        BadParameter: Neither was named.
        NotFound: There is none with this id, or customer or account are not the caller's.
    """
    if i_customer is None and i_account is None:
        raise BadParameter.required("i_customer")
    mine = select(Customer.i_customer).where(ownership.within(call.caller, Reach.CHILDREN_AND_SELF))
    wanted = [LedgerEntry.i_ledger == i_payment, LedgerEntry.i_payee.in_(mine)]
    if i_customer is not None:
        wanted.append(LedgerEntry.i_payee == i_customer)
    if i_account is not None:
        wanted.append(LedgerEntry.i_balance.in_(select(Balance.i_balance).where(Balance.i_account == i_account)))
    found = await call.store.select(PAYMENTS.statement.where(*wanted), is_short=True)
    if not found:
        raise NotFound(LedgerEntry)
    return found.told(SHOWN)[0]


async def set_low_balance(call: Call, i_customer: int, changes: Values) -> None:
    """
    Change what is to happen when the balance of a direct sub-customer runs low.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not the caller's.
        WrongReference: A card is to be charged that is not kept here.
    """
    values = without_cards(changes)
    for name in (*BEFORE_BILLING, "br_i_debit_credit_card"):
        if changes.get(name):
            raise BadParameter(name, "is for accounts")
    customer = await ownership.find_for_update(call, i_customer)
    await records.change(call, customer.money, values)


def without_cards(changes: Values) -> Values:
    """
    Changes of what is to happen when a balance runs low, without the cards to charge: none is kept here.

    Raises:
        NothingToChange: No attribute was given.
        WrongReference: A card is to be charged.
    """
    if not changes:
        raise NothingToChange
    for card, is_charged in CARDS.items():
        if changes.get(card) is not None or changes.get(is_charged):
            raise WrongReference(card)
    return {name: value for name, value in changes.items() if name not in CARDS}
