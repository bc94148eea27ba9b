"""What is done with a DID by whoever has it in hand last: an account is called, an IVR answers, or it is reserved."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from models import Did, DidUse
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Kind
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.numbers import hands
from xmlrpc_api.services.numbers.hands import Hand, Known
from xmlrpc_api.services.tree import references
from xmlrpc_api.services.tree.references import Pointer

USE = entity_of(DidUse)
USERS = ("i_ivr_application", "i_account")
FREE: dict[str, None] = dict.fromkeys(("reserved_for", "reserved_until"))


async def change(call: Call, hand: Hand, values: Values, reserved_for: str | None = None) -> None:
    """
    Change for what a locked DID is used; what takes it from one gives it to nobody, or to another.

    Raises:
        BadParameter: It is to have two users.
        Conflict: It is delegated on, or reserved for something else.
        WrongReference: The account is not one of the customer who has the DID in hand.
    """
    use = hand.use
    changes = {name: value for name, value in values.items() if value != _present(use, name)}
    if not changes:
        return
    hand.demand_last()
    users = {name: changes[name] for name in USERS if changes.get(name) is not None}
    if len(users) > 1 or (users and all(values.get(name) is not None for name in USERS)):
        raise BadParameter("i_account", "must be nil where i_ivr_application is given")
    if users:
        demand_unreserved(call, hand, reserved_for)
        changes |= {**dict.fromkeys(USERS), **users, **FREE}
    pointer = Pointer(owner=hand.seat, customer=hand.seat, present=use)
    await references.check(call, USE, changes, pointer)
    await _write(call, hand, changes)


def _present(use: DidUse | None, name: str) -> Any:
    """What an attribute is, where a DID need not have been used yet."""
    return getattr(use, name) if use is not None else None if USE[name].nullable else ""


async def _write(call: Call, hand: Hand, values: Values) -> None:
    if hand.use is not None:
        await records.change(call, hand.use, values)
    else:
        await records.add(call, DidUse(i_customer=hand.seat, i_did=hand.did.i_did), values)


def is_used(use: DidUse | None) -> bool:
    """Whether somebody is called, or answers."""
    return use is not None and any(getattr(use, name) is not None for name in USERS)


def demand_unreserved(call: Call, hand: Hand, reserved_for: str | None) -> None:
    """
    Refuse a DID that is reserved for something else.

    Raises:
        Conflict: It is.
    """
    use = hand.use
    if use is None or use.reserved_until is None or use.reserved_until <= call.now:
        return
    if use.reserved_for != reserved_for:
        until = f"{use.reserved_until:%Y-%m-%d %H:%M:%S} UTC"
        raise Conflict(f"The DID is reserved until {until}: reserved_for must be what it is reserved for")


async def reserve(call: Call, i_did: int, reserved_for: str, seconds: int) -> datetime:
    """
    Keep a free DID for something, or longer than it is kept already.

    Returns:
        Until when.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: It is not free.
    """
    hand = await hands.lock(call, Known(i_did))
    hand.demand_last()
    if is_used(hand.use):
        raise Conflict("The DID is in use", kind=Kind.IN_USE, thing=Did)
    demand_unreserved(call, hand, reserved_for)
    until = call.now + timedelta(seconds=seconds)
    await _write(call, hand, {"reserved_for": reserved_for, "reserved_until": until})
    return until


async def release(call: Call, i_did: int) -> None:
    """
    Keep a DID no longer; one that is not reserved stays as it is.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: It is delegated on.
    """
    hand = await hands.lock(call, Known(i_did))
    hand.demand_last()
    if hand.use is not None:
        await records.change(call, hand.use, FREE)


async def leave(call: Call, i_account: int) -> None:
    """End all uses of an account that is about to be removed; its DIDs are free again."""
    called = select(DidUse).where(DidUse.i_account == i_account).order_by(DidUse.i_did_use).with_for_update()
    for use in (await call.session.execute(called)).scalars().all():
        await records.change(call, use, {"i_account": None})
