"""The notice of changes: what becomes new, dearer, cheaper, is forbidden or closed, as CSV for those who pay by it."""

from collections.abc import Iterable, Iterator
from typing import Any

from xmlrpc_api.services.catalogue.bulk.merging import Change, Kind
from xmlrpc_api.tabular import writing
from xmlrpc_api.tabular.sheet import Wrong

TOLD = ("price_1", "price_n", "interval_1", "interval_n")
COLUMNS = ("change", "prefix", "area_name", "effective_date", *TOLD, *(f"old_{name}" for name in TOLD))
WRONG_COLUMNS = ("line", "why")


def of_changes(changes: Iterable[Change]) -> Iterator[str]:
    """The notice, in pieces. It can be read as a price list again."""
    return writing.document(COLUMNS, map(_line, changes))


def of_wrong(wrong: Iterable[Wrong]) -> Iterator[str]:
    """What is wrong with a file, line by line."""
    return writing.document(WRONG_COLUMNS, ((one.line, one.why) for one in wrong))


def _line(change: Change) -> Iterator[Any]:
    yield from (change.kind.value, change.after.prefix, change.after.area_name, change.at)
    for rate in (None if change.kind is Kind.CLOSED else change.after, change.before):
        yield from (None if rate is None else getattr(rate, name) for name in TOLD)
