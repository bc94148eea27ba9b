"""What a price list changes of a tariff."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xmlrpc_api.services.catalogue.bulk.columns import SHEET
from xmlrpc_api.services.catalogue.bulk.merging import Known, Merged, Merging

YEAR = [datetime(2027, month, 1, tzinfo=UTC) for month in range(1, 13)]
NOW = YEAR[5]
USUAL = {
    "expiration_date": None,
    "interval_1": 1,
    "interval_n": 1,
    "forbidden": False,
    "grace_period_enable": False,
    "local_price_1": None,
    "local_price_n": None,
    "local_interval_1": None,
    "local_interval_n": None,
    "area_name": "",
}


def rate(prefix: str, price: Any, begins: datetime = YEAR[0], **values: Any) -> Known:
    prices = {"price_1": Decimal(price), "price_n": Decimal(price)}
    return Known(prefix=prefix, activation_date=begins, **{**USUAL, **prices, "i_upload": 1, "i_rate": 1, **values})


def merge(known: list[Known], text: str, **options: Any) -> Merged:
    by_prefix: dict[str, list[Known]] = {}
    for one in known:
        by_prefix.setdefault(one.prefix, []).append(one)
    table = SHEET.read([text.encode()])
    assert table.wrong == []
    return Merging(by_prefix, NOW, 2).merge(table, **{"close_missing": False, **options})


def kinds(merged: Merged) -> list[tuple[str, str]]:
    return [(change.kind.value, change.after.prefix) for change in merged.changes]


@pytest.mark.parametrize(
    ("before", "line", "kind"),
    [
        (None, "49,1,1,1,1,", "new"),
        (rate("49", 2), "49,1,2,1,1,", "cheaper"),
        (rate("49", 2), "49,1,3,1,1,", "dearer"),
        (rate("49", 2), "49,2,2,1,6,", "dearer"),
        (rate("49", 2, interval_1=60), "49,2,2,1,1,", "cheaper"),
        (rate("49", 2, forbidden=True), "49,9,9,1,1,", "new"),
        (rate("49", 2), "49,2,2,1,1,1", "forbidden"),
        (rate("49", 2, expiration_date=YEAR[3]), "49,2,2,1,1,", "new"),
        (rate("49", 2, expiration_date=YEAR[8]), "49,2,2,1,1,", "changed"),
    ],
)
def test_what_a_line_means(before, line, kind):
    header = "prefix,price_1,price_n,interval_1,interval_n,forbidden\n"
    merged = merge([before] if before else [], f"{header}{line}\n")

    assert kinds(merged) == [(kind, "49")]


def test_what_is_so_already_is_not_written():
    merged = merge([rate("49", 2, area_name="Germany", interval_n=6)], "code,rate\n49,2\n")

    assert (merged.new, merged.replaced, merged.unchanged) == ([], [], 1)


def test_what_the_file_has_no_column_for_stays():
    merged = merge([rate("49", 2, area_name="Germany", interval_n=6, local_price_1=Decimal(1))], "code,rate\n49,3\n")

    assert merged.new == [
        rate("49", 3, NOW, area_name="Germany", interval_n=6, local_price_1=Decimal(1), i_upload=2, i_rate=None)
    ]


def test_an_empty_cell_means_what_a_new_rate_begins_with():
    merged = merge([rate("49", 2, area_name="Germany")], "code,rate,area\n49,2,\n")

    assert merged.new[0].area_name == ""


def test_a_rate_that_begins_at_the_same_time_is_changed_and_keeps_its_id():
    merged = merge([rate("49", 2, NOW, i_rate=77)], "code,rate\n49,3\n")

    ((before, after),) = merged.replaced
    assert (before.i_rate, after.i_rate, after.price_1, merged.new) == (77, 77, 3, [])


def test_what_is_missing_ends_and_what_would_begin_later_is_removed():
    known = [rate("1", 1), rate("1", 2, YEAR[8]), rate("2", 1, expiration_date=YEAR[2]), rate("49", 1)]

    merged = merge(known, "code,rate\n49,1\n", close_missing=True)

    assert merged.replaced == [(known[0], known[0]._replace(expiration_date=NOW))]
    assert merged.removed == [known[1]]
    assert kinds(merged) == [("closed", "1")]


def test_an_empty_list_does_not_end_all():
    merged = merge([rate("49", 1)], "code,rate\n", close_missing=True)

    assert [str(one) for one in merged.wrong] == ["there are no rates in it: all of the tariff would end"]
    assert merged.replaced == []


def test_a_line_may_close_its_prefix_and_another_open_it_again():
    merged = merge([rate("49", 1)], "code,rate,change,effective\n49,,closed,2027-07-01\n49,5,new,2027-09-01\n")

    assert [after.expiration_date for _, after in merged.replaced] == [YEAR[6]]
    assert [one.activation_date for one in merged.new] == [YEAR[8]]
    assert merged.removed == []


def test_both_intervals_may_stand_in_one_cell():
    merged = merge([], "code,rate,billing increment\n49,1,60/6\n50,1,30\n")

    assert [(one.interval_1, one.interval_n) for one in merged.new] == [(60, 6), (30, 30)]


def test_an_area_is_told_by_its_destination_or_else_its_country():
    merged = merge([], "code,rate,country,destination\n49,1,Germany,Berlin\n1,1,USA,\n")

    assert [one.area_name for one in merged.new] == ["Berlin", "USA"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("49,1,,\n49,2,,", "line 3: prefix 49: the same as line 2"),
        ("49,,,", "line 2: prefix 49: price_1 is missing"),
        ("49,1,2027-02-01,2027-02-01", "line 2: prefix 49: expiration_date is not later than activation_date"),
    ],
)
def test_lines_that_contradict_are_wrong(lines, why):
    assert [str(one) for one in merge([], f"code,rate,from,until\n{lines}\n").wrong] == [why]


CELLS = st.tuples(st.sampled_from(["1", "12", "123", "2"]), st.integers(1, 3), st.sampled_from(range(12)))


@given(st.lists(CELLS, unique_by=lambda cell: (cell[0], cell[2])), st.lists(CELLS, unique_by=lambda cell: cell[0]))
def test_afterwards_the_tariff_says_what_the_file_says(before, after):
    """Whatever was there: at the effective date each prefix has the price of the file, and no other is open."""
    known = sorted((rate(prefix, price, YEAR[month]) for prefix, price, month in before), key=lambda one: one[:2])
    known = [one._replace(i_rate=number) for number, one in enumerate(known)]
    lines = "".join(f"{prefix},{price}\n" for prefix, price, _ in after)
    assume(after)

    merged = merge(known, f"code,rate\n{lines}", close_missing=True)

    gone = {one.i_rate for one in merged.removed} | {one.i_rate for one, _ in merged.replaced}
    left = [one for one in known if one.i_rate not in gone]
    there = sorted([*left, *merged.new, *(one for _, one in merged.replaced)], key=lambda one: one[:2])
    assert len({one[:2] for one in there}) == len(there)
    last = {one.prefix: one for one in there if one.activation_date <= NOW}
    is_open = {prefix: one.price_1 for prefix, one in last.items() if not one.expiration_date}
    assert is_open == {prefix: price for prefix, price, _ in after}
    assert {one.prefix for one in there if one.activation_date > NOW} <= is_open.keys()
