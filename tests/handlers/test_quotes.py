"""What a call costs, asked of the server: which rate counts, and what each level pays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Customers, Reseller
from faces import Api
from harness import unique
from sippy import new

DAY = datetime(2030, 1, 1, tzinfo=UTC)


def at(day: int) -> datetime:
    return DAY + timedelta(days=day)


@pytest.fixture
def i_tariff(reseller: Reseller) -> int:
    """Rates of one prefix that follow each other, one that expires, and a longer one that is forbidden for a time."""
    made: int = reseller.createTariff(name="retail", currency="USD")["i_tariff"]
    for prefix, price, first, until, more in (
        ("49", 0.49, 0, None, {}),
        ("49", 0.50, 10, None, {}),
        ("49", 0.51, 20, 30, {}),
        ("4930", 0.30, 5, 15, {"area_name": "Berlin"}),
        ("4930", 9, 15, 25, {"forbidden": True}),
        ("1", 0.01, 0, None, {}),
    ):
        end = {} if until is None else {"expiration_date": at(until)}
        reseller.addRate(i_tariff=made, prefix=prefix, price_1=price, activation_date=at(first), **end, **more)
    return made


@pytest.mark.parametrize(
    ("cld", "day", "status", "price"),
    [
        ("4940", -1, "no rate", None),
        ("4940", 0, "ok", 0.49),
        ("4940", 9, "ok", 0.49),
        ("4940", 10, "ok", 0.50),
        ("4940", 20, "ok", 0.51),
        ("4940", 30, "no rate", None),
        ("49301", 4, "ok", 0.49),
        ("49301", 5, "ok", 0.30),
        ("4930", 14, "ok", 0.30),
        ("+4930999", 14, "ok", 0.30),
        ("493", 14, "ok", 0.50),
        ("49301", 15, "forbidden", 9),
        ("49301", 25, "ok", 0.51),
        ("49301", 30, "no rate", None),
        ("1", 99, "ok", 0.01),
        ("2", 99, "no rate", None),
        ("alice", 99, "no rate", None),
        ("49' OR 1=1", 0, "ok", 0.49),
    ],
)
def test_the_longest_prefix_with_a_valid_rate_counts(
    reseller: Reseller, i_tariff: int, cld: str, day: int, status: str, price: float | None
) -> None:
    told = reseller.getRate(i_tariff=i_tariff, cld=cld, at=at(day))["rate"]

    assert (told["status"], told["price_1"], told["currency"]) == (status, price, "USD")


def test_the_rate_in_whose_time_a_call_begins_counts_for_all_of_it(reseller: Reseller, i_tariff: int) -> None:
    begins = at(10) - timedelta(seconds=30)

    told = reseller.getRate(i_tariff=i_tariff, cld="4940", at=begins, seconds=60)["rate"]

    assert (told["price_1"], told["cost"]) == (0.49, 0.49)


def test_all_that_makes_the_price_is_told(reseller: Reseller) -> None:
    terms = {"connect_fee": 0.03, "free_seconds": 5, "grace_period": 3, "post_call_surcharge": 19}
    steps = {"price_1": 0.12, "price_n": 0.06, "interval_1": 30, "interval_n": 6}
    i_tariff = reseller.createTariff(name="all", currency="EUR", decimal_precision=3, **terms)["i_tariff"]
    rate = {"prefix": "49", "area_name": "Germany", "grace_period_enable": True, **steps}
    i_rate = reseller.addRate(i_tariff=i_tariff, **rate)["i_rate"]

    answer = reseller.getRate(i_tariff=i_tariff, cld="4930", seconds=95)

    told = {**terms, **rate, "i_tariff": i_tariff, "i_rate": i_rate, "currency": "EUR", "status": "ok"}
    paid = {"cost": 0.178, "seconds_paid": 90, "is_local": False}
    assert answer["rate"] == {**told, **paid, **dict.fromkeys(("i_account", "i_customer", "i_customer_paid"))}
    assert answer["levels"] == [answer["rate"]]
    assert reseller.getRate(i_tariff=i_tariff, cld="4930", seconds=3)["rate"]["cost"] == 0


def test_a_call_within_one_area_has_the_local_price(reseller: Reseller) -> None:
    local = {"local_calling": True, "local_calling_cli_validation_rule": "^49"}
    i_tariff = reseller.createTariff(name="local", currency="USD", **local)["i_tariff"]
    for prefix, area in (("4930", "Berlin"), ("4931", "Berlin"), ("4989", "Munich"), ("1", "Berlin")):
        rate = {"prefix": prefix, "price_1": 1, "local_price_1": 0.25, "area_name": area}
        reseller.addRate(i_tariff=i_tariff, interval_1=60, **rate)

    def cost(cli: str) -> Any:
        told = reseller.getRate(i_tariff=i_tariff, cld="49301", cli=cli, seconds=60)["rate"]
        return told["is_local"], told["cost"]

    assert [cost(cli) for cli in ("49305", "49315")] == [(True, 0.25)] * 2
    assert [cost(cli) for cli in ("", "49895", "15", "unknown")] == [(False, 1)] * 4


def priced(api: Api, currency: str, price: float, **terms: Any) -> int:
    """A tariff by which a minute to 49 costs so much."""
    made: int = api.createTariff(name=unique("tariff"), currency=currency, **terms)["i_tariff"]
    api.addRate(i_tariff=made, prefix="49", price_1=price)
    return made


class Tree:
    """Root, a reseller who pays 0.10 EUR, his customer who pays 0.20 USD, whose account pays 0.40 USD."""

    def __init__(self, root: Api, customers: Customers) -> None:
        self.root = root
        self.of_top = priced(root, "EUR", 0.10)
        self.top = customers.reseller(i_tariff=self.of_top)
        self.of_below = priced(self.top, "USD", 0.20)
        self.below = customers.reseller(self.top, i_tariff=self.of_below)
        self.of_account = priced(self.below, "USD", 0.40)
        plan = self.below.createServicePlan(name="plan", i_tariff=self.of_account)["i_billing_plan"]
        self.i_account = self.below.createAccount(**new(i_billing_plan=plan))["i_account"]


@pytest.fixture
def tree(root: Api, customers: Customers) -> Tree:
    return Tree(root, customers)


def levels(api: Api, **whose: int) -> list[tuple[int, float | None, str]]:
    """Who is paid, how much for a minute, in which currency."""
    told = api.getRate(cld="4930", **whose)["levels"]
    return [(level["i_customer_paid"], level["cost"], level["currency"]) for level in told]


def test_each_level_pays_the_next_in_its_own_currency(tree: Tree) -> None:
    account, below, top = (tree.below.i_customer, 0.40, "USD"), (tree.top.i_customer, 0.20, "USD"), (1, 0.10, "EUR")

    assert levels(tree.root, i_account=tree.i_account) == [account, below, top]
    assert levels(tree.top, i_account=tree.i_account) == [account, below, top]
    assert levels(tree.top, i_customer=tree.below.i_customer) == [below, top]


def test_nobody_sees_above_himself(tree: Tree) -> None:
    account, below = (tree.below.i_customer, 0.40, "USD"), (tree.top.i_customer, 0.20, "USD")

    assert levels(tree.below, i_account=tree.i_account) == [account, below]
    (own,) = tree.below.getRate(i_customer=tree.below.i_customer, cld="4930")["levels"]
    assert (own["cost"], own["i_tariff"], own["i_rate"]) == (0.20, None, None)


def test_what_is_not_below_is_missing(tree: Tree, customers: Customers, refused: Any) -> None:
    for stranger in (customers.reseller(), customers.reseller(tree.top)):
        with refused(404, "Account not found"):
            stranger.getRate(cld="49", i_account=tree.i_account)
        with refused(404, "Account not found"):
            stranger.getAccountRates(i_account=tree.i_account)
        with refused(404, "Customer not found"):
            stranger.getRate(cld="49", i_customer=tree.below.i_customer)
        for i_tariff in (tree.of_top, tree.of_below, tree.of_account):
            with refused(404, "Tariff not found"):
                stranger.getRate(cld="49", i_tariff=i_tariff)


def test_who_has_no_tariff_pays_by_the_nearest_above(tree: Tree, customers: Customers) -> None:
    plain = customers.reseller(tree.below)
    account = plain.createAccount(**new())["i_account"]

    costs = [cost for _, cost, _ in levels(tree.root, i_account=account)]

    assert costs == [0.20, 0.20, 0.20, 0.10]


def test_without_a_tariff_anywhere_it_is_said_so(reseller: Reseller, root: Api) -> None:
    i_account = reseller.createAccount(**new())["i_account"]

    told = root.getRate(cld="49", i_account=i_account)["levels"]

    assert [(level["status"], level["cost"], level["currency"]) for level in told] == [("no tariff", None, None)] * 2
    assert reseller.getAccountRates(i_account=i_account) == {"result": "OK", "currency": "USD", "rates": []}


@pytest.mark.parametrize(("max_loss", "status"), [(None, "loss"), (0.04, "loss"), (0.05, "ok")])
def test_what_is_sold_at_a_loss_is_told(customers: Customers, root: Api, max_loss: Any, status: str) -> None:
    top = customers.reseller(i_tariff=priced(root, "USD", 0.25))
    cheap = priced(top, "USD", 0.20, loss_protection=True, max_loss=max_loss)
    below = customers.make(top, i_tariff=cheap)

    told = top.getRate(cld="49", i_customer=below)["levels"]

    assert [level["status"] for level in told] == [status, "ok"]


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "Parameter i_tariff is required"),
        ({"i_tariff": 1, "i_customer": 1}, "Parameter i_customer cannot be given beside i_tariff"),
        ({"i_customer": 1, "cld": ""}, "Parameter cld must not be empty"),
        ({"i_customer": 1, "seconds": -1}, "Parameter seconds must be between 0 and 1000000"),
    ],
)
def test_one_is_asked_about(root: Api, refused: Any, asked: Any, told: str) -> None:
    with refused(400, told):
        root.getRate(**{"cld": "49", **asked})


def test_an_account_lists_what_it_pays_now(tree: Tree) -> None:
    now, later = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    then, add = datetime(2021, 1, 1, tzinfo=UTC), {"i_tariff": tree.of_account}
    tree.below.addRate(**add, prefix="1", price_1=0.5, price_n=0.1, area_name="North America", activation_date=now)
    tree.below.addRate(**add, prefix="1", price_1=9, activation_date=later)
    tree.below.addRate(**add, prefix="19", price_1=9, activation_date=now, forbidden=True)
    tree.below.addRate(**add, prefix="12", price_1=9, activation_date=now, expiration_date=then)
    america = {"prefix": "1", "country": "", "description": "North America", "rate": 0.1, "local_rate": 0.1}
    germany = {"prefix": "49", "country": "", "description": "", "rate": 0.4, "local_rate": 0.4}

    def listed(**asked: Any) -> Any:
        return tree.top.getAccountRates(i_account=tree.i_account, **asked)["rates"]

    assert tree.top.getAccountRates(i_account=tree.i_account)["currency"] == "USD"
    assert listed() == [america, germany]
    assert listed(prefix="4") == listed(offset=1) == listed(after="1") == listed(after="19") == [germany]
    assert listed(limit=1) == [america]
    assert listed(limit=0) == []


def test_how_many_rates_an_account_has_in_all_is_told_who_asks(tree: Tree, reseller: Reseller) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC)
    tree.below.addRate(i_tariff=tree.of_account, prefix="1", price_1=1, activation_date=now)
    without = reseller.createAccount(**new())["i_account"]

    def total(**asked: Any) -> Any:
        return tree.top.getAccountRates(i_account=tree.i_account, with_total=True, **asked)["total"]

    assert [total(), total(limit=1), total(after="1"), total(offset=9), total(prefix="4")] == [2, 2, 2, 2, 1]
    assert "total" not in tree.top.getAccountRates(i_account=tree.i_account)
    assert reseller.getAccountRates(i_account=without, with_total=True)["total"] == 0
