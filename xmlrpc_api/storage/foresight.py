"""
What a call will ask for first, asked together with who calls.

A call that tells one row costs two statements otherwise, one for the credentials and one for the row, and a statement
costs more on its way than in the database.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select

from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row, Rows

Belongs = Callable[[Any, Any], ColumnElement[bool]]
Bounds = Callable[[Any], dict[str, Any]]


class Companion:
    """
    A query that finds one row at most, if it belongs to the caller, and can be asked beside another.

    Args:
        row: Finds the row, whosever it is.
        belongs: Whether it is the caller's, by the columns of both.
        query: What finds it by itself, if it is the caller's.
        bounds: The parameters of that which tell the caller.

    Attributes:
        width: How many columns the row has.
    """

    def __init__(self, row: Select[*tuple[Any, ...]], belongs: Belongs, *, query: Query, bounds: Bounds) -> None:
        self._row, self._belongs = row.subquery("found"), belongs
        self.width = len(row.selected_columns)
        self.query, self.bounds = query, bounds

    def beside(self, statement: Select[*tuple[Any, ...]], caller: Any) -> Query:
        """Both in one statement; `caller` has the columns of who calls, as the other reads them."""
        found = self._row.columns
        both = statement.outerjoin(self._row, self._belongs(found, caller))
        return Query(both.add_columns(*found), is_short=True)


class Foreseen:
    """
    What one call will ask for first.

    Args:
        companion: Its query.
        values: The parameters, without the caller.
    """

    __slots__ = ("_known", "_rows", "companion", "values")

    def __init__(self, companion: Companion, **values: Any) -> None:
        self.companion = companion
        self.values = values
        self._known: dict[str, Any] | None = None
        self._rows: Rows | None = None

    def taken(self, both: Rows) -> list[Row]:
        """The rows of the other query; those of this one are kept until they are asked for."""
        count = len(both.kinds) - self.companion.width
        own = [row[count:] for row in both.found]
        self._rows = Rows(both.kinds[count:], [row for row in own if any(value is not None for value in row)])
        return list(Rows(both.kinds[:count], [row[:count] for row in both.found]))

    def belongs_to(self, caller: Any) -> None:
        """Take what was found for an answer: that is who calls."""
        self._known = {**self.companion.bounds(caller), **self.values}

    def answer(self, query: Query, values: dict[str, Any]) -> Rows | None:
        """What a query finds, if it was asked already."""
        return self._rows if query is self.companion.query and values == self._known else None
