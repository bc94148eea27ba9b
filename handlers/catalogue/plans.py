"""Service plans and minute plans: what accounts pay, cycle by cycle, and for what."""

from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NoMinutePlan, NotFound, WrongReference
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, pattern_of, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.catalogue import plans
from xmlrpc_api.services.charging import fees, minutes, rounds
from xmlrpc_api.services.money import balances

PLAN, MINUTE = plans.PLAN, plans.MINUTE
I_BILLING_PLAN, I_SERVICE_PLAN = PLAN.require("i_billing_plan"), MINUTE.require("i_service_plan")
PARTS = Field(name="minute_plans", wire=Wire.ARRAY, doc="The minute plans in it, oldest first.", members=MINUTE.read)
LISTED = rows_of("list", "The service plans, oldest first.", PLAN.read)
SECONDS_LEFT = Field(
    name="seconds_left",
    wire=Wire.INT,
    nullable=True,
    doc="How many are left in this cycle, none while the plan is suspended; nil: there is no limit.",
    example=1200,
)
COVERING = (*MINUTE.some("i_service_plan", "seconds_total"), SECONDS_LEFT)
LEFT = (
    *MINUTE.some("i_service_plan", "description", "price", "seconds_total"),
    SECONDS_LEFT,
    *MINUTE.some("chargeable_seconds"),
)
CLD = Field(
    name="cld", wire=Wire.STRING, required=True, limit=128, doc="Called number, with or without +.", example="4930123"
)
plan_change = partial(method, right=Right.TARIFFS_EDIT, effect=Effect.WRITE, scope=I_CUSTOMER_OWNER)
of_account = partial(method, scope=I_CUSTOMER_OWNER, scope_optional=True)
plan_read = partial(method, right=Right.ANYONE, effect=Effect.READ, scope=I_CUSTOMER_OWNER)


@plan_change(
    "createServicePlan", *PLAN.create, right=Right.TARIFFS_ADD, returns=(I_BILLING_PLAN,), raises=(WrongReference,)
)
async def create_service_plan(call: Call, **attributes: Any) -> Answer:
    """
    Create a service plan of the caller, for its accounts.

    Its prices are in the currency of its tariff; without one, in that of the caller. Minute plans are added to it by
    addMinutePlan.
    """
    return {"i_billing_plan": await plans.create(call, attributes)}


@plan_change("updateServicePlan", I_BILLING_PLAN, *PLAN.update, raises=(NotFound, WrongReference))
async def update_service_plan(call: Call, *, i_billing_plan: int, **changes: Any) -> Answer:
    """
    Change attributes of a service plan; at least one must be given.

    A price counts from the next charge on. The plan that is everybody's stays as it is.
    """
    await plans.change(call, i_billing_plan, changes)
    return {}


@plan_change(
    "deleteServicePlan",
    I_BILLING_PLAN,
    right=Right.TARIFFS_DELETE,
    balances=rounds.left,
    raises=(NotFound, Conflict, WrongReference),
)
async def delete_service_plan(call: Call, *, i_billing_plan: int) -> Answer:
    """
    Delete a service plan that no account is on, and the minute plans in it.

    Accounts that have just left it are charged what they owe for it.
    """
    await rounds.remove_plan(call, i_billing_plan)
    return {}


@plan_read("getServicePlanInfo", I_BILLING_PLAN, returns=(*PLAN.read, PARTS), raises=(NotFound,))
async def get_service_plan_info(call: Call, *, i_billing_plan: int) -> Answer:
    """Tell all attributes of a service plan of the caller, of a customer below it, or of one that is everybody's."""
    return await plans.info(call, i_billing_plan)


@plan_read("listServicePlans", pattern_of("name_pattern", "name"), sorted_by("name"), *PAGE, returns=LISTED)
async def list_service_plans(call: Call, **asked: Any) -> Answer:
    """List the service plans that the caller may give to its accounts: its own, and what is everybody's."""
    return await plans.page(call, asked)


@plan_change("addMinutePlan", I_BILLING_PLAN, *MINUTE.create, returns=(I_SERVICE_PLAN,), raises=(NotFound, Conflict))
async def add_minute_plan(call: Call, *, i_billing_plan: int, **attributes: Any) -> Answer:
    """Add a minute plan to a service plan, which has up to 50. Accounts may use it at once, and pay for it as well."""
    return {"i_service_plan": await plans.add_minutes(call, i_billing_plan, attributes)}


@plan_change("updateMinutePlan", I_SERVICE_PLAN, *MINUTE.update, raises=(NotFound,))
async def update_minute_plan(call: Call, *, i_service_plan: int, **changes: Any) -> Answer:
    """Change attributes of a minute plan; at least one must be given. A price counts from the next charge on."""
    await plans.MINUTES.change(call, i_service_plan, changes)
    return {}


@plan_change("deleteMinutePlan", I_SERVICE_PLAN, raises=(NotFound,))
async def delete_minute_plan(call: Call, *, i_service_plan: int) -> Answer:
    """Take a minute plan out of its service plan. What has been paid for it is not given back."""
    await plans.MINUTES.remove(call, i_service_plan)
    return {}


@of_account(
    "getAccountMinutePlans",
    I_ACCOUNT,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(Field(name="minute_plans", wire=Wire.ARRAY, doc="The minute plans, oldest first.", members=LEFT),),
    raises=(NotFound,),
)
async def get_account_minute_plans(call: Call, *, i_account: int) -> Answer:
    """Tell the minute plans of an account, which are those in its service plan, and what is left of them."""
    rows = await minutes.of_account(call, i_account)
    return {"minute_plans": [{field.name: row[field.name] for field in LEFT} for row in rows]}


@of_account(
    "matchAccountMinutePlan",
    I_ACCOUNT,
    CLD,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=COVERING,
    raises=(NotFound, NoMinutePlan),
)
async def match_account_minute_plan(call: Call, *, i_account: int, cld: str) -> Answer:
    """Tell which minute plan of an account covers a number; fault 410 if none does."""
    row = await minutes.match(call, i_account, cld)
    return {field.name: row[field.name] for field in COVERING}


@of_account(
    "billingRun",
    I_ACCOUNT,
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    balances=balances.of_account("i_account"),
    raises=(NotFound, WrongReference),
)
async def billing_run(call: Call, *, i_account: int) -> Answer:
    """
    Charge an account now what its service plan costs up to today, as far as it has not been charged.

    The server does so by itself when a cycle is over or, where the plan is prepaid, when one begins. Each day is
    charged once, whoever asks how often. A suspended plan goes on if the account can pay for the rest of the cycle.
    """
    await fees.bill(call, i_account, to_today=True)
    return {}
