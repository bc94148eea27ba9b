"""
DIDs as those see them who have them in hand.

The owner is told all. Whoever has a DID from above is told by what it pays for it, and nothing of what others pay, nor
of the vendor. Whoever stands above the user is told who that is.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Integer, and_, cast, func, null, or_, select
from sqlalchemy.orm import aliased

from models import Did, DidDelegation, DidUse
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.services.numbers import hands
from xmlrpc_api.services.numbers.hands import Known
from xmlrpc_api.services.tree import lists
from xmlrpc_api.services.tree.lists import List
from xmlrpc_api.services.tree.patterns import like
from xmlrpc_api.services.tree.stretches import Of, Order
from xmlrpc_api.storage.rows import Row

HELD, MADE = aliased(DidDelegation, name="held"), aliased(DidDelegation, name="made")
OWNERS_ALONE = ("i_did_allocated_from", "i_vendor", "i_connection", "buying_i_dids_charging_group")
DIRECT = ("i_did", "did", "did_range_end", "incoming_did", "incoming_cli")
RULES = ("translation_rule", "cli_translation_rule", "cld_translation_rule")
OF_USE = ("i_ivr_application", "i_account", "reserved_for", "reserved_until")


def _columns(held: Mapping[str, Any]) -> list[Any]:
    """What is told of a DID; `held`: what is told to whoever has it from above."""
    own = {name: getattr(Did, name) for name in (*DIRECT, *OWNERS_ALONE, "description", "i_dids_charging_group")}
    of_use: dict[str, Any] = {name: func.coalesce(getattr(DidUse, name), "") for name in RULES}
    of_use |= {name: getattr(DidUse, name) for name in OF_USE}
    made = {"i_did_delegation": MADE.i_did_delegation, "delegated_to": MADE.i_customer}
    told = {**own, **of_use, **made, "parent_i_did_delegation": NOTHING, **held}
    return [column.label(name) for name, column in told.items()]


def _is_free() -> Any:
    """The condition that nobody uses a DID, nor has it from the one who is told."""
    return and_(DidUse.i_account.is_(None), DidUse.i_ivr_application.is_(None), MADE.i_did_delegation.is_(None))


NOTHING = cast(null(), Integer)
FILTERS: lists.Filters = {
    "did": partial(like, Did.did),
    "incoming_did": partial(like, Did.incoming_did),
    "delegated_to": lambda i_customer: MADE.i_customer == i_customer,
    "i_account": lambda i_account: DidUse.i_account == i_account,
    "i_ivr_application": lambda i_application: DidUse.i_ivr_application == i_application,
    "not_assigned": lambda wanted: _is_free() if wanted else and_(True),
    "free_at": lambda now: _is_free() & or_(DidUse.reserved_until.is_(None), DidUse.reserved_until <= now),
}
ORDERS: Mapping[str, Order] = {"did": Did.did, "incoming_did": Did.incoming_did}
OWN = List(
    select(*_columns({}))
    .select_from(Did)
    .outerjoin(MADE, and_(MADE.i_did == Did.i_did, MADE.step == 1))
    .outerjoin(DidUse, DidUse.i_did == Did.i_did),
    Did.i_did,
    FILTERS,
    ORDERS,
)
DELEGATED = List(
    select(
        *_columns(
            {
                **dict.fromkeys(OWNERS_ALONE, NOTHING),
                "i_did": HELD.i_did,
                "description": HELD.description,
                "i_dids_charging_group": HELD.i_dids_charging_group,
                "parent_i_did_delegation": HELD.i_did_delegation,
            }
        )
    )
    .select_from(HELD)
    .join(Did, Did.i_did == HELD.i_did)
    .outerjoin(MADE, and_(MADE.i_did == HELD.i_did, MADE.step == HELD.step + 1))
    .outerjoin(DidUse, DidUse.i_did == HELD.i_did),
    HELD.i_did,
    FILTERS,
    ORDERS,
)


async def page(call: Call, params: Values) -> Row:
    """
    The DIDs that the caller has in hand, or has delegated on, oldest first; and how many, if that is asked.

    Raises:
        BadParameter: More rows were asked for, or exist, than one answer may hold.
    """
    asked, me = lists.asked(params), call.caller.i_customer
    parts = ((OWN, Of({Did.i_customer: me})), (DELEGATED, Of({HELD.i_customer: me})))
    rows = await lists.merged(call, asked, *parts)
    if not params.get("with_total"):
        return {"dids": rows}
    return {"dids": rows, "total": sum([await listed.total(call, asked, of) for listed, of in parts])}


async def info(call: Call, known: Known) -> Row:
    """
    A DID as the caller sees it; one of a customer below, as that does.

    Raises:
        NotFound: It is not there for the caller.
        BadParameter: Several are called so.
    """
    i_did, _owner = await hands.find(call, known)
    mine = DELEGATED.statement.where(HELD.i_did == i_did, HELD.i_customer == call.caller.i_customer)
    found = await call.store.select(mine, is_short=True) or await call.store.select(
        OWN.statement.where(Did.i_did == i_did), is_short=True
    )
    if not found:
        raise NotFound(Did)
    return found[0]
