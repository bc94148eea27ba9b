"""`resellerActive` is false: he, and everybody below him, creates nothing; the administrator is not concerned."""

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from harness import Server, unique
from sippy import new
from soap import PASSWORD, Clients

FaultOf = Callable[..., int]
PERMISSION = 902


class Branch:
    """A reseller with a customer, who has a customer; each with a SIP domain."""

    def __init__(self, clients: Clients, customers: Customers) -> None:
        self.clients = clients
        self.top = customers.reseller()
        self.middle = customers.reseller(self.top)
        self.bottom = customers.reseller(self.middle)
        self.domains = {who.i_customer: f"{unique('d')}.example.com" for who in (self.top, self.middle, self.bottom)}
        for i_customer, domain in self.domains.items():
            clients.admin("Sip").addDomain(domain={"domain": domain, "customer": i_customer})

    def switch(self, who: Reseller, *, active: bool) -> None:
        self.clients.admin().updateAccount(account={"id": who.i_customer, "resellerActive": active})

    def by_xmlrpc(self, api: Any, who: Reseller, **scope: int) -> dict[str, Callable[[], Any]]:
        named = {"name": unique(), "web_password": WEB_PASSWORD, "i_tariff": None}
        owner = {"i_customer": scope["i_wholesaler"]} if scope else {}
        return {
            "customer": lambda: api.createCustomer(**named, **scope),
            "account": lambda: api.createAccount(**new(), **owner),
            "web user": lambda: api.createWebUser(
                **scope, i_customer=who.i_customer, web_login=unique(), web_password=WEB_PASSWORD
            ),
        }

    def by_soap(self, who: Reseller, *, is_admin: bool = False) -> dict[str, Callable[[], Any]]:
        caller = {"username": who.login}
        customer, sip = (
            self.clients.admin(port) if is_admin else self.clients.of(caller, port) for port in ("Customer", "Sip")
        )
        domain = self.domains[who.i_customer]
        below = {"username": unique(), "password": PASSWORD, "reseller": self.top.i_customer}
        target = {"username": "alice", "domain": domain}
        return {
            "CustomerPort.addAccount": lambda: customer.addAccount(account=below),
            "SipPort.addDomain": lambda: sip.addDomain(
                domain={"domain": f"{unique('d')}.example.com", "customer": who.i_customer}
            ),
            "SipPort.addAccount": lambda: sip.addAccount(account={"id": {"username": unique(), "domain": domain}}),
            "SipPort.addAlias": lambda: sip.addAlias(
                alias={"id": {"username": unique(), "domain": domain}, "target": target}
            ),
        }


EVERY_WAY_BY_SOAP, EVERY_WAY = 4, 7


@pytest.fixture
def branch(clients: Clients, customers: Customers) -> Branch:
    return Branch(clients, customers)


@pytest.mark.parametrize("who", ["top", "middle", "bottom"])
def test_nobody_at_or_below_him_creates_anything(
    branch: Branch, variant: Callable[..., Server], fault_of: FaultOf, who: str
) -> None:
    caller = getattr(branch, who)
    branch.switch(branch.top, active=False)
    trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
    calls = {
        **branch.by_xmlrpc(caller, caller),
        **{
            f"trusted {what}": c
            for what, c in branch.by_xmlrpc(trusted, caller, i_wholesaler=caller.i_customer).items()
        },
    }

    for what, call in calls.items():
        with pytest.raises(xmlrpc.client.Fault) as caught:
            call()
        assert (caught.value.faultCode, caught.value.faultString) == (
            403,
            "Not permitted: the reseller is not active",
        ), what
    for what, call in branch.by_soap(caller).items():
        assert fault_of(call) == PERMISSION, what


def test_what_is_there_he_still_changes(branch: Branch) -> None:
    branch.switch(branch.top, active=False)

    branch.top.updateCustomer(i_customer=branch.middle.i_customer, city="Bonn")

    assert branch.top.info(branch.middle.i_customer)["city"] == "Bonn"


def test_only_those_below_him_are_concerned(branch: Branch) -> None:
    branch.switch(branch.middle, active=False)

    calls = [*branch.by_xmlrpc(branch.top, branch.top).values(), *branch.by_soap(branch.top).values()]
    assert len([call() for call in calls]) == EVERY_WAY


def test_the_administrator_creates_at_any_place(branch: Branch, clients: Clients) -> None:
    branch.switch(branch.top, active=False)

    for who in (branch.top, branch.middle):
        calls = branch.by_soap(who, is_admin=True).values()
        assert len([call() for call in calls]) == EVERY_WAY_BY_SOAP


def test_he_does_so_again_when_it_is_true(branch: Branch) -> None:
    branch.switch(branch.top, active=False)
    branch.switch(branch.top, active=True)

    for who in (branch.top, branch.bottom):
        calls = [*branch.by_xmlrpc(who, who).values(), *branch.by_soap(who).values()]
        assert len([call() for call in calls]) == EVERY_WAY
