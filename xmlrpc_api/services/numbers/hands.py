"""
Who has a DID in hand: its owner, until that delegates it to a customer directly below, and so on down the tree.

The last who has it uses it. Whoever changes anything about this holds the customers first, and then the lock of the
DID itself: none is used by two, however many ask at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, or_, select

from models import Customer, Did, DidDelegation, DidUse, number_key, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Kind, NotFound
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.nested import among

REACH = Reach.SUBTREE_AND_SELF
FRESH = {"populate_existing": True}
H = TypeVar("H", DidDelegation, DidUse)
R = TypeVar("R", Did, DidDelegation, DidUse)


@dataclass(frozen=True, slots=True)
class Known:
    """How a DID is named: by its id, or by its number, and where that is a range's first one, by its last one."""

    i_did: int | None = None
    did: str | None = None
    did_range_end: str | None = None

    @classmethod
    def by(cls, values: Values) -> "Known":
        """
        What the parameters of a call say.

        Raises:
            BadParameter: Neither id nor number is among them.
        """
        known = cls(values.get("i_did"), values.get("did"), values.get("did_range_end"))
        if known.i_did is None and known.did is None:
            raise BadParameter.required("i_did" if known.did_range_end is None else "did")
        return known

    def condition(self) -> ColumnElement[bool]:
        """The condition for those that may be meant."""
        if self.i_did is not None:
            return Did.i_did == self.i_did
        first = Did.did_key == number_key(self.did or "")
        return first & (Did.end_key == number_key(self.did_range_end)) if self.did_range_end else first


@dataclass(frozen=True, slots=True)
class Hand:
    """
    A locked DID in somebody's hand.

    Attributes:
        did: The DID.
        seat: The customer in whose place the caller stands: itself, or below it the owner.
        place: How many delegations lead from the owner to it.
        steps: All delegations, in order.
        use: What the last of them, or the owner, does with it, if anything.
    """

    did: Did
    seat: int
    place: int
    steps: Sequence[DidDelegation]
    use: DidUse | None

    @property
    def held_by(self) -> DidDelegation | None:
        """The delegation by which the seat has it; None: it is the owner."""
        return self.steps[self.place - 1] if self.place else None

    def demand_last(self) -> None:
        """
        Refuse what only the last may do.

        Raises:
            Conflict: It is delegated on.
        """
        if self.place < len(self.steps):
            raise Conflict("The DID is delegated: take it back first", kind=Kind.IN_USE, thing=Did)


def visible(call: Call) -> ColumnElement[bool]:
    """The condition for DIDs of the caller, of everybody below, and for those that are delegated to the caller."""
    owners = select(Customer.i_customer).where(ownership.within(call.caller, REACH))
    delegated = select(DidDelegation.i_did).where(DidDelegation.i_customer == call.caller.i_customer)
    return or_(Did.i_customer.in_(owners), Did.i_did.in_(delegated))


async def find(call: Call, known: Known) -> tuple[int, int]:
    """
    The ids of a DID, and of its owner.

    Raises:
        NotFound: It is not there for the caller.
        BadParameter: Several are called so.
    """
    columns = (Did.i_did, Did.i_customer, Did.did_key, Did.end_key, Did.incoming_cli)
    found = (await call.session.execute(select(*columns).where(known.condition(), visible(call)))).all()
    for is_meant in (lambda row: row.did_key == row.end_key, lambda row: not row.incoming_cli):
        found = [row for row in found if is_meant(row)] or found
    if not found:
        raise NotFound(Did)
    if len(found) > 1:
        raise BadParameter("i_did", f"is required: {len(found)} DIDs have this number")
    return found[0].i_did, found[0].i_customer


async def lock(call: Call, known: Known) -> Hand:
    """
    Lock a DID, after its owner.

    Raises:
        NotFound: It is not there for the caller.
        BadParameter: Several are called so.
    """
    i_did, owner = await find(call, known)
    await hold(call, {owner})
    did = await ownership.locked(call, Did, select(Did).where(Did.i_did == i_did, visible(call)))
    steps = await _steps(call, i_did)
    if steps:
        there = await hold(call, {step.i_customer for step in steps})
        steps = [step for step in steps if step.i_customer in there]
    use = await call.session.execute(select(DidUse).where(DidUse.i_did == i_did), execution_options=FRESH)
    places = [owner, *(step.i_customer for step in steps)]
    place = places.index(call.caller.i_customer) if call.caller.i_customer in places else 0
    return Hand(did, places[place], place, steps, use.scalar_one_or_none())


async def hold(call: Call, customers: set[int]) -> set[int]:
    """Keep customers from being deleted, smaller ids first; those that are there."""
    columns = Customer.__table__.c
    statement = select(columns.i_customer, columns.path).where(columns.i_customer.in_(customers))
    statement = statement.order_by(columns.i_customer).with_for_update(read=True, key_share=True)
    rows = (await call.session.execute(statement)).all()
    call.store.scopes.update({row.i_customer: subtree(row.path, row.i_customer)[0] for row in rows})
    return {row.i_customer for row in rows}


async def _steps(call: Call, i_did: int) -> list[DidDelegation]:
    statement = select(DidDelegation).where(DidDelegation.i_did == i_did).order_by(DidDelegation.step)
    return list((await call.session.execute(statement, execution_options=FRESH)).scalars())


async def take_back(call: Call, hand: Hand, losing: int, kept: int | None = None) -> None:
    """
    Take a DID back from those to whom it is delegated, with all that they have made of it.

    What it is used for ends, and so do the numbers that they have allocated from it, to whomever those are delegated.

    Args:
        call: The call.
        hand: The DID.
        losing: How many of its delegations lead to the customer who keeps it; those behind lose it.
        kept: How many delegations stay, if that are more: the next is about to be another customer's.
    """
    lost = list(hand.steps[losing if kept is None else kept :])
    levels = await _allocated(call, hand.did.i_did, {step.i_customer for step in hand.steps[losing:]})
    fallen = [did.i_did for level in levels for did in level]
    await _hold_those_of(call, fallen)
    uses = [*([hand.use] if hand.use is not None else []), *await _of(call, DidUse, fallen)]
    steps = [*reversed(lost), *await _of(call, DidDelegation, fallen)]
    await _remove(call, DidUse, uses)
    await _remove(call, DidDelegation, steps)
    for level in reversed(levels):
        await _remove(call, Did, level)


async def end_use(call: Call, hand: Hand) -> None:
    """End what a DID is used for, as far as it is for nobody: it comes into other hands."""
    if hand.use is not None:
        await _remove(call, DidUse, [hand.use])


async def _allocated(call: Call, i_did: int, customers: set[int]) -> list[Sequence[Did]]:
    """What these customers have allocated from a range, and what was allocated from that, locked, level by level."""
    levels: list[Sequence[Did]] = []
    column: Any = Did.i_did_allocated_from
    above, by_them = [i_did], Did.i_customer.in_(customers)
    while found := await _rows(call, Did, among(column), above, *([] if levels else [by_them])):
        levels.append(found)
        above = [did.i_did for did in found]
    return levels


async def _of(call: Call, model: type[H], dids: list[int]) -> Sequence[H]:
    """The delegations, or the uses, of these DIDs; those that are deepest in the tree first."""
    rows = await _rows(call, model, among(model.i_did), dids) if dids else []
    return sorted(rows, key=lambda row: row.i_customer, reverse=True)


async def _hold_those_of(call: Call, dids: list[int]) -> None:
    """Hold everybody who has one of these DIDs in hand."""
    if dids:
        owners = select(Did.i_customer).where(among(Did.i_did))
        delegated = select(DidDelegation.i_customer).where(among(DidDelegation.i_did))
        found = await call.session.execute(owners.union(delegated), {"ids": dids})
        await hold(call, set(found.scalars()))


async def _rows(
    call: Call, model: type[R], condition: ColumnElement[bool], ids: list[int], *others: ColumnElement[bool]
) -> Sequence[R]:
    """Rows with these ids in a column, locked, smaller ids first."""
    key = entity_of(model).column(entity_of(model).key_name)
    statement = select(model).where(condition, *others).order_by(key).with_for_update(of=model)
    found = await call.session.execute(statement, {"ids": ids}, execution_options=FRESH)
    return found.scalars().all()


async def _remove(call: Call, model: type[R], rows: Sequence[R]) -> None:
    """Remove rows at once, and note each."""
    entity: Any = entity_of(model)
    for row in rows:
        await audit.removed(call, entity, row, row.i_customer)
    if rows:
        statement = delete(model).where(among(entity.column(entity.key_name)))
        ids = [getattr(row, entity.key_name) for row in rows]
        await call.session.execute(statement.execution_options(synchronize_session=False), {"ids": ids})
