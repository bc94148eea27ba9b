"""CustomerPort, through zeep and the WSDL that the server gives: resellers, customers, properties, who may do what."""

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Customers
from faces import Api
from harness import Server, unique
from soap import ADMIN, ADMIN_PASSWORD, Clients, Port

FaultOf = Callable[..., int]
AUTHENTICATION, PERMISSION, NOT_FOUND, TAKEN, IN_USE, BAD_VALUE, MISSING = 901, 902, 5000, 5001, 5002, 101, 102
ATTRIBUTES = {
    "firstName": "Ada",
    "lastName": "Byron",
    "organization": "Analytical <Engines> & Co.",
    "vatNumber": "GB123",
    "email": "ada@example.com",
    "web": "https://example.com",
    "tel": "+4412345",
    "fax": "+4412346",
    "mobile": "+4412347",
    "sip": "ada@example.com",
    "enum": "+4412348",
    "address": "12 Main Street",
    "postcode": "10115",
    "city": "Köln",
    "state": "NRW",
    "country": "Germany",
    "timezone": "Europe/Berlin",
    "language": "de",
    "bankAccount": "DE02",
    "billingAddress": "P.O. Box 1",
    "billingEmail": "bills@example.com",
    "balance": 12.5,
    "credit": 100.0,
    "companyCode": "C-1",
    "resellerActive": True,
}


def stored(clients: Clients, account: dict[str, Any]) -> dict[str, Any]:
    return clients.admin().getAccount(id=account["id"])


def prop(name: str, value: str, permission: str = "customer") -> dict[str, str]:
    return {"name": name, "value": value, "category": "sip", "permission": permission}


class TestRoundTrip:
    def test_every_attribute_comes_back(self, clients: Clients) -> None:
        made = clients.reseller(**ATTRIBUTES)

        assert {name: made[name] for name in ATTRIBUTES} == ATTRIBUTES
        assert made["reseller"] == made["id"]
        assert made["password"] is None
        assert stored(clients, made) == made

    @pytest.mark.one_engine
    @pytest.mark.parametrize("name", sorted(set(ATTRIBUTES) - {"balance", "credit", "resellerActive"}))
    def test_an_update_changes_what_is_given_and_nothing_else(self, clients: Clients, name: str) -> None:
        made = clients.reseller(**{known: value for known, value in ATTRIBUTES.items() if known != name})

        clients.admin().updateAccount(account={"id": made["id"], name: ATTRIBUTES[name]})

        assert stored(clients, made) == {
            **made,
            name: ATTRIBUTES[name],
            "changeDate": stored(clients, made)["changeDate"],
        }

    def test_a_record_echoed_as_it_was_read_changes_nothing(self, clients: Clients) -> None:
        """Front ends send back whole records, with what the server computes."""
        made = clients.reseller(**ATTRIBUTES, properties=[prop("a", "1")])

        clients.admin().updateAccount(account=made)

        assert stored(clients, made) == made

    @pytest.mark.one_engine
    @pytest.mark.parametrize("name", ["username", "password", "language"])
    def test_what_cannot_be_empty_stays_when_a_form_sends_nothing(
        self, clients: Clients, ngnpro: Server, name: str
    ) -> None:
        made = clients.reseller(language="de")

        clients.admin().updateAccount(account={"id": made["id"], name: ""})

        assert stored(clients, made) == made
        assert ngnpro.api(made["username"], "s3cret-Api").listCustomers()["result"] == "OK"

    def test_money_set_by_the_administrator_is_booked(self, clients: Clients, root: Api) -> None:
        made = clients.reseller(balance=10)

        clients.admin().updateAccount(account={"id": made["id"], "balance": 7.25, "credit": 3})

        assert [entry["amount"] for entry in root.getLedger(i_customer=made["id"])["ledger"]] == [-2.75, 10]
        assert (stored(clients, made)["balance"], stored(clients, made)["credit"]) == (7.25, 3)

    def test_a_customer_can_be_deleted_when_nothing_is_his(self, clients: Clients, fault_of: FaultOf) -> None:
        reseller = clients.reseller()
        customer = clients.customer(reseller)

        assert fault_of(clients.admin().deleteAccount, id=reseller["id"]) == IN_USE
        clients.of(reseller).deleteAccount(id=customer["id"])
        assert fault_of(clients.admin().getAccount, id=customer["id"]) == NOT_FOUND
        clients.admin().deleteAccount(id=reseller["id"])


class TestCreation:
    def test_only_the_administrator_makes_resellers(self, clients: Clients) -> None:
        """What a reseller makes is his customer, whatever he asks for."""
        reseller, other = clients.reseller(), clients.reseller()

        customer = clients.customer(reseller, reseller=other["id"], resellerActive=True, balance=5, credit=5)

        assert (customer["reseller"], customer["balance"], customer["credit"]) == (reseller["id"], 0, 0)

    def test_the_administrator_adds_to_the_reseller_he_names(self, clients: Clients, fault_of: FaultOf) -> None:
        reseller = clients.reseller()
        new = {"username": unique("customer"), "reseller": reseller["id"]}

        assert clients.admin().addAccount(account=new)["reseller"] == reseller["id"]

        new = {"username": unique("customer"), "reseller": 2**31 - 1}
        assert fault_of(clients.admin().addAccount, account=new) == NOT_FOUND

    def test_impersonating_a_reseller_is_being_him(self, clients: Clients) -> None:
        reseller = clients.reseller()

        made = clients.admin(impersonate=reseller["id"]).addAccount(account={"username": unique("customer")})

        assert made["reseller"] == reseller["id"]

    def test_an_inactive_reseller_makes_none(self, clients: Clients, fault_of: FaultOf) -> None:
        reseller = clients.reseller(resellerActive=False)
        new = {"username": unique("customer")}

        assert fault_of(clients.of(reseller).addAccount, account=new) == PERMISSION
        clients.admin().updateAccount(account={"id": reseller["id"], "resellerActive": True})
        assert clients.of(reseller).addAccount(account=new)["id"]

    def test_an_ordinary_customer_makes_none(self, clients: Clients, fault_of: FaultOf) -> None:
        customer = clients.customer(clients.reseller())

        assert fault_of(clients.of(customer).addAccount, account={"username": unique("customer")}) == PERMISSION

    @pytest.mark.one_engine
    @pytest.mark.parametrize(
        ("account", "code"),
        [
            ({}, MISSING),
            ({"username": ""}, MISSING),
            ({"username": "x", "email": "nobody"}, BAD_VALUE),
            ({"username": "x", "timezone": "Mars/Olympus"}, BAD_VALUE),
            ({"username": "x" * 129}, BAD_VALUE),
        ],
    )
    def test_what_is_wrong_has_a_code(
        self, clients: Clients, fault_of: FaultOf, account: dict[str, Any], code: int
    ) -> None:
        assert fault_of(clients.admin().addAccount, account=account) == code

    def test_a_user_name_is_unique(self, clients: Clients, fault_of: FaultOf) -> None:
        reseller = clients.reseller()

        assert fault_of(clients.admin().addAccount, account={"username": reseller["username"].upper()}) == TAKEN


class TestAuthentication:
    def test_wrong_credentials_are_one_fault(self, ngnpro: Server, clients: Clients, fault_of: FaultOf) -> None:
        reseller = clients.reseller()
        for auth in (
            {"username": ADMIN, "password": "wrong", "admin": True},
            {"username": "wrong", "password": ADMIN_PASSWORD, "admin": True},
            {"username": ADMIN, "password": ADMIN_PASSWORD},
            {"username": reseller["username"], "password": "wrong"},
            {"username": reseller["username"], "password": "s3cret-Api", "admin": True},
            {"username": ADMIN, "password": ADMIN_PASSWORD, "admin": True, "impersonate": 2**31 - 1},
        ):
            assert fault_of(Port(ngnpro, "Customer", auth).getAccount, id=reseller["id"]) == AUTHENTICATION

    def test_there_is_no_administrator_unless_configured(
        self, variant: Callable[..., Server], fault_of: FaultOf
    ) -> None:
        server = variant()
        auth = {"username": ADMIN, "password": ADMIN_PASSWORD, "admin": True}
        for username in (ADMIN, ""):
            assert fault_of(Port(server, "Customer", auth | {"username": username}).getAccount, id=1) == AUTHENTICATION

    def test_a_blocked_customer_is_nobody(self, clients: Clients, root: Api, fault_of: FaultOf) -> None:
        reseller = clients.reseller()
        customer = clients.customer(reseller)
        root.blockCustomer(i_customer=reseller["id"])

        for account in (reseller, customer):
            assert fault_of(clients.of(account).getAccount, id=account["id"]) == AUTHENTICATION
            assert fault_of(clients.admin(impersonate=account["id"]).getAccount, id=account["id"]) == AUTHENTICATION

    def test_a_customer_with_lent_rights_calls_as_the_other(self, clients: Clients) -> None:
        reseller = clients.reseller()
        customer = clients.customer(reseller)
        clients.admin().updateAccount(account={"id": customer["id"], "impersonate": reseller["id"]})

        made = clients.of(customer).addAccount(account={"username": unique("customer")})

        assert made["reseller"] == reseller["id"]
        assert clients.admin(impersonate=customer["id"]).getAccount(id=reseller["id"])["id"] == reseller["id"]


class TestVisibility:
    def test_each_sees_himself_and_those_below(self, clients: Clients, fault_of: FaultOf) -> None:
        reseller, other = clients.reseller(), clients.reseller()
        customer, sibling = clients.customer(reseller), clients.customer(reseller)
        accounts = [reseller, customer, sibling, other]

        def seen(port: Any) -> list[bool]:
            listed = {row["id"] for row in port.getCustomers(query={"filter": {"reseller": 0}})["accounts"]}
            for account in accounts:
                if account["id"] in listed:
                    assert port.getAccount(id=account["id"])["id"] == account["id"]
                else:
                    assert fault_of(port.getAccount, id=account["id"]) == NOT_FOUND
                    assert fault_of(port.getProperties, customer=account["id"]) == NOT_FOUND
                    assert fault_of(port.updateAccount, account={"id": account["id"], "city": "x"}) == NOT_FOUND
            return [account["id"] in listed for account in accounts]

        assert seen(clients.admin()) == [True] * 4
        for port in (clients.of(reseller), clients.admin(impersonate=reseller["id"])):
            assert seen(port) == [True, True, True, False]
        for port in (clients.of(customer), clients.admin(impersonate=customer["id"])):
            assert seen(port) == [False, True, False, False]

    def test_the_root_is_nobodys_customer(self, clients: Clients, fault_of: FaultOf) -> None:
        assert fault_of(clients.admin().getAccount, id=1) == NOT_FOUND
        assert fault_of(clients.admin().updateAccount, account={"id": 1, "city": "x"}) == NOT_FOUND
        assert fault_of(clients.admin().deleteAccount, id=1) == NOT_FOUND

    def test_fields_of_the_administrator_echoed_by_others_change_nothing(self, clients: Clients) -> None:
        reseller = clients.reseller(**ATTRIBUTES)
        customer = clients.customer(reseller)
        hidden = {"balance": 1000, "credit": 1000, "companyCode": "mine", "username": unique("renamed")}

        for port, account in (
            (clients.of(reseller), reseller),
            (clients.of(reseller), customer),
            (clients.of(customer), customer),
        ):
            before = stored(clients, account)
            changes = {**hidden, "resellerActive": not before["resellerActive"], "city": unique("city")}
            port.updateAccount(account={"id": account["id"], **changes})
            after = stored(clients, account)
            assert after == {**before, "city": changes["city"], "changeDate": after["changeDate"]}

    def test_nobody_lends_himself_rights(self, clients: Clients, fault_of: FaultOf) -> None:
        reseller, other = clients.reseller(), clients.reseller()
        customer = clients.customer(reseller)
        lent = {"id": customer["id"], "impersonate": reseller["id"]}

        clients.of(customer).updateAccount(account=lent)
        assert stored(clients, customer)["impersonate"] is None
        assert fault_of(clients.admin().updateAccount, account={**lent, "impersonate": other["id"]}) == PERMISSION
        clients.of(reseller).updateAccount(account=lent)
        assert stored(clients, customer)["impersonate"] == reseller["id"]
        clients.of(reseller).updateAccount(account={**lent, "impersonate": 0})
        assert stored(clients, customer)["impersonate"] is None


class TestOtherDialects:
    def test_a_customer_made_here_is_there(self, clients: Clients, root: Api, ngnpro: Server) -> None:
        made = clients.reseller(**ATTRIBUTES)

        there = root.info(made["id"])

        assert (there["name"], there["web_login"]) == (made["username"], made["username"])
        assert (there["first_name"], there["company_name"], there["i_lang"]) == (
            "Ada",
            ATTRIBUTES["organization"],
            "de",
        )
        assert (there["balance"], there["credit_limit"]) == (12.5, 100)
        assert ngnpro.api(made["username"], "s3cret-Api").listCustomers()["customers"] == []

    def test_a_customer_made_there_is_here(self, clients: Clients, root: Api, customers: Customers) -> None:
        i_customer = customers.make(root, company_name="Acme", phone="+49", i_lang="fr", balance=5)

        here = clients.admin().getAccount(id=i_customer)

        assert (here["organization"], here["tel"], here["language"], here["balance"]) == ("Acme", "+49", "fr", 5)
        assert here["reseller"] == i_customer

    def test_changes_are_seen_on_both_sides_and_in_one_history(self, clients: Clients, root: Api) -> None:
        made = clients.reseller()
        clients.admin().updateAccount(account={"id": made["id"], "city": "Köln"})
        root.updateCustomer(i_customer=made["id"], city="Bonn")

        assert stored(clients, made)["city"] == "Bonn"
        rows = root.getCustomerHistory(i_customer=made["id"])["records"]
        assert [(row["dialect"], row["after"].get("city")) for row in rows] == [
            ("xmlrpc", "Bonn"),
            ("soap", "Köln"),
            ("soap", None),
        ]

    def test_what_the_administrator_makes_for_a_reseller_is_noted_as_his(self, clients: Clients, root: Api) -> None:
        reseller = clients.reseller()
        made = clients.admin().addAccount(account={"username": unique("c"), "reseller": reseller["id"]})

        (row,) = root.getAuditLogs(resource=f"customers:i_customer={made['id']}")["records"]

        assert (row["i_customer_actor"], row["method"]) == (1, "CustomerPort.addAccount")

    def test_one_deleted_there_is_gone_here(self, clients: Clients, root: Api, fault_of: FaultOf) -> None:
        made = clients.reseller()

        root.deleteCustomer(i_customer=made["id"])

        assert fault_of(clients.admin().getAccount, id=made["id"]) == NOT_FOUND

    def test_no_password_is_no_login_anywhere(self, clients: Clients, root: Api) -> None:
        made = clients.admin().addAccount(account={"username": unique("silent")})

        with pytest.raises(xmlrpc.client.Fault, match="Authentication failed"):
            root.authCustomer(username=made["username"], password="!")


class TestPasswords:
    def test_are_told_to_nobody_by_default(self, clients: Clients) -> None:
        assert stored(clients, clients.reseller())["password"] is None

    def test_are_told_to_the_administrator_where_the_settings_allow_it_and_each_time_is_noted(
        self, variant: Callable[..., Server], admin_hash: str, root: Api
    ) -> None:
        told = variant(ngnpro_admin_username=ADMIN, ngnpro_admin_password_hash=admin_hash, ngnpro_return_passwords=True)
        clients = Clients(told)
        reseller = clients.reseller()
        query = {"filter": {"customer": reseller["id"]}}

        assert stored(clients, reseller)["password"] == "s3cret-Api"
        assert clients.admin().getCustomers(query=query)["accounts"][0]["password"] == "s3cret-Api"
        assert clients.of(reseller).getAccount(id=reseller["id"])["password"] is None
        assert clients.admin(impersonate=reseller["id"]).getAccount(id=reseller["id"])["password"] is None
        rows = root.getAuditLogs(resource=f"customers:i_customer={reseller['id']}", action="PASSWORD_READ")["records"]
        assert len(rows) == 3
        assert "s3cret-Api" not in str(rows)
