"""changeApiPassword, and SOAP's update of oneself: everybody may change his own API password, for the old one."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import Customers, Reseller
from faces import Api
from harness import Server
from soap import Clients, Port, SoapFault

from xmlrpc_api.declaration.faults import AuthenticationFailed, BadParameter, TooManyAttempts

OLD, NEW = "s3cret-Api", "An-0ther"
NO_RIGHTS = {"customers_mgmt": 0, "accounts_mgmt": 0, "api_mgmt": 0, "system_mgmt": 0}
FAILED = (AuthenticationFailed.code, "Authentication failed")
THROTTLED = (TooManyAttempts.code, "Too many attempts, try again later")
PERMISSION = 902
Refused = Any


@pytest.fixture
def customer(customers: Customers, reseller: Reseller) -> Reseller:
    """Somebody who may do nothing but call."""
    return customers.reseller(reseller, **NO_RIGHTS)


def as_himself(server: Server, customer: Reseller, password: str = NEW) -> Api:
    return server.api(customer.login, password)


class TestChangeApiPassword:
    def test_needs_no_right(self, server: Server, customer: Reseller) -> None:
        assert customer.changeApiPassword(old=OLD, new=NEW) == {"result": "OK"}

        assert as_himself(server, customer).info(customer.i_customer)["i_customer"] == customer.i_customer
        with pytest.raises(Exception, match="401"):
            customer.info(customer.i_customer)

    def test_root_may_too(self, fresh: Server) -> None:
        fresh.api().changeApiPassword(old=fresh.root_password, new=NEW)

        fresh.root_password = NEW
        assert fresh.api().info(1)["i_customer"] == 1

    def test_not_for_a_wrong_one(self, customer: Reseller, refused: Refused) -> None:
        for wrong in ("", "wrong", OLD.upper(), OLD[:-1], f"{OLD} "):
            with refused(*FAILED):
                customer.changeApiPassword(old=wrong, new=NEW)

        assert customer.info(customer.i_customer)["i_customer"] == customer.i_customer

    @pytest.mark.parametrize(
        ("new", "text"),
        [
            ("short", "must have at least 6 characters"),
            (OLD, "must not be the old one"),
            ("", "must not be empty"),
            ("x" * 257, "is longer than 256 characters"),
        ],
    )
    def test_the_new_one_obeys_the_policy(self, customer: Reseller, refused: Refused, new: str, text: str) -> None:
        with refused(BadParameter.code, f"Parameter new {text}"):
            customer.changeApiPassword(old=OLD, new=new)

    def test_the_history_says_that_it_was_changed_and_not_to_what(
        self, server: Server, customer: Reseller, reseller: Reseller
    ) -> None:
        version = customer.info(customer.i_customer)["version"]

        customer.changeApiPassword(old=OLD, new=NEW)

        newest = reseller.getCustomerHistory(i_customer=customer.i_customer)["records"][0]
        assert newest["after"] == {"api_password": "changed", "version": version + 1}
        everything = str(server.sql("SELECT * FROM audit_log"))
        assert NEW not in everything
        assert OLD not in everything

    def test_guesses_are_throttled_and_the_right_one_is_refused_as_well(
        self, variant: Callable[..., Server], customer: Reseller, reseller: Reseller, refused: Refused
    ) -> None:
        server = variant(login_failures=3)
        clock = server.stop_clock()
        api = as_himself(server, customer, OLD)
        for _ in range(3):
            with refused(*FAILED):
                api.changeApiPassword(old="wrong", new=NEW)

        with refused(*THROTTLED):
            api.changeApiPassword(old=OLD, new=NEW)

        assert as_himself(server, reseller, OLD).changeApiPassword(old=OLD, new=NEW)["result"] == "OK"
        clock.move(60)
        assert api.changeApiPassword(old=OLD, new=NEW)["result"] == "OK"

    def test_a_trusted_host_proves_nothing(
        self, server: Server, variant: Callable[..., Server], customer: Reseller, refused: Refused
    ) -> None:
        """It names the customer; the old password is what shows that he wants it."""
        trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
        with refused(BadParameter.code, "Parameter i_wholesaler is required"):
            trusted.changeApiPassword(old=OLD, new=NEW)
        with refused(*FAILED):
            trusted.changeApiPassword(i_wholesaler=customer.i_customer, old="wrong", new=NEW)

        trusted.changeApiPassword(i_wholesaler=customer.i_customer, old=OLD, new=NEW)

        assert as_himself(server, customer).info(customer.i_customer)["i_customer"] == customer.i_customer

    def test_who_has_none_cannot_prove_any(
        self, variant: Callable[..., Server], root: Api, customer: Reseller, refused: Refused
    ) -> None:
        trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
        i_customer = root.createCustomer(name=f"{customer.login}-none", web_password="s3cret-Web", i_tariff=None)[
            "i_customer"
        ]

        for old in ("", "None", "null"):
            with refused(*FAILED):
                trusted.changeApiPassword(i_wholesaler=i_customer, old=old, new=NEW)


class TestUpdateOfOneself:
    """CustomerPort.updateAccount: the password in the header is the proof."""

    @pytest.fixture
    def account(self, clients: Clients) -> dict[str, Any]:
        return clients.customer(clients.reseller())

    def password_of(self, account: dict[str, Any], password: str) -> dict[str, Any]:
        return {"username": account["username"], "password": password}

    def test_changes_the_password_and_all_else(self, ngnpro: Server, clients: Clients, account: dict[str, Any]) -> None:
        clients.of(account).updateAccount(account={"id": account["id"], "password": NEW, "city": "Haarlem"})

        port = Port(ngnpro, "Customer", self.password_of(account, NEW))
        assert port.getAccount(id=account["id"])["city"] == "Haarlem"

    def test_the_password_that_it_is_changes_nothing(self, clients: Clients, account: dict[str, Any]) -> None:
        """Forms echo it; a policy that came later must not refuse it, and the history has nothing to tell."""
        before = clients.of(account).getAccount(id=account["id"])

        clients.of(account).updateAccount(account={"id": account["id"], "password": OLD})

        assert clients.of(account).getAccount(id=account["id"]) == before

    def test_obeys_the_policy(self, clients: Clients, account: dict[str, Any], fault_of: Callable[..., int]) -> None:
        new = {"id": account["id"], "password": "short", "city": "Haarlem"}

        assert fault_of(clients.of(account).updateAccount, account=new) == 101
        assert clients.of(account).getAccount(id=account["id"])["city"] != "Haarlem"

    def test_somebody_to_whom_his_rights_are_lent_may_not(
        self, clients: Clients, account: dict[str, Any], fault_of: Callable[..., int]
    ) -> None:
        """Not even with the right one: he could guess."""
        reseller = clients.reseller()
        lender, borrower = clients.customer(reseller), clients.customer(reseller)
        clients.of(reseller).updateAccount(account={"id": borrower["id"], "impersonate": lender["id"]})
        assert clients.of(borrower).getAccount(id=lender["id"])["id"] == lender["id"]

        for password in (NEW, OLD):
            new = {"id": lender["id"], "password": password}
            assert fault_of(clients.of(borrower).updateAccount, account=new) == PERMISSION

        assert clients.of(lender).getAccount(id=lender["id"])["id"] == lender["id"]

    def test_the_administrator_on_his_behalf_may(
        self, ngnpro: Server, clients: Clients, account: dict[str, Any]
    ) -> None:
        clients.admin(impersonate=account["id"]).updateAccount(account={"id": account["id"], "password": NEW})

        assert Port(ngnpro, "Customer", self.password_of(account, NEW)).getAccount(id=account["id"])["id"]
        with pytest.raises(SoapFault):
            clients.of(account).getAccount(id=account["id"])
