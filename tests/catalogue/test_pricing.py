"""The price of a call: each case worked out by hand, and any call as an obvious implementation has it."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xmlrpc_api.services.catalogue import pricing
from xmlrpc_api.services.catalogue.pricing import Steps, Terms

D = Decimal
MINUTE = {"price_1": D("0.60"), "price_n": D("0.60")}  # a cent a second, by the second
TELEX = {"price_1": D("0.12"), "price_n": D("0.06"), "interval_1": 30, "interval_n": 6}
LARGEST = D(10) ** 8

CASES: list[tuple[str, dict[str, Any], dict[str, Any], Any, str]] = [
    # what, terms of the tariff, steps of the rate, seconds, cost: (fee + time) · (1 + surcharge)
    ("a call of no time costs nothing", {}, MINUTE, 0, "0"),
    ("a second", {}, MINUTE, 1, "0.01"),
    ("a minute", {}, MINUTE, 60, "0.60"),
    ("an hour", {}, MINUTE, 3600, "36"),
    ("a day", {}, MINUTE, 86400, "864"),
    ("a fraction is a second", {}, MINUTE, D("0.001"), "0.01"),
    ("and behind whole seconds one more", {}, MINUTE, D("59.0001"), "0.60"),
    ("a whole number of seconds as a decimal", {}, MINUTE, D("59.000"), "0.59"),
    # intervals: 30 s at 0.12 are 0.06, each 6 s at 0.06 are 0.006
    ("the first interval is paid whole", {}, TELEX, 1, "0.06"),
    ("up to its end", {}, TELEX, 30, "0.06"),
    ("one second behind it begins the next", {}, TELEX, 31, "0.066"),
    ("which is paid whole", {}, TELEX, 36, "0.066"),
    ("and then the one after", {}, TELEX, 37, "0.072"),
    ("60/60: a minute that has begun", {}, {**MINUTE, "interval_1": 60, "interval_n": 60}, 61, "1.20"),
    ("60/1: the first minute, then seconds", {}, {**MINUTE, "interval_1": 60}, 61, "0.61"),
    ("1/60: the first second, then minutes", {}, {**MINUTE, "interval_n": 60}, 2, "0.61"),
    ("the longest interval", {}, {**MINUTE, "interval_1": 86400}, 1, "864"),
    ("the first minute dear, the rest free", {}, {"price_1": D(3), "price_n": D(0), "interval_1": 60}, 999, "3"),
    ("the first minute free, the rest dear", {}, {"price_1": D(0), "price_n": D(3), "interval_1": 60}, 120, "3"),
    ("and within it nothing", {}, {"price_1": D(0), "price_n": D(3), "interval_1": 60}, 60, "0"),
    ("price_n does not count in the first interval", {}, {**TELEX, "price_n": D(9)}, 30, "0.06"),
    # connect fee
    ("the fee comes to the time", {"connect_fee": D("0.05")}, MINUTE, 1, "0.06"),
    ("the fee is not for a minute", {"connect_fee": D("0.05")}, MINUTE, 120, "1.25"),
    ("no fee for a call of no time", {"connect_fee": D("0.05")}, MINUTE, 0, "0"),
    ("the fee alone where time is free", {"connect_fee": D("0.05")}, {"price_1": D(0), "price_n": D(0)}, 9, "0.05"),
    ("a fee of ten decimals is rounded with the rest", {"connect_fee": D("0.0000004999")}, MINUTE, 1, "0.01"),
    # free seconds: they are taken away before intervals are counted
    ("free seconds cost nothing", {"free_seconds": 10}, MINUTE, 10, "0"),
    ("what is behind them does", {"free_seconds": 10}, MINUTE, 11, "0.01"),
    ("the first interval begins behind them", {"free_seconds": 10}, TELEX, 40, "0.06"),
    ("and the next behind it", {"free_seconds": 10}, TELEX, 41, "0.066"),
    ("no fee within free seconds", {"free_seconds": 10, "connect_fee": D(1)}, MINUTE, 10, "0"),
    ("the whole fee behind them", {"free_seconds": 10, "connect_fee": D(1)}, MINUTE, 11, "1.01"),
    ("a fraction behind them is a second", {"free_seconds": 10}, MINUTE, D("10.1"), "0.01"),
    # grace: all or nothing, see GRACE below for rates that have it
    ("grace is nothing where the rate has none", {"grace_period": 10}, MINUTE, 5, "0.05"),
    # surcharge
    ("five per cent more", {"post_call_surcharge": D(5)}, MINUTE, 60, "0.63"),
    ("of the fee, too", {"post_call_surcharge": D(10), "connect_fee": D(1)}, MINUTE, 60, "1.76"),
    ("a surcharge of a part of a per cent", {"post_call_surcharge": D("0.5")}, MINUTE, 60, "0.603"),
    ("twice as much", {"post_call_surcharge": D(100)}, MINUTE, 60, "1.20"),
    ("of nothing it is nothing", {"post_call_surcharge": D(100), "free_seconds": 60}, MINUTE, 60, "0"),
    ("the largest", {"post_call_surcharge": D(1_000_000)}, MINUTE, 1, "100.01"),
    # rounding: once, half to even, to millionths
    ("a third: 0.1 / 60", {}, {"price_1": D("0.1"), "price_n": D("0.1")}, 1, "0.001667"),
    ("not by the second: 60 times that", {}, {"price_1": D("0.1"), "price_n": D("0.1")}, 60, "0.1"),
    ("half, to even, down: 0.0000005", {}, {"price_1": D("0.00003"), "price_n": D(0)}, 1, "0"),
    ("half, to even, up: 0.0000015", {}, {"price_1": D("0.00009"), "price_n": D(0)}, 1, "0.000002"),
    ("half, to even, down: 0.0000025", {}, {"price_1": D("0.00015"), "price_n": D(0)}, 1, "0.000002"),
    ("a bit above half is up", {}, {"price_1": D("0.0000300001"), "price_n": D(0)}, 1, "0.000001"),
    ("a bit below half is down", {}, {"price_1": D("0.0000899999"), "price_n": D(0)}, 1, "0.000001"),
    ("the smallest price for a second", {}, {"price_1": D("1E-10"), "price_n": D("1E-10")}, 1, "0"),
    ("the smallest price for a day", {}, {"price_1": D("1E-10"), "price_n": D("1E-10")}, 86400, "0"),
    ("the smallest price for a million seconds", {}, {"price_1": D("1E-10"), "price_n": D("1E-10")}, 10**6, "0.000002"),
    ("surcharge before rounding: 0.0000005 · 2", {"post_call_surcharge": D(100)},
     {"price_1": D("0.00003"), "price_n": D(0)}, 1, "0.000001"),
    ("fee and time are rounded together: 0.0000003 + 0.0000003", {"connect_fee": D("0.0000003")},
     {"price_1": D("0.000018"), "price_n": D(0)}, 1, "0.000001"),
    # cost_round_up
    ("up, however little it is", {"cost_round_up": True}, {"price_1": D("1E-10"), "price_n": D(0)}, 1, "0.000001"),
    ("what is exact stays", {"cost_round_up": True}, MINUTE, 1, "0.01"),
    ("a third, up", {"cost_round_up": True}, {"price_1": D("0.1"), "price_n": D("0.1")}, 4, "0.006667"),
    ("to whole cents, up", {"cost_round_up": True, "decimal_precision": 2}, TELEX, 31, "0.07"),
    ("nothing stays nothing", {"cost_round_up": True}, MINUTE, 0, "0"),
    # decimal_precision
    ("to whole cents: 0.066", {"decimal_precision": 2}, TELEX, 31, "0.07"),
    ("half a cent, to even: 0.125", {"decimal_precision": 2}, {"price_1": D("7.5"), "price_n": D(0)}, 1, "0.12"),
    ("half a cent, to even: 0.375", {"decimal_precision": 2}, {"price_1": D("22.5"), "price_n": D(0)}, 1, "0.38"),
    ("to whole units", {"decimal_precision": 0}, MINUTE, 149, "1"),
    ("half a unit, to even", {"decimal_precision": 0}, MINUTE, 150, "2"),
    ("twenty means six", {"decimal_precision": 20}, {"price_1": D("0.1"), "price_n": D("0.1")}, 1, "0.001667"),
    ("seven means six", {"decimal_precision": 7}, {"price_1": D("0.1"), "price_n": D("0.1")}, 1, "0.001667"),
    ("six", {"decimal_precision": 6}, {"price_1": D("0.1"), "price_n": D("0.1")}, 1, "0.001667"),
    ("five", {"decimal_precision": 5}, {"price_1": D("0.1"), "price_n": D("0.1")}, 1, "0.00167"),
    # all at once: d = 95 - 5 = 90; 0.06 + 10 · 0.006 = 0.12; + 0.03 = 0.15; · 1.19 = 0.1785
    ("everything", {"free_seconds": 5, "connect_fee": D("0.03"), "post_call_surcharge": D(19),
                    "decimal_precision": 3}, TELEX, D("94.2"), "0.178"),
    ("everything, up", {"free_seconds": 5, "connect_fee": D("0.03"), "post_call_surcharge": D(19),
                        "decimal_precision": 3, "cost_round_up": True}, TELEX, D("94.2"), "0.179"),
    # large: nothing is lost. 10^8 · 10^6 s / 60 = 1666666666666.666667
    ("the largest price", {}, {"price_1": LARGEST, "price_n": LARGEST}, 10**6, "1666666666666.666667"),
    ("and the smallest beside it", {"connect_fee": D("0.0000005")},
     {"price_1": LARGEST, "price_n": LARGEST}, 60, "100000000"),
    ("or a bit more", {"connect_fee": D("0.0000005001")},
     {"price_1": LARGEST, "price_n": LARGEST}, 60, "100000000.000001"),
]  # fmt: skip

GRACE = [  # seconds, cost with a grace period of 10 s: the call's own seconds count, not those that are charged
    (0, "0"), (9, "0"), (10, "0"), (D("10.0"), "0"), (D("10.1"), "0.11"), (11, "0.11"), (60, "0.60"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "steps", "seconds", "cost"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_worked_by_hand(terms: Any, steps: Any, seconds: Any, cost: str) -> None:
    assert pricing.charge(Terms(**terms), Steps(**steps), seconds).cost == D(cost)


@pytest.mark.parametrize(("seconds", "cost"), GRACE)
def test_calls_within_the_grace_period_cost_nothing_and_longer_ones_all(seconds: Any, cost: str) -> None:
    assert pricing.charge(Terms(grace_period=10), Steps(**MINUTE), seconds, has_grace=True).cost == D(cost)


def test_grace_counts_the_seconds_of_the_call_and_not_those_that_are_charged() -> None:
    terms = Terms(grace_period=10, free_seconds=5, connect_fee=D(1))

    assert pricing.charge(terms, Steps(**MINUTE), 10, has_grace=True) == pricing.FREE
    assert pricing.charge(terms, Steps(**MINUTE), 11, has_grace=True).cost == D("1.06")


def test_what_is_charged_and_paid_is_told() -> None:
    told = pricing.charge(Terms(free_seconds=5), Steps(**TELEX), 40)

    assert (told.charged, told.paid) == (35, 36)


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("4930", ["4930", "493", "49", "4"]),
        ("+49", ["49", "4"]),
        ("49#30", ["49", "4"]),
        ("1" * 40, ["1" * length for length in range(32, 0, -1)]),
        ("sip:49", []),
        ("²3", []),
        ("", []),
        ("++49", []),
    ],
)
def test_the_prefixes_of_a_number(number: str, found: list[str]) -> None:
    assert pricing.prefixes(number) == found


BERLIN, MUNICH, NOWHERE = ({"area_name": name} for name in ("Berlin", "Munich", ""))


@pytest.mark.parametrize(
    ("called", "calling", "is_valid", "expected"),
    [
        (BERLIN, BERLIN, True, True),
        (BERLIN, BERLIN, False, False),
        (BERLIN, MUNICH, True, False),
        (BERLIN, None, True, False),
        (NOWHERE, NOWHERE, True, False),
    ],
)
def test_calls_within_one_area_are_local(called: Any, calling: Any, is_valid: bool, expected: bool) -> None:
    assert pricing.is_local(called, calling, is_valid=is_valid) is expected


def test_local_calls_have_their_own_prices_and_what_is_nil_is_as_of_all() -> None:
    """Local: 60 s at 0.03 in place of 30 s at 0.12; price_n and interval_n are nil, so 60 s more are ten of 0.006."""
    local = {"local_price_1": D("0.03"), "local_price_n": None, "local_interval_1": 60, "local_interval_n": None}
    rate = {**TELEX, **local}

    def cost(*, is_local: bool) -> D:
        return pricing.charge(Terms(), pricing.steps_of(rate, is_local=is_local), 120).cost

    assert (cost(is_local=False), cost(is_local=True)) == (D("0.15"), D("0.09"))


@pytest.mark.parametrize(
    ("terms", "sold", "bought", "expected"),
    [  # a call of 200 s: a loss of 0.10 is 0.03 a minute
        ({"loss_protection": True}, "1", "1", False),
        ({"loss_protection": True}, "1", "1.000001", True),
        ({"loss_protection": True}, "1.10", "1", False),
        ({}, "1", "9", False),
        ({"loss_protection": True, "max_loss": D("0.03")}, "1", "1.10", False),
        ({"loss_protection": True, "max_loss": D("0.03")}, "1", "1.100001", True),
        ({"loss_protection": True, "max_loss": D("0.03"), "average_duration": 100}, "1", "1.10", True),
    ],
)
def test_loss_protection_compares_calls_of_the_average_duration(
    terms: Any, sold: str, bought: str, expected: bool
) -> None:
    assert pricing.is_loss(Terms(**terms), D(sold), D(bought)) is expected


def obviously(terms: Terms, steps: Steps, seconds: D, *, has_grace: bool) -> Fraction:
    """What a call costs, second by second, interval by interval, and never rounded before the end."""
    if has_grace and seconds <= terms.grace_period:
        return Fraction(0)
    left = math.ceil(seconds)
    for _ in range(terms.free_seconds):
        left -= 1
    if left <= 0:
        return Fraction(0)
    cost = Fraction(terms.connect_fee) + Fraction(steps.price_1) / 60 * steps.interval_1
    left -= steps.interval_1
    while left > 0:
        cost += Fraction(steps.price_n) / 60 * steps.interval_n
        left -= steps.interval_n
    cost += cost * Fraction(terms.post_call_surcharge) / 100
    unit = Fraction(1, 10 ** min(terms.decimal_precision, 6))
    return (math.ceil(cost / unit) if terms.cost_round_up else round(cost / unit)) * unit


def decimals(most: int, places: int) -> st.SearchStrategy[D]:
    return st.integers(0, most * 10**places).map(lambda number: D(number).scaleb(-places))


PRICES = st.one_of(decimals(10**8, 10), decimals(1, 4), st.sampled_from([D(0), D("0.00003"), D("0.00009"), D("1E-10")]))
INTERVALS = st.one_of(st.sampled_from([1, 6, 30, 60]), st.integers(1, 86400))
SHORT = st.integers(0, 100)
TERMS = st.builds(
    Terms,
    connect_fee=PRICES,
    free_seconds=SHORT,
    post_call_surcharge=st.one_of(st.just(D(0)), decimals(1_000_000, 6)),
    grace_period=SHORT,
    cost_round_up=st.booleans(),
    decimal_precision=st.integers(0, 20),
)
STEPS = st.builds(Steps, price_1=PRICES, price_n=PRICES, interval_1=INTERVALS, interval_n=INTERVALS)


@given(TERMS, STEPS, decimals(5000, 3), st.booleans())
@example(Terms(), Steps(price_1=D("0.00003"), price_n=D(0)), D(1), False)
def test_any_call_costs_what_it_obviously_does(terms: Terms, steps: Steps, seconds: D, has_grace: bool) -> None:
    told = pricing.charge(terms, steps, seconds, has_grace=has_grace)

    assert Fraction(told.cost) == obviously(terms, steps, seconds, has_grace=has_grace)


@given(TERMS, STEPS, st.integers(0, 5000), st.booleans())
def test_a_longer_call_never_costs_less(terms: Terms, steps: Steps, seconds: int, has_grace: bool) -> None:
    first, longer = (pricing.charge(terms, steps, one, has_grace=has_grace).cost for one in (seconds, seconds + 1))

    assert longer >= first
