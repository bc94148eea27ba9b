"""What tests of several kinds of methods share."""

import pytest
from conftest import Customers, Reseller
from faces import Api
from logins import Login


@pytest.fixture
def customer(reseller: Reseller, customers: Customers) -> int:
    return customers.make(reseller)


@pytest.fixture
def login(reseller: Reseller, customer: int) -> Login:
    return Login(reseller, reseller.info(customer)["web_login"])


@pytest.fixture
def funded(root: Api, reseller: Reseller) -> Reseller:
    """A reseller with 1000 of his own."""
    root.customerAddFunds(i_customer=reseller.i_customer, amount=1000, currency="USD")
    return reseller


@pytest.fixture
def rich(root: Api, customers: Customers) -> Reseller:
    """A reseller to whom root has paid 100."""
    reseller = customers.reseller()
    root.customerAddFunds(i_customer=reseller.i_customer, amount=100, currency="USD")
    return reseller
