"""Extended routing: what the one above gives, and nobody takes for himself."""

from typing import Any

import pytest
from conftest import Customers, Reseller

from xmlrpc_api.declaration.faults import BadParameter, NotFound, NotPermitted, WrongReference


@pytest.fixture
def child(reseller: Reseller, customers: Customers) -> Reseller:
    return customers.reseller(reseller)


@pytest.fixture
def given(reseller: Reseller, customers: Customers, child: Reseller) -> int:
    """What a child was given."""
    group = customers.routing_group(reseller.i_customer)
    added = reseller.addExtendedRouting(i_customer=child.i_customer, i_routing_group=group, description="Premium")
    i_extended_routing: int = added["i_extended_routing"]
    return i_extended_routing


def test_it_is_told_to_both(reseller: Reseller, customers: Customers, child: Reseller, given: int) -> None:
    tariff = customers.tariff(reseller)
    reseller.updateExtendedRouting(i_extended_routing=given, i_tariff=tariff, description="Gold")

    (row,) = reseller.listExtendedRouting(i_customer=child.i_customer)["extended_routing"]

    assert child.listExtendedRouting(i_customer=child.i_customer)["extended_routing"] == [row]
    assert (row["i_wholesaler"], row["i_customer"]) == (reseller.i_customer, child.i_customer)
    assert (row["i_extended_routing"], row["i_tariff"], row["description"]) == (given, tariff, "Gold")


def test_nobody_gives_himself(reseller: Reseller, customers: Customers, child: Reseller, refused: Any) -> None:
    group = customers.routing_group(child.i_customer)

    with refused(NotFound.code, "Customer not found"):
        child.addExtendedRouting(i_customer=child.i_customer, i_routing_group=group)


def test_nobody_changes_or_takes_what_another_has_given(
    customers: Customers, child: Reseller, given: int, refused: Any
) -> None:
    for api in (child, customers.reseller(), customers.server.api()):
        with refused(NotFound.code, "Extended routing not found"):
            api.updateExtendedRouting(i_extended_routing=given, description="mine")
        with refused(NotFound.code, "Extended routing not found"):
            api.deleteExtendedRouting(i_extended_routing=given)


def test_a_grandchilds_is_not_told(reseller: Reseller, customers: Customers, child: Reseller, refused: Any) -> None:
    with refused(NotFound.code):
        reseller.listExtendedRouting(i_customer=customers.make(child))


def test_what_is_given_is_the_givers(
    reseller: Reseller, customers: Customers, child: Reseller, given: int, refused: Any
) -> None:
    foreign = customers.routing_group(customers.reseller().i_customer)
    own = customers.routing_group(reseller.i_customer)

    for group in (foreign, customers.routing_group(child.i_customer)):
        with refused(WrongReference.code, "Wrong i_routing_group"):
            reseller.addExtendedRouting(i_customer=child.i_customer, i_routing_group=group)
    with refused(WrongReference.code, "Wrong i_tariff"):
        reseller.addExtendedRouting(
            i_customer=child.i_customer, i_routing_group=own, i_tariff=customers.tariff(customers.reseller())
        )
    with refused(WrongReference.code, "Wrong i_tariff"):
        reseller.updateExtendedRouting(i_extended_routing=given, i_tariff=customers.tariff(child))


def test_a_tariff_is_in_the_currency_of_the_customer(
    reseller: Reseller, customers: Customers, child: Reseller, given: int, refused: Any
) -> None:
    euros = customers.tariff(reseller, "EUR")

    with refused(BadParameter.code, "Parameter i_tariff must be a tariff in USD, the customer's base currency"):
        reseller.updateExtendedRouting(i_extended_routing=given, i_tariff=euros)


def test_it_needs_the_right_to_edit_customers(customers: Customers, refused: Any) -> None:
    reseller = customers.reseller(customers_mgmt=5)
    child, group = customers.make(reseller), customers.routing_group(reseller.i_customer)

    with refused(NotPermitted.code):
        reseller.addExtendedRouting(i_customer=child, i_routing_group=group)


def test_it_goes_with_the_customer(reseller: Reseller, child: Reseller, given: int, refused: Any) -> None:
    reseller.deleteCustomer(i_customer=child.i_customer)

    with refused(NotFound.code):
        reseller.updateExtendedRouting(i_extended_routing=given, description="gone")
