"""Ranges: none overlaps another, nor a number; what is allocated from one lies within it."""

from typing import Any

import phonebook
import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server

from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, WrongReference

TAKEN = "Parameter did is already taken"


@pytest.fixture
def keeper(customers: Customers) -> Reseller:
    return customers.reseller()


@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (50, 50), (99, 99), (-5, 0), (99, 104), (10, 20), (-5, 104)], ids=repr
)
@pytest.mark.one_engine
def test_what_overlaps_is_refused(keeper: Reseller, refused: Any, first: int, last: int) -> None:
    i_range, begin = phonebook.ranged(keeper)
    end = {} if first == last else {"did_range_end": str(begin + last)}
    assert i_range

    with refused(Conflict.code, TAKEN):
        phonebook.added(keeper, did=begin + first, **end)


@pytest.mark.one_engine
def test_what_lies_beside_is_not(keeper: Reseller) -> None:
    _, begin = phonebook.ranged(keeper, 50)

    beside = [{"did": begin + 50}, {"did": begin, "incoming_cli": "1"}, {"did": f"{begin}0"}]

    assert all(phonebook.added(keeper, **attributes) for attributes in beside)


@pytest.mark.parametrize("end", ["4930", "49305550", "493055501", "4930555x", "+49305559", "*9305559"])
@pytest.mark.one_engine
def test_a_range_has_two_ends(keeper: Reseller, refused: Any, end: str) -> None:
    with refused(BadParameter.code):
        keeper.addDID(did="49305550", did_range_end=end, incoming_did="1")


def test_a_number_grows_into_no_other(keeper: Reseller, refused: Any) -> None:
    first = phonebook.block()
    i_did = phonebook.added(keeper, did=first)
    phonebook.added(keeper, did=first + 5)

    keeper.updateDID(i_did=i_did, did_range_end=str(first + 4))
    with refused(Conflict.code, TAKEN):
        keeper.updateDID(i_did=i_did, did_range_end=str(first + 5))


def test_numbers_are_allocated_from_a_range(keeper: Reseller, refused: Any) -> None:
    i_range, first = phonebook.ranged(keeper)
    i_did = phonebook.added(keeper, did=first + 1, i_did_allocated_from=i_range)

    assert keeper.getDIDInfo(i_did=i_did)["i_did_allocated_from"] == i_range
    with refused(Conflict.code, TAKEN):
        phonebook.added(keeper, did=first, did_range_end=str(first + 9), i_did_allocated_from=i_range)
    with refused(Conflict.code):
        keeper.deleteDID(i_did=i_range)
    with refused(Conflict.code):
        keeper.updateDID(i_did=i_range, did_range_end=str(first + 50))


@pytest.mark.parametrize(("first", "last"), [(-1, -1), (100, 100), (0, 99), (90, 100)], ids=repr)
@pytest.mark.one_engine
def test_what_is_allocated_is_a_part(keeper: Reseller, refused: Any, first: int, last: int) -> None:
    i_range, begin = phonebook.ranged(keeper)
    end = {} if first == last else {"did_range_end": str(begin + last)}

    with refused(BadParameter.code):
        phonebook.added(keeper, did=begin + first, i_did_allocated_from=i_range, **end)


def test_nothing_is_allocated_from_a_number(keeper: Reseller, refused: Any) -> None:
    first = phonebook.block()
    i_did = phonebook.added(keeper, did=first)

    with refused(BadParameter.code):
        phonebook.added(keeper, did=first, i_did_allocated_from=i_did)


def test_nothing_is_allocated_from_a_range_of_others(keeper: Reseller, customers: Customers, refused: Any) -> None:
    i_range, first = phonebook.ranged(keeper)

    for api in (customers.reseller(), customers.reseller(keeper)):
        with refused(WrongReference.code, "Wrong i_did_allocated_from"):
            phonebook.added(api, did=first, i_did_allocated_from=i_range)


def test_who_has_a_range_from_above_allocates_and_loses_with_it(own: Server, refused: Any) -> None:
    above, middle, below = phonebook.line(Customers(own))
    i_range, first = phonebook.ranged(above)
    delegation = phonebook.delegated(above, i_range, middle.i_customer)
    part = phonebook.added(middle, did=first, did_range_end=str(first + 9), i_did_allocated_from=i_range)
    phonebook.delegated(middle, part, below.i_customer)
    number = phonebook.added(below, did=first + 3, i_did_allocated_from=part, i_ivr_application=1)
    with refused(Conflict.code, "The DID is delegated: take it back first"):
        above.updateDID(i_did=i_range, i_ivr_application=1)

    above.deleteDIDDelegation(i_did_delegation=delegation)

    for api, i_did in ((middle, i_range), (middle, part), (below, part), (below, number)):
        with refused(NotFound.code):
            api.getDIDInfo(i_did=i_did)
    assert own.sql("SELECT count(*) FROM did_uses WHERE i_customer = :i", i=below.i_customer)[0][0] == 0
    assert findings(own) == []
    phonebook.added(above, did=first + 3, i_did_allocated_from=i_range)


def test_while_it_is_delegated_nobody_above_allocates(customers: Customers, refused: Any) -> None:
    above, middle = phonebook.line(customers, 2)
    i_range, first = phonebook.ranged(above)
    phonebook.delegated(above, i_range, middle.i_customer)

    with refused(WrongReference.code, "Wrong i_did_allocated_from"):
        phonebook.added(above, did=first, i_did_allocated_from=i_range)
