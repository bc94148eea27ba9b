"""Cells: what the text in one means, and why another is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmlrpc_api.tabular import cells, writing

PRICE = cells.number(10, 1_000_000)
PREFIX = cells.digits(32)
UNDERSTOOD: list[tuple[cells.Read, str, Any]] = [
    (PRICE, "0.05", Decimal("0.05")),
    (PRICE, ".05", Decimal("0.05")),
    (PRICE, "1E-05", Decimal("0.00001")),
    (PRICE, "1000000", Decimal(1_000_000)),
    (PREFIX, "0049", "0049"),
    (PREFIX, "+49", "49"),
    (PREFIX, "'+49", "49"),
    (cells.whole(1, 60), "60", 60),
    (cells.flag, "Yes", True),
    (cells.flag, "0", False),
    (cells.text(5), "Köln", "Köln"),
    (cells.text(9), "'=1+1", "=1+1"),
    (cells.text(9), "a\xa0b", "a\xa0b"),
    (cells.one_of("a", "b"), "b", "b"),
    (cells.moment, "2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
    (cells.moment, "20270131", datetime(2027, 1, 31, tzinfo=UTC)),
    (cells.moment, "31.01.2027 14:30", datetime(2027, 1, 31, 14, 30, tzinfo=UTC)),
    (cells.moment, "2027/01/31 14:30:05 UTC", datetime(2027, 1, 31, 14, 30, 5, tzinfo=UTC)),
    (cells.moment, "2027-01-31T14:30:05.000Z", datetime(2027, 1, 31, 14, 30, 5, tzinfo=UTC)),
    (cells.moment, "20270131T14:30:05", datetime(2027, 1, 31, 14, 30, 5, tzinfo=UTC)),
    (cells.moment, "2027-01-31 14:30:05+00:00", datetime(2027, 1, 31, 14, 30, 5, tzinfo=UTC)),
]
REFUSED: list[tuple[cells.Read, str, str]] = [
    (PRICE, "0,05", "decimal comma"),
    (PRICE, "1.000,05", "decimal comma"),
    (PRICE, "$0.05", "not a number"),
    (PRICE, "nan", "not a number"),
    (PRICE, "1e999", "not a number"),
    (PRICE, "-1", "must be from 0"),
    (PRICE, "1000000.1", "must be from 0"),
    (PRICE, "0.00000000001", "more than 10 decimals"),
    (PRICE, "\u0661", "not a number"),
    (PREFIX, "4.9E+11", "written as a number"),
    (PREFIX, "4,9E+11", "written as a number"),
    (PREFIX, "49-1", "not made of digits"),
    (PREFIX, "\u0661", "not made of digits"),
    (PREFIX, "1" * 33, "more than 32 digits"),
    (cells.whole(1, 60), "61", "must be from 1"),
    (cells.whole(1, 60), "1.0", "not a whole number"),
    (cells.whole(1, 60), "9" * 5000, "not a whole number"),
    (cells.flag, "maybe", "neither yes nor no"),
    (cells.text(5), "123456", "longer than 5"),
    (cells.text(5), "a\nb", "control characters"),
    (cells.text(5), "\uffff", "control characters"),
    (cells.one_of("a", "b"), "c", "one of a, b"),
    (cells.moment, "01/02/2027", "not a date"),
    (cells.moment, "2027-02-30", "does not exist"),
    (cells.moment, "2027-01-31 25:00", "does not exist"),
    (cells.moment, "2027-01-31 14:30 CET", "no time"),
    (cells.moment, "0000-01-01", "does not exist"),
]


def _short(value):
    """A name of a case that is the same in every process."""
    return getattr(value, "__name__", repr(value)[:30])


@pytest.mark.parametrize(("read", "cell", "value"), UNDERSTOOD)
def test_what_is_meant_is_understood(read, cell, value):
    assert read(cell) == value


@pytest.mark.parametrize(("read", "cell", "why"), REFUSED, ids=_short)
def test_what_is_not_understood_is_refused_with_a_reason(read, cell, why):
    with pytest.raises(ValueError, match=why):
        read(cell)


@given(st.text())
def test_no_text_is_run_by_a_spreadsheet_and_each_comes_back(text):
    guarded = cells.guarded(text)

    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cells.unguarded(guarded) == text


@given(st.decimals(0, 10**6, places=10, allow_nan=False) | st.booleans() | st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_again(value):
    read = {Decimal: PRICE, bool: cells.flag, datetime: cells.moment}[type(value)]
    expected = value.replace(microsecond=0) if isinstance(value, datetime) else value

    assert read(writing.told(expected)) == expected


def test_nothing_is_an_empty_cell():
    assert "".join(writing.document(["a", "b"], [[None, "=1"]])) == "a,b\n,'=1\n"
