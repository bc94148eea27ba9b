"""
Recurring fees: what accounts are charged for the service plans that they are on, each day once.

`PlanSpan.billed_until` is how far a span has been charged. It moves under the lock of the account, with a row of
`plan_charges` for each thing that was charged, whose key decides that there is one. What has been had is booked in any
case; what is paid ahead must be there, or the plan rests, and the days of rest cost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select

from models import (
    BY_MINUTE_PLAN,
    BY_PLAN,
    PLAN_RESUMED,
    PLAN_SUSPENDED,
    SCALE,
    Account,
    BillingPlan,
    MinutePlan,
    PlanCharge,
    PlanSpan,
    TimeZone,
)
from xmlrpc_api.call import Call
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.charging import cycles
from xmlrpc_api.services.charging.cycles import Days
from xmlrpc_api.services.history import audit, events
from xmlrpc_api.services.money import currencies, ledger
from xmlrpc_api.services.money.ledger import Booking, Paid

CYCLES = 60  # of one span in one transaction; a longer arrear takes several
NAME_LENGTH = 100  # of what a booking's notes say
DAY = timedelta(days=1)
_SMALLEST = Decimal(1).scaleb(-SCALE)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that is charged for each cycle: a service plan, or a minute plan in it; `price` is in its currency."""

    kind: str
    id: int
    name: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """What an item costs for some days: in the currency of the plan, and in that of the account."""

    item: Item
    paid: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """
    An account's span, locked, and all that it takes to charge it.

    Attributes:
        rate: By what prices are multiplied to be in the account's currency.
        today: Which day it is in the account's zone.
    """

    call: Call
    account: Account
    span: PlanSpan
    plan: BillingPlan
    items: Sequence[Item]
    rate: Decimal
    zone: ZoneInfo
    today: date

    @property
    def begin(self) -> date:
        """The first day that has not been charged."""
        return self.span.billed_until or cycles.day_of(self.span.began, self.zone)

    def whole(self, day: date) -> Days:
        """The cycle in which a day lies."""
        return cycle_of(self.account, self.plan, self.zone, day)

    def charges(self, days: Days) -> list[Charge]:
        """What days of one cycle cost, as far as it is something."""
        whole = self.whole(days.begin)
        paid = [(item, cycles.cost(item.price, days, whole)) for item in self.items]
        found = [Charge(item, cost, (cost * self.rate).quantize(_SMALLEST, ROUND_HALF_EVEN)) for item, cost in paid]
        return [charge for charge in found if charge.amount]


def cycle_of(account: Account, plan: BillingPlan, zone: ZoneInfo, day: date) -> Days:
    """The cycle of an account in which a day lies: they are counted from the day of its creation."""
    return cycles.cycle(cycles.day_of(account.created_on, zone), plan.billing_cycle, day)


async def bill(call: Call, i_account: int, *, to_today: bool = False) -> None:
    """
    Charge an account what is due by now; what has been charged is not charged again.

    Args:
        call: The call.
        i_account: The account.
        to_today: Whether days of a cycle that is not over are charged as well.

    Raises:
        NotFound: It is not there for the caller.
        WrongReference: There is no rate from the currency of its plan to its own.
    """
    account = await sip_accounts.lock(call, i_account)
    mine = select(PlanSpan).where(PlanSpan.i_account == i_account).order_by(PlanSpan.i_plan_span)
    spans = (await call.session.scalars(mine.with_for_update().execution_options(populate_existing=True))).all()
    if not spans:
        return
    zone = await zone_of(call, account)
    for span in spans:
        one = await _bill(call, account, span, zone)
        if span.ended is None:
            await _go_on(one, to_today=to_today)
        else:
            await _finish(one, cycles.day_of(span.ended, zone))
    await call.session.flush()


async def zone_of(call: Call, account: Account) -> ZoneInfo:
    """Where the days of an account begin."""
    name = select(TimeZone.name).where(TimeZone.i_time_zone == account.i_time_zone)
    return ZoneInfo((await call.session.execute(name)).scalar_one())


async def _bill(call: Call, account: Account, span: PlanSpan, zone: ZoneInfo) -> Bill:
    plan = (
        await call.session.scalars(select(BillingPlan).where(BillingPlan.i_billing_plan == span.i_billing_plan))
    ).one()
    parts = select(MinutePlan).where(MinutePlan.i_billing_plan == span.i_billing_plan)
    minutes = (await call.session.scalars(parts.order_by(MinutePlan.i_service_plan))).all()
    items = [
        Item(BY_PLAN, plan.i_billing_plan, plan.name, plan.recurring_fee),
        *(Item(BY_MINUTE_PLAN, part.i_service_plan, part.description, part.price) for part in minutes),
    ]
    priced = [item for item in items if item.price]
    currency = account.money.currency
    rates = await currencies.rates(call.session, {plan.iso_4217} if priced else {currency}, currency)
    (rate,) = rates.values()
    return Bill(call, account, span, plan, priced, rate, zone, cycles.day_of(call.now, zone))


async def _go_on(bill: Bill, *, to_today: bool) -> None:
    """Charge a span that goes on, and note when to look at it again."""
    span = bill.span
    for _ in range(CYCLES):
        span.billed_until = bill.today if span.suspended else bill.begin
        look = await (_ahead(bill) if bill.plan.prepaid else _behind(bill, to_today=to_today))
        if look is not None:
            span.due = cycles.begins(look, bill.zone)
            return
    span.due = bill.call.now


async def _ahead(bill: Bill) -> date | None:
    """Charge the next days of a plan that is paid ahead; when to look again, None: at once."""
    begin, whole = bill.begin, bill.whole(bill.begin)
    if begin > bill.today:
        return begin
    if begin < bill.today:  # nobody looked, or it was paid afterwards until now: these have been had
        await _charge(bill, Days(begin, min(whole.end, bill.today)))
        return None
    days = Days(begin, whole.end)
    needed = sum((charge.amount for charge in bill.charges(days)), Decimal(0))
    if needed > bill.account.money.balance + bill.account.money.credit_limit:
        await _suspend(bill, needed)
        return bill.today + DAY
    await _resume(bill)
    await _charge(bill, days)
    return None


async def _behind(bill: Bill, *, to_today: bool) -> date | None:
    """Charge the next days of a plan that is paid afterwards, as `_ahead` does."""
    await _resume(bill)
    begin, whole = bill.begin, bill.whole(bill.begin)
    end = min(whole.end, bill.today)
    if begin >= end or (end != whole.end and not to_today):
        return whole.end
    await _charge(bill, Days(begin, end))
    return None


async def _finish(bill: Bill, end: date) -> None:
    """Charge a span that is over, or give back what was paid ahead, and forget it."""
    span = bill.span
    for _ in range(CYCLES):
        if span.suspended or bill.begin >= end:
            break
        await _charge(bill, Days(bill.begin, min(bill.whole(bill.begin).end, end)))
    else:
        span.due = bill.call.now
        return
    if bill.begin > end:
        await _give_back(bill, end)
    await bill.call.session.delete(span)


async def _charge(bill: Bill, days: Days) -> None:
    """Book what days of one cycle cost."""
    call, balance = bill.call, bill.account.money
    for charge in bill.charges(days):
        paid = Paid(amount=charge.paid, currency=bill.plan.iso_4217, rate=bill.rate)
        notes = _notes(charge.item.name, days)
        booking = Booking(amount=-charge.amount, kind=ledger.FEE, notes=notes, paid=paid, is_owed=True)
        row = PlanCharge(
            i_customer=bill.account.i_customer,
            i_account=bill.account.i_account,
            i_plan_span=bill.span.i_plan_span,
            item=charge.item.kind,
            i_item=charge.item.id,
            begins=days.begin,
            ends=days.end,
            amount=charge.amount,
            i_ledger=await ledger.book(call, balance, booking),
        )
        call.session.add(row)
        await call.session.flush()  # whoever was there before is noticed by the key of the row
    bill.span.billed_until = days.end


async def _give_back(bill: Bill, end: date) -> None:
    """Book what was paid for days from `end` on: of each charge the share of its days, and never more."""
    mine = (
        PlanCharge.i_plan_span == bill.span.i_plan_span,
        PlanCharge.ends > end,
        PlanCharge.i_ledger_refund.is_(None),
    )
    for row in (
        await bill.call.session.scalars(select(PlanCharge).where(*mine).order_by(PlanCharge.i_plan_charge))
    ).all():
        paid_for = Days(row.begins, row.ends)
        had = Days(row.begins, max(row.begins, end))
        refund = row.amount - (row.amount * had.count / paid_for.count).quantize(_SMALLEST, ROUND_HALF_EVEN)
        if refund:
            notes = _notes("given back", Days(had.end, row.ends))
            booking = Booking(amount=refund, kind=ledger.FEE, notes=notes)
            row.refunded = refund
            row.i_ledger_refund = await ledger.book(bill.call, bill.account.money, booking)


def _notes(name: str, days: Days) -> str:
    return f"{name[:NAME_LENGTH]}, {days.begin} to {days.end - DAY}"


async def _suspend(bill: Bill, needed: Decimal) -> None:
    is_news, bill.span.needed = not bill.span.suspended, needed
    bill.span.suspended = True
    if is_news:
        await _tell(bill, PLAN_SUSPENDED)


async def _resume(bill: Bill) -> None:
    if bill.span.suspended:
        bill.span.suspended = False
        await _tell(bill, PLAN_RESUMED)


async def _tell(bill: Bill, what: str) -> None:
    """Note that a plan rests, or goes on: in the history, and for those who read events."""
    account = bill.account
    details = {"i_account": account.i_account, "i_billing_plan": bill.plan.i_billing_plan, "needed": bill.span.needed}
    await events.write(bill.call, what, account.i_customer, details)
    await audit.event(
        bill.call,
        what.upper(),
        object_type=Account.__tablename__,
        object_id=account.i_account,
        i_customer=account.i_customer,
        details=details,
    )
