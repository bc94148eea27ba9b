"""Billing cycles: which days belong together, when they begin, and what a part of them costs. Nothing is asked here."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from models import BIWEEKLY, MONTHLY, SCALE, WEEKLY

WEEKS = {WEEKLY: 1, BIWEEKLY: 2}
_MONTHS = 12
_SMALLEST = Decimal(1).scaleb(-SCALE)


@dataclass(frozen=True, slots=True)
class Days:
    """Days that follow each other, from the first up to the one at which they end, which is none of them."""

    begin: date
    end: date

    @property
    def count(self) -> int:
        """How many they are."""
        return (self.end - self.begin).days


def cycle(anchor: date, kind: int, day: date) -> Days:
    """
    The cycle in which a day lies.

    Args:
        anchor: A day on which one begins. Where a month lacks such a day, one begins on the last that it has.
        kind: WEEKLY, BIWEEKLY or MONTHLY.
        day: Any day, also before the anchor.
    """
    if kind != MONTHLY:
        length = timedelta(weeks=WEEKS[kind])
        begin = anchor + (day - anchor) // length * length
        return Days(begin, begin + length)
    months = (day.year - anchor.year) * _MONTHS + day.month - anchor.month
    months -= _later(anchor, months) > day
    return Days(_later(anchor, months), _later(anchor, months + 1))


def _later(anchor: date, months: int) -> date:
    """The same day some months later, or the last of a month that is too short."""
    years, month = divmod(anchor.month - 1 + months, _MONTHS)
    year, month = anchor.year + years, month + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


def cost(price: Decimal, days: Days, whole: Days) -> Decimal:
    """
    What some days of a cycle cost, where all of it costs `price`.

    However it is split, the parts add up to the price: what comes before a day is rounded, half to even.
    """
    return _up_to(price, days.end, whole) - _up_to(price, days.begin, whole)


def _up_to(price: Decimal, day: date, whole: Days) -> Decimal:
    return (price * (day - whole.begin).days / whole.count).quantize(_SMALLEST, ROUND_HALF_EVEN)


def begins(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins somewhere; where the clocks leave midnight out, when they go on."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """Which day it is somewhere."""
    return moment.astimezone(zone).date()
