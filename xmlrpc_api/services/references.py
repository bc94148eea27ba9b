"""Checks that what a call points at is there for the caller."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, exists, or_, select, true

from models import Customer
from xmlrpc_api.call import Call
from xmlrpc_api.faults import WrongReference
from xmlrpc_api.fields import table_of
from xmlrpc_api.rights import Caller
from xmlrpc_api.services import ownership


async def check(call: Call, references: Mapping[str, Column[Any]], values: Mapping[str, Any]) -> None:
    """
    Refuse values that point at nothing, or at something of somebody else.

    `references` are parameter names, in declared order, and the columns they point at. What was sent
    is in `values`; nil points nowhere and is fine.

    Raises:
        WrongReference: The first such parameter.
    """
    asked = {name: column for name, column in references.items() if values.get(name) is not None}
    if not asked:
        return
    found = [
        exists().where(column == values[name], _visible(column, call.caller)).label(name)
        for name, column in asked.items()
    ]
    row = (await call.session.execute(select(*found))).one()
    for name, there in zip(asked, row, strict=True):
        if not there:
            raise WrongReference(name)


def _visible(column: Column[Any], caller: Caller) -> ColumnElement[bool]:
    """The condition under which a caller may point at a row of the column's table."""
    table = table_of(column)
    if table is Customer.__table__:
        return ownership.below(caller)
    if ownership.owned(table.columns):
        mine = table.c.i_customer == caller.i_customer
        return or_(mine, table.c.i_customer.is_(None)) if table.c.i_customer.nullable else mine
    return true()
