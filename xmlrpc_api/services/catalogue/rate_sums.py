"""
What rates a tariff has, as one number to which each rate adds its own.

A million of rates have no rows in the change history: an upload has one, which tells by what it changed this number.
Whoever knows all changes of a tariff knows the number of the rates that it must have, in whatever order they came; so
`verify` proves each of them, of whichever upload it is, and an upload costs what it changes.

The sum is that of AdHash: to find other rates with the same one takes 2^90 steps by the best way that is known, the
generalized birthday attack, which is why the numbers have 2048 bits.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self

from models import Price, Rate, UtcDateTime
from xmlrpc_api.dialects.entities import entity_of

RATE = entity_of(Rate)
BITS = 2048
_ALL = (1 << BITS) - 1
_BETWEEN = "\x1f"  # stands in no number and no date; the one text that could hold it comes last


@lru_cache(maxsize=50_000)
def _price(value: Decimal | None) -> object:
    return None if value is None else int(value.scaleb(Price.places))


@lru_cache(maxsize=50_000)
def _time(value: datetime | None) -> object:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")


def _summed() -> list[tuple[str, Callable[[Any], object]]]:
    """The attributes that count, each with how it is told: all but the id; tariff, prefix and beginning are one."""
    names = sorted(RATE.fields.keys() - {"i_rate"}, key=lambda name: (name == "area_name", name))
    by_kind = {Price: _price, UtcDateTime: _time}
    return [(name, by_kind.get(type(RATE.column(name).type), str)) for name in names]


_SUMMED = _summed()


def number_of(rate: Mapping[str, Any]) -> int:
    """The number of a rate: all its attributes but its id, as they are kept; what is left out is nil."""
    told = _BETWEEN.join([str(tell(rate.get(name))) for name, tell in _SUMMED])
    return int.from_bytes(hashlib.shake_256(told.encode()).digest(BITS // 8))


class RateSum:
    """
    By what a change of many rates changes the number of their tariff.

    Attributes:
        came: How many rates there are now that were not there, or not as they are.
        went: How many are not there any more, or not as they were.
    """

    def __init__(self) -> None:
        self.number = 0
        self.came = 0
        self.went = 0

    def add(self, rate: Mapping[str, Any]) -> None:
        """Take a rate into account that is there now, or is so now."""
        self.number = self.number + number_of(rate) & _ALL
        self.came += 1

    def take(self, rate: Mapping[str, Any]) -> None:
        """Take a rate into account that is gone, or is not so any more."""
        self.number = self.number - number_of(rate) & _ALL
        self.went += 1

    @property
    def text(self) -> str:
        """The number as the history keeps it."""
        return f"{self.number:0{BITS // 4}x}"

    def join(self, text: str) -> None:
        """Add a number that the history has kept."""
        self.number = self.number + int(text, 16) & _ALL

    def restart(self) -> None:
        """Begin anew: all rates are gone."""
        self.number = 0

    def is_that_of(self, other: Self) -> bool:
        """Whether two numbers are the same."""
        return self.number == other.number
