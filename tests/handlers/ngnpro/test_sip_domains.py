"""SipPort, through zeep: domains."""

from collections.abc import Callable
from typing import Any

import pytest
from harness import Server, unique
from homes import Home
from soap import Clients

FaultOf = Callable[..., int]
BAD_VALUE, MISSING, IN_USE = 101, 102, 5002
NO_DOMAIN, DOMAIN_TAKEN = 1000, 1001


class TestDomains:
    def test_every_attribute_comes_back_but_the_key(self, clients: Clients, home: Home) -> None:
        given = {
            "domain": f"{unique('d')}.example.com",
            "customer": home.customer["id"],
            "certificate": "-----BEGIN CERTIFICATE-----",
            "private_key": "-----BEGIN PRIVATE KEY-----",
            "match_ip_address": "192.0.2.1",
            "match_sip_domain": "other.example.com",
            "verify_cert": True,
            "require_cert": True,
        }

        home.of_reseller.addDomain(domain=given)

        (told,) = home.of_reseller.getDomains(query={"filter": {"domain": given["domain"]}})["domains"]
        expected = {**given, "reseller": home.reseller["id"], "private_key": None, "changeDate": told["changeDate"]}
        assert told == expected

    def test_the_key_is_not_readable_in_the_database(self, home: Home, ngnpro: Server) -> None:
        home.of_reseller.updateDomain(domain={"domain": home.domain, "private_key": "-----BEGIN"})

        (row,) = ngnpro.sql("SELECT i_domain, private_key FROM sip_domains WHERE domain = :d", d=home.domain)

        assert "BEGIN" not in row.private_key
        assert ngnpro.platform.vault.decrypt(row.private_key, f"sip_domains.private_key:{row.i_domain}") == "-----BEGIN"

    def test_an_update_changes_what_is_given_and_nothing_else(self, home: Home) -> None:
        query = {"filter": {"domain": home.domain.upper()}}
        (before,) = home.of_reseller.getDomains(query=query)["domains"]

        home.of_reseller.updateDomain(domain={"domain": home.domain, "match_ip_address": "192.0.2.9"})

        (after,) = home.of_reseller.getDomains(query=query)["domains"]
        assert after == {**before, "match_ip_address": "192.0.2.9", "changeDate": after["changeDate"]}

    def test_one_of_nobody_is_the_platforms(self, clients: Clients) -> None:
        name = f"{unique('d')}.example.com"
        clients.admin("Sip").addDomain(domain={"domain": name, "customer": 0})

        (told,) = clients.admin("Sip").getDomains(query={"filter": {"domain": name}})["domains"]

        assert (told["customer"], told["reseller"]) == (0, 0)

    def test_each_sees_his_own(self, clients: Clients, home: Home, fault_of: FaultOf) -> None:
        stranger = clients.of(clients.reseller(), "Sip")
        query = {"filter": {"domain": home.domain}}

        for port in (home.admin, home.of_reseller, home.of_customer):
            assert port.getDomains(query=query)["total"] == 1
        assert stranger.getDomains(query=query)["total"] == 0
        assert fault_of(stranger.updateDomain, domain={"domain": home.domain, "verify_cert": True}) == NO_DOMAIN
        assert fault_of(stranger.deleteDomain, domain=home.domain) == NO_DOMAIN
        assert fault_of(stranger.addAccount, account={"id": home.id()}) == NO_DOMAIN
        mine = {"domain": f"{unique('d')}.example.com", "customer": home.customer["id"]}
        assert fault_of(stranger.addDomain, domain=mine) == 5000

    @pytest.mark.parametrize(
        ("domain", "code"), [({}, MISSING), ({"domain": "no domain"}, BAD_VALUE), ({"domain": "-x.com"}, BAD_VALUE)]
    )
    def test_what_is_wrong_has_a_code(self, home: Home, fault_of: FaultOf, domain: dict[str, Any], code: int) -> None:
        assert fault_of(home.of_reseller.addDomain, domain=domain) == code

    def test_is_unique_whatever_its_case(self, home: Home, fault_of: FaultOf) -> None:
        assert fault_of(home.of_reseller.addDomain, domain={"domain": home.domain.upper()}) == DOMAIN_TAKEN

    def test_one_with_accounts_stays_and_stays_where_it_is(self, home: Home, fault_of: FaultOf) -> None:
        made = home.add()
        moved = {"domain": home.domain, "customer": home.reseller["id"]}

        assert fault_of(home.of_reseller.deleteDomain, domain=home.domain) == IN_USE
        assert fault_of(home.of_reseller.updateDomain, domain=moved) == IN_USE
        assert fault_of(home.clients.of(home.reseller).deleteAccount, id=home.customer["id"]) == IN_USE
        home.of_reseller.deleteAccount(sipId=made["id"])
        home.of_reseller.updateDomain(domain=moved)
        home.of_reseller.deleteDomain(domain=home.domain)
        home.clients.of(home.reseller).deleteAccount(id=home.customer["id"])
