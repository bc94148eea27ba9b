"""Billing cycles, by hand: which days belong together, when they begin, and what a part of them costs."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import BIWEEKLY, MONTHLY, WEEKLY
from xmlrpc_api.services.charging.cycles import Days, begins, cost, cycle, day_of

DATES = st.dates(date(2000, 1, 1), date(2099, 12, 31))
KINDS = st.sampled_from((WEEKLY, BIWEEKLY, MONTHLY))


@pytest.mark.parametrize(
    ("anchor", "kind", "day", "begin", "end"),
    [
        ("2026-01-05", WEEKLY, "2026-01-05", "2026-01-05", "2026-01-12"),
        ("2026-01-05", WEEKLY, "2026-01-11", "2026-01-05", "2026-01-12"),
        ("2026-01-05", WEEKLY, "2026-01-04", "2025-12-29", "2026-01-05"),
        ("2026-01-05", BIWEEKLY, "2026-01-18", "2026-01-05", "2026-01-19"),
        ("2026-01-05", BIWEEKLY, "2026-01-19", "2026-01-19", "2026-02-02"),
        ("2026-01-15", MONTHLY, "2026-01-15", "2026-01-15", "2026-02-15"),
        ("2026-01-15", MONTHLY, "2026-12-20", "2026-12-15", "2027-01-15"),
        ("2026-01-15", MONTHLY, "2026-01-14", "2025-12-15", "2026-01-15"),
        ("2026-01-31", MONTHLY, "2026-02-27", "2026-01-31", "2026-02-28"),
        ("2026-01-31", MONTHLY, "2026-02-28", "2026-02-28", "2026-03-31"),
        ("2026-01-31", MONTHLY, "2026-03-31", "2026-03-31", "2026-04-30"),
        ("2028-01-31", MONTHLY, "2028-02-28", "2028-01-31", "2028-02-29"),
        ("2028-01-31", MONTHLY, "2028-02-29", "2028-02-29", "2028-03-31"),
        ("2028-02-29", MONTHLY, "2029-02-28", "2029-02-28", "2029-03-29"),
        ("2028-02-29", MONTHLY, "2032-02-29", "2032-02-29", "2032-03-29"),
    ],
)
def test_days_that_belong_together(anchor: str, kind: int, day: str, begin: str, end: str) -> None:
    whole = cycle(date.fromisoformat(anchor), kind, date.fromisoformat(day))

    assert (str(whole.begin), str(whole.end)) == (begin, end)


@given(DATES, KINDS, DATES)
def test_each_day_is_in_one_cycle_and_cycles_follow_each_other(anchor: date, kind: int, day: date) -> None:
    whole = cycle(anchor, kind, day)

    assert whole.begin <= day < whole.end
    assert cycle(anchor, kind, whole.end).begin == whole.end
    assert cycle(anchor, kind, whole.begin) == whole


@pytest.mark.parametrize(
    ("price", "begin", "end", "expected"),
    [
        ("31", "2026-01-01", "2026-02-01", "31"),
        ("31", "2026-01-01", "2026-01-02", "1"),
        ("31", "2026-01-11", "2026-02-01", "21"),
        ("10", "2026-01-01", "2026-01-02", "0.322581"),
        ("10", "2026-01-01", "2026-01-03", "0.645161"),
        ("10", "2026-01-02", "2026-01-03", "0.32258"),  # with the day before: what both cost together
        ("0.000001", "2026-01-01", "2026-01-16", "0"),
        ("0.000001", "2026-01-01", "2026-01-17", "0.000001"),
        ("9.9", "2026-01-05", "2026-01-05", "0"),
    ],
)
def test_what_days_of_january_cost(price: str, begin: str, end: str, expected: str) -> None:
    whole = Days(date(2026, 1, 1), date(2026, 2, 1))

    days = Days(date.fromisoformat(begin), date.fromisoformat(end))

    assert cost(Decimal(price), days, whole) == Decimal(expected)


@pytest.mark.parametrize(("month", "days"), [(date(2026, 2, 1), 28), (date(2028, 2, 1), 29), (date(2026, 4, 1), 30)])
def test_a_day_is_its_part_of_the_month(month: date, days: int) -> None:
    whole = cycle(month, MONTHLY, month)

    assert whole.count == days
    assert cost(Decimal(days), Days(month, month + timedelta(days=1)), whole) == 1


@given(st.decimals(0, 10**12, places=6), KINDS, DATES, st.lists(st.integers(0, 31), max_size=5))
def test_however_it_is_split_the_parts_add_up(price: Decimal, kind: int, day: date, splits: list[int]) -> None:
    whole = cycle(day, kind, day)
    places = sorted({whole.begin, whole.end, *(whole.begin + timedelta(days=n) for n in splits if n < whole.count)})

    parts = [cost(price, Days(first, last), whole) for first, last in itertools.pairwise(places)]

    assert sum(parts) == price
    assert min(parts) >= 0


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", "2026-03-01", "2026-03-01T00:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00"),  # the clocks go forward at two
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),  # midnight was left out
        ("Pacific/Auckland", "2026-01-01", "2025-12-31T11:00"),
    ],
)
def test_when_a_day_begins(zone: str, day: str, expected: str) -> None:
    moment = begins(date.fromisoformat(day), ZoneInfo(zone))

    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert day_of(moment, ZoneInfo(zone)) == date.fromisoformat(day)
