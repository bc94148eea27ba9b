"""Delegations: who lets whom have a DID, what each is told, and how it is taken back."""

import itertools
from typing import Any

import phonebook
import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server

from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted, WrongReference

Line = tuple[Reseller, Reseller, Reseller]


@pytest.fixture
def line(customers: Customers) -> Line:
    above, middle, below = phonebook.line(customers)
    return above, middle, below


def down(line: Line, i_did: int) -> list[int]:
    """A DID of the first that the last has; the delegations."""
    return [phonebook.delegated(giver, i_did, taker.i_customer) for giver, taker in itertools.pairwise(line)]


def test_each_is_told_his_own_part(line: Line) -> None:
    above, middle, below = line
    mine, yours = (api.createDIDChargingGroup(name="x", currency="EUR")["i_dids_charging_group"] for api in line[:2])
    i_did = phonebook.added(above, description="secret", i_dids_charging_group=mine, buying_i_dids_charging_group=mine)
    first = phonebook.delegated(above, i_did, middle.i_customer, i_dids_charging_group=mine, description="for you")
    second = phonebook.delegated(middle, i_did, below.i_customer, i_dids_charging_group=yours)
    below.updateDID(i_did=i_did, i_account=(i_account := phonebook.account(below)))

    told = [api.getDIDInfo(i_did=i_did) for api in line]

    names = ("i_did_delegation", "delegated_to", "parent_i_did_delegation", "i_dids_charging_group", "description")
    assert [tuple(one[name] for name in names) for one in told] == [
        (first, middle.i_customer, None, mine, "secret"),
        (second, below.i_customer, first, mine, "for you"),
        (None, None, second, yours, ""),
    ]
    assert [one["buying_i_dids_charging_group"] for one in told] == [mine, None, None]
    assert {one["i_account"] for one in told} == {i_account}
    assert [{"result": "OK", **api.getDIDsList()["dids"][0]} for api in line] == told


def test_who_pays_by_a_group_is_told_its_fees(line: Line, refused: Any) -> None:
    above, middle, below = line
    group = above.createDIDChargingGroup(name="x", currency="EUR", recurring_fee=2.5)["i_dids_charging_group"]
    phonebook.delegated(above, phonebook.added(above), middle.i_customer, i_dids_charging_group=group)

    assert middle.getDIDChargingGroupInfo(i_dids_charging_group=group)["recurring_fee"] == 2.5
    for api in (middle, below):
        with refused(NotFound.code):
            api.updateDIDChargingGroup(i_dids_charging_group=group, recurring_fee=0)
    with refused(NotFound.code):
        below.getDIDChargingGroupInfo(i_dids_charging_group=group)


def test_the_last_uses_it_alone(line: Line, refused: Any) -> None:
    above, middle, below = line
    i_did = phonebook.added(above)
    down(line, i_did)

    for api in (above, middle):
        with refused(Conflict.code, "The DID is delegated: take it back first"):
            api.updateDID(i_did=i_did, i_account=phonebook.account(api))
    below.updateDID(i_did=i_did, i_account=phonebook.account(below))


def test_what_is_used_is_not_delegated(line: Line, refused: Any) -> None:
    above, middle, _ = line
    i_did = phonebook.added(above, i_ivr_application=1)

    with refused(Conflict.code, "The DID is in use: it must be assigned to nobody"):
        phonebook.delegated(above, i_did, middle.i_customer)


def test_what_is_delegated_is_not_delegated_again(line: Line, customers: Customers, refused: Any) -> None:
    above, middle, _ = line
    i_did = phonebook.added(above)
    phonebook.delegated(above, i_did, middle.i_customer)

    with refused(Conflict.code):
        phonebook.delegated(above, i_did, customers.make(above))


def test_nobody_delegates_up_or_sideways_or_past_the_next(line: Line, customers: Customers, refused: Any) -> None:
    above, middle, below = line
    i_did = phonebook.added(above)
    phonebook.delegated(above, i_did, middle.i_customer)
    beside = customers.make(above)

    for to in (above.i_customer, middle.i_customer, beside, customers.make(customers.reseller()), 1, 2**31 - 1):
        with refused(WrongReference.code, "Wrong delegated_to"):
            phonebook.delegated(middle, i_did, to)
    other = phonebook.added(above)
    with refused(WrongReference.code, "Wrong delegated_to"):
        phonebook.delegated(above, other, below.i_customer)


def test_the_group_is_of_who_delegates(line: Line, refused: Any) -> None:
    above, middle, _ = line
    group = middle.createDIDChargingGroup(name="x", currency="EUR")["i_dids_charging_group"]

    with refused(WrongReference.code, "Wrong i_dids_charging_group"):
        phonebook.delegated(above, phonebook.added(above), middle.i_customer, i_dids_charging_group=group)


def test_the_parent_is_the_delegation_by_which_it_is_in_hand(line: Line, refused: Any) -> None:
    above, middle, below = line
    i_did = phonebook.added(above)
    first = phonebook.delegated(above, i_did, middle.i_customer)

    with refused(WrongReference.code, "Wrong parent_i_did_delegation"):
        middle.addDIDDelegation(i_did=i_did, delegated_to=below.i_customer, parent_i_did_delegation=first + 1)
    middle.addDIDDelegation(i_did=i_did, delegated_to=below.i_customer, parent_i_did_delegation=first)


def test_who_has_it_from_above_changes_its_own_alone(line: Line, refused: Any) -> None:
    above, middle, _ = line
    group = middle.createDIDChargingGroup(name="x", currency="EUR")["i_dids_charging_group"]
    i_did = phonebook.added(above)
    phonebook.delegated(above, i_did, middle.i_customer)
    echo = {name: value for name, value in middle.getDIDInfo(i_did=i_did).items() if name != "result"}

    for name, value in {
        "did": "1",
        "incoming_did": "1",
        "incoming_cli": "1",
        "i_dids_charging_group": group,
        "buying_i_dids_charging_group": group,
    }.items():
        with refused(NotPermitted.code, f"Not permitted: {name} can be changed by whom the DID is from only"):
            middle.updateDID(i_did=i_did, **{name: value})
    with refused(NotPermitted.code):
        middle.deleteDID(i_did=i_did)
    middle.updateDID(**{**echo, "description": "mine"})
    assert middle.getDIDInfo(i_did=i_did)["description"] == "mine"
    assert above.getDIDInfo(i_did=i_did)["description"] == ""


def test_it_is_taken_back_with_everything_below(own: Server, refused: Any) -> None:
    line = above, middle, below = tuple(phonebook.line(Customers(own)))
    i_did = phonebook.added(above)
    first, _ = down(line, i_did)
    below.updateDID(i_did=i_did, i_account=phonebook.account(below), translation_rule="s/1/2/")

    above.deleteDIDDelegation(i_did_delegation=first)

    for api in (middle, below):
        with refused(NotFound.code):
            api.getDIDInfo(i_did=i_did)
        assert api.getDIDsList()["dids"] == []
    told = above.getDIDInfo(i_did=i_did)
    assert (told["i_account"], told["delegated_to"], told["translation_rule"]) == (None, None, "")
    assert findings(own) == []
    noted = own.sql(
        "SELECT object_type FROM audit_log WHERE method = 'deleteDIDDelegation' AND action = 'D' ORDER BY i_audit"
    )
    assert [row[0] for row in noted] == ["did_uses", "did_delegations", "did_delegations"]


def test_who_has_it_cannot_give_or_take_it_from_above(line: Line, refused: Any) -> None:
    above, middle, below = line
    i_did = phonebook.added(above)
    first, second = down(line, i_did)

    for api, delegation in ((middle, first), (below, first), (below, second)):
        with refused(NotFound.code, "DID delegation not found"):
            api.deleteDIDDelegation(i_did_delegation=delegation)
        with refused(NotFound.code):
            api.updateDIDDelegation(i_did_delegation=delegation, description="mine")


def test_it_is_given_to_another(own: Server, refused: Any) -> None:
    customers = Customers(own)
    line = above, middle, below = tuple(phonebook.line(customers))
    i_did = phonebook.added(above)
    first, _ = down(line, i_did)
    below.updateDID(i_did=i_did, i_ivr_application=1)
    other = customers.reseller(above)

    above.updateDIDDelegation(i_did_delegation=first, delegated_to=other.i_customer)

    assert other.getDIDInfo(i_did=i_did)["parent_i_did_delegation"] == first
    for api in (middle, below):
        with refused(NotFound.code):
            api.getDIDInfo(i_did=i_did)
    assert findings(own) == []


def test_a_customer_who_goes_gives_it_back(own: Server) -> None:
    line = above, middle, below = tuple(phonebook.line(Customers(own)))
    i_did = phonebook.added(above)
    down(line, i_did)
    below.updateDID(i_did=i_did, i_ivr_application=1)

    middle.deleteCustomer(i_customer=below.i_customer)

    told = middle.getDIDInfo(i_did=i_did)
    assert (told["delegated_to"], told["i_ivr_application"]) == (None, None)
    middle.updateDID(i_did=i_did, i_account=phonebook.account(middle))
    assert findings(own) == []


def test_its_owner_removes_it_wherever_it_is(own: Server, refused: Any) -> None:
    line = above, _, below = tuple(phonebook.line(Customers(own)))
    i_did = phonebook.added(above)
    down(line, i_did)
    below.updateDID(i_did=i_did, i_account=phonebook.account(below))

    above.deleteDID(i_did=i_did)

    for api in line:
        with refused(NotFound.code):
            api.getDIDInfo(i_did=i_did)
    assert findings(own) == []
