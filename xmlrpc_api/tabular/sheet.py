"""
Reading CSV as it is exchanged in the trade: columns by name in any order, `;`, `,` or tabs, every wrong line named.

A file is read column by column: what comes again and again in one, as prices do, is understood once.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from xmlrpc_api.tabular.cells import Read

DELIMITERS = ";,\t"
LINE_BYTES = 65_536
MOST_COLUMNS = 100
MOST_WRONG = 10_000
BATCH = 5_000
SHOWN = 40
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SAYS_DELIMITER = re.compile(r"sep=([;,\t])\s*")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    A column that a file may have.

    Attributes:
        name: What it is called here.
        read: Makes a value of a cell that is not empty, or raises `ValueError` with the reason.
        called: What else it is called in headers. Case, spaces and punctuation do not matter.
        required: Whether each file must have it, and each line something in it.
        may_be_empty: Of what is required: whether lines may have nothing in it.
    """

    name: str
    read: Read
    called: tuple[str, ...] = ()
    required: bool = False
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that cannot be used, and why; line 0 is the whole file."""

    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}" if self.line else self.why


@dataclass(slots=True)
class Table:
    """
    What a file says.

    Attributes:
        columns: The values of its right lines, by the name of the column; None where a cell is empty.
        lines: On which line of the file each of them begins.
        wrong: The other lines, in their order.
        ignored: Headers that mean nothing here.
        named: The columns that the file has.
    """

    columns: dict[str, list[Any]]
    lines: list[int] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    named: frozenset[str] = frozenset()

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Line and values of each right line."""
        names = list(self.columns)
        values = zip(*self.columns.values(), strict=True)
        return ((line, dict(zip(names, row, strict=True))) for line, row in zip(self.lines, values, strict=True))


class UnreadableError(Exception):
    """Nothing of a file can be used; the text tells why."""


class Sheet:
    """
    Reads files of one kind.

    Args:
        columns: Those that it may have.
        most_rows: How many lines one may have.
    """

    def __init__(self, columns: Iterable[Column], *, most_rows: int) -> None:
        self._columns = list(columns)
        self._most_rows = most_rows
        self._known = {_plain(name): known for known in self._columns for name in (known.name, *known.called)}

    def read(self, pieces: Iterable[bytes], advance: Advance = lambda _rows: None) -> Table:
        """
        What a file says.

        Args:
            pieces: Its bytes, cut anywhere.
            advance: Is told now and then how many lines were read.
        """
        table = Table({known.name: [] for known in self._columns})
        try:
            _Reading(self._columns, self._named, table, self._most_rows).run(pieces, advance)
        except UnreadableError as error:
            table.wrong.append(Wrong(0, str(error)))
        table.wrong.sort(key=lambda wrong: wrong.line)
        return table

    def _named(self, header: Sequence[str], table: Table) -> list[Column | None]:
        """What the columns of a file are."""
        if len(header) > MOST_COLUMNS:
            raise UnreadableError(f"the header has more than {MOST_COLUMNS} columns")
        found = [self._known.get(_plain(name)) for name in header]
        for place, known in enumerate(found):
            if known is not None and known in found[:place]:
                names = " and ".join(header[at][:SHOWN] for at in (found.index(known), place))
                raise UnreadableError(f"the columns {names} of the header mean the same: {known.name}")
        for known in self._columns:
            if known.required and known not in found:
                others = f" (or {', '.join(known.called)})" if known.called else ""
                raise UnreadableError(f"the header has no column {known.name}{others}")
        table.named = frozenset(known.name for known in found if known is not None)
        table.ignored = [name[:SHOWN] for name, known in zip(header, found, strict=True) if name and known is None]
        return found


class _Reading:
    """One file on its way into a table."""

    def __init__(
        self,
        columns: list[Column],
        named: Callable[[Sequence[str], Table], list[Column | None]],
        table: Table,
        most_rows: int,
    ) -> None:
        self._columns, self._named = columns, named
        self._table = table
        self._most_rows = most_rows
        self._once = {known.name: _Once(known) for known in columns}
        self._header: list[Column | None] = []
        self._delimiter = DELIMITERS[0]

    def run(self, pieces: Iterable[bytes], advance: Advance) -> None:
        lines = _lines(pieces, self._note)
        first, before = self._first(lines)
        said = _SAYS_DELIMITER.fullmatch(first)
        if said is not None:
            first, skipped = self._first(lines)
            before += 1 + skipped
        self._delimiter = said[1] if said is not None else _delimiter_of(first)
        reader = csv.reader(chain([first], lines), delimiter=self._delimiter, strict=True)
        self._header = self._named([cell.strip() for cell in _next(reader)], self._table)
        count = 0
        while batch := self._batch(reader, before):
            count += len(batch)
            if count > self._most_rows:
                raise UnreadableError(f"the file has more than {self._most_rows} lines")
            self._take(batch)
            advance(count)

    def _first(self, lines: Iterator[str]) -> tuple[str, int]:
        """The first line that is not empty, and how many come before it."""
        for number, line in enumerate(lines):
            if line.strip():
                return line, number
        raise UnreadableError("the file is empty")

    def _note(self, line: int, why: str) -> None:
        if len(self._table.wrong) == MOST_WRONG:
            raise UnreadableError(f"more than {MOST_WRONG} lines are wrong: the rest was not read")
        self._table.wrong.append(Wrong(line, why))

    def _batch(self, reader: Any, before: int) -> list[tuple[int, list[str]]]:
        """Some lines that look as the header demands: the number of each, and its cells."""
        batch: list[tuple[int, list[str]]] = []
        width = len(self._header)
        while len(batch) < BATCH:
            number = reader.line_num + before + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                self._note(number, f"is not CSV: {_said(error)}")
                continue
            if cells is None:
                break
            if len(cells) == width and any(cells):
                batch.append((number, cells))
            elif fitting := self._fitting(number, cells, width):
                batch.append((number, fitting))
        return batch

    def _fitting(self, number: int, cells: list[str], width: int) -> list[str]:
        """A line of another width than the header: cells that are empty may be missing or too many at its end."""
        if any(cell.strip() for cell in cells[width:]):
            hint = ": is there a decimal comma?" if self._delimiter == "," else ""
            self._note(number, f"has {len(cells)} cells, the header {width}{hint}")
            return []
        return [*cells, *[""] * (width - len(cells))][:width] if any(cells) else []

    def _take(self, batch: list[tuple[int, list[str]]]) -> None:
        numbers = [number for number, _ in batch]
        named = zip(self._header, zip(*(cells for _, cells in batch), strict=True), strict=True)
        found = {known.name: self._once[known.name].all(cells) for known, cells in named if known is not None}
        empty = [None] * len(batch)
        wrong: dict[int, list[str]] = {}
        for known in self._columns:
            for place, why in self._once[known.name].wrongs(found.get(known.name, ())):
                wrong.setdefault(place, []).append(f"{known.name} {why}")
        for place, whys in sorted(wrong.items()):
            self._note(numbers[place], "; ".join(whys))
        right = [place for place in range(len(batch)) if place not in wrong] if wrong else None
        for known in self._columns:
            values = found.get(known.name, empty)
            self._table.columns[known.name] += values if right is None else [values[place] for place in right]
        self._table.lines += numbers if right is None else [numbers[place] for place in right]


@dataclass(frozen=True, slots=True)
class _Refused:
    """In place of a value: why there is none."""

    why: str


class _Once(dict[str, Any]):
    """The values of a column by their texts: each is understood once, as long as not all differ."""

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._column = column
        self._has_refused = False

    def __missing__(self, cell: str) -> Any:
        text = cell.strip()
        if text:
            try:
                value = self._column.read(text)
            except ValueError as error:
                self._has_refused = True
                value = _Refused(f"{error} ({text[:SHOWN]!r})")
        else:
            is_missing = self._column.required and not self._column.may_be_empty
            self._has_refused |= is_missing
            value = _Refused("is missing") if is_missing else None
        self[cell] = value
        return value

    def all(self, cells: Iterable[str]) -> list[Any]:
        """The values of some lines."""
        self.clear()
        self._has_refused = False
        return list(map(self.__getitem__, cells))

    def wrongs(self, values: Sequence[Any]) -> list[tuple[int, str]]:
        """The places of those that cannot be used, and why."""
        if not self._has_refused:
            return []
        return [(place, value.why) for place, value in enumerate(values) if isinstance(value, _Refused)]


def _plain(name: str) -> str:
    """The name of a column, by which it is found however it is written."""
    return re.sub("[^a-z0-9]+", " ", name.casefold()).strip()


def _lines(pieces: Iterable[bytes], note: Callable[[int, str], None]) -> Iterator[str]:
    """The lines of a file; of those that cannot be read, nothing but that they are there."""
    for number, line in enumerate(_cut(pieces), 1):
        if len(line) > LINE_BYTES:
            if number == 1:
                raise UnreadableError(f"the header is longer than {LINE_BYTES} bytes")
            note(number, f"is longer than {LINE_BYTES} bytes")
            yield "\n"
        elif b"\0" in line:
            if number == 1:
                raise UnreadableError("the file is not UTF-8 (UTF-16?), or not a text at all")
            note(number, "holds a NUL")
            yield "\n"
        else:
            try:
                yield line.decode()
            except UnicodeDecodeError:
                if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise UnreadableError("the file is UTF-16: save it as UTF-8") from None
                note(number, "is not UTF-8")
                yield "\n"


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends; of one that is too long, a little more than may be."""
    rest = b""
    is_first = True
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield (line.removeprefix(BYTE_ORDER_MARK) if is_first else line) + b"\n"
            is_first = False
        rest = rest[: LINE_BYTES + 1]
    if rest:
        yield rest.removeprefix(BYTE_ORDER_MARK) if is_first else rest


def _delimiter_of(header: str) -> str:
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def _next(reader: Any) -> list[str]:
    try:
        cells: list[str] = next(reader)
    except csv.Error as error:
        raise UnreadableError(f"the header is not CSV: {_said(error)}") from None
    return cells


def _said(error: csv.Error) -> str:
    """What is wrong; not what a programmer might do about it."""
    return str(error).partition(" - ")[0]
