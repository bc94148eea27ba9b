"""Which accounts billing has to look at, and what becomes of those that it could not charge."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import LARGEST_AMOUNT, Balance, PlanSpan
from xmlrpc_api.call import Call
from xmlrpc_api.services.catalogue import plans
from xmlrpc_api.services.charging import fees
from xmlrpc_api.turns import ACCOUNT, Key

AT_ONCE = 200
LATER = timedelta(hours=1)


async def due(session: AsyncSession, now: datetime) -> list[int]:
    """Accounts to be looked at: their time has come, or a plan that rests can be paid again. So many at most."""
    waiting = select(PlanSpan.i_account).where(PlanSpan.due <= now).order_by(PlanSpan.due).limit(AT_ONCE).subquery()
    payable = (
        select(PlanSpan.i_account)
        .join(Balance, Balance.i_account == PlanSpan.i_account)
        .where(PlanSpan.suspended, PlanSpan.ended.is_(None))
        .where(Balance.balance + Balance.credit_limit >= PlanSpan.needed)
        .limit(AT_ONCE)
        .subquery()
    )
    found = await session.scalars(union(select(waiting), select(payable)))
    return sorted(found.all())


async def postpone(session: AsyncSession, i_account: int, now: datetime) -> None:
    """Look at an account later that could not be charged, such as for want of an exchange rate: others go on."""
    mine = update(PlanSpan).where(PlanSpan.i_account == i_account)
    await session.execute(mine.values(due=now + LATER, needed=LARGEST_AMOUNT))


async def left(call: Call, params: Any) -> set[Key]:
    """The accounts that have left a service plan, and have not been charged for it yet."""
    return {(ACCOUNT, i_account) for i_account in await _leavers(call, params["i_billing_plan"])}


async def _leavers(call: Call, i_billing_plan: int) -> list[int]:
    mine = (PlanSpan.i_billing_plan == i_billing_plan, PlanSpan.ended.is_not(None))
    return sorted(set((await call.session.scalars(select(PlanSpan.i_account).where(*mine))).all()))


async def remove_plan(call: Call, i_billing_plan: int) -> None:
    """
    Remove a service plan, and charge those who have left it.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: Something points at it, such as accounts.
    """
    await plans.info(call, i_billing_plan)
    for i_account in await _leavers(call, i_billing_plan):
        await fees.bill(call, i_account)
    await plans.remove(call, i_billing_plan)
