"""Delegations: a customer lets one directly below it have a DID that it has in hand itself."""

from sqlalchemy import select

from models import Customer, Did, DidDelegation
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import Conflict, Kind, NotFound, NothingToChange, WrongReference
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.numbers import hands, uses
from xmlrpc_api.services.numbers.hands import Hand, Known
from xmlrpc_api.services.tree import ownership, references
from xmlrpc_api.services.tree.references import Pointer

DELEGATION = entity_of(DidDelegation)


async def add(call: Call, i_did: int, to: int, values: Values, reserved_for: str | None = None) -> int:
    """
    Delegate a DID to a customer directly below the one who has it in hand.

    Returns:
        The id of the delegation.

    Raises:
        NotFound: The DID is not there for the caller.
        WrongReference: There is no such customer, or the charging group is not of whoever delegates; or the parent is
            not the delegation by which that has the DID.
        Conflict: It is in use, delegated already, or reserved for something else.
    """
    hand = await hands.lock(call, Known(i_did))
    parent = values.get("parent_i_did_delegation")
    if parent is not None and (hand.held_by is None or parent != hand.held_by.i_did_delegation):
        raise WrongReference("parent_i_did_delegation")
    hand.demand_last()
    if uses.is_used(hand.use):
        raise Conflict("The DID is in use: it must be assigned to nobody", kind=Kind.IN_USE, thing=Did)
    uses.demand_unreserved(call, hand, reserved_for)
    await _demand_child(call, hand.seat, to)
    settable = {name: value for name, value in values.items() if name in DELEGATION.writable}
    await references.check(call, DELEGATION, settable, Pointer(owner=hand.seat))
    await hands.end_use(call, hand)
    delegation = DidDelegation(i_customer=to, i_did=i_did, step=hand.place + 1)
    await records.add(call, delegation, settable)
    return delegation.i_did_delegation


async def change(call: Call, i_did_delegation: int, to: int | None, values: Values) -> None:
    """
    Change a delegation of the caller, or of a customer below it; given to another customer it is taken back first.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        WrongReference: As in `add`.
        NotPermitted: It is to be taken back, and the caller may not delete delegations.
    """
    if to is None and not values:
        raise NothingToChange
    hand, step = await _lock(call, i_did_delegation)
    giver = hand.steps[step.step - 2].i_customer if step.step > 1 else hand.did.i_customer
    await references.check(call, DELEGATION, values, Pointer(owner=giver, present=step))
    if to is not None and to != step.i_customer:
        call.caller.demand(Right.ACCOUNTS_DELETE)
        await _demand_child(call, giver, to)
        await hands.take_back(call, hand, step.step - 1, step.step)
        values = {**values, "i_customer": to}
    await records.change(call, step, values)


async def remove(call: Call, i_did_delegation: int) -> None:
    """
    Take back what was delegated, with all that was delegated on, and all uses.

    Raises:
        NotFound: It is not there for the caller.
    """
    hand, step = await _lock(call, i_did_delegation)
    await hands.take_back(call, hand, step.step - 1)


async def _lock(call: Call, i_did_delegation: int) -> tuple[Hand, DidDelegation]:
    """Lock a DID by a delegation to somebody below the caller."""
    wanted = select(DidDelegation.i_did).join(Customer, Customer.i_customer == DidDelegation.i_customer)
    wanted = wanted.where(DidDelegation.i_did_delegation == i_did_delegation, ownership.below(call.caller))
    i_did = (await call.session.execute(wanted)).scalar_one_or_none()
    if i_did is None:
        raise NotFound(DidDelegation)
    hand = await hands.lock(call, Known(i_did))
    for step in hand.steps:
        if step.i_did_delegation == i_did_delegation:
            return hand, step
    raise NotFound(DidDelegation)


async def _demand_child(call: Call, parent: int, child: int) -> None:
    """Refuse a customer who is not directly below another; who is, is held."""
    wanted = select(Customer.i_customer).where(Customer.i_customer == child, Customer.i_wholesaler == parent)
    found = await call.session.execute(wanted.with_for_update(read=True, key_share=True))
    if found.scalar_one_or_none() is None:
        raise WrongReference("delegated_to")
