"""On which service plan an account is, since when: noted with each change of it. What that costs, billing finds out."""

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import update

from models import EVERYBODYS_PLAN, Account, PlanSpan
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import table_of
from xmlrpc_api.storage.fast_path import Query, inserting

_TABLE = table_of(PlanSpan.__mapper__.columns["i_plan_span"])
_NEW = Query(inserting(_TABLE, ("i_account", "i_billing_plan", "began", "due", "suspended", "needed")))


@dataclass(frozen=True, slots=True)
class On:
    """What an account is on: its plan, whether it is blocked, which is not charged, and where its days begin."""

    i_billing_plan: int
    is_blocked: bool
    i_time_zone: int


def on(account: Account) -> On:
    """On what an account is."""
    return On(account.i_billing_plan, bool(account.blocked), account.i_time_zone)


async def begin(call: Call, account: Account) -> None:
    """Note that an account, new or on another plan now, is on one; everybody's costs nothing, and is not noted."""
    if account.blocked or account.i_billing_plan == EVERYBODYS_PLAN:
        return
    row = {"i_account": account.i_account, "i_billing_plan": account.i_billing_plan}
    await call.transaction.write(_NEW, **row, began=call.now, due=call.now, suspended=False, needed=Decimal(0))


async def follow(call: Call, account: Account, before: On) -> None:
    """Note what has changed of a locked account, which was on something before; billing looks at it soon."""
    now = on(account)
    if now == before:
        return
    is_same = replace(now, i_time_zone=before.i_time_zone) == before
    mine = update(PlanSpan).where(PlanSpan.i_account == account.i_account, PlanSpan.ended.is_(None))
    await call.session.execute(mine.values(due=call.now, **({} if is_same else {"ended": call.now})))
    if not is_same:
        await begin(call, account)
