"""
What rates a tariff has, as one number to which each rate adds its own.

A million of rates have no rows in the change history: an upload has one, which tells by what it changed this number.
Whoever knows all changes of a tariff knows the number of the rates that it must have, in whatever order they came; so
`verify` proves each of them, of whichever upload it is, and an upload costs what it changes.

The sum is that of AdHash: to find other rates with the same one takes 2^90 steps by the best way that is known, the
generalized birthday attack, which is why the numbers have 2048 bits.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self

from models import Price, Rate
from xmlrpc_api.dialects.entities import entity_of

RATE = entity_of(Rate)
SUMMED = tuple(
    name for name in RATE.fields if name != "i_rate"
)  # the key of a rate is its tariff, prefix and beginning
BITS = 2048
_ALL = (1 << BITS) - 1
_NUMBERS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=50_000)
def _price(value: Decimal) -> int:
    return int(value.scaleb(Price.places))


@lru_cache(maxsize=50_000)
def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _price(value)
    return _time(value) if isinstance(value, datetime) else value


def number_of(rate: Mapping[str, Any]) -> int:
    """The number of a rate: all its attributes but its id, as they are kept; what is left out is nil."""
    plain = [_plain(rate.get(name)) for name in SUMMED]
    return int.from_bytes(hashlib.shake_256(_NUMBERS.encode(plain).encode()).digest(BITS // 8))


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
