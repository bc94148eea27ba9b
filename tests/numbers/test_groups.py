"""DID charging groups: what a customer demands for its DIDs."""

from typing import Any

import phonebook
from conftest import Customers, Reseller

from xmlrpc_api.declaration.faults import Conflict, NotFound

GIVEN = {
    "name": "Berlin",
    "currency": "EUR",
    "setup_fee": 5.0,
    "recurring_fee": 1.5,
    "billing_cycle": 1,
    "description": "Geographic",
}


def test_made_changed_told_and_deleted(reseller: Reseller, refused: Any) -> None:
    group = reseller.createDIDChargingGroup(**GIVEN)["i_dids_charging_group"]
    made = {"i_dids_charging_group": group, "i_customer": reseller.i_customer, **GIVEN}
    assert reseller.getDIDChargingGroupInfo(i_dids_charging_group=group) == {"result": "OK", **made}

    reseller.updateDIDChargingGroup(i_dids_charging_group=group, recurring_fee=2)

    assert reseller.listDIDChargingGroups()["dids_charging_groups"] == [{**made, "recurring_fee": 2.0}]
    reseller.deleteDIDChargingGroup(i_dids_charging_group=group)
    with refused(NotFound.code, "DID charging group not found"):
        reseller.getDIDChargingGroupInfo(i_dids_charging_group=group)


def test_a_name_is_unique_for_its_customer(reseller: Reseller, customers: Customers, refused: Any) -> None:
    reseller.createDIDChargingGroup(**GIVEN)

    with refused(Conflict.code, "Parameter name is already taken"):
        reseller.createDIDChargingGroup(**GIVEN)
    customers.reseller().createDIDChargingGroup(**GIVEN)


def test_what_is_charged_by_is_kept(customers: Customers, refused: Any) -> None:
    keeper, below = phonebook.line(customers, 2)
    group = keeper.createDIDChargingGroup(**GIVEN)["i_dids_charging_group"]
    i_did = phonebook.added(keeper, i_dids_charging_group=group, buying_i_dids_charging_group=group)
    phonebook.delegated(keeper, i_did, below.i_customer, i_dids_charging_group=group)

    users = "1 DID (i_dids_charging_group), 1 DID (buying_i_dids_charging_group) and 1 DID delegation"
    with refused(Conflict.code, f"DID charging group is still in use by {users} (i_dids_charging_group)"):
        keeper.deleteDIDChargingGroup(i_dids_charging_group=group)


def test_nobody_else_has_it(reseller: Reseller, customers: Customers, refused: Any) -> None:
    group = reseller.createDIDChargingGroup(**GIVEN)["i_dids_charging_group"]

    for api in (customers.reseller(), customers.reseller(reseller)):
        for call in (api.getDIDChargingGroupInfo, api.deleteDIDChargingGroup):
            with refused(NotFound.code):
                call(i_dids_charging_group=group)
