"""What a change costs on its way: round trips to PostgreSQL, from the first lock to the last write."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Customers, Reseller
from harness import Installed, Server, serving, unique
from labour import transacted
from sippy import new

PAID = {"amount": "0.5", "currency": "USD"}


@pytest.fixture(scope="module")
def postgresql(installed: Callable[[str], Installed]) -> Iterator[Server]:
    with serving(installed("postgresql")) as running:
        yield running


@pytest.fixture
def owner(postgresql: Server) -> Reseller:
    return Customers(postgresql).reseller(balance=1000)


@pytest.fixture
def child(postgresql: Server, owner: Reseller) -> int:
    return Customers(postgresql).make(owner, balance=10)


@pytest.fixture
def account(owner: Reseller) -> int:
    return owner.createAccount(**new(balance=10))["i_account"]


def trips(server: Server, call: Callable[..., Any], **params: Any) -> int:
    """How many statements a call sends; what begins and ends its transaction is none."""
    sent: list[str] = []
    with transacted(server, sent.append):
        call(**params)
    return len(sent)


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "once"}], ids=["", "with a key"])
def test_a_payment_to_a_customer(postgresql: Server, owner: Reseller, child: int, key: dict[str, str]) -> None:
    assert trips(postgresql, owner.customerAddFunds, i_customer=child, **PAID, **key) <= 4 + len(key)


def test_a_payment_that_may_be_too_much(postgresql: Server, child: int, owner: Reseller) -> None:
    postgresql.api().updateCustomer(i_customer=owner.i_customer, overcommit_protection=True)

    assert trips(postgresql, owner.customerAddFunds, i_customer=child, **PAID) <= 6


def test_a_debit_of_a_customer(postgresql: Server, owner: Reseller, child: int) -> None:
    owner.customerAddFunds(i_customer=child, **PAID)

    assert trips(postgresql, owner.customerDebit, i_customer=child, **PAID) <= 4


def test_a_payment_to_an_account(postgresql: Server, owner: Reseller, account: int) -> None:
    assert trips(postgresql, owner.accountAddFunds, i_account=account, **PAID) <= 4


@pytest.mark.parametrize(("money", "most"), [({}, 3), ({"balance": 1, "credit_limit": 5}, 4)], ids=["", "with money"])
def test_a_new_customer(postgresql: Server, owner: Reseller, money: dict[str, int], most: int) -> None:
    made = {"name": unique(), "web_password": "s3cret-Pa55", "i_tariff": None, "api_password": "s3cret-Api", **money}

    assert trips(postgresql, owner.createCustomer, **made) <= most


def test_a_new_account(postgresql: Server, owner: Reseller) -> None:
    assert trips(postgresql, owner.createAccount, **new(balance=1)) <= 5


def test_a_change_of_a_customer(postgresql: Server, owner: Reseller, child: int) -> None:
    assert trips(postgresql, owner.updateCustomer, i_customer=child, company_name=unique()) <= 4
