"""
Adding, changing and removing rows: what is the same for every noun.

Passwords are kept hashed or encrypted, as their columns are declared; each change is counted, stamped and noted in the
change history. Who may do it, and at what a row may point, its own service asks before. Rows to be changed or removed
are locked.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm.attributes import set_committed_value

from models import Base, place_of
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.entity import table_of
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import in_use
from xmlrpc_api.storage.fast_path import Query, inserting
from xmlrpc_api.storage.ids import Drawn, Wanted, key_of

EMPTY: Mapping[str, object] = MappingProxyType({})


async def add(
    call: Call,
    row: Base,
    values: Mapping[str, object],
    whose: int | None = None,
    *,
    ids: Drawn | None = None,
    unnoted: Mapping[str, object] = EMPTY,
) -> None:
    """
    Write a new row, with those that are reached through it.

    It is part of no session, and sent with whatever is written next: who wants to change it in the same call locks it.

    Args:
        call: The call.
        row: The row, with what its service sets.
        values: Its other attributes.
        whose: The customer whom it concerns; that of its `i_customer` if left out.
        ids: Those for it, if they have been drawn already; see `needed`.
        unnoted: Attributes with a history of their own, as the ledger is of the balance.
    """
    entity = entity_of(type(row))
    known = row.__dict__
    beside = {one: known[one.key] for one in row.__mapper__.relationships if one.key in known}
    parts: list[Base] = [row, *beside.values()]
    ids = ids or await call.transaction.draw(needed(*map(type, parts)))
    for part in parts:
        _identify(part, ids)
    for relation, part in beside.items():
        for mine, its in relation.local_remote_pairs:
            setattr(part, str(its.key), getattr(row, str(mine.key)))
    empty = {name: "" for name, column in entity.sealed.items() if not column.nullable}
    assign(call, row, {**empty, **values})
    if entity.stamp is not None:
        setattr(row, entity.stamp, call.now)
    for part in parts:
        _complete(part)
    await audit.added(call, entity, row, _concerned(row, whose))
    assign(call, row, unnoted)
    for part in parts:
        await call.transaction.write(
            _new(type(part)), **{name: part.__dict__[name] for name in _beginnings(type(part))}
        )


def needed(*models: type[Base]) -> Wanted:
    """How many ids new rows of these models need."""
    return dict(Counter(models))


def _identify(row: Base, ids: Drawn) -> None:
    set_committed_value(row, key_of(type(row)).name, ids[type(row)].pop(0))


def _complete(row: Base) -> None:
    """Set what a new row begins with."""
    for name, default in _beginnings(type(row)).items():
        if name not in row.__dict__:
            set_committed_value(row, name, default(None))


@cache
def _beginnings(model: type[Base]) -> dict[str, Callable[[None], Any]]:
    """What each column of a new row begins with."""
    return {name: _beginning(column.default) for name, column in model.__mapper__.columns.items()}


def _beginning(default: Any) -> Callable[[None], Any]:
    if default is None:
        return lambda _context: None
    return default.arg if default.is_callable else lambda _context: default.arg


@cache
def _new(model: type[Base]) -> Query:
    return Query(inserting(table_of(key_of(model)), _beginnings(model)))


async def change(call: Call, row: Base, values: Mapping[str, object], whose: int | None = None) -> None:
    """Set attributes of a row, as `add` does; what does not differ is no change."""
    async with changing(call, row, whose):
        assign(call, row, values)


@asynccontextmanager
async def changing(call: Call, row: Base, whose: int | None = None) -> AsyncIterator[None]:
    """Count, stamp, write and note what is changed of a row, in whatever way: attributes may lie in other rows."""
    entity = entity_of(type(row))
    before = audit.snapshot(entity, row)
    yield
    if audit.snapshot(entity, row) != before:
        if entity.counter is not None:
            setattr(row, entity.counter, before[entity.counter] + 1)
        if entity.stamp is not None:
            setattr(row, entity.stamp, call.now)
    await call.session.flush()
    await audit.updated(call, entity, row, _concerned(row, whose), before)


async def remove(call: Call, row: Base, whose: int | None = None) -> None:
    """
    Remove a row.

    Raises:
        Conflict: Something points at it; the text tells what, and how many of each.
    """
    entity = entity_of(type(row))
    await audit.removed(call, entity, row, _concerned(row, whose))
    await in_use.remove(call, type(row), getattr(row, entity.key_name))


def assign(call: Call, row: Base, values: Mapping[str, object]) -> None:
    """Set attributes of a row that is there, those that lie in other rows included; passwords as they are kept."""
    sealed = entity_of(type(row)).sealed
    for name, value in values.items():
        if isinstance(value, Password):
            kept: object = value.hashed
        elif name in sealed and value is not None:
            kept = call.platform.vault.encrypt(str(value), place_of(sealed[name], *_key(row)))
        else:
            kept = value
        setattr(row, name, kept)


def unsealed(call: Call, row: Base, name: str) -> str | None:
    """An encrypted attribute, as it was set; None: it is not there."""
    return opened(call, getattr(type(row), name), getattr(row, name), *_key(row))


def opened(call: Call, column: InstrumentedAttribute[Any], kept: str | None, *key: object) -> str | None:
    """What stands encrypted in a column of the row with this key, as it was set; None: nothing does."""
    return call.platform.vault.decrypt(kept, place_of(column, *key)) if kept else None


def _key(row: Base) -> tuple[object, ...]:
    return tuple(row.__mapper__.primary_key_from_instance(row))


def _concerned(row: Any, whose: int | None) -> int:
    i_customer: int = row.i_customer if whose is None else whose
    return i_customer
