"""
Cells: what the text in one means. Each reader takes the text, without spaces around it, and raises `ValueError`.

The reasons go on after the name of the column: "prefix is not made of digits".
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Read = Callable[[str], Any]

YES = frozenset({"1", "y", "yes", "t", "true", "x", "on"})
NO = frozenset({"0", "n", "no", "f", "false", "off"})
DATES = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"\d{4}/\d\d/\d\d"), "%Y/%m/%d"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d\d\.\d\d\.\d{4}"), "%d.%m.%Y"),
)
CLOCKS = {1: "%H:%M", 2: "%H:%M:%S"}  # by their colons
_TIME = re.compile(r"\d\d:\d\d(?::\d\d)?(?:\.0+)?")
_ZONE = re.compile(r"(?: ?(?:Z|UTC|GMT)|[+]00(?::?00)?)$")
_NUMBER = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?")
_WHOLE = re.compile(r"[0-9]{1,18}")
_WITH_COMMA = re.compile(r"-?[0-9. ]*,[0-9]+")
_AS_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?[eE][+]?[0-9]+")
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")  # what XML cannot say is among it
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def text(limit: int) -> Read:
    """A text of so many characters at most; the guard of `guarded` is taken away again."""

    def read(cell: str) -> str:
        found = unguarded(cell)
        if len(found) > limit:
            raise ValueError(f"is longer than {limit} characters")
        if _NOT_TEXT.search(found):
            raise ValueError("holds control characters")
        return found

    return read


def digits(limit: int) -> Read:
    """So many digits at most, such as the beginning of a number; a `+` before them means nothing."""

    def read(cell: str) -> str:
        found = unguarded(cell).removeprefix("+")
        if _AS_NUMBER.fullmatch(found):
            raise ValueError("was written as a number by a spreadsheet, and its digits are lost: make the column text")
        if not (found.isascii() and found.isdecimal()):
            raise ValueError("is not made of digits")
        if len(found) > limit:
            raise ValueError(f"has more than {limit} digits")
        return found

    return read


def number(places: int, high: int | Decimal, low: int | Decimal = 0) -> Read:
    """A decimal number with a point, of so many places at most."""
    unit = Decimal(1).scaleb(-places)

    def read(cell: str) -> Decimal:
        if _WITH_COMMA.fullmatch(cell):
            raise ValueError("has a decimal comma: a point is needed")
        if not _NUMBER.fullmatch(cell.removeprefix("-")):
            raise ValueError("is not a number")
        value = Decimal(cell)
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        if value != value.quantize(unit):
            raise ValueError(f"has more than {places} decimals")
        return value

    return read


def whole(low: int, high: int) -> Read:
    """A whole number."""

    def read(cell: str) -> int:
        if not _WHOLE.fullmatch(cell):
            raise ValueError("is not a whole number")
        if not low <= int(cell) <= high:
            raise ValueError(f"must be from {low} to {high}")
        return int(cell)

    return read


def flag(cell: str) -> bool:
    """Yes or no: 1 or 0, yes or no, true or false, x."""
    known = cell.casefold()
    if known not in YES and known not in NO:
        raise ValueError("is neither yes nor no")
    return known in YES


def one_of(*known: str) -> Read:
    """One of these words."""

    def read(cell: str) -> str:
        if cell not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return cell

    return read


def moment(cell: str) -> datetime:
    """A day, or a day and a time, in UTC. Where day and month could be mistaken for each other, it is refused."""
    day, *rest = re.split("[T ]", _ZONE.sub("", unguarded(cell)), maxsplit=1)
    form = next((form for pattern, form in DATES if pattern.fullmatch(day)), None)
    if form is None:
        raise ValueError("is not a date such as 2027-01-31 or 2027-01-31 14:30:00, in UTC")
    time = rest[0] if rest else "00:00"
    if not _TIME.fullmatch(time):
        raise ValueError("has no time such as 14:30 or 14:30:00 after its day, in UTC")
    clock = time.partition(".")[0]
    try:
        found = datetime.strptime(f"{day} {clock}", f"{form} {CLOCKS[clock.count(':')]}")  # noqa: DTZ007 (UTC follows)
        return found.replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("is a day or time that does not exist") from None


def guarded(cell: str) -> str:
    """A text that no spreadsheet takes for a formula; `unguarded` gives it back."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def unguarded(cell: str) -> str:
    """A text as it was before `guarded`."""
    return cell[1:] if _GUARDED.match(cell) else cell
