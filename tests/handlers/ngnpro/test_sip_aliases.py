"""SipPort, through zeep: aliases."""

from collections.abc import Callable
from typing import Any

import pytest
from homes import Home, prop
from soap import Clients

FaultOf = Callable[..., int]
NO_CREDIT, IN_USE = 1402, 5002
NO_ALIAS, ALIAS_TAKEN = 1020, 1021
NO_DOMAIN, ACCOUNT_TAKEN = 1000, 1011


class TestAliases:
    @pytest.fixture
    def alias(self, home: Home) -> dict[str, Any]:
        given = {
            "id": home.id("sales"),
            "target": {"username": "alice", "domain": "elsewhere.example.com"},
            "owner": home.customer["id"],
        }
        home.of_reseller.addAlias(alias=given)
        return given

    def test_comes_back_with_the_customer_of_its_domain(self, home: Home, alias: dict[str, Any]) -> None:
        told = home.of_customer.getAlias(id={"username": "SALES", "domain": home.domain})

        owners = {"customer": home.customer["id"], "reseller": home.reseller["id"]}
        assert told == {**alias, **owners, "changeDate": told["changeDate"]}

    def test_can_lead_elsewhere(self, home: Home, alias: dict[str, Any]) -> None:
        target = {"username": "bob", "domain": home.domain}

        home.of_reseller.updateAlias(alias={"id": alias["id"], "target": target})

        told = home.of_reseller.getAlias(id=alias["id"])
        assert (told["target"], told["owner"]) == (target, alias["owner"])
        home.of_reseller.updateAlias(alias={"id": alias["id"], "owner": 0})
        assert home.of_reseller.getAlias(id=alias["id"])["owner"] == 0

    def test_those_of_an_account_are_found_by_their_target(self, home: Home, alias: dict[str, Any]) -> None:
        home.of_reseller.addAlias(alias={"id": home.id("support"), "target": home.id("bob")})

        def found(**chosen: Any) -> list[str]:
            order = {"attribute": "aliasUsername", "direction": "ASC"}
            rows = home.of_reseller.getAliases(query={"filter": chosen, "orderBy": order})["aliases"]
            return [row["id"]["username"] for row in rows]

        assert found(targetUsername="alice", targetDomain="ELSEWHERE.example.com") == ["sales"]
        assert found(aliasUsername="s%", aliasDomain=home.domain) == ["sales", "support"]
        assert found(owner=home.customer["id"]) == ["sales"]
        assert found(customer=home.customer["id"]) == ["sales", "support"]
        assert found(targetUsername="nobody") == []

    def test_a_deleted_one_is_gone(self, home: Home, alias: dict[str, Any], fault_of: FaultOf) -> None:
        assert fault_of(home.of_reseller.deleteDomain, domain=home.domain) == IN_USE
        home.of_customer.deleteAlias(id=alias["id"])

        assert fault_of(home.of_reseller.getAlias, id=alias["id"]) == NO_ALIAS
        home.of_reseller.deleteDomain(domain=home.domain)

    def test_a_name_is_one_thing(self, home: Home, alias: dict[str, Any], fault_of: FaultOf) -> None:
        home.add(user="alice")

        assert fault_of(home.of_reseller.addAlias, alias={**alias, "id": home.id("Sales")}) == ALIAS_TAKEN
        assert fault_of(home.of_reseller.addAlias, alias={**alias, "id": home.id("Alice")}) == ACCOUNT_TAKEN
        assert fault_of(home.of_reseller.addAccount, account={"id": home.id("SALES")}) == ALIAS_TAKEN

    def test_each_sees_his_own(self, home: Home, clients: Clients, alias: dict[str, Any], fault_of: FaultOf) -> None:
        stranger = clients.of(clients.reseller(), "Sip")

        for work in (stranger.getAlias, stranger.deleteAlias):
            assert fault_of(work, id=alias["id"]) == NO_ALIAS
        assert fault_of(stranger.updateAlias, alias=alias) == NO_ALIAS
        assert fault_of(stranger.addAlias, alias={**alias, "id": home.id("x")}) == NO_DOMAIN
        assert stranger.getAliases(query={"filter": {"aliasDomain": home.domain}})["total"] == 0
        assert fault_of(home.of_reseller.addAlias, alias={**alias, "id": home.id("y"), "owner": 2**31 - 1}) == 5000

    def test_they_have_a_credit_of_their_own(self, clients: Clients, fault_of: FaultOf) -> None:
        home = Home(clients, properties=[prop("sip_alias_credit", "1")])
        target = home.id("alice")
        home.of_reseller.addAlias(alias={"id": home.id(), "target": target})

        assert fault_of(home.of_reseller.addAlias, alias={"id": home.id(), "target": target}) == NO_CREDIT
        home.add()
