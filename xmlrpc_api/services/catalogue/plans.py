"""Service plans, and the minute plans in them: priced goods, which customers hand to their accounts."""

from functools import partial
from typing import Any

from sqlalchemy import Integer, bindparam, func, or_, select, update

from models import Balance, BillingPlan, Customer, MinutePlan, PlanSpan, Tariff
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NothingToChange
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import REACH, Belongings
from xmlrpc_api.services.tree import lists, ownership, patterns, references
from xmlrpc_api.services.tree.references import Pointer
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row

PLANS, MINUTES = Belongings(BillingPlan), Belongings(MinutePlan)
PLAN, MINUTE = PLANS.entity, MINUTES.entity
MOST_MINUTE_PLANS = 50  # of a service plan
CYCLE = frozenset({"billing_cycle", "prepaid"})  # what decides when accounts are charged
_SEEN = lists.List(
    PLAN.select(PLAN.read).outerjoin(Customer, Customer.i_customer == BillingPlan.i_customer),
    BillingPlan.i_billing_plan,
    {"name_pattern": partial(patterns.like, BillingPlan.name)},
    {"name": BillingPlan.name},
)
EVERYBODYS = Of({}, also=(BillingPlan.i_customer.is_(None),))
_PARTS = Query(
    MINUTE.select(MINUTE.read)
    .where(MinutePlan.i_billing_plan == bindparam("i_billing_plan", type_=Integer))
    .order_by(MinutePlan.i_service_plan)
)


async def create(call: Call, attributes: Values) -> int:
    """
    Add a service plan to the caller. Its prices are in the currency of its tariff, or of the caller.

    Raises:
        WrongReference: The tariff is not the caller's.
    """
    owner, i_tariff = call.caller.i_customer, attributes.get("i_tariff")
    await references.check(call, PLAN, attributes, Pointer(owner=owner))
    plan = BillingPlan(i_customer=owner, iso_4217=await _currency(call, owner, i_tariff))
    await records.add(call, plan, attributes)
    return plan.i_billing_plan


async def change(call: Call, i_billing_plan: int, changes: Values) -> None:
    """
    Change attributes of a service plan.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        WrongReference: The tariff is not its customer's.
        BadParameter: The tariff is in another currency than its prices.
    """
    if not changes:
        raise NothingToChange
    plan = await lock(call, i_billing_plan)
    await references.check(call, PLAN, changes, Pointer(owner=plan.i_customer, present=plan))
    i_tariff = changes.get("i_tariff")
    if i_tariff is not None and i_tariff != plan.i_tariff:
        await _demand_currency(call, plan, i_tariff)
    await records.change(call, plan, changes)
    if changes.keys() & CYCLE:
        mine = (PlanSpan.i_billing_plan == i_billing_plan, PlanSpan.ended.is_(None))
        await call.session.execute(update(PlanSpan).where(*mine).values(due=call.now))


async def remove(call: Call, i_billing_plan: int) -> None:
    """
    Remove a service plan, and the minute plans in it.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: Something points at it, such as accounts.
    """
    plan = await lock(call, i_billing_plan)
    mine = select(MinutePlan).where(MinutePlan.i_billing_plan == i_billing_plan).order_by(MinutePlan.i_service_plan)
    for part in (await call.session.scalars(mine.with_for_update())).all():
        await records.remove(call, part)
    await records.remove(call, plan)


async def lock(call: Call, i_billing_plan: int) -> BillingPlan:
    """Lock a service plan; NotFound if it is not there for the caller, or everybody's."""
    return await PLANS.lock(call, BillingPlan.i_billing_plan == i_billing_plan)


async def info(call: Call, i_billing_plan: int) -> Row:
    """
    All attributes of a service plan, and its minute plans.

    Raises:
        NotFound: It is neither everybody's, nor there for the caller.
    """
    seen = or_(BillingPlan.i_customer.is_(None), ownership.within(call.caller, REACH))
    row = await _SEEN.one(call, BillingPlan, BillingPlan.i_billing_plan == i_billing_plan, seen)
    return {**row, "minute_plans": list(await call.store.rows(_PARTS, i_billing_plan=i_billing_plan))}


async def page(call: Call, params: Values) -> Row:
    """The service plans that the caller may give to its accounts, as `list`: its own and those that are everybody's."""
    mine = Of({BillingPlan.i_customer: call.caller.i_customer})
    return await lists.told(call, params, "list", (_SEEN, mine), (_SEEN, EVERYBODYS))


async def add_minutes(call: Call, i_billing_plan: int, attributes: Values) -> int:
    """
    Add a minute plan to a service plan.

    Raises:
        NotFound: The service plan is not there for the caller, or everybody's.
        Conflict: It has as many as it may have.
    """
    plan = await lock(call, i_billing_plan)
    mine = select(func.count()).where(MinutePlan.i_billing_plan == i_billing_plan)
    if (await call.session.execute(mine)).scalar_one() >= MOST_MINUTE_PLANS:
        raise Conflict(f"Service plan has {MOST_MINUTE_PLANS} minute plans, which is the most")
    part = MinutePlan(i_customer=plan.i_customer, i_billing_plan=i_billing_plan)
    await records.add(call, part, attributes)
    return part.i_service_plan


async def _currency(call: Call, owner: int, i_tariff: int | None) -> str:
    """That of a tariff, or of a customer's main balance."""
    own = select(Balance.currency).where(Balance.i_customer == owner, Balance.is_default)
    wanted: Any = own if i_tariff is None else select(Tariff.currency).where(Tariff.i_tariff == i_tariff)
    currency: str = (await call.session.execute(wanted)).scalar_one()
    return currency


async def _demand_currency(call: Call, plan: BillingPlan, i_tariff: int) -> None:
    if await _currency(call, 0, i_tariff) != plan.iso_4217:
        raise BadParameter("i_tariff", f"must be in {plan.iso_4217}, as the prices of the plan are")
