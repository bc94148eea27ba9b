"""
Where a number lies among all others of the platform: no two overlap, unless one is allocated from the other.

Whoever adds single numbers may do so beside others, since the same one twice is refused by the database itself; whoever
adds a range waits for them, and they for it. What is allocated from a range waits for the lock of that.
"""

from sqlalchemy import func, literal, select

from models import ROOT_ID, Customer, Did, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotPermitted, WrongReference
from xmlrpc_api.services.numbers import hands
from xmlrpc_api.services.numbers.hands import Known
from xmlrpc_api.storage.fast_path import Query

_LOCK = 0x0D1D  # any number that nothing else locks
_NOTHING = select(literal(1).label("held"))  # SQLite lets one in at a time
_BESIDE_OTHERS = Query(_NOTHING, on={"postgresql": select(func.pg_advisory_xact_lock_shared(_LOCK))})
_ALONE = Query(_NOTHING, on={"postgresql": select(func.pg_advisory_xact_lock(_LOCK))})


async def demand_pool(call: Call) -> None:
    """
    Refuse numbers of one's own to those who, or above whom others, keep no pool of them. The root always does.

    Raises:
        NotPermitted: did_pool_enabled is missing.
    """
    line = [*ancestors(call.caller.path), call.caller.i_customer]
    without = Customer.i_customer.in_(line), Customer.i_customer != ROOT_ID, Customer.did_pool_enabled.is_(False)
    if (await call.session.execute(select(Customer.i_customer).where(*without).limit(1))).first():
        raise NotPermitted("did_pool_enabled is missing")


async def demand_place(call: Call, did: Did) -> None:
    """
    Refuse a new number, or one that changes, where it cannot be.

    Raises:
        BadParameter: It is no range, or lies outside that from which it is allocated.
        WrongReference: The range from which it is to be allocated is not in the hand of its owner.
        Conflict: There is one, or a range that overlaps.
        NotPermitted: It is allocated from no range, and the caller may not add such.
    """
    _demand_range(did)
    if did.i_did_allocated_from is not None:
        await _demand_within(call, did, did.i_did_allocated_from)
    else:
        await demand_pool(call)
        await call.store.rows(_BESIDE_OTHERS if did.did_key == did.end_key else _ALONE)
    nearest = select(Did.end_key).where(
        Did.allocated_key == (did.i_did_allocated_from or 0),
        Did.incoming_cli == (did.incoming_cli or ""),
        Did.did_key <= did.end_key,
        *([] if did.i_did is None else [Did.i_did != did.i_did]),
    )
    found = await call.session.execute(nearest.order_by(Did.did_key.desc()).limit(1))
    if (found.scalar_one_or_none() or "") >= did.did_key:
        raise Conflict.taken(Did, "did")


def _demand_range(did: Did) -> None:
    if not did.did_range_end:
        return
    ends = (did.did, did.did_range_end)
    if not all(end.removeprefix("+").isdecimal() for end in ends) or len({end.count("+") for end in ends}) > 1:
        raise BadParameter("did_range_end", "must be of digits, as the first number is")
    if len(did.did) != len(did.did_range_end) or did.end_key <= did.did_key:
        raise BadParameter("did_range_end", "must be as long as the first number, and behind it")


async def _demand_within(call: Call, did: Did, i_range: int) -> None:
    """Refuse what is no part of a range that the owner has in hand; the range is locked."""
    hand = await hands.lock(call, Known(i_range))
    whole = hand.did
    if did.i_customer != ([whole.i_customer, *(step.i_customer for step in hand.steps)][-1]):
        raise WrongReference("i_did_allocated_from")
    if not whole.did_key <= did.did_key <= did.end_key <= whole.end_key:
        raise BadParameter("did", "must lie within the range from which it is allocated")
    if (whole.did_key, whole.end_key) == (did.did_key, did.end_key):
        raise BadParameter("did", "must not be all of the range from which it is allocated")
    if (did.incoming_cli or "") != whole.incoming_cli:
        raise BadParameter("incoming_cli", "must be that of the range from which the DID is allocated")
