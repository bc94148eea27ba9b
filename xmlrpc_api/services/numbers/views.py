"""
DIDs as those see them who have them in hand.

The owner is told all. Whoever has a DID from above is told by what it pays for it, and nothing of what others pay, nor
of the vendor. Whoever stands above the user is told who that is.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, and_, cast, false, func, literal, null, or_, select, true
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


NOTHING = cast(null(), Integer)
_USED, _GIVEN = aliased(DidUse, name="used"), aliased(DidDelegation, name="given")
_IS_CALLED = or_(_USED.i_account.is_not(None), _USED.i_ivr_application.is_not(None))


def _filters(i_did: Any, step: Any) -> lists.Filters:
    """What a list can be filtered by; `step`: that of the delegation which the one who is told has made."""
    return {
        "did": partial(like, Did.did),
        "incoming_did": partial(like, Did.incoming_did),
        "delegated_to": lambda i_customer: MADE.i_customer == i_customer,
        "i_account": lambda i_account: DidUse.i_account == i_account,
        "i_ivr_application": lambda i_application: DidUse.i_ivr_application == i_application,
        "not_assigned": lambda wanted: _is_left(i_did, step, _IS_CALLED) if wanted else true(),
        "free_at": lambda now: _is_left(i_did, step, or_(_IS_CALLED, _USED.reserved_until > now)),
    }


def _is_left(i_did: Any, step: Any, is_used: ColumnElement[bool]) -> ColumnElement[bool]:
    """
    The condition that a DID is neither used nor delegated on.

    It is asked of each row for itself, in a form of which PostgreSQL does not think that hardly any row is meant: else
    it reads all there are.
    """
    given = select(false()).where(_GIVEN.i_did == i_did, _GIVEN.step == step).limit(1)
    used = select(false()).where(_USED.i_did == i_did, is_used).limit(1)
    each = (one.correlate(Did, HELD).scalar_subquery() for one in (given, used))
    return and_(*(func.coalesce(one, true(), type_=Boolean()) for one in each))


ORDERS: Mapping[str, Order] = {"did": Did.did, "incoming_did": Did.incoming_did}
OWN = List(
    select(*_columns({}))
    .select_from(Did)
    .outerjoin(MADE, and_(MADE.i_did == Did.i_did, MADE.step == 1))
    .outerjoin(DidUse, DidUse.i_did == Did.i_did),
    Did.i_did,
    _filters(Did.i_did, literal(1)),
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
    _filters(HELD.i_did, HELD.step + 1),
    ORDERS,
)


async def page(call: Call, params: Values) -> Row:
    """
    The DIDs that the caller has in hand, or has delegated on, oldest first; and how many, if that is asked.

    Raises:
        BadParameter: More rows were asked for, or exist, than one answer may hold.
    """
    me = call.caller.i_customer
    return await lists.told(
        call, params, "dids", (OWN, Of({Did.i_customer: me})), (DELEGATED, Of({HELD.i_customer: me}))
    )


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
