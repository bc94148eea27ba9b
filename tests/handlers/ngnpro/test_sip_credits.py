"""SipPort: how many accounts somebody may have."""

import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import Customers
from harness import Server, unique
from homes import Home, prop
from sippy import new
from soap import Clients, SoapFault

FaultOf = Callable[..., int]
NO_CREDIT = 1402
ALIAS_TAKEN = 1021
ACCOUNT_TAKEN = 1011


class TestCredits:
    def test_a_customer_has_his_own_and_his_reseller_the_total(self, clients: Clients, fault_of: FaultOf) -> None:
        home = Home(clients, properties=[prop("sip_credit", "3")])
        clients.admin().setProperties(customer=home.customer["id"], properties=[prop("sip_credit", "2")])
        for _ in range(2):
            made = home.add()

        assert fault_of(home.of_customer.addAccount, account={"id": home.id()}) == NO_CREDIT
        home.of_reseller.addDomain(domain={"domain": (own := f"{unique('d')}.example.com")})
        home.of_reseller.addAccount(account={"id": {"username": "x", "domain": own}})
        more = {"id": {"username": "y", "domain": own}}
        assert fault_of(home.of_reseller.addAccount, account=more) == NO_CREDIT
        home.of_reseller.deleteAccount(sipId=made["id"])
        home.of_reseller.addAccount(account=more)
        home.admin.addAccount(account={"id": home.id()})

    def test_what_is_there_already_is_told_though_the_credit_is_used_up(
        self, clients: Clients, fault_of: FaultOf
    ) -> None:
        """Clients go on with an update then."""
        home = Home(clients, properties=[prop("sip_credit", "1"), prop("sip_alias_credit", "1")])
        made, target = home.add(), home.id("alice")
        alias = {"id": home.id(), "target": target}
        home.of_reseller.addAlias(alias=alias)

        assert fault_of(home.of_reseller.addAccount, account={"id": made["id"]}) == ACCOUNT_TAKEN
        assert fault_of(home.of_reseller.addAccount, account={"id": alias["id"]}) == ALIAS_TAKEN
        assert fault_of(home.of_reseller.addAlias, alias=alias) == ALIAS_TAKEN
        assert fault_of(home.of_reseller.addAlias, alias={"id": made["id"], "target": target}) == ACCOUNT_TAKEN
        assert fault_of(home.of_reseller.addAccount, account={"id": home.id()}) == NO_CREDIT

    def test_so_it_is_though_it_could_not_be_made_as_asked(self, home: Home, fault_of: FaultOf) -> None:
        made = home.add()

        again = {"id": made["id"], "groups": ["free-pstn"]}
        assert fault_of(home.of_reseller.addAccount, account=again) == ACCOUNT_TAKEN

    def test_a_login_that_is_taken_is_told_in_the_other_dialect(self, clients: Clients, ngnpro: Server) -> None:
        home = Home(clients, properties=[prop("sip_credit", "1")])
        portal = ngnpro.api(home.reseller["username"], "s3cret-Api")
        account = new()
        portal.createAccount(**account)

        with pytest.raises(xmlrpc.client.Fault, match="is already taken"):
            portal.createAccount(**account)

    def test_what_customers_below_have_counts_as_well(
        self, clients: Clients, customers: Customers, fault_of: FaultOf
    ) -> None:
        """Otherwise a customer would go around his credit by customers of his own."""
        top = customers.reseller()
        middle = customers.reseller(top)
        bottom = customers.reseller(middle)
        clients.admin().setProperties(customer=middle.i_customer, properties=[prop("sip_credit", "1")])

        bottom.createAccount(**new())

        for api in (bottom, middle):
            with pytest.raises(xmlrpc.client.Fault, match="sip_credit is used up"):
                api.createAccount(**new())
        top.createAccount(**new())

    def test_it_counts_in_every_dialect(self, clients: Clients, ngnpro: Server) -> None:
        home = Home(clients, properties=[prop("sip_credit", "0")])
        portal = ngnpro.api(home.reseller["username"], "s3cret-Api")

        with pytest.raises(xmlrpc.client.Fault, match="sip_credit is used up"):
            portal.createAccount(**new())

    @pytest.mark.soak
    def test_many_creators_never_take_one_too_many(self, clients: Clients, length: Callable[[int, int], int]) -> None:
        for _ in range(length(3, 50)):
            home = Home(clients, properties=[prop("sip_credit", "5")])
            ports = [clients.of(home.reseller, "Sip") for _ in range(8)]

            def take(port: Any, home: Home = home) -> int:
                try:
                    home.add(port)
                except SoapFault as fault:
                    return fault.code
                return 0

            with ThreadPoolExecutor(8) as pool:
                outcomes = list(pool.map(take, ports))

            assert sorted(outcomes) == [0] * 5 + [NO_CREDIT] * 3

    @pytest.mark.soak
    def test_many_creators_of_the_other_dialect_do_neither(
        self, clients: Clients, ngnpro: Server, length: Callable[[int, int], int]
    ) -> None:
        """They have no domain in common whose lock would make them wait for each other."""
        for _ in range(length(5, 50)):
            home = Home(clients, properties=[prop("sip_credit", "5")])
            portals = [ngnpro.api(home.reseller["username"], "s3cret-Api") for _ in range(8)]

            def take(portal: Any) -> str:
                try:
                    return str(portal.createAccount(**new())["result"])
                except xmlrpc.client.Fault as fault:
                    return fault.faultString

            with ThreadPoolExecutor(8) as pool:
                outcomes = list(pool.map(take, portals))

            assert outcomes.count("OK") == 5
            assert outcomes.count("Not enough credit: sip_credit is used up") == 3
