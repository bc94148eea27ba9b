"""What accounts have left of the minute plans in their service plans, and which of them covers a number."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select

from models import Account, BillingPlan, Customer, MinutePlan, MinuteUse, PlanSpan, TimeZone
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NoMinutePlan, NotFound
from xmlrpc_api.services.accounts.sip_accounts import REACH
from xmlrpc_api.services.catalogue.plans import MINUTE
from xmlrpc_api.services.charging import cycles
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.rows import Row

_OPEN = and_(PlanSpan.i_account == Account.i_account, PlanSpan.ended.is_(None))
_ACCOUNT = (
    select(
        Account.i_account,
        Account.created_on,
        Account.i_billing_plan,
        BillingPlan.billing_cycle,
        TimeZone.name,
        PlanSpan.suspended,
    )
    .join(Customer, Customer.i_customer == Account.i_customer)
    .join(BillingPlan, BillingPlan.i_billing_plan == Account.i_billing_plan)
    .join(TimeZone, TimeZone.i_time_zone == Account.i_time_zone)
    .outerjoin(PlanSpan, _OPEN)
)
_PARTS = MINUTE.select(MINUTE.read)


async def of_account(call: Call, i_account: int) -> list[Row]:
    """
    The minute plans of an account, and what is left of each until the end of the cycle; nothing while its plan rests.

    Raises:
        NotFound: It is not there for the caller.
    """
    seen = ownership.within(call.caller, REACH)
    found = await call.store.select(_ACCOUNT.where(Account.i_account == i_account, seen), is_short=True)
    if not found:
        raise NotFound(Account)
    account = found[0]
    parts = _PARTS.where(MinutePlan.i_billing_plan == account["i_billing_plan"]).order_by(MinutePlan.i_service_plan)
    rows = await call.store.select(parts)
    used = await _used(call, account) if rows else {}
    return [{**row, "seconds_left": _left(row, account, used)} for row in rows]


async def _used(call: Call, account: Row) -> dict[int, int]:
    """How many seconds of each minute plan have been used in the cycle that goes on."""
    zone = ZoneInfo(account["name"])
    anchor, today = (cycles.day_of(moment, zone) for moment in (account["created_on"], call.now))
    begins = cycles.cycle(anchor, account["billing_cycle"], today).begin
    mine = (MinuteUse.i_account == account["i_account"], MinuteUse.begins == begins)
    rows = await call.store.select(select(MinuteUse.i_service_plan, MinuteUse.seconds).where(*mine))
    return {row["i_service_plan"]: row["seconds"] for row in rows}


def _left(row: Row, account: Row, used: Mapping[int, int]) -> int | None:
    if account["suspended"]:
        return 0
    total: int | None = row["seconds_total"]
    return None if total is None else max(0, total - used.get(row["i_service_plan"], 0))


async def match(call: Call, i_account: int, cld: str) -> Row:
    """
    The minute plan of an account that covers a number: by the longest prefix, of equals one with seconds left.

    Raises:
        NotFound: The account is not there for the caller.
        NoMinutePlan: None does.
    """
    number = cld.strip().removeprefix("+")
    fitting = [
        (max(map(len, prefixes)), row["seconds_left"] != 0, -row["i_service_plan"], row)
        for row in await of_account(call, i_account)
        if (prefixes := [prefix for prefix in row["prefixes"] if number.startswith(prefix)])
    ]
    if not fitting:
        raise NoMinutePlan
    *_, best = max(fitting, key=lambda one: one[:3])
    return best
