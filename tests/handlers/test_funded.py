"""Nobody's own money grows from below: what was paid in can come back, and no more."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from faces import Api
from harness import Server, unique
from soap import Clients


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


@pytest.fixture
def rate(server: Server) -> Callable[[str, str, str], None]:
    """Sets the rate of a pair of currencies."""

    def change(source: str, target: str, value: str) -> None:
        server.sql("DELETE FROM exchange_rates WHERE from_currency = :f AND to_currency = :t", f=source, t=target)
        server.sql(
            "INSERT INTO exchange_rates (from_currency, to_currency, rate, updated)"
            " VALUES (:f, :t, :r, '2026-11-21 00:00:00+00:00')",
            f=source,
            t=target,
            r=int(Decimal(value).scaleb(12)),
        )

    server.sql("DELETE FROM exchange_rates")
    return change


def balance(api: Api, i_customer: int) -> float:
    return api.info(i_customer)["balance"]


def funded(server: Server, i_customer: int) -> Decimal:
    (row,) = server.sql("SELECT funded FROM balances WHERE i_customer = :c AND i_account IS NULL", c=i_customer)
    return Decimal(row[0]).scaleb(-6)


class TestAttack:
    def test_six_rounds_of_setting_and_debiting_make_nothing(
        self, root: Api, rich: Reseller, customers: Customers, server: Server
    ) -> None:
        """In version 1 they made 6,000,000,100 of 100."""
        i_customer = customers.make(rich)

        for _ in range(6):
            rich.updateCustomer(i_customer=i_customer, balance=1_000_000_000)
            rich.customerDebit(i_customer=i_customer, amount=1_000_000_000, currency="USD")

        assert balance(root, rich.i_customer) == 100
        assert findings(server) == []

    def test_over_commit_protection_is_no_way_around(self, root: Api, customers: Customers) -> None:
        reseller = customers.reseller(balance=100, overcommit_protection=True)
        i_customer = customers.make(reseller)

        reseller.updateCustomer(i_customer=i_customer, balance=100)
        reseller.customerDebit(i_customer=i_customer, amount=100, currency="USD")

        assert balance(root, reseller.i_customer) == 100

    def test_neither_is_a_credit_limit(self, root: Api, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich, credit_limit=1000)

        rich.customerDebit(i_customer=i_customer, amount=1000, currency="USD")

        assert balance(root, rich.i_customer) == 100

    def test_nor_a_balance_that_came_with_a_new_customer(self, root: Api, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich, balance=50)

        rich.customerDebit(i_customer=i_customer, amount=50, currency="USD")

        assert balance(root, rich.i_customer) == 100

    def test_nor_a_balance_that_ngnpros_administrator_set(
        self, root: Api, customers: Customers, clients: Clients
    ) -> None:
        reseller = clients.reseller()
        i_customer = clients.customer(reseller)["id"]
        root.updateCustomer(i_customer=reseller["id"], balance=100, api_access=1)
        clients.admin().updateAccount(account={"id": i_customer, "balance": 500})

        Api(clients.server.url, reseller["username"], "s3cret-Api").customerDebit(
            i_customer=i_customer, amount=500, currency="USD"
        )

        assert balance(root, reseller["id"]) == 100

    def test_nor_a_detour_through_a_brother(self, root: Api, rich: Reseller, customers: Customers) -> None:
        giver, taker = customers.make(rich, balance=70), customers.make(rich)

        rich.transferFunds(i_customer_from=giver, i_customer_to=taker, amount=70, currency="USD")
        rich.customerDebit(i_customer=taker, amount=70, currency="USD")

        assert balance(root, rich.i_customer) == 100

    def test_nor_a_detour_over_two_levels(self, root: Api, rich: Reseller, customers: Customers) -> None:
        """What the lower reseller was allotted and pays on comes back to him, and not to the one above."""
        lower = customers.reseller(rich)
        leaf = customers.make(lower)
        rich.updateCustomer(i_customer=lower.i_customer, balance=500)

        lower.customerAddFunds(i_customer=leaf, amount=500, currency="USD")
        lower.customerDebit(i_customer=leaf, amount=500, currency="USD")
        rich.customerDebit(i_customer=lower.i_customer, amount=500, currency="USD")

        assert balance(root, rich.i_customer) == 100


class TestComesBack:
    def test_what_was_paid_in(self, root: Api, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")

        answer = rich.customerDebit(i_customer=i_customer, amount=25, currency="USD")

        assert answer == {"result": "OK", "returned": 25}
        assert balance(root, rich.i_customer) == 65

    def test_no_more_than_that(self, root: Api, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich, balance=1000)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")

        answer = rich.customerDebit(i_customer=i_customer, amount=1000, currency="USD")

        assert answer["returned"] == 60
        assert balance(root, rich.i_customer) == 100

    def test_nothing_of_what_goes_below_zero(self, root: Api, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich, credit_limit=100)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")
        rich.updateCustomer(i_customer=i_customer, balance=10)

        assert rich.customerDebit(i_customer=i_customer, amount=50, currency="USD")["returned"] == 10
        assert rich.customerDebit(i_customer=i_customer, amount=50, currency="USD")["returned"] == 0

    def test_to_root_who_is_not_billed_nothing(self, root: Api, customers: Customers, server: Server) -> None:
        i_customer = customers.make(root)
        root.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")

        assert root.customerDebit(i_customer=i_customer, amount=60, currency="USD")["returned"] == 0
        assert funded(server, i_customer) == 0

    def test_setting_a_balance_leaves_what_was_paid_in(
        self, rich: Reseller, customers: Customers, server: Server
    ) -> None:
        i_customer = customers.make(rich)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")

        for amount in (0, 7, 1000):
            rich.updateCustomer(i_customer=i_customer, balance=amount)

        assert funded(server, i_customer) == 60

    def test_nothing_writes_no_row(self, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich, balance=50)
        before = rich.getLedger()["ledger"]

        rich.customerDebit(i_customer=i_customer, amount=50, currency="USD")

        assert rich.getLedger()["ledger"] == before

    def test_the_ledger_tells_it_on_both_sides(self, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich, balance=5)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")
        rich.customerDebit(i_customer=i_customer, amount=65, currency="USD")

        theirs = rich.getLedger(i_customer=i_customer)["ledger"]
        ours = rich.getLedger()["ledger"][:2]

        assert [(row["kind"], row["amount"], row["funded_change"]) for row in theirs] == [
            ("debit", -65, -60),
            ("funds", 60, 60),
            ("initial", 5, 0),
        ]
        assert [(row["kind"], row["amount"], row["funded_change"]) for row in ours] == [
            ("payer", 60, 0),
            ("payer", -60, 0),
        ]
        assert [row["i_ledger_source"] for row in ours] == [row["i_ledger"] for row in theirs[:2]]

    def test_the_change_history_tells_it_too(self, rich: Reseller, customers: Customers) -> None:
        i_customer = customers.make(rich)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")

        row = rich.getAuditLogs(action="FUNDS", resource=f"customers:i_customer={i_customer}")["records"][0]

        assert row["after"]["funded_change"] == "60"


class TestTransfer:
    def test_what_was_paid_in_moves_along(
        self, root: Api, rich: Reseller, customers: Customers, server: Server
    ) -> None:
        giver, taker = customers.make(rich), customers.make(rich)
        rich.customerAddFunds(i_customer=giver, amount=60, currency="USD")

        rich.transferFunds(i_customer_from=giver, i_customer_to=taker, amount=25, currency="USD")

        assert (funded(server, giver), funded(server, taker)) == (35, 25)
        assert rich.customerDebit(i_customer=taker, amount=25, currency="USD")["returned"] == 25
        assert balance(root, rich.i_customer) == 65

    def test_no_more_than_that(self, rich: Reseller, customers: Customers, server: Server) -> None:
        giver, taker = customers.make(rich, balance=1000), customers.make(rich)
        rich.customerAddFunds(i_customer=giver, amount=60, currency="USD")

        rich.transferFunds(i_customer_from=giver, i_customer_to=taker, amount=500, currency="USD")

        assert (funded(server, giver), funded(server, taker)) == (0, 60)
        assert balance(rich, taker) == 500

    def test_nothing_of_what_goes_below_zero(self, rich: Reseller, customers: Customers, server: Server) -> None:
        giver, taker = customers.make(rich, credit_limit=100), customers.make(rich)
        rich.customerAddFunds(i_customer=giver, amount=60, currency="USD")
        rich.updateCustomer(i_customer=giver, balance=10)

        rich.transferFunds(i_customer_from=giver, i_customer_to=taker, amount=100, currency="USD")

        assert (funded(server, giver), funded(server, taker)) == (50, 10)


class TestDeletion:
    def test_writes_it_off(self, root: Api, rich: Reseller, customers: Customers, server: Server) -> None:
        i_customer = customers.make(rich)
        rich.customerAddFunds(i_customer=i_customer, amount=60, currency="USD")
        rich.updateCustomer(i_customer=i_customer, balance=0)

        rich.deleteCustomer(i_customer=i_customer)

        assert funded(server, i_customer) == 0
        assert balance(root, rich.i_customer) == 40
        assert findings(server) == []

    def test_of_whom_nothing_was_paid_for_writes_no_row(
        self, rich: Reseller, customers: Customers, server: Server
    ) -> None:
        i_customer = customers.make(rich)

        rich.deleteCustomer(i_customer=i_customer)

        rows = "SELECT count(*) FROM ledger NATURAL JOIN balances WHERE i_customer = :c"
        assert server.sql(rows, c=i_customer)[0][0] == 0


class TestCurrencies:
    @pytest.fixture
    def abroad(self, rich: Reseller, customers: Customers, rate: Callable[[str, str, str], None]) -> int:
        """A sub-customer of the reseller (USD) whose currency is the euro, worth 1.25."""
        rate("EUR", "USD", "1.25")
        return customers.make(rich, i_tariff=customers.tariff(rich, "EUR"))

    def test_it_is_kept_in_the_payers(self, root: Api, rich: Reseller, abroad: int, server: Server) -> None:
        rich.customerAddFunds(i_customer=abroad, amount=8, currency="EUR")

        assert (balance(rich, abroad), funded(server, abroad)) == (8, 10)
        assert rich.customerDebit(i_customer=abroad, amount=4, currency="EUR")["returned"] == 5
        assert balance(root, rich.i_customer) == 95

    def test_a_rate_that_rises_gains_nothing(
        self, root: Api, rich: Reseller, abroad: int, rate: Callable[[str, str, str], None]
    ) -> None:
        rich.customerAddFunds(i_customer=abroad, amount=8, currency="EUR")
        rate("EUR", "USD", "2")

        assert rich.customerDebit(i_customer=abroad, amount=8, currency="EUR")["returned"] == 10

    def test_a_rate_that_falls_leaves_the_rest(
        self, rich: Reseller, abroad: int, server: Server, rate: Callable[[str, str, str], None]
    ) -> None:
        rich.customerAddFunds(i_customer=abroad, amount=8, currency="EUR")
        rate("EUR", "USD", "1")

        assert rich.customerDebit(i_customer=abroad, amount=8, currency="EUR")["returned"] == 8
        assert funded(server, abroad) == 2

    def test_the_share_of_a_debit_is_rounded_down(
        self, rich: Reseller, abroad: int, rate: Callable[[str, str, str], None]
    ) -> None:
        rich.customerAddFunds(i_customer=abroad, amount=8, currency="EUR")
        rich.updateCustomer(i_customer=abroad, balance="0.000001", credit_limit=100)
        rate("EUR", "USD", "1.999999")

        assert rich.customerDebit(i_customer=abroad, amount=3, currency="EUR")["returned"] == 0.000001

    def test_between_brothers_it_moves_unconverted(
        self, rich: Reseller, abroad: int, customers: Customers, server: Server
    ) -> None:
        at_home = customers.make(rich)
        rich.customerAddFunds(i_customer=abroad, amount=8, currency="EUR")

        rich.transferFunds(i_customer_from=abroad, i_customer_to=at_home, amount=4, currency="EUR")

        assert (balance(rich, at_home), funded(server, abroad), funded(server, at_home)) == (5, 5, 5)

    def test_what_is_nothing_in_the_payers_can_be_taken(
        self, root: Api, rich: Reseller, abroad: int, rate: Callable[[str, str, str], None]
    ) -> None:
        rich.updateCustomer(i_customer=abroad, balance=1)
        rich.customerAddFunds(i_customer=abroad, amount=8, currency="EUR")
        rate("EUR", "USD", "0.1")

        assert rich.customerDebit(i_customer=abroad, amount="0.000001", currency="EUR")["returned"] == 0
        assert balance(root, rich.i_customer) == 90


class TestOneTransaction:
    """What a multicall has booked before counts for what comes after it."""

    def test_a_debit_after_a_payment_after_a_setting(
        self, root: Api, rich: Reseller, customers: Customers, server: Server
    ) -> None:
        i_customer = customers.make(rich)
        who: dict[str, Any] = {"i_customer": i_customer}
        money = {**who, "amount": 40, "currency": "USD"}
        calls: list[tuple[str, dict[str, Any]]] = [
            ("updateCustomer", {**who, "balance": 500}),
            ("customerAddFunds", money),
            ("updateCustomer", {**who, "balance": 30}),
            ("customerDebit", {**money, "amount": 30}),
            ("customerDebit", {**money, "amount": 1_000_000}),
            ("updateCustomer", {**who, "balance": 7}),
            ("updateCustomer", {**who, "balance": 9, "city": unique()}),
        ]

        answers = rich.proxy.system.multicall([{"methodName": name, "params": [p]} for name, p in calls])

        assert [
            answer[0].get("returned") if isinstance(answer, list) else answer["faultCode"] for answer in answers
        ] == [
            None,
            None,
            None,
            30,
            402,
            None,
            None,
        ]
        assert (balance(rich, i_customer), funded(server, i_customer)) == (9, 10)
        assert balance(root, rich.i_customer) == 90
        assert findings(server) == []
