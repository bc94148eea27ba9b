"""Writing CSV: texts that a spreadsheet would run are guarded."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from xmlrpc_api.tabular.cells import guarded


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


def document(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterable[str]:
    """A document with these names in its first line, in pieces."""
    piece = io.StringIO()
    writer = csv.writer(piece, lineterminator="\n")
    writer.writerow(names)
    for count, row in enumerate(rows, 1):
        writer.writerow([told(value) for value in row])
        if not count % 1000:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()
