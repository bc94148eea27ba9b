"""
What a price list changes of a tariff: pure, so that it runs in a thread, and nothing is written before it is known.

What a file has no column for stays as the rate of that prefix has it; an empty cell means what a new rate begins with.
A line that changes nothing is not written: a list that is sent again every week does not make the tariff longer.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple

from xmlrpc_api.services.catalogue.bulk.columns import CLOSE, FREE
from xmlrpc_api.tabular.sheet import Table, Wrong

Found = Mapping[str, list[Any]]


class Known(NamedTuple):
    """
    A rate, with what is compared of it in this order.

    Attributes:
        i_rate: Its id; None as long as it is not written.
        i_upload: With which upload it came.
    """

    prefix: str
    activation_date: datetime
    expiration_date: datetime | None
    price_1: Any
    price_n: Any
    interval_1: int
    interval_n: int
    forbidden: bool
    grace_period_enable: bool
    local_price_1: Any
    local_price_n: Any
    local_interval_1: int | None
    local_interval_n: int | None
    area_name: str
    i_upload: int | None = None
    i_rate: int | None = None


ATTRIBUTES = Known._fields[:-1]
_terms = attrgetter(*Known._fields[2 : Known._fields.index("i_upload")])
_prices = attrgetter("price_1", "price_n", "interval_1", "interval_n")
_local_prices = attrgetter("local_price_1", "local_price_n", "local_interval_1", "local_interval_n")
_begins = attrgetter("activation_date")


class Kind(StrEnum):
    """What a line means for those who pay by the tariff."""

    NEW = "new"
    DEARER = "dearer"
    CHEAPER = "cheaper"
    CHANGED = "changed"
    FORBIDDEN = "forbidden"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Change:
    """
    What changes for a prefix.

    Attributes:
        before: The rate that is valid at that time as it is now, if there is one.
        after: The one that will be; of what is closed, the one that ends.
        at: When.
    """

    kind: Kind
    before: Known | None
    after: Known
    at: datetime


@dataclass(slots=True)
class Merged:
    """
    What is to be done.

    Attributes:
        new: Rates to add.
        replaced: Rates to change, as they are, and as they are to be.
        removed: Rates to remove: they would begin after their prefix is closed.
        changes: What it means, in the order of prefixes.
        unchanged: How many lines say what is so already.
        wrong: Lines that cannot be used.
    """

    new: list[Known] = field(default_factory=list)
    replaced: list[tuple[Known, Known]] = field(default_factory=list)
    removed: list[Known] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many changes there are of each kind."""
        counted = Counter(change.kind for change in self.changes)
        return {**{kind.value: counted[kind] for kind in Kind}, "unchanged": self.unchanged}


class Merging:
    """
    Compares a file with the rates of a tariff.

    Args:
        known: Rates of the tariff that are valid at the first moment that the file speaks of, or begin later; by
            prefix, in the order in which they begin.
        effective: When lines without a date begin, and what is closed ends.
        i_upload: With which upload new rates come.
    """

    def __init__(self, known: Mapping[str, list[Known]], effective: datetime, i_upload: int) -> None:
        self._known = known
        self._effective = effective
        self._i_upload = i_upload
        self._done = Merged()

    def merge(self, table: Table, *, close_missing: bool) -> Merged:
        """What is to be done so that the tariff says what the file says."""
        if close_missing and not table.lines:
            self._done.wrong.append(Wrong(0, "there are no rates in it: all of the tariff would end"))
            return self._done
        ends: dict[str, datetime] = {}
        begun: dict[tuple[str, datetime], int] = {}
        lines: dict[str, list[Known]] = {}
        for line, action, row in zip(table.lines, table.columns["action"], self._rows(table), strict=True):
            first = begun.setdefault((row.prefix, row.activation_date), line)
            why = self._why_not(row, action == CLOSE) if first == line else f"the same as line {first}"
            if why:
                self._done.wrong.append(Wrong(line, f"prefix {row.prefix}: {why}"))
            elif action == CLOSE:
                ends[row.prefix] = min(row.activation_date, ends.get(row.prefix, row.activation_date))
            else:
                lines.setdefault(row.prefix, []).append(row)
        has = _has(table)
        for prefix, rows in lines.items():
            self._take(prefix, sorted(rows, key=_begins), has)
        if close_missing:
            ends.update(zip(self._known.keys() - lines.keys() - ends.keys(), repeat(self._effective)))
        for prefix, end in ends.items():
            self._close(prefix, end, lines.get(prefix, []))
        self._done.changes.sort(key=lambda change: (change.after.prefix, change.at))
        return self._done

    def _why_not(self, row: Known, closes: bool) -> str:
        if row.price_1 is None and not row.forbidden and not closes:
            return "price_1 is missing"
        if row.expiration_date is not None and row.expiration_date <= row.activation_date:
            return "expiration_date is not later than activation_date"
        return ""

    def _rows(self, table: Table) -> Iterator[Known]:
        """The lines as rates; what a file has no column for is what a new rate begins with."""
        cells, pairs = table.columns, table.columns["increment"]
        areas = (cells[name] for name in ("area_name", "description", "country"))
        return map(
            Known,
            cells["prefix"],
            [date or self._effective for date in cells["activation_date"]],
            cells["expiration_date"],
            cells["price_1"],
            [
                first if price is None else price
                for first, price in zip(cells["price_1"], cells["price_n"], strict=True)
            ],
            [own or (pair[0] if pair else 1) for own, pair in zip(cells["interval_1"], pairs, strict=True)],
            [own or (pair[1] if pair else 1) for own, pair in zip(cells["interval_n"], pairs, strict=True)],
            [bool(one) for one in cells["forbidden"]],
            [bool(one) for one in cells["grace_period_enable"]],
            cells["local_price_1"],
            cells["local_price_n"],
            cells["local_interval_1"],
            cells["local_interval_n"],
            [area or description or country or "" for area, description, country in zip(*areas, strict=True)],
            repeat(self._i_upload),
        )

    def _take(self, prefix: str, rows: list[Known], stays: tuple[str, ...]) -> None:
        """Take the lines of a prefix, in the order in which they begin."""
        timeline = self._known.get(prefix, [])
        for row in rows:
            place = bisect_right(timeline, row.activation_date, key=_begins)
            last = timeline[place - 1] if place else None
            before = last if last is not None and _is_valid(last, row.activation_date) else None
            row = _completed(row, last if before is None else before, stays)  # noqa: PLW2901
            if before is not None and _terms(before) == _terms(row):
                self._done.unchanged += 1
                continue
            if last is not None and last.activation_date == row.activation_date:
                row = row._replace(i_rate=last.i_rate)  # noqa: PLW2901
                self._done.replaced.append((last, row))
                timeline = [*timeline[: place - 1], row, *timeline[place:]]
            else:
                self._done.new.append(row)
                timeline = [*timeline[:place], row, *timeline[place:]]
            self._done.changes.append(Change(_kind(before, row), before, row, row.activation_date))

    def _close(self, prefix: str, end: datetime, taken: list[Known]) -> None:
        """End what is valid at this moment, and remove what would begin later, but for what the file itself says."""
        own = {row.activation_date for row in taken}
        for rate in self._known.get(prefix, []):
            if rate.activation_date in own:
                continue
            if rate.activation_date >= end:
                self._done.removed.append(rate)
        current = [rate for rate in self._known.get(prefix, []) if rate.activation_date < end]
        if not current or not _is_valid(current[-1], end) or current[-1].activation_date in own:
            return
        ended = current[-1]._replace(expiration_date=end)
        self._done.replaced.append((current[-1], ended))
        self._done.changes.append(Change(Kind.CLOSED, current[-1], ended, end))


def _has(table: Table) -> tuple[str, ...]:
    """The attributes for which a file has no column."""
    named = set(table.named)
    if "increment" in named:
        named |= {"interval_1", "interval_n"}
    if named & {"description", "country"}:
        named.add("area_name")
    always = {"prefix", "activation_date", "expiration_date", "price_1", "price_n", "i_upload"}
    return tuple(name for name in ATTRIBUTES if name not in named | always)


def _completed(row: Known, last: Known | None, stays: tuple[str, ...]) -> Known:
    if row.price_1 is None:
        row = row._replace(price_1=FREE, price_n=FREE)
    if last is None or not stays:
        return row
    return row._replace(**{name: getattr(last, name) for name in stays})


def _is_valid(rate: Known, at: datetime) -> bool:
    return rate.expiration_date is None or rate.expiration_date > at


def _kind(before: Known | None, after: Known) -> Kind:
    """What a change means; what has become dearer in any way is dearer."""
    if after.forbidden:
        return Kind.CHANGED if before is not None and before.forbidden else Kind.FORBIDDEN
    if before is None or before.forbidden:
        return Kind.NEW
    pairs = [*zip(_prices(before), _prices(after), strict=True)]
    pairs += zip(_local_prices(before), _local_prices(after), strict=True)
    told = [(old, new) for old, new in pairs if old is not None and new is not None]
    if any(new > old for old, new in told):
        return Kind.DEARER
    return Kind.CHEAPER if any(new < old for old, new in told) else Kind.CHANGED
