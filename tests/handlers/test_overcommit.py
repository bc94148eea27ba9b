"""Over-commit: nobody protected hands out more than he has, whatever the path."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from crowd import Crowd, Work, call
from faces import Api
from harness import Server

from xmlrpc_api.declaration.faults import NotEnoughCredit

TOO_MUCH = "Not enough credit: sub-customers would be given more than there is"


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


@pytest.fixture
def protected(customers: Customers) -> Reseller:
    """A reseller with 100 of his own, who cannot hand out more."""
    return customers.reseller(balance=100, overcommit_protection=True)


class TestPaths:
    @pytest.mark.parametrize("money", [{"balance": 100}, {"credit_limit": 100}, {"balance": 60, "credit_limit": 40}])
    def test_create_up_to_what_there_is(
        self, protected: Reseller, customers: Customers, refused: Any, money: dict[str, int]
    ) -> None:
        customers.make(protected, **money)

        with refused(NotEnoughCredit.code, TOO_MUCH):
            customers.make(protected, balance=0.000001)

    @pytest.mark.parametrize("name", ["balance", "credit_limit"])
    def test_update(self, protected: Reseller, customers: Customers, refused: Any, name: str) -> None:
        i_customer = customers.make(protected)
        protected.updateCustomer(i_customer=i_customer, **{name: 100})

        with refused(NotEnoughCredit.code, TOO_MUCH):
            protected.updateCustomer(i_customer=i_customer, **{name: 100.000001})

    def test_funds(self, protected: Reseller, customers: Customers, refused: Any) -> None:
        """50 handed out are 50 less of his own: half is all he can give."""
        i_customer = customers.make(protected)
        protected.customerAddFunds(i_customer=i_customer, amount=50, currency="USD")

        with refused(NotEnoughCredit.code, TOO_MUCH):
            protected.customerAddFunds(i_customer=i_customer, amount=1, currency="USD")

    def test_his_own_balance_cannot_fall_below_what_he_has_handed_out(
        self, root: Api, protected: Reseller, customers: Customers, refused: Any
    ) -> None:
        customers.make(protected, balance=90)
        root.customerDebit(i_customer=protected.i_customer, amount=10, currency="USD")

        with refused(NotEnoughCredit.code, TOO_MUCH):
            root.customerDebit(i_customer=protected.i_customer, amount=1, currency="USD")

    def test_protection_cannot_be_switched_on_while_too_much_is_handed_out(
        self, root: Api, customers: Customers, refused: Any
    ) -> None:
        free = customers.reseller(balance=10)
        customers.make(free, balance=11)

        with refused(NotEnoughCredit.code, TOO_MUCH):
            root.updateCustomer(i_customer=free.i_customer, overcommit_protection=True)


class TestFormula:
    def test_the_own_credit_limit_counts(self, customers: Customers, refused: Any) -> None:
        reseller = customers.reseller(balance=10, credit_limit=90, overcommit_protection=True)

        i_customer = customers.make(reseller, balance=100)

        assert reseller.info(i_customer)["balance"] == 100
        with refused(NotEnoughCredit.code, TOO_MUCH):
            customers.make(reseller, balance=0.000001)

    def test_the_limit_adds_per_cent(self, customers: Customers, refused: Any) -> None:
        reseller = customers.reseller(balance=100, overcommit_protection=True, overcommit_limit=10)
        customers.make(reseller, balance=110)

        with refused(NotEnoughCredit.code, TOO_MUCH):
            customers.make(reseller, balance=1)

    @pytest.mark.parametrize(("percent", "most"), [(200, 300), (1_000_000, 1_000_100)])
    def test_above_100_it_is_a_multiple_of_his_own(
        self, customers: Customers, refused: Any, percent: int, most: int
    ) -> None:
        reseller = customers.reseller(balance=100, overcommit_protection=True, overcommit_limit=percent)
        customers.make(reseller, balance=most)

        with refused(NotEnoughCredit.code, TOO_MUCH):
            customers.make(reseller, balance=0.000001)

    def test_without_protection_there_is_no_limit(self, customers: Customers) -> None:
        reseller = customers.reseller()

        i_customer = customers.make(reseller, balance=1_000_000)

        assert reseller.info(i_customer)["balance"] == 1_000_000

    def test_what_a_sub_customer_has_overdrawn_gives_no_room(self, customers: Customers, refused: Any) -> None:
        reseller = customers.reseller(balance=100, overcommit_protection=True)
        overdrawn = customers.make(reseller, credit_limit=50)
        reseller.customerDebit(i_customer=overdrawn, amount=50, currency="USD")
        reseller.updateCustomer(i_customer=overdrawn, credit_limit=0)

        with refused(NotEnoughCredit.code, TOO_MUCH):
            customers.make(reseller, balance=151)


@pytest.mark.soak
def test_it_holds_under_random_concurrent_changes(
    variant: Callable[..., Server], server: Server, customers: Customers, length: Callable[[int, int], int]
) -> None:
    top = customers.reseller(balance=1000, overcommit_protection=True, overcommit_limit=5)
    children = [customers.make(top, balance=100) for _ in range(6)]
    dice = random.Random(4)

    def change() -> Work:
        child, amount = dice.choice(children), dice.randint(1, 200)
        money = {"i_customer": child, "amount": amount, "currency": "USD"}
        kind = dice.randrange(6)
        if kind < 3:
            method = ("customerAddFunds", "customerDebit", "customerCredit")[kind]
            return call(method, **money, i_wholesaler=top.i_customer)
        if kind == 3:
            return call("updateCustomer", i_customer=child, credit_limit=amount, i_wholesaler=top.i_customer)
        if kind == 4:
            return call("updateCustomer", i_customer=child, balance=amount, i_wholesaler=top.i_customer)
        return call("customerDebit", **{**money, "i_customer": top.i_customer, "amount": 5}, i_wholesaler=1)

    crowd = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 16)
    answers = crowd.do([change() for _ in range(length(150, 1000))])

    assert {402} <= {answer for answer in answers if isinstance(answer, int)} <= {402}
    assert findings(server) == []
