"""DIDs: added, told, changed and removed by whose they are."""

from typing import Any

import phonebook
import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server

from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NotPermitted, WrongReference

EMPTY = {
    **dict.fromkeys(("did_range_end", "description", "incoming_cli"), ""),
    **dict.fromkeys(("translation_rule", "cli_translation_rule", "cld_translation_rule"), ""),
    **dict.fromkeys(("i_did_allocated_from", "i_ivr_application", "i_account", "i_vendor", "i_connection")),
    **dict.fromkeys(("i_dids_charging_group", "buying_i_dids_charging_group")),
    **dict.fromkeys(("i_did_delegation", "delegated_to", "parent_i_did_delegation")),
    **dict.fromkeys(("reserved_for", "reserved_until")),
}


@pytest.fixture
def keeper(customers: Customers) -> Reseller:
    """A wholesaler who may add numbers."""
    return customers.reseller()


def test_all_is_told_as_it_was_sent(keeper: Reseller) -> None:
    group = keeper.createDIDChargingGroup(name="Berlin", currency="EUR")["i_dids_charging_group"]
    did = str(phonebook.block())
    sent = {
        "did": did,
        "incoming_did": f"0{did}",
        "translation_rule": "s/^49/0/",
        "cli_translation_rule": "s/^/00/",
        "cld_translation_rule": "s/0$//",
        "description": "Front desk",
        "i_account": phonebook.account(keeper),
        "i_dids_charging_group": group,
        "buying_i_dids_charging_group": group,
        "incoming_cli": "441632960000",
    }

    i_did = keeper.addDID(**sent)["i_did"]

    assert keeper.getDIDInfo(i_did=i_did) == {**EMPTY, **sent, "result": "OK", "i_did": i_did}
    assert keeper.getDIDInfo(did=did) == keeper.getDIDInfo(i_did=i_did)
    assert keeper.getDIDsList()["dids"] == [{**EMPTY, **sent, "i_did": i_did}]


def test_nil_ends_the_use(keeper: Reseller) -> None:
    i_did = phonebook.added(keeper, i_account=phonebook.account(keeper))

    keeper.updateDID(i_did=i_did, i_account=None, i_ivr_application=None)

    assert keeper.getDIDInfo(i_did=i_did)["i_account"] is None


def test_an_ivr_takes_it_from_an_account(keeper: Reseller) -> None:
    i_did = phonebook.added(keeper, i_account=phonebook.account(keeper))

    keeper.updateDID(i_did=i_did, i_ivr_application=1)

    told = keeper.getDIDInfo(i_did=i_did)
    assert (told["i_account"], told["i_ivr_application"]) == (None, 1)


def test_it_has_one_user(keeper: Reseller, refused: Any) -> None:
    with refused(BadParameter.code, "Parameter i_account must be nil where i_ivr_application is given"):
        phonebook.added(keeper, i_account=phonebook.account(keeper), i_ivr_application=1)


def test_it_is_changed_by_its_number(keeper: Reseller) -> None:
    did = str(phonebook.block())
    i_did = phonebook.added(keeper, did=did)

    assert keeper.updateDID(did=did, description="new")["i_did"] == i_did

    assert keeper.getDIDInfo(did=f"+{did}")["description"] == "new"


def test_its_number_is_changed_by_its_id(keeper: Reseller) -> None:
    i_did, other = phonebook.added(keeper), str(phonebook.block())

    keeper.updateDID(i_did=i_did, did=other)

    assert keeper.getDIDInfo(did=other)["i_did"] == i_did


def test_a_range_is_told_by_both_its_ends(keeper: Reseller) -> None:
    i_range, first = phonebook.ranged(keeper)
    i_did = phonebook.added(keeper, did=first, i_did_allocated_from=i_range)

    assert keeper.getDIDInfo(did=str(first), did_range_end=str(first + 99))["i_did"] == i_range
    assert keeper.getDIDInfo(did=str(first))["i_did"] == i_did


def test_a_range_is_not_told_by_its_end_alone(keeper: Reseller, refused: Any) -> None:
    with refused(BadParameter.code, "Parameter did is required"):
        keeper.getDIDInfo(did_range_end="4930")


def test_callers_have_dids_of_their_own(keeper: Reseller, refused: Any) -> None:
    did = str(phonebook.block())
    callers = [phonebook.added(keeper, did=did, incoming_cli=cli) for cli in ("1", "2")]

    with refused(BadParameter.code, "Parameter i_did is required: 2 DIDs have this number"):
        keeper.getDIDInfo(did=did)
    everybodys = phonebook.added(keeper, did=did)
    assert keeper.getDIDInfo(did=did)["i_did"] == everybodys
    assert len({*callers, everybodys}) == 3


def test_it_is_deleted_by_its_number(keeper: Reseller, refused: Any) -> None:
    did = str(phonebook.block())
    phonebook.added(keeper, did=did, i_account=phonebook.account(keeper))

    keeper.deleteDID(did=did)

    with refused(NotFound.code, "DID not found"):
        keeper.getDIDInfo(did=did)


def test_a_deleted_account_leaves_its_dids(keeper: Reseller) -> None:
    i_account = phonebook.account(keeper)
    i_did = phonebook.added(keeper, i_account=i_account)

    keeper.deleteAccount(i_account=i_account)

    assert keeper.getDIDInfo(i_did=i_did)["i_account"] is None


@pytest.mark.parametrize("name", ["i_vendor", "i_connection", "i_dids_charging_group", "buying_i_dids_charging_group"])
@pytest.mark.one_engine
def test_it_points_at_nothing_that_is_not_its_owners(
    keeper: Reseller, customers: Customers, refused: Any, name: str
) -> None:
    foreign = customers.reseller().createDIDChargingGroup(name="x", currency="EUR")["i_dids_charging_group"]

    with refused(WrongReference.code, f"Wrong {name}"):
        phonebook.added(keeper, **{name: foreign})


def test_an_account_of_somebody_below_is_none_of_its_owners(
    keeper: Reseller, customers: Customers, refused: Any
) -> None:
    i_account = phonebook.account(customers.reseller(keeper))

    with refused(WrongReference.code, "Wrong i_account"):
        phonebook.added(keeper, i_account=i_account)


def test_who_keeps_no_pool_adds_none(customers: Customers, refused: Any) -> None:
    with refused(NotPermitted.code, "Not permitted: did_pool_enabled is missing"):
        phonebook.added(customers.reseller(did_pool_enabled=False))


def test_who_keeps_no_pool_lends_none(customers: Customers, refused: Any) -> None:
    with refused(NotPermitted.code):
        phonebook.added(customers.reseller(customers.reseller(did_pool_enabled=False)))


def test_the_platform_keeps_one(root: Any) -> None:
    i_did = phonebook.added(root)

    assert root.deleteDID(i_did=i_did) == {"result": "OK"}


def test_nobody_else_has_it(keeper: Reseller, customers: Customers, refused: Any) -> None:
    i_did, beside = phonebook.added(keeper), customers.reseller()

    for api in (beside, customers.reseller(keeper)):
        for call in (api.getDIDInfo, api.deleteDID):
            with refused(NotFound.code):
                call(i_did=i_did)
        with refused(NotFound.code):
            api.updateDID(i_did=i_did, description="mine")
        assert api.getDIDsList()["dids"] == []


def test_who_stands_above_has_it_in_its_owners_place(keeper: Reseller, customers: Customers) -> None:
    below = customers.reseller(keeper)
    i_did = phonebook.added(below)

    keeper.updateDID(i_did=i_did, i_account=phonebook.account(below))

    assert keeper.getDIDInfo(i_did=i_did) == below.getDIDInfo(i_did=i_did)
    assert keeper.getDIDsList()["dids"] == []


def test_a_customer_goes_with_its_dids(keeper: Reseller, customers: Customers, own: Server) -> None:
    api = Customers(own).reseller()
    group = api.createDIDChargingGroup(name="Berlin", currency="EUR")["i_dids_charging_group"]
    i_range, first = phonebook.ranged(api, i_dids_charging_group=group, i_ivr_application=2)
    phonebook.added(api, did=first + 1, i_did_allocated_from=i_range, buying_i_dids_charging_group=group)

    own.api().deleteCustomer(i_customer=api.i_customer)

    assert own.sql("SELECT count(*) FROM dids WHERE i_customer = :i_customer", i_customer=api.i_customer)[0][0] == 0
    assert findings(own) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"did": "%7"}, "used"),
        ({"incoming_did": "IN-%"}, "used"),
        ({"not_assigned": True}, "free"),
        ({"i_ivr_application": 3}, "used"),
        ({"not_assigned": False, "limit": 1}, "free"),
        ({"offset": 1}, "used"),
    ],
    ids=repr,
)
@pytest.mark.one_engine
def test_a_list_is_filtered(keeper: Reseller, asked: Any, found: str) -> None:
    first = phonebook.block()
    dids = {
        "free": phonebook.added(keeper, did=first),
        "used": phonebook.added(keeper, did=first + 7, incoming_did=f"in-{first}", i_ivr_application=3),
    }

    assert [row["i_did"] for row in keeper.getDIDsList(**asked)["dids"]] == [dids[found]]


def test_a_number_is_unique(keeper: Reseller, customers: Customers, refused: Any) -> None:
    did = str(phonebook.block())
    phonebook.added(keeper, did=did)

    for same in (did, f"+{did}"):
        with refused(Conflict.code, "Parameter did is already taken"):
            phonebook.added(customers.reseller(), did=same)
