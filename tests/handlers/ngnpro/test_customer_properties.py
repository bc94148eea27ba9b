"""CustomerPort: properties, and who may change which."""

from collections.abc import Callable
from typing import Any

import pytest
from faces import Api
from harness import Server, unique
from soap import Clients

from xmlrpc_api.services.tree.quotas import ACCESSES, CREDITS, HANDED_ON, LIMITING

FaultOf = Callable[..., int]
PERMISSION, BAD_VALUE, MISSING = 902, 101, 102


def stored(clients: Clients, account: dict[str, Any]) -> dict[str, Any]:
    return clients.admin().getAccount(id=account["id"])


def named(**attributes: Any) -> dict[str, Any]:
    return {"username": unique("customer"), **attributes}


def prop(name: str, value: str, permission: str = "customer") -> dict[str, str]:
    return {"name": name, "value": value, "category": "sip", "permission": permission}


@pytest.mark.one_engine
class TestProperties:
    @pytest.mark.parametrize(
        ("permission", "allowed"),
        [
            ("admin", {"admin"}),
            ("reseller", {"admin", "reseller"}),
            ("customer", {"admin", "reseller", "customer"}),
            ("", {"admin", "reseller", "customer"}),
        ],
    )
    def test_who_changes_which(self, clients: Clients, fault_of: FaultOf, permission: str, allowed: set[str]) -> None:
        reseller = clients.reseller()
        customer = clients.customer(reseller)
        ports = {"admin": clients.admin(), "reseller": clients.of(reseller), "customer": clients.of(customer)}
        clients.admin().setProperties(customer=customer["id"], properties=[prop("x", "0", permission)])

        for who, port in ports.items():
            change = {"customer": customer["id"], "properties": [prop("x", who, permission)]}
            if who in allowed:
                port.setProperties(**change)
                assert clients.admin().getProperties(customer=customer["id"])[0]["value"] == who
            else:
                assert fault_of(port.setProperties, **change) == PERMISSION

    def test_those_of_customers_below_need_the_right_to_edit_them(
        self, clients: Clients, root: Api, fault_of: FaultOf
    ) -> None:
        reseller = clients.reseller()
        customer = clients.customer(reseller)
        root.updateCustomer(i_customer=reseller["id"], customers_mgmt=5)
        port = clients.of(reseller)

        assert fault_of(port.setProperties, customer=customer["id"], properties=[prop("x", "1")]) == PERMISSION
        port.setProperties(customer=reseller["id"], properties=[prop("x", "1")])

    def test_a_property_needs_a_name(self, clients: Clients, fault_of: FaultOf) -> None:
        customer = clients.customer(clients.reseller())
        nameless = {"value": "1", "category": "credit", "permission": "admin"}

        assert fault_of(clients.admin().setProperties, customer=customer["id"], properties=[nameless]) == MISSING

    def test_echoes_change_nothing_and_are_no_offence(self, clients: Clients) -> None:
        customer = clients.customer(clients.reseller())
        clients.admin().setProperties(customer=customer["id"], properties=[prop("x", "1", "admin")])

        echoed = clients.of(customer).getProperties(customer=customer["id"])
        clients.of(customer).setProperties(customer=customer["id"], properties=[*echoed, prop("y", "2")])

        names = [entry["name"] for entry in clients.of(customer).getProperties(customer=customer["id"])]
        assert names == ["x", "y"]

    def test_nobody_takes_a_property_out_of_a_higher_hand(self, clients: Clients, fault_of: FaultOf) -> None:
        customer = clients.customer(clients.reseller())
        clients.admin().setProperties(customer=customer["id"], properties=[prop("x", "1", "admin")])

        change = {"customer": customer["id"], "properties": [prop("x", "1", "customer")]}
        assert fault_of(clients.of(customer).setProperties, **change) == PERMISSION

    def test_properties_are_merged_by_name_in_updates_as_well(self, clients: Clients) -> None:
        made = clients.reseller(properties=[prop("a", "1"), prop("b", "2")])

        clients.admin().updateAccount(account={"id": made["id"], "properties": [prop("b", ""), prop("c", "3")]})

        values = {entry["name"]: entry["value"] or "" for entry in stored(clients, made)["properties"]}
        assert values == {"a": "1", "b": "", "c": "3"}

    @pytest.mark.parametrize("name", HANDED_ON)
    def test_a_reseller_hands_on_what_he_has(self, clients: Clients, fault_of: FaultOf, name: str) -> None:
        """Its permission says admin; the front end lets resellers change it for their customers."""
        reseller = clients.reseller(properties=[prop(name, "1", "admin")])
        customer = clients.customer(reseller)

        clients.of(reseller).setProperties(customer=customer["id"], properties=[prop(name, "1", "admin")])

        own = {"customer": reseller["id"], "properties": [prop(name, "0", "admin")]}
        assert fault_of(clients.of(reseller).setProperties, **own) == PERMISSION

    @pytest.mark.parametrize("name", CREDITS)
    def test_no_more_than_his_own_credit_and_any_where_he_has_none(
        self, clients: Clients, fault_of: FaultOf, name: str
    ) -> None:
        limited, unlimited = clients.reseller(properties=[prop(name, "1")]), clients.reseller()
        given = [prop(name, "2")]

        assert fault_of(clients.of(limited).addAccount, account=named(properties=given)) == PERMISSION
        made = clients.of(unlimited).addAccount(account=named(properties=given))
        assert made["properties"] == [{**prop(name, "2"), "permission": "admin"}]

    @pytest.mark.parametrize("name", ACCESSES)
    def test_no_access_where_he_has_none(self, clients: Clients, fault_of: FaultOf, name: str) -> None:
        for reseller in (clients.reseller(), clients.reseller(properties=[prop(name, "0")])):
            given = [prop(name, "1")]
            assert fault_of(clients.of(reseller).addAccount, account=named(properties=given)) == PERMISSION
            customer = clients.customer(reseller, properties=[prop(name, "0")])
            for port in (clients.of(reseller), clients.of(customer)):
                assert fault_of(port.setProperties, customer=customer["id"], properties=given) == PERMISSION

    @pytest.mark.parametrize("name", LIMITING)
    @pytest.mark.parametrize("permission", ["customer", ""])
    def test_who_is_limited_does_not_make_the_limit(
        self, clients: Clients, fault_of: FaultOf, name: str, permission: str
    ) -> None:
        """A name that limits has its level, whatever permission is asked for, and whether it is there yet or not."""
        reseller = clients.reseller()
        customer, there = clients.customer(reseller), clients.customer(reseller)
        clients.admin().setProperties(customer=there["id"], properties=[prop(name, "0", permission)])

        for account in (customer, there):
            change = {"customer": account["id"], "properties": [prop(name, "1", permission)]}
            assert fault_of(clients.of(account).setProperties, **change) == PERMISSION
        if LIMITING[name] == "admin":
            own = {"customer": reseller["id"], "properties": [prop(name, "1", permission)]}
            assert fault_of(clients.of(reseller).setProperties, **own) == PERMISSION
        (entry,) = clients.admin().getProperties(customer=there["id"])
        assert entry == prop(name, "0", LIMITING[name])

    def test_a_form_that_shows_limits_and_was_not_filled_in_is_no_offence(self, clients: Clients) -> None:
        customer = clients.customer(clients.reseller())
        form = [prop(name, "") for name in LIMITING]

        clients.of(customer).updateAccount(account={"id": customer["id"], "properties": [*form, prop("x", "1")]})

        assert [entry["name"] for entry in clients.of(customer).getProperties(customer=customer["id"])] == ["x"]

    @pytest.mark.parametrize(
        "value", ["-1", "1.5", "1e3", "NaN", "Infinity", "-Infinity", " 1", "1_0", "\u0661", "9" * 10]
    )
    def test_a_credit_is_a_whole_number(self, clients: Clients, fault_of: FaultOf, value: str) -> None:
        given = [prop("sip_credit", value)]
        reseller = clients.reseller()
        change = {"customer": clients.customer(reseller)["id"], "properties": given}

        assert fault_of(clients.admin().addAccount, account=named(properties=given)) == BAD_VALUE
        for port in (clients.admin(), clients.of(reseller)):
            assert fault_of(port.setProperties, **change) == BAD_VALUE

    @pytest.mark.parametrize("value", ["2", "-1", "true", "1.0", "Infinity"])
    def test_an_access_is_0_or_1(self, clients: Clients, fault_of: FaultOf, value: str) -> None:
        given = [prop("pstn_access", value)]

        assert fault_of(clients.admin().addAccount, account=named(properties=given)) == BAD_VALUE

    @pytest.mark.each_engine
    def test_they_go_with_their_customer(self, clients: Clients, ngnpro: Server) -> None:
        made = clients.reseller(properties=[prop(name, "1", "admin") for name in CREDITS])

        clients.admin().deleteAccount(id=made["id"])

        assert ngnpro.sql("SELECT 1 FROM customer_properties WHERE i_customer = :key", key=made["id"]) == []
