"""
Adding, changing and removing rows: what is the same for every noun.

Passwords are kept hashed or encrypted, as their columns are declared; each change is counted, stamped and noted in the
change history. Who may do it, and at what a row may point, its own service asks before. Rows to be changed or removed
are locked.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from models import Base, place_of
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import in_use


async def add(call: Call, row: Base, values: Mapping[str, object], whose: int | None = None) -> None:
    """
    Write a new row.

    Args:
        call: The call.
        row: The row, with what its service sets.
        values: Its other attributes.
        whose: The customer whom it concerns; that of its `i_customer` if left out.
    """
    entity = entity_of(type(row))
    secrets = {name: values.get(name, None if column.nullable else "") for name, column in entity.sealed.items()}
    secrets = {name: secret for name, secret in secrets.items() if secret is not None}
    plain = {name: value for name, value in values.items() if name not in entity.sealed}
    assign(call, row, plain)
    if entity.stamp is not None:
        setattr(row, entity.stamp, call.now)
    for name in secrets:
        setattr(row, name, "")
    call.session.add(row)
    await call.session.flush()
    if secrets:  # encrypted for a row that has its id by now
        assign(call, row, secrets)
        await call.session.flush()
    await audit.added(call, entity, row, _concerned(row, whose))


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
