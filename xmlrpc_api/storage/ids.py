"""Ids that are drawn before their rows are written: whoever signs, or encrypts for, a row must know its id."""

from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Column, FunctionElement, select
from sqlalchemy.ext.compiler import compiles

from models import Base
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row
from xmlrpc_api.storage.together import Asked

Wanted = Mapping[type[Base], int]  # how many of each
Drawn = dict[type[Base], list[int]]


class _Next(FunctionElement[int]):
    """On PostgreSQL an id that nobody else gets; on SQLite, where one writes at a time, the newest there has been."""

    type = BigInteger()
    inherit_cache = False

    def __init__(self, column: Column[int]) -> None:
        super().__init__()
        self.column = column


@compiles(_Next, "postgresql")
def _next_of_sequence(element: _Next, _compiler: Any, **_options: Any) -> str:
    return f"nextval(pg_get_serial_sequence('{element.column.table.name}', '{element.column.name}'))"


@compiles(_Next, "sqlite")
def _newest(element: _Next, _compiler: Any, **_options: Any) -> str:
    return f"(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '{element.column.table.name}')"  # noqa: S608 (a table of ours)


@cache
def _drawing(wanted: tuple[tuple[type[Base], int], ...]) -> Query:
    columns = [
        _Next(key_of(model)).label(f"{model.__tablename__}_{number}")
        for model, count in wanted
        for number in range(count)
    ]
    return Query(select(*columns))


def key_of(model: type[Base]) -> Column[int]:
    """The column that holds the ids of a model."""
    key: Any = model.__mapper__.primary_key[0]
    column: Column[int] = key
    return column


class Ids:
    """
    Draws the ids of one transaction.

    Who writes an id that others order by, as the ledger's, draws it when it holds what they hold: it is used at once,
    or never.

    Args:
        in_turn: Whether the database hands each out once, as sequences do; else it tells the newest that there is.
    """

    def __init__(self, *, in_turn: bool) -> None:
        self._in_turn = in_turn
        self._newest: dict[type[Base], int] = {}

    def drawing(self, wanted: Wanted) -> Asked:
        """What to ask for so many ids of each of these models."""
        return _drawing(tuple(wanted.items())), {}

    def drawn(self, wanted: Wanted, found: Row) -> Drawn:
        """The ids, by what a query of `drawing` has found."""
        values = iter(found.values())
        return {model: [self._next(model, value) for value in islice(values, count)] for model, count in wanted.items()}

    def _next(self, model: type[Base], value: int) -> int:
        self._newest[model] = value if self._in_turn else max(value, self._newest.get(model, 0)) + 1
        return self._newest[model]
