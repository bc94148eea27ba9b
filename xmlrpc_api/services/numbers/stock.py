"""The DIDs of the platform: who adds, changes and removes which."""

from typing import Any

from sqlalchemy import exists, select

from models import Did
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import (
    Conflict,
    Kind,
    Name,
    NothingToChange,
    NotPermitted,
    WrongReference,
)
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.numbers import hands, places, uses
from xmlrpc_api.services.numbers.delegations import DELEGATION
from xmlrpc_api.services.numbers.hands import Hand, Known
from xmlrpc_api.services.numbers.uses import USE
from xmlrpc_api.services.tree import references
from xmlrpc_api.services.tree.references import Pointer

DID = entity_of(Did)
ABROAD = ("i_vendor", "i_connection")  # of which there are none yet
PLACE = ("did", "did_range_end", "i_did_allocated_from", "incoming_cli")


async def add(call: Call, values: Values) -> int:
    """
    Add a DID to the platform, or allocate it from a range that the caller has in hand.

    Raises:
        NotPermitted: The caller may not add numbers of its own.
        BadParameter, Conflict: Its number cannot be that; or it is to have two users.
        WrongReference: Something pointed at is not there, or not the caller's.
    """
    own = {name: value for name, value in values.items() if name in DID.writable}
    _demand_no_vendor(own)
    caller = call.caller.i_customer
    await references.check(call, DID, own, Pointer(owner=caller, customer=caller))
    did = Did(i_customer=caller, **own)
    await places.demand_place(call, did)
    await records.add(call, did, {})
    hand = Hand(did, caller, 0, (), None)
    await uses.change(call, hand, {name: value for name, value in values.items() if name in USE.writable})
    return did.i_did


async def change(call: Call, known: Known, changes: Values, reserved_for: str | None = None) -> int:
    """
    Change attributes of a DID, and for what it is used.

    Returns:
        Its id.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        NotPermitted: The caller has it from somebody above, who alone may change that.
        Conflict: It is delegated on, or reserved for something else; or as in `add`.
        BadParameter, WrongReference: As in `add`.
    """
    if not changes:
        raise NothingToChange
    hand = await hands.lock(call, known)
    own = {name: value for name, value in changes.items() if name in DID.writable}
    if hand.held_by is None:
        await _change_own(call, hand, own)
    else:
        await _change_held(call, hand, own)
    rest = {name: value for name, value in changes.items() if name in USE.writable}
    await uses.change(call, hand, rest, reserved_for)
    return hand.did.i_did


async def _change_own(call: Call, hand: Hand, values: Values) -> None:
    """Change what is the owner's."""
    did = hand.did
    _demand_no_vendor(values)
    await references.check(call, DID, values, Pointer(owner=did.i_customer, customer=did.i_customer, present=did))
    moves = any(values[name] != getattr(did, name) for name in PLACE if name in values)
    async with records.changing(call, did):
        records.assign(call, did, values)
        if moves:
            await _demand_whole(call, did.i_did)
            await places.demand_place(call, did)


async def _demand_whole(call: Call, i_did: int) -> None:
    """Refuse to move a range of which parts are allocated."""
    if (await call.session.execute(select(exists().where(Did.i_did_allocated_from == i_did)))).scalar_one():
        raise Conflict("DID is still in use: others are allocated from it", kind=Kind.IN_USE, thing=Did)


async def _change_held(call: Call, hand: Hand, values: Values) -> None:
    """Change what a customer may who has a DID from above: how it is described to it."""
    step: Any = hand.held_by
    for name, value in values.items():
        if name not in DELEGATION.writable - {"i_dids_charging_group"} and value != told(hand, name):
            raise NotPermitted(Name(name), " can be changed by whom the DID is from only")
    await records.change(call, step, {name: values[name] for name in ("description",) if name in values})


def told(hand: Hand, name: str) -> Any:
    """What a customer is told of an attribute of a DID that it has from above."""
    if name in DELEGATION.writable:
        return getattr(hand.held_by, name)
    return None if DID[name].nullable else getattr(hand.did, name)


def _demand_no_vendor(values: Values) -> None:
    for name in ABROAD:
        if values.get(name) is not None:
            raise WrongReference(name)


async def remove(call: Call, known: Known) -> None:
    """
    Remove a DID from the platform, wherever it is delegated and whoever uses it.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: The caller has it from somebody above.
        Conflict: Its owner has allocated others from it.
    """
    hand = await hands.lock(call, known)
    if hand.held_by is not None:
        raise NotPermitted("the DID is delegated to you: it is removed by its owner, or above")
    await hands.take_back(call, hand, 0)
    await records.remove(call, hand.did)
