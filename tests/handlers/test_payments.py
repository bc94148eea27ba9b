"""Money: what is booked, on whom, in which currency, and what is refused."""

import statistics
import xmlrpc.client
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from crowd import Crowd, call
from faces import Api
from harness import Server

from xmlrpc_api.declaration.faults import (
    BadParameter,
    NotEnoughCredit,
    NotFound,
    NotPermitted,
    WrongReference,
    WrongType,
)

RAISING = ["customerAddFunds", "customerCredit"]
PAYING = [*RAISING, "customerDebit"]


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


def balance(api: Api, i_customer: int) -> float:
    return api.info(i_customer)["balance"]


@pytest.fixture
def rates(server: Server) -> None:
    server.sql("DELETE FROM exchange_rates")
    statement = (
        "INSERT INTO exchange_rates (from_currency, to_currency, rate, updated)"
        " VALUES ('EUR', 'USD', 1250000000000, '2026-11-21 00:00:00+00:00')"
    )
    server.sql(statement)


class TestPaying:
    @pytest.mark.parametrize("method", RAISING)
    def test_raises_the_balance(self, funded: Reseller, customers: Customers, method: str) -> None:
        i_customer = customers.make(funded)

        assert getattr(funded, method)(i_customer=i_customer, amount=20.12, currency="USD") == {"result": "OK"}

        assert balance(funded, i_customer) == 20.12

    def test_a_debit_lowers_it(self, funded: Reseller, customers: Customers) -> None:
        i_customer = customers.make(funded, balance=100)

        funded.customerDebit(i_customer=i_customer, amount=50.12, currency="USD")

        assert balance(funded, i_customer) == 49.88

    @pytest.mark.parametrize("method", PAYING)
    def test_the_payer_gives_what_the_other_gets(
        self, root: Api, funded: Reseller, customers: Customers, method: str
    ) -> None:
        i_customer = customers.make(funded)
        funded.customerAddFunds(i_customer=i_customer, amount=100, currency="USD")
        before = balance(funded, i_customer) + balance(root, funded.i_customer)

        getattr(funded, method)(i_customer=i_customer, amount=7, currency="USD")

        assert balance(funded, i_customer) + balance(root, funded.i_customer) == before

    def test_root_is_not_billed(self, root: Api, reseller: Reseller) -> None:
        root.customerAddFunds(i_customer=reseller.i_customer, amount=5, currency="USD")

        assert root.info(1)["balance"] == 0

    def test_both_sides_are_in_the_ledger_and_point_at_each_other(self, funded: Reseller, customers: Customers) -> None:
        i_customer = customers.make(funded)
        when = "09:57:29.000 GMT Fri Nov 20 2026"
        funded.customerAddFunds(
            i_customer=i_customer, amount=3, currency="USD", payment_notes="cash", payment_time=when
        )

        (theirs,) = funded.getLedger(i_customer=i_customer)["ledger"]
        ours = funded.getLedger()["ledger"][0]

        assert (theirs["kind"], theirs["amount"], theirs["balance_after"]) == ("funds", 3, 3)
        assert theirs["notes"] == "cash"
        assert theirs["payment_time"] == datetime(2026, 11, 20, 9, 57, 29)  # noqa: DTZ001 (as XML-RPC has it)
        assert (ours["kind"], ours["amount"], ours["balance_after"]) == ("payer", -3, 997)
        assert ours["i_ledger_source"] == theirs["i_ledger"]

    def test_the_smallest_amount_is_exact(self, funded: Reseller, customers: Customers, server: Server) -> None:
        i_customer = customers.make(funded)

        for _ in range(10):
            funded.customerAddFunds(i_customer=i_customer, amount=0.000001, currency="USD")

        assert balance(funded, i_customer) == 0.00001
        assert not findings(server)

    @pytest.mark.parametrize(
        ("amount", "code", "text"),
        [
            (0, BadParameter.code, "Parameter amount must be greater than zero"),
            (-5, BadParameter.code, "Parameter amount must be greater than zero"),
            ("0.0000001", BadParameter.code, "Parameter amount must have at most six decimals"),
            (1e13, BadParameter.code, None),
            ("much", WrongType.code, "Parameter amount must be a number"),
            (True, WrongType.code, "Parameter amount must be a number"),
        ],
    )
    @pytest.mark.parametrize("method", PAYING)
    def test_refuses_amounts_that_are_none(
        self, reseller: Reseller, customers: Customers, refused: Any, method: str, amount: Any, code: int, text: str
    ) -> None:
        i_customer = customers.make(reseller)

        with refused(code, text):
            getattr(reseller, method)(i_customer=i_customer, amount=amount, currency="USD")

    @pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
    def test_refuses_doubles_that_are_no_number(self, reseller: Reseller, refused: Any, number: str) -> None:
        with refused(WrongType.code):
            reseller.customerAddFunds(i_customer=1, amount=float(number), currency="USD")

    @pytest.mark.parametrize("method", PAYING)
    def test_hides_customers_of_others(
        self, root: Api, funded: Reseller, customers: Customers, refused: Any, method: str
    ) -> None:
        foreign = customers.make(root)
        grandchild = customers.make(customers.reseller(funded))

        for i_customer in (foreign, grandchild, funded.i_customer, 2**31 - 1):
            with refused(NotFound.code, "Customer not found"):
                getattr(funded, method)(i_customer=i_customer, amount=1, currency="USD")

    @pytest.mark.parametrize("method", [*PAYING, "transferFunds", "setLowBalance"])
    def test_needs_the_right_to_edit(self, root: Api, customers: Customers, refused: Any, method: str) -> None:
        weak = customers.reseller(root, customers_mgmt=5)
        i_customer, other = customers.make(weak), customers.make(weak)
        params: dict[str, Any] = {"i_customer": i_customer, "amount": 1, "currency": "USD", "threshold": 1}

        with refused(NotPermitted.code):
            getattr(weak, method)(**params, i_customer_from=i_customer, i_customer_to=other)


class TestCredit:
    def test_a_debit_reaches_down_to_the_credit_limit(
        self, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        i_customer = customers.make(reseller, balance=10, credit_limit=5)

        reseller.customerDebit(i_customer=i_customer, amount=15, currency="USD")

        with refused(NotEnoughCredit.code, "Not enough credit"):
            reseller.customerDebit(i_customer=i_customer, amount=0.000001, currency="USD")
        assert balance(reseller, i_customer) == -5

    def test_nobody_gives_what_he_does_not_have(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        i_customer = customers.make(reseller)

        with refused(NotEnoughCredit.code):
            reseller.customerAddFunds(i_customer=i_customer, amount=1, currency="USD")

        assert balance(reseller, i_customer) == 0
        assert reseller.getLedger(i_customer=i_customer)["ledger"] == []


class TestCurrencies:
    @pytest.mark.parametrize(
        ("owner_currency", "currency", "expected"), [("USD", "EUR", 12.5), ("EUR", "USD", 8), ("USD", "USD", 10)]
    )
    @pytest.mark.usefixtures("rates")
    def test_a_payment_is_converted_by_the_rate_or_its_inverse(
        self, root: Api, customers: Customers, server: Server, owner_currency: str, currency: str, expected: float
    ) -> None:
        i_customer = customers.make(root, i_tariff=customers.tariff(root, owner_currency))

        root.customerAddFunds(i_customer=i_customer, amount=10, currency=currency)

        (entry,) = root.getLedger(i_customer=i_customer)["ledger"]
        assert entry["amount"] == expected
        assert (entry["paid_amount"], entry["paid_currency"]) == (10, currency)
        assert entry["rate"] == expected / 10

    @pytest.mark.usefixtures("rates")
    def test_payer_and_payee_each_in_his_own(
        self, root: Api, customers: Customers, funded: Reseller, server: Server
    ) -> None:
        i_customer = customers.make(funded, i_tariff=customers.tariff(funded, "EUR"))

        funded.customerAddFunds(i_customer=i_customer, amount=8, currency="EUR")

        assert balance(funded, i_customer) == 8
        assert balance(root, funded.i_customer) == 990

    @pytest.mark.parametrize("currency", ["JPY", "XXZ", "usd "])
    def test_without_a_rate_it_is_refused(self, root: Api, customers: Customers, refused: Any, currency: str) -> None:
        i_customer = customers.make(root)

        with pytest.raises(xmlrpc.client.Fault) as caught:
            root.customerAddFunds(i_customer=i_customer, amount=1, currency=currency)

        assert caught.value.faultCode in (WrongReference.code, BadParameter.code)
        assert "currency" in caught.value.faultString

    @pytest.mark.usefixtures("rates")
    def test_an_amount_that_is_nothing_in_the_other_currency_is_refused(
        self, root: Api, reseller: Reseller, server: Server, refused: Any
    ) -> None:
        server.sql("UPDATE exchange_rates SET rate = 400000000000")

        with refused(BadParameter.code, "Parameter amount is too small: it is nothing in USD"):
            root.customerAddFunds(i_customer=reseller.i_customer, amount=0.000001, currency="EUR")


class TestTransfer:
    def test_moves_money_between_two_sub_customers(self, root: Api, reseller: Reseller, customers: Customers) -> None:
        giver, taker = customers.make(reseller, balance=10), customers.make(reseller)

        reseller.transferFunds(i_customer_from=giver, i_customer_to=taker, amount=4, currency="USD")

        assert (balance(reseller, giver), balance(reseller, taker)) == (6, 4)
        assert balance(root, reseller.i_customer) == 0

    def test_only_what_is_there(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        giver, taker = customers.make(reseller, balance=10), customers.make(reseller)

        with refused(NotEnoughCredit.code):
            reseller.transferFunds(i_customer_from=giver, i_customer_to=taker, amount=11, currency="USD")

        assert (balance(reseller, giver), balance(reseller, taker)) == (10, 0)

    def test_not_to_the_giver(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        giver = customers.make(reseller, balance=10)

        with refused(WrongReference.code, "Wrong i_customer_to"):
            reseller.transferFunds(i_customer_from=giver, i_customer_to=giver, amount=1, currency="USD")

    def test_not_between_others(self, root: Api, reseller: Reseller, customers: Customers, refused: Any) -> None:
        mine, foreign = customers.make(reseller, balance=10), customers.make(root, balance=10)

        for pair in ((mine, foreign), (foreign, mine)):
            with refused(NotFound.code, "Customer not found"):
                reseller.transferFunds(i_customer_from=pair[0], i_customer_to=pair[1], amount=1, currency="USD")


@pytest.mark.soak
class TestRaces:
    """On PostgreSQL they show what SQLite, with its one writer, cannot."""

    CLIENTS = 32

    @pytest.fixture
    def crowd(self, variant: Callable[..., Server]) -> Crowd:
        return Crowd(variant(trusted_hosts=["127.0.0.1"]).url, self.CLIENTS)

    @pytest.fixture
    def spread(self, variant: Callable[..., Server], engine: str) -> Crowd:
        """Clients of two servers, whose queues know nothing of each other; SQLite has one only."""
        servers = 2 if engine == "postgresql" else 1
        first, *others = [variant(trusted_hosts=["127.0.0.1"]).url for _ in range(servers)]
        return Crowd(first, self.CLIENTS, *others)

    def test_concurrent_debits_take_what_is_there_and_no_more(
        self, root: Api, customers: Customers, server: Server, spread: Crowd, length: Callable[[int, int], int]
    ) -> None:
        count = length(400, 10_000)
        i_customer = customers.make(root, balance=count // 2)

        debit = call("customerDebit", i_customer=i_customer, amount=1, currency="USD", i_wholesaler=1)
        answers = spread.do([debit] * count)

        assert answers.count({"result": "OK", "returned": 0}) == answers.count(NotEnoughCredit.code) == count // 2
        assert balance(root, i_customer) == 0
        assert findings(server) == []

    def test_concurrent_credits_add_up(
        self,
        server: Server,
        root: Api,
        funded: Reseller,
        customers: Customers,
        spread: Crowd,
        length: Callable[[int, int], int],
    ) -> None:
        count = length(400, 10_000)
        i_customer = customers.make(funded)

        credit = call(
            "customerCredit", i_customer=i_customer, amount=0.01, currency="USD", i_wholesaler=funded.i_customer
        )
        answers = spread.do([credit] * count)

        assert answers == [{"result": "OK"}] * count
        assert balance(funded, i_customer) == count / 100
        assert balance(root, funded.i_customer) == 1000 - count / 100
        assert findings(server) == []

    @pytest.mark.timing
    def test_a_busy_balance_does_not_hold_up_the_others(self, root: Api, customers: Customers, crowd: Crowd) -> None:
        """31 clients book on one balance without a pause; a call for another one is not behind all of them."""
        busy, quiet = customers.make(root, balance=10_000), customers.make(root, balance=1000)
        booked: list[int] = []
        overtaken: list[int] = []

        def flood(client: Any) -> None:
            while len(overtaken) < 30:
                client.customerDebit({"i_customer": busy, "amount": 1, "currency": "USD", "i_wholesaler": 1})
                booked.append(1)

        def pass_by(client: Any) -> None:
            while len(overtaken) < 30:
                before = len(booked)
                client.customerDebit({"i_customer": quiet, "amount": 1, "currency": "USD", "i_wholesaler": 1})
                overtaken.append(len(booked) - before)

        crowd.do([pass_by, *[flood] * (self.CLIENTS - 1)])

        assert len(booked) > 30
        assert statistics.median(overtaken) <= self.CLIENTS / 4, overtaken
