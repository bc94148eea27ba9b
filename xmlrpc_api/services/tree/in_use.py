"""Removing what other rows may point at: whoever is refused learns what still does."""

from typing import Any

from sqlalchemy import Column, Table, delete, func, select
from sqlalchemy.exc import IntegrityError

from models import Base
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, Kind
from xmlrpc_api.storage.errors import is_foreign_key


async def remove(call: Call, model: type[Base], i_row: int) -> None:
    """
    Remove a row.

    Args:
        call: The call.
        model: Its table.
        i_row: Its id.

    Raises:
        Conflict: Something points at it; the text tells what, and how many of each.
    """
    key: Any = model.__mapper__.primary_key[0]
    statement = delete(model).where(key == i_row).execution_options(synchronize_session=False)
    try:
        async with call.session.begin_nested():
            await call.session.execute(statement)
    except IntegrityError as error:
        if not is_foreign_key(error):
            raise
        text = f"{model.thing} is still in use by {await _users(call, key, i_row)}"
        raise Conflict(text, kind=Kind.IN_USE, thing=model) from None


async def _users(call: Call, key: Column[int], i_row: int) -> str:
    """What points at a row, such as `2 accounts (i_customer) and 1 tariff (i_customer)`."""
    told = []
    for table, column in sorted(_pointing_at(key), key=lambda user: (user[0].name, user[1].name)):
        count = (await call.session.execute(select(func.count()).where(column == i_row))).scalar_one()
        if count:
            name = table.name.replace("_", " ")
            told.append(f"{count} {name.removesuffix('s') if count == 1 else name} ({column.name})")
    return " and ".join(filter(None, [", ".join(told[:-1]), *told[-1:]])) or "something that has just gone"


def _pointing_at(key: Column[int]) -> list[tuple[Table, Column[int]]]:
    """The columns that hold a row back: those that neither go with it nor forget it."""
    return [
        (table, column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        for foreign in column.foreign_keys
        if foreign.column is key and foreign.ondelete is None
    ]
