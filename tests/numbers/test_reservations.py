"""Free DIDs: found, reserved for something, given away or released."""

from typing import Any

import phonebook
import pytest
from conftest import Customers, Reseller
from harness import Server

from xmlrpc_api.declaration.faults import Conflict, NotFound

PAST = "2001-01-01 00:00:00"


@pytest.fixture
def keeper(customers: Customers) -> Reseller:
    return customers.reseller()


def free(api: Reseller, **asked: Any) -> list[int]:
    return [row["i_did"] for row in api.searchFreeDIDs(**asked)["dids"]]


def test_free_is_what_nobody_uses_has_or_waits_for(keeper: Reseller, customers: Customers) -> None:
    first = phonebook.block()
    nobodys, used, reserved, delegated = (phonebook.added(keeper, did=first + place) for place in range(4))
    keeper.updateDID(i_did=used, i_ivr_application=1)
    keeper.reserveDID(i_did=reserved, reserved_for="order 1")
    below = customers.reseller(keeper)
    phonebook.delegated(keeper, delegated, below.i_customer)

    assert free(keeper) == [nobodys]
    assert free(keeper, did=f"{first}") == [nobodys]
    assert free(keeper, did="0%") == []
    assert free(below) == [delegated]


def test_what_is_reserved_is_taken_with_the_same_words(keeper: Reseller, refused: Any) -> None:
    i_did = phonebook.added(keeper)
    until = keeper.reserveDID(i_did=i_did, reserved_for="order 1", seconds=600)["reserved_until"]
    told = keeper.getDIDInfo(i_did=i_did)
    assert (told["reserved_for"], told["reserved_until"]) == ("order 1", until)

    for given in ({}, {"reserved_for": "order 2"}):
        with refused(Conflict.code):
            keeper.updateDID(i_did=i_did, i_ivr_application=1, **given)
    keeper.updateDID(i_did=i_did, i_ivr_application=1, reserved_for="order 1")

    told = keeper.getDIDInfo(i_did=i_did)
    assert (told["i_ivr_application"], told["reserved_for"], told["reserved_until"]) == (1, None, None)


def test_what_is_reserved_is_delegated_with_the_same_words(
    keeper: Reseller, customers: Customers, refused: Any
) -> None:
    i_did, to = phonebook.added(keeper), customers.make(keeper)
    keeper.reserveDID(i_did=i_did, reserved_for="order 1")

    with refused(Conflict.code):
        phonebook.delegated(keeper, i_did, to)
    phonebook.delegated(keeper, i_did, to, reserved_for="order 1")

    assert keeper.getDIDInfo(i_did=i_did)["reserved_for"] is None


def test_it_is_reserved_longer_for_the_same_and_for_nothing_else(keeper: Reseller, refused: Any) -> None:
    i_did = phonebook.added(keeper)
    first = keeper.reserveDID(i_did=i_did, reserved_for="order 1", seconds=60)["reserved_until"]

    with refused(Conflict.code):
        keeper.reserveDID(i_did=i_did, reserved_for="order 2")

    assert keeper.reserveDID(i_did=i_did, reserved_for="order 1", seconds=6000)["reserved_until"] > first


def test_what_is_used_is_not_reserved(keeper: Reseller, refused: Any) -> None:
    i_did = phonebook.added(keeper, i_ivr_application=1)

    with refused(Conflict.code, "The DID is in use"):
        keeper.reserveDID(i_did=i_did, reserved_for="order 1")


def test_what_is_released_is_free(keeper: Reseller) -> None:
    i_did = phonebook.added(keeper)
    keeper.reserveDID(i_did=i_did, reserved_for="order 1")

    keeper.releaseDID(i_did=i_did)
    keeper.releaseDID(i_did=i_did)

    assert free(keeper) == [i_did]


def test_a_reservation_ends_by_itself(spoilt: Server) -> None:
    keeper = Customers(spoilt).reseller()
    i_did = phonebook.added(keeper)
    keeper.reserveDID(i_did=i_did, reserved_for="order 1")

    spoilt.sql(f"UPDATE did_uses SET reserved_until = '{PAST}' WHERE i_did = {i_did}")

    assert free(keeper) == [i_did]
    keeper.updateDID(i_did=i_did, i_ivr_application=1)


def test_nobody_else_reserves_it(keeper: Reseller, customers: Customers, refused: Any) -> None:
    i_did = phonebook.added(keeper)

    for api in (customers.reseller(keeper), customers.reseller()):
        with refused(NotFound.code):
            api.reserveDID(i_did=i_did, reserved_for="order 1")
        with refused(NotFound.code):
            api.releaseDID(i_did=i_did)
