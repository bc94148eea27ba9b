"""
Several statements in one round trip, where the engine can.

PostgreSQL runs them as one statement, in which none sees what another does; SQLite, which is in this process, runs one
after the other. So together go those that do not need each other, and mean the same in both ways.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any

from sqlalchemy import Dialect

from xmlrpc_api.storage.fast_path import Form, Query
from xmlrpc_api.storage.rows import Row

Asked = tuple[Query, Row]
_PLACE = re.compile(r"\$(\d+)")


class Joined:
    """
    Selects of one row at most, as one that PostgreSQL answers with one row.

    Attributes:
        sql: The text for the driver.
    """

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms
        joins = "".join(
            f" LEFT JOIN (SELECT true, found.* FROM ({sql}) AS found) AS query_{number} ON true"  # noqa: S608 (SQLAlchemy has written it)
            for number, sql in enumerate(_numbered_on((form.sql, form.places) for form in forms))
        )
        self.sql = f"SELECT * FROM (SELECT 1) AS one{joins}"  # noqa: S608 (likewise)

    def rows(self, found: list[Any]) -> list[Row | None]:
        """What each query has found."""
        (row,) = found
        rows: list[Row | None] = []
        at = 1
        for form in self._forms:
            end = at + 1 + form.width
            rows.append(form.rows([tuple(row)[at + 1 : end]])[0] if row[at] else None)
            at = end
        return rows


@cache
def joined(forms: tuple[Form, ...]) -> Joined:
    """These queries as one; they are known when the program is written, so there are few of them."""
    return Joined(forms)


class Batch:
    """
    Writes that wait to be sent.

    What inserts rows goes with everything that does; what changes a row waits for no other change of it: then the
    first must be sent before. Inserts of the same kind become one.
    """

    def __init__(self) -> None:
        self._steps: list[tuple[Query, list[Row]]] = []

    def __bool__(self) -> bool:
        return bool(self._steps)

    def fits(self, query: Query, given: Row) -> bool:
        """Whether a write may be sent along with those that wait."""
        if query.row is None:
            return all(step.row is None for step, _ in self._steps if step.table == query.table)
        return not any(
            step.table == query.table and (step is not query or any(given[query.row] == old[query.row] for old in rows))
            for step, rows in self._steps
        )

    def add(self, query: Query, given: Row) -> None:
        """Let a write wait that fits."""
        if query.row is None:
            for step, rows in self._steps:
                if step is query:
                    rows.append(given)
                    return
        self._steps.append((query, [given]))

    def take(self, dialect: Dialect) -> list[tuple[str, list[Any], int]]:
        """
        What to run instead of all that waits, which waits no longer.

        Returns:
            Statements with their parameters, and how many rows each must answer with: so many it has to change.
        """
        steps = [(query.form(dialect), rows) for query, rows in self._steps]
        self._steps = []
        if dialect.name == "sqlite" or len(steps) == 1:
            return [(_repeated(form, len(rows)), _given(form, rows), min(form.width, 1)) for form, rows in steps]
        as_one = _as_one(tuple((form, len(rows)) for form, rows in steps))
        return [(as_one.sql, [value for form, rows in steps for value in _given(form, rows)], as_one.changes)]


class _AsOne:
    """
    Writes that PostgreSQL runs as one statement, each with so many rows. For each change of a row it answers one.

    Attributes:
        sql: The text for the driver.
        changes: How many that are.
    """

    def __init__(self, steps: Sequence[tuple[Form, int]]) -> None:
        texts = _numbered_on((_repeated(form, count), count * form.places) for form, count in steps)
        named = ", ".join(f"step_{number} AS ({sql})" for number, sql in enumerate(texts))
        told = [f"SELECT 1 FROM step_{number}" for number, (form, _) in enumerate(steps) if form.width]  # noqa: S608
        self.sql = f"WITH {named} {' UNION ALL '.join(told) or 'SELECT 1 WHERE false'}"
        self.changes = len(told)


@cache
def _as_one(steps: tuple[tuple[Form, int], ...]) -> _AsOne:
    return _AsOne(steps)


@cache
def _repeated(form: Form, count: int) -> str:
    """The text of a write; of an insert, with so many rows."""
    if count == 1:
        return form.sql
    start, _, row = form.sql.partition(" VALUES ")
    return f"{start} VALUES {', '.join(_numbered_on([(row, form.places)] * count))}"


def _given(form: Form, rows: Iterable[Row]) -> list[Any]:
    return [value for row in rows for value in form.values(row)]


def _numbered_on(parts: Iterable[tuple[str, int]]) -> list[str]:
    """Texts with so many parameters each, numbered from $1 to the last of all. (SQLite's have no numbers.)"""
    texts, before = [], 0
    for sql, places in parts:
        texts.append(_PLACE.sub(partial(_moved, before), sql))
        before += places
    return texts


def _moved(before: int, place: re.Match[str]) -> str:
    return f"${int(place[1]) + before}"
