"""Tariffs and rates over the switch's methods."""

from datetime import UTC, datetime
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server, unique

from xmlrpc_api.declaration.faults import Conflict, NotFound

ALL = {
    "i_tariff_type": 2,
    "connect_fee": 0.0000000001,
    "free_seconds": 5,
    "post_call_surcharge": 2.5,
    "grace_period": 3,
    "loss_protection": True,
    "max_loss": 0.01,
    "cost_round_up": True,
    "decimal_precision": 4,
    "average_duration": 180,
    "local_calling": True,
    "local_calling_cli_validation_rule": "^49",
}
DEFAULTS = {
    "i_tariff_type": 1,
    "connect_fee": 0,
    "free_seconds": 0,
    "post_call_surcharge": 0,
    "grace_period": 0,
    "loss_protection": False,
    "max_loss": None,
    "cost_round_up": False,
    "decimal_precision": 20,
    "average_duration": 200,
    "local_calling": False,
    "local_calling_cli_validation_rule": "",
}
FROM, UNTIL = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
COLUMNS = (
    "i_tariff, price_1, price_n, interval_1, interval_n, forbidden, grace_period_enable, activation_date, area_name"
)
RATE = {
    "prefix": "4930",
    "price_1": 0.0123456789,
    "price_n": 0.0023456789,
    "interval_1": 30,
    "interval_n": 6,
    "forbidden": True,
    "grace_period_enable": True,
    "local_price_1": 0.0000000001,
    "local_price_n": 0,
    "local_interval_1": 60,
    "local_interval_n": 1,
    "area_name": "Berlin",
}


@pytest.fixture
def i_tariff(reseller: Reseller, customers: Customers) -> int:
    return customers.tariff(reseller)


def rates_of(api: Any, i_tariff: int, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.getTariffRatesList(i_tariff=i_tariff, **asked)["rates"]
    return found


def test_a_tariff_has_all_that_is_documented(reseller: Reseller) -> None:
    name = unique()
    made = reseller.createTariff(name=name, currency="eur", **ALL)["i_tariff"]

    told = reseller.getTariffInfo(i_tariff=made)["tariff"]

    given = {"i_tariff": made, "i_customer": reseller.i_customer, "name": name, "currency": "EUR", **ALL}
    assert told == given


def test_what_is_left_out_is_as_documented(reseller: Reseller, i_tariff: int) -> None:
    assert reseller.getTariffInfo(i_tariff=i_tariff)["tariff"].items() >= DEFAULTS.items()


def test_all_but_currency_and_type_can_be_changed(reseller: Reseller, i_tariff: int) -> None:
    changes = {**ALL, "i_tariff_type": 1, "name": unique(), "currency": "USD"}

    reseller.updateTariff(i_tariff=i_tariff, **changes)

    assert reseller.getTariffInfo(i_tariff=i_tariff)["tariff"].items() >= changes.items()


@pytest.mark.one_engine
@pytest.mark.parametrize(("name", "value", "told"), [("currency", "EUR", "USD"), ("i_tariff_type", 2, "1")])
def test_currency_and_type_stay(
    reseller: Reseller, i_tariff: int, refused: Any, name: str, value: Any, told: str
) -> None:
    with refused(400, f"Parameter {name} cannot be changed: it is {told}"):
        reseller.updateTariff(i_tariff=i_tariff, **{name: value})


def test_a_name_is_unique_for_its_owner_alone(reseller: Reseller, customers: Customers, refused: Any) -> None:
    name = unique()
    reseller.createTariff(name=name, currency="USD")
    customers.reseller().createTariff(name=name, currency="USD")

    with refused(409, "Parameter name is already taken"):
        reseller.createTariff(name=name, currency="USD")


def test_who_uses_it_is_named(reseller: Reseller, customers: Customers, i_tariff: int, refused: Any) -> None:
    customers.make(reseller, i_tariff=i_tariff)

    with refused(409, "Tariff is still in use by 1 customer (i_tariff)"):
        reseller.deleteTariff(i_tariff=i_tariff)


def test_it_goes_with_its_rates(reseller: Reseller, i_tariff: int, server: Server, refused: Any) -> None:
    reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=1)

    reseller.deleteTariff(i_tariff=i_tariff)

    assert server.sql("SELECT COUNT(*) FROM rates WHERE i_tariff = :i", i=i_tariff)[0][0] == 0
    with refused(NotFound.code, "Tariff not found"):
        reseller.getTariffInfo(i_tariff=i_tariff)


def test_lists_find_names_by_pattern(reseller: Reseller) -> None:
    for name in ("Retail 10%", "retail_b", "RetailXb", "whole\\sale"):
        reseller.createTariff(name=name, currency="USD")

    def found(pattern: str) -> list[str]:
        return [row["name"] for row in reseller.getTariffsList(name_pattern=pattern)["tariffs"]]

    assert found("RETAIL%") == ["Retail 10%", "retail_b", "RetailXb"]
    assert found("retail_b") == ["retail_b", "RetailXb"]
    assert found("retail\\_b") == ["retail_b"]
    assert found("%\\%") == ["Retail 10%"]
    assert found("whole\\") == found("' OR 1=1 --") == []
    assert found("whole\\\\%") == ["whole\\sale"]


def test_lists_are_paged_sorted_and_counted(reseller: Reseller) -> None:
    ids = {name: reseller.createTariff(name=name, currency="USD")["i_tariff"] for name in ("b", "c", "a")}

    page = reseller.getTariffsList(sort="-name", limit=2, with_total=True)
    behind = reseller.getTariffsList(after=ids["b"], with_total=True)

    assert ([row["name"] for row in page["tariffs"]], page["total"]) == (["c", "b"], 3)
    assert ([row["name"] for row in behind["tariffs"]], behind["total"]) == (["c", "a"], 3)
    assert page["tariffs"][0] == {"i_tariff": ids["c"], "name": "c", "currency": "USD", "i_tariff_type": 1}


def test_a_rate_has_all_that_is_documented(reseller: Reseller, i_tariff: int) -> None:
    dates = {"activation_date": FROM, "expiration_date": UNTIL}
    i_rate = reseller.addRate(i_tariff=i_tariff, **RATE, **dates)["i_rate"]

    (told,) = rates_of(reseller, i_tariff)

    told |= {name: told[name].replace(tzinfo=UTC) for name in dates}
    assert told == {"i_rate": i_rate, **RATE, **dates, "i_upload": None}


def test_what_is_left_out_of_a_rate(reseller: Reseller, i_tariff: int) -> None:
    reseller.addRate(i_tariff=i_tariff, prefix="1", price_1=0.5)

    (told,) = rates_of(reseller, i_tariff)

    assert (told["price_n"], told["interval_1"], told["interval_n"], told["expiration_date"]) == (0.5, 1, 1, None)


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"prefix": ""}, "Parameter prefix must be one digit or more, and nothing else"),
        ({"prefix": "49 30"}, "Parameter prefix must be one digit or more, and nothing else"),
        ({"prefix": "4" * 33}, "Parameter prefix is longer than 32 characters"),
        ({"price_1": "0.12345678901"}, "Parameter price_1 must have at most ten decimals"),
        ({"price_1": -1}, "Parameter price_1 must be between 0 and 100000000"),
        ({"interval_1": 0}, "Parameter interval_1 must be between 1 and 86400"),
        (
            {"activation_date": FROM, "expiration_date": FROM},
            "Parameter expiration_date must be later than activation_date",
        ),
    ],
)
def test_wrong_rates(reseller: Reseller, i_tariff: int, refused: Any, wrong: Any, told: str) -> None:
    with refused(400, told):
        reseller.addRate(**{"i_tariff": i_tariff, "prefix": "49", "price_1": 1, **wrong})


def test_one_prefix_does_not_begin_twice_at_once(reseller: Reseller, i_tariff: int, refused: Any) -> None:
    reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=1, activation_date=FROM)
    later = reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=2, activation_date=UNTIL)["i_rate"]

    with refused(Conflict.code, "Parameter activation_date is already taken"):
        reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=3, activation_date=FROM)
    with refused(Conflict.code, "Parameter activation_date is already taken"):
        reseller.updateRate(i_rate=later, activation_date=FROM)


def test_a_rate_is_changed_and_deleted_by_id_or_by_key(reseller: Reseller, i_tariff: int, refused: Any) -> None:
    i_rate = reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=1, activation_date=FROM)["i_rate"]
    key = {"i_tariff": i_tariff, "prefix": "49", "activation_date": FROM}

    reseller.updateRate(i_rate=i_rate, price_1=2)
    reseller.updateRate(**key, price_n=3)

    (told,) = rates_of(reseller, i_tariff)
    assert (told["price_1"], told["price_n"]) == (2, 3)
    with refused(400, "At least one parameter to change is required"):
        reseller.updateRate(**key)
    with refused(400, "Parameter prefix is required"):
        reseller.deleteRate(i_tariff=i_tariff, activation_date=FROM)
    reseller.deleteRate(**key)
    assert rates_of(reseller, i_tariff) == []
    with refused(404, "Rate not found"):
        reseller.deleteRate(i_rate=i_rate)


def test_rates_are_listed_by_prefix(reseller: Reseller, i_tariff: int) -> None:
    for prefix in ("5", "49", "4930", "493"):
        reseller.addRate(i_tariff=i_tariff, prefix=prefix, price_1=1)
    reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=2, activation_date=FROM)

    def listed(**asked: Any) -> list[str]:
        return [row["prefix"] for row in rates_of(reseller, i_tariff, **asked)]

    assert listed() == ["49", "49", "493", "4930", "5"]
    assert listed(prefix="493") == ["493", "4930"]
    assert listed(at=FROM) == ["49", "493", "4930", "5"]
    assert listed(offset=1, limit=2) == ["49", "493"]
    first = rates_of(reseller, i_tariff)[0]["i_rate"]
    assert listed(after=first, limit=2) == ["49", "493"]
    assert reseller.getTariffRatesList(i_tariff=i_tariff, limit=0, with_total=True)["total"] == 5


@pytest.mark.one_engine
def test_fifty_rates_are_told_and_a_thousand_at_most(reseller: Reseller, i_tariff: int, refused: Any) -> None:
    for prefix in range(100, 151):
        reseller.addRate(i_tariff=i_tariff, prefix=str(prefix), price_1=1)

    assert len(rates_of(reseller, i_tariff)) == 50
    with refused(400, "Parameter limit must be between 0 and 1000"):
        rates_of(reseller, i_tariff, limit=1001)


def test_what_is_done_to_rates_is_proved(own: Server) -> None:
    customers = Customers(own)
    reseller = customers.reseller()
    i_tariff = customers.tariff(reseller)
    first = reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=1)["i_rate"]
    reseller.deleteAllRatesInTariff(i_tariff=i_tariff)
    for prefix in ("49", "491", "492"):
        first = reseller.addRate(i_tariff=i_tariff, **{**RATE, "prefix": prefix})["i_rate"]
    reseller.updateRate(i_rate=first, price_1=2, prefix="493")
    reseller.deleteRate(i_rate=first - 1)
    reseller.deleteTariff(i_tariff=customers.tariff(reseller))

    assert findings(own) == []


@pytest.mark.parametrize(
    ("forged", "told"),
    [
        ("UPDATE rates SET price_1 = 5 WHERE i_rate = :i", "rate {i}: price_1 is 0.0000000005, but the change"),
        ("DELETE FROM rates WHERE i_rate = :i", "rate {i} is gone, but the change history"),
        (
            f"INSERT INTO rates ({COLUMNS}, prefix) SELECT {COLUMNS}, '7' FROM rates WHERE i_rate = :i",
            "is not in the change history",
        ),
    ],
)
def test_what_is_forged_is_found(spoilt: Server, forged: str, told: str) -> None:
    customers = Customers(spoilt)
    reseller = customers.reseller()
    i_tariff = customers.tariff(reseller)
    i_rate = reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=1)["i_rate"]

    spoilt.sql(forged, i=i_rate)

    found = [one for one in findings(spoilt) if told.format(i=i_rate) in one]
    assert found, findings(spoilt)
    assert f"the rates of tariff {i_tariff} are not those that the change history tells of" in findings(spoilt)


def test_tariffs_and_rates_of_others_are_missing(reseller: Reseller, customers: Customers, refused: Any) -> None:
    other = customers.reseller()
    i_tariff = customers.tariff(other)
    i_rate = other.addRate(i_tariff=i_tariff, prefix="49", price_1=1)["i_rate"]
    of_tariff = {
        "updateTariff": {"name": "mine"},
        "deleteTariff": {},
        "getTariffInfo": {},
        "getTariffRatesList": {},
        "deleteAllRatesInTariff": {},
        "addRate": {"prefix": "48", "price_1": 0},
    }

    for name, values in of_tariff.items():
        with refused(404, "Tariff not found"):
            getattr(reseller, name)(i_tariff=i_tariff, **values)
    for name, values in (("updateRate", {"price_1": 0}), ("deleteRate", {})):
        with refused(404, "Rate not found"):
            getattr(reseller, name)(i_rate=i_rate, **values)
    assert reseller.getTariffsList()["tariffs"] == []


def test_nobody_changes_what_he_pays_by(customers: Customers, reseller: Reseller, refused: Any) -> None:
    i_tariff = customers.tariff(reseller)
    below = customers.reseller(reseller, i_tariff=i_tariff)

    with refused(404, "Tariff not found"):
        below.addRate(i_tariff=i_tariff, prefix="49", price_1=0)
    assert reseller.getTariffInfo(i_tariff=i_tariff)["tariff"]["i_tariff"] == i_tariff


def test_those_above_manage_what_is_below(customers: Customers, reseller: Reseller) -> None:
    i_tariff = customers.tariff(customers.reseller(reseller))

    i_rate = reseller.addRate(i_tariff=i_tariff, prefix="49", price_1=1)["i_rate"]

    assert [row["i_rate"] for row in rates_of(reseller, i_tariff)] == [i_rate]


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("bits", "name", "what"),
    [
        (6, "createTariff", "bit 0 (add)"),
        (5, "updateTariff", "bit 1 (edit)"),
        (3, "deleteTariff", "bit 2 (delete)"),
        (5, "addRate", "bit 1 (edit)"),
        (5, "updateRate", "bit 1 (edit)"),
        (5, "deleteRate", "bit 1 (edit)"),
        (5, "deleteAllRatesInTariff", "bit 1 (edit)"),
    ],
)
def test_each_bit_of_tariffs_mgmt_counts(customers: Customers, refused: Any, bits: int, name: str, what: str) -> None:
    with refused(403, f"Not permitted: {what} of tariffs_mgmt is missing"):
        getattr(customers.reseller(tariffs_mgmt=bits), name)(i_tariff=1)
