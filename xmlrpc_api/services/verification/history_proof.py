"""
Proof, for `verify`, that the tables are what the change history says.

The history is signed, the tables are not: whoever edits them, however coherently, cannot write the rows that would
explain it. Objects and bookings are compared with what `objects` read of both.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    AuditEntry,
    Balance,
    LedgerEntry,
)
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.verification import objects
from xmlrpc_api.services.verification.objects import (
    ACCOUNTS,
    BLOCKED,
    CUSTOMERS,
    KINDS,
    Batch,
    Kind,
    Known,
    Present,
    Values,
    batches,
    holder_of,
    is_noted,
    plain_amount,
    stored,
)

SHOWN = 60
_BOOKED = ("i_ledger", "kind", "amount", "balance_after", "funded_change", "i_ledger_source", "i_customer_actor")
BOOKED = tuple(stored(LedgerEntry.__table__.c[name]) for name in _BOOKED)


def differences(kind: Kind, present: Present, known: Known) -> dict[str, tuple[Any, Any]]:
    """Attributes that are not what the history says: each with what it is, and what it says."""
    said = {**kind.defaults, **({"groups": [], "acl": []} if kind is ACCOUNTS else {}), **known.values}
    if kind is ACCOUNTS:
        said["groups"] = sorted(set(said["groups"]) - {BLOCKED})
    not_compared = {name: present.values.get(name) for name in kind.hidden(present)}
    if {**said, **not_compared} == {**present.values, **not_compared}:  # so it is with nearly all
        return {}
    names = kind.names(present) | (said.keys() if kind.entity is None else set())
    pairs = {name: (present.values.get(name), said.get(name)) for name in sorted(names)}
    return {name: (is_now, was_said) for name, (is_now, was_said) in pairs.items() if is_now != was_said}


async def of_objects(session: AsyncSession) -> AsyncIterator[tuple[int, list[str]]]:
    """Rows of the history that were replayed, batch by batch, and what is wrong with the objects that they tell of."""
    for kind in KINDS:
        async for batch in batches(session, kind):
            found = [sentence for key in sorted(batch.present) for sentence in _misfits(kind, key, batch)]
            found += await _gone(session, kind, batch)
            if kind in (CUSTOMERS, ACCOUNTS):
                found += await _bookings(session, kind, batch)
            yield batch.rows, found


def _misfits(kind: Kind, key: int, batch: Batch) -> list[str]:
    """What is wrong with an object that is in the tables."""
    present, known = batch.present[key], batch.known.get(key)
    what = f"{kind.noun} {key}"
    if known is None and present.is_part:
        known = Known(owner=present.owner)
    if known is None or not (known.is_begun or present.is_part):
        return [f"{what} is not in the change history"]
    if known.is_deleted:
        return [f"{what} is there, but the change history says that it was deleted"]
    found = [
        f"{what}: {name} is {_short(is_now)}, but the change history says {_short(was_said)}"
        for name, (is_now, was_said) in differences(kind, present, known).items()
    ]
    if present.scope not in (None, known.scope):
        found.append(f"{what}: the path is {present.scope}, but the change history says {known.scope}")
    if present.owner != known.owner:
        found.append(f"{what} is customer {present.owner}'s, but the change history says customer {known.owner}'s")
    return found


def _short(value: Any) -> str:
    text = "nil" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


async def _gone(session: AsyncSession, kind: Kind, batch: Batch) -> list[str]:
    """Objects that the history knows and that are not there, although it does not say that they were deleted."""
    gone = {key: known.owner for key, known in batch.known.items() if not known.is_deleted and key not in batch.present}
    if gone:  # what lacks a part that every one has is a finding of its own
        gone = {key: gone[key] for key in gone.keys() - await objects.among(session, kind.key, gone)}
    for name, holder in kind.goes_along.items():
        held_by = {key: batch.known[key].values.get(name, owner) for key, owner in gone.items()}
        there = await objects.among(session, holder, held_by.values()) if gone else set()
        gone = {key: owner for key, owner in gone.items() if held_by[key] in there}
    return [f"{kind.noun} {key} is gone, but the change history does not say that it was deleted" for key in gone]


async def _bookings(session: AsyncSession, kind: Kind, batch: Batch) -> list[str]:
    """Each booking has its row in the history, and each of those its booking; they are read side by side."""
    holder, is_held = holder_of(kind)
    booked = (
        select(holder.label("holder"), Balance.__table__.c.currency, *BOOKED)
        .select_from(LedgerEntry.__table__.join(Balance.__table__))
        .where(is_held, holder.between(batch.first, batch.last))
        .order_by(holder, LedgerEntry.i_ledger)
    )
    noted = (
        select(*(AuditEntry.__table__.c[name] for name in ("object_id", "i_customer_actor", "after")))
        .where(is_noted(kind), AuditEntry.action == audit.FUNDS)
        .where(AuditEntry.object_id.between(batch.first, batch.last))
        .order_by(AuditEntry.object_id, AuditEntry.i_audit)
    )
    bookings, notes = await objects.pages(session, booked), await objects.pages(session, noted)
    sides, nothing = Sides(), list[Any]()
    while True:
        some_booked, some_noted = await anext(bookings, nothing), await anext(notes, nothing)
        if not some_booked and not some_noted:
            return [*sides.found, *sides.alone(kind)]
        sides.booked.update(map(_of_booking, some_booked))
        sides.noted.update(map(_of_note, some_noted))
        sides.compare()


@dataclass(slots=True)
class Sides:
    """Bookings and what the history says of them, as far as one is without the other: few, read in the same order."""

    booked: dict[int, Values] = field(default_factory=dict)
    noted: dict[int, Values] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def compare(self) -> None:
        """Look at those that are there on both sides, and forget them."""
        for key in self.booked.keys() & self.noted.keys():
            self.found += _contradictions(self.booked.pop(key), self.noted.pop(key))

    def alone(self, kind: Kind) -> Iterator[str]:
        """What is wrong with those that are there on one side, in the end."""
        for key, values in self.booked.items():
            yield f"booking {key} of {kind.noun} {values['holder']} is not in the change history"
        for key, values in self.noted.items():
            yield f"booking {key} of {kind.noun} {values['holder']} is gone, but the change history tells of it"


def _of_booking(row: Any) -> tuple[int, Values]:
    """A booking, as the history would tell it."""
    holder, currency, i_ledger, kind, amount, balance, funded_change, source, actor = row
    return i_ledger, {
        "holder": holder,
        "currency": currency,
        "i_ledger": i_ledger,
        "kind": kind,
        "amount": plain_amount(amount),
        "funded_change": plain_amount(funded_change),
        "i_ledger_source": source,
        "i_customer_actor": actor,
        "balance": plain_amount(balance),
    }


def _of_note(row: Any) -> tuple[int, Values]:
    object_id, actor, after = row
    values = json.loads(after)
    return values["i_ledger"], {**values, "holder": object_id, "i_customer_actor": actor}


def _contradictions(booking: Values, note: Values) -> list[str]:
    if booking.items() <= note.items():  # so it is with nearly all
        return []
    what = f"booking {booking['i_ledger']}"
    return [
        f"{what}: {name} is {_short(value)}, but the change history says {_short(note.get(name))}"
        for name, value in booking.items()
        if value != note.get(name)
    ]
