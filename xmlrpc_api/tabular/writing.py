"""Writing CSV: texts that a spreadsheet would run are guarded."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from xmlrpc_api.tabular.cells import guarded

PIECE = 1000


def told(value: Any) -> str:
    """A value as a cell, which the readers of `cells` understand again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"{value:d}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")
    return guarded(value) if isinstance(value, str) else str(value)


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """Some lines."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(told, row) for row in rows)
    return text.getvalue()


def document(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """A document with these names in its first line, in pieces."""
    yield lines([names])
    left = iter(rows)
    while some := list(islice(left, PIECE)):
        yield lines(some)
