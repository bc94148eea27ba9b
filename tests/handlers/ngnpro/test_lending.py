"""`impersonate`: who lends whose rights to whom, and who may then change what the borrower logs in with."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from books import findings
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique
from soap import PASSWORD, Clients, Port

FaultOf = Callable[..., int]
AUTHENTICATION, PERMISSION, IN_USE = 901, 902, 5002
ROOT = 1
LENT = "the rights of another customer are lent to this one: only he or those above him may change his logins"


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


class Family:
    """A reseller; his customer, who has one himself, who is to borrow; a sibling of the second; and a stranger."""

    def __init__(self, server: Server, clients: Clients, customers: Customers) -> None:
        self.server, self.clients, self.customers = server, clients, customers
        self.top = customers.reseller()
        self.middle = customers.reseller(self.top)
        self.sibling = customers.reseller(self.top)
        self.stranger = customers.reseller()
        self.borrower = customers.reseller(self.middle)

    def soap(self, customer: Api) -> Port:
        return self.clients.of({"username": customer.login})

    def lend(self, lender: Reseller, by: Port | None = None, borrower: Reseller | None = None) -> None:
        account = {"id": (borrower or self.borrower).i_customer, "impersonate": lender.i_customer}
        (by or self.soap(self.top)).updateAccount(account=account)

    def lender(self) -> int | None:
        return self.clients.admin().getAccount(id=self.borrower.i_customer)["impersonate"]

    def seen_by(self, port: Port) -> list[str]:
        """Whom a client sees, of those who are here."""
        seen = {row["id"] for row in port.getCustomers(query={"range": {"start": 0, "count": 1000}})["accounts"]}
        names = ("top", "middle", "sibling", "stranger", "borrower")
        return [name for name in names if getattr(self, name).i_customer in seen]


@pytest.fixture
def family(server: Server, clients: Clients, customers: Customers) -> Family:
    return Family(server, clients, customers)


@pytest.fixture
def write_lender(server: Server) -> Iterator[Callable[[int, int], None]]:
    """Writes a lender behind the server's back; taken away at the end, since `verify` would find it in other tests."""
    written: list[int] = []

    def write(borrower: int, lender: int) -> None:
        server.sql("UPDATE customers SET impersonate = :l WHERE i_customer = :b", l=lender, b=borrower)
        written.append(borrower)

    yield write
    for borrower in written:
        server.sql("UPDATE customers SET impersonate = NULL WHERE i_customer = :b", b=borrower)


class TestLenders:
    def test_the_root_lends_to_nobody(self, family: Family, fault_of: FaultOf) -> None:
        for port in (family.soap(family.top), family.clients.admin()):
            new = {"username": unique("c"), "reseller": family.top.i_customer, "impersonate": ROOT}
            assert fault_of(port.addAccount, account=new) == PERMISSION
            lent = {"id": family.borrower.i_customer, "impersonate": ROOT}
            assert fault_of(port.updateAccount, account=lent) == PERMISSION

    def test_nor_does_anybody_of_another_reseller(self, family: Family, fault_of: FaultOf) -> None:
        lender = family.stranger.i_customer
        for port in (family.soap(family.top), family.clients.admin()):
            new = {"username": unique("c"), "reseller": family.top.i_customer, "impersonate": lender}
            assert fault_of(port.addAccount, account=new) == PERMISSION
            lent = {"id": family.borrower.i_customer, "impersonate": lender}
            assert fault_of(port.updateAccount, account=lent) == PERMISSION

    def test_a_new_reseller_has_nobody_to_borrow_from(self, family: Family, fault_of: FaultOf) -> None:
        new = {"username": unique("c"), "impersonate": family.top.i_customer}

        assert fault_of(family.clients.admin().addAccount, account=new) == PERMISSION

    def test_a_reseller_lends_his_rights_to_a_new_customer(self, family: Family) -> None:
        new = {"username": unique("c"), "password": PASSWORD, "impersonate": family.top.i_customer}

        made = family.soap(family.top).addAccount(account=new)

        assert made["impersonate"] == family.top.i_customer
        assert family.seen_by(family.clients.of(made)) == ["top", "middle", "sibling", "borrower"]

    def test_those_above_lend_the_rights_of_any_customer_of_the_reseller(self, family: Family) -> None:
        for port in (family.clients.admin(), family.soap(family.top)):
            for lender in (family.sibling, family.middle):
                family.lend(lender, by=port)
                assert family.lender() == lender.i_customer

    @pytest.mark.parametrize("lender", ["top", "sibling"])
    def test_a_parent_who_is_not_above_the_lender_does_not(
        self, family: Family, fault_of: FaultOf, lender: str
    ) -> None:
        port = family.soap(family.middle)
        other = {"impersonate": getattr(family, lender).i_customer}

        assert fault_of(port.addAccount, account={"username": unique("c"), "password": PASSWORD, **other}) == PERMISSION
        assert fault_of(port.updateAccount, account={"id": family.borrower.i_customer, **other}) == PERMISSION
        family.lend(family.middle, by=port)
        assert family.lender() == family.middle.i_customer

    def test_nor_does_he_end_or_redirect_what_was_lent_from_above(self, family: Family, fault_of: FaultOf) -> None:
        family.lend(family.top)

        for other in (0, family.middle.i_customer):
            change = {"id": family.borrower.i_customer, "impersonate": other}
            assert fault_of(family.soap(family.middle).updateAccount, account=change) == PERMISSION
        family.soap(family.top).updateAccount(account={"id": family.borrower.i_customer, "impersonate": 0})
        assert family.lender() is None

    def test_a_record_that_he_echoes_is_no_offence(self, family: Family) -> None:
        family.lend(family.top)
        record = family.soap(family.middle).getAccount(id=family.borrower.i_customer)
        record = {name: value for name, value in record.items() if name != "properties"}

        family.soap(family.middle).updateAccount(account={**record, "city": "Bonn"})

        assert (family.lender(), family.middle.info(family.borrower.i_customer)["city"]) == (
            family.top.i_customer,
            "Bonn",
        )

    def test_a_lender_cannot_be_deleted(self, family: Family, fault_of: FaultOf) -> None:
        family.lend(family.sibling)

        assert fault_of(family.soap(family.top).deleteAccount, id=family.sibling.i_customer) == IN_USE


def by_customer(**changes: Any) -> Callable[..., Any]:
    return lambda api, who, _: api.updateCustomer(i_customer=who.i_customer, **changes)


def by_login(method: str) -> Callable[..., Any]:
    return lambda api, who, _: getattr(api, method)(web_login=who.login)


def by_user(method: str, which: str, **changes: Any) -> Callable[..., Any]:
    return lambda api, _, users: getattr(api, method)(i_web_user=users[which], **changes)


OF_CUSTOMERS: dict[str, Callable[..., Any]] = {
    "web_login": by_customer(web_login="taken-over"),
    "web_password": by_customer(web_password="an0ther-Web"),
    "api_password": by_customer(api_password="an0ther-Api"),
    "api_access": by_customer(api_access=0),
}
OF_LOGINS: dict[str, Callable[..., Any]] = {
    "one-time password": by_login("resetCustomerOneTimePassword"),
    "second factor": by_login("enableSecondFactor"),
    "no second factor": by_login("disableSecondFactor"),
    "default web user": by_user("updateWebUser", "default", web_password="an0ther-Web"),
    "web user": by_user("updateWebUser", "other", email="taken-over@example.com"),
    "block": by_user("blockWebUser", "other"),
    "deletion": by_user("deleteWebUser", "other"),
    "new web user": lambda api, who, _: api.createWebUser(
        i_customer=who.i_customer, web_login=unique("user"), web_password=WEB_PASSWORD
    ),
}


@pytest.mark.one_engine
class TestCredentials:
    """Whoever has the login of a borrower has the rights of the lender."""

    @pytest.fixture
    def users(self, family: Family) -> dict[str, Any]:
        made = family.borrower.createWebUser(web_login=unique("user"), web_password=WEB_PASSWORD)
        default = family.middle.info(family.borrower.i_customer)["i_web_user"]
        return {"default": default, "other": made["i_web_user"]}

    @pytest.mark.parametrize("what", {**OF_CUSTOMERS, **OF_LOGINS})
    def test_a_parent_below_the_lender_does_not_change_them(
        self, family: Family, users: dict[str, Any], refused: Any, what: str
    ) -> None:
        family.lend(family.top)

        with refused(403, f"Not permitted: {LENT}"):
            {**OF_CUSTOMERS, **OF_LOGINS}[what](family.middle, family.borrower, users)

    @pytest.mark.parametrize("what", OF_LOGINS)
    def test_nor_does_the_borrower_unless_he_calls_as_the_lender(
        self, family: Family, users: dict[str, Any], refused: Any, what: str
    ) -> None:
        family.lend(family.top)

        with refused(403, f"Not permitted: {LENT}"):
            OF_LOGINS[what](family.borrower, family.borrower, users)

    def test_what_proves_itself_is_his(self, family: Family) -> None:
        family.lend(family.top)

        changed = family.borrower.changeWebPassword(
            web_login=family.borrower.login, old_password=WEB_PASSWORD, new_password="an0ther-Web"
        )

        assert changed["result"] == "OK"

    @pytest.mark.parametrize("what", OF_LOGINS)
    def test_the_lender_does(self, family: Family, users: dict[str, Any], what: str) -> None:
        family.lend(family.top)

        assert OF_LOGINS[what](family.top, family.borrower, users)["result"] == "OK"

    def test_nor_is_there_a_way_by_soap(self, family: Family, fault_of: FaultOf) -> None:
        family.lend(family.top)
        change = {"id": family.borrower.i_customer, "password": "an0ther-Api"}

        assert fault_of(family.soap(family.middle).updateAccount, account=change) == PERMISSION
        family.soap(family.top).updateAccount(account=change)
        assert family.server.api(family.borrower.login, "an0ther-Api").listCustomers()["result"] == "OK"

    def test_all_else_stays_the_parents(self, family: Family) -> None:
        family.lend(family.top)

        family.middle.updateCustomer(
            i_customer=family.borrower.i_customer, city="Bonn", web_login=family.borrower.login, api_access=1
        )
        family.middle.blockCustomer(i_customer=family.borrower.i_customer)

        told = family.middle.info(family.borrower.i_customer)
        assert (told["city"], told["blocked"]) == ("Bonn", True)

    def test_who_acts_as_a_borrower_does_not_take_his_login_over(
        self, family: Family, customers: Customers, fault_of: FaultOf
    ) -> None:
        """Rights that are lent are not lent on: he has those of the borrower, not those of the lender."""
        family.lend(family.top)
        second = customers.reseller(family.borrower)
        family.lend(family.borrower, by=family.clients.admin(), borrower=second)
        change = {"id": family.borrower.i_customer, "password": "an0ther-Api"}

        assert family.seen_by(family.soap(second)) == ["borrower"]
        assert fault_of(family.soap(second).updateAccount, account=change) == PERMISSION


class TestLogin:
    def test_the_rights_are_those_of_the_lender(self, family: Family) -> None:
        family.lend(family.sibling)

        assert family.seen_by(family.soap(family.borrower)) == ["sibling"]

    @pytest.mark.parametrize("lender", ["root", "stranger"])
    def test_a_lender_who_cannot_be_one_is_ignored_and_found(
        self, family: Family, write_lender: Callable[[int, int], None], lender: str
    ) -> None:
        other = ROOT if lender == "root" else family.stranger.i_customer
        write_lender(family.borrower.i_customer, other)

        assert family.seen_by(family.soap(family.borrower)) == ["borrower"]
        assert family.seen_by(family.clients.admin(impersonate=family.borrower.i_customer)) == ["borrower"]
        who = family.borrower.i_customer
        assert f"customer {who} is to act as customer {other}, who is not of his reseller" in findings(family.server)

    def test_such_a_one_protects_no_login(self, family: Family, write_lender: Callable[[int, int], None]) -> None:
        write_lender(family.borrower.i_customer, family.stranger.i_customer)

        family.middle.updateCustomer(i_customer=family.borrower.i_customer, api_password="an0ther-Api")
        family.soap(family.middle).updateAccount(account={"id": family.borrower.i_customer, "impersonate": 0})

        assert family.lender() is None

    def test_nobody_acts_as_somebody_blocked(self, family: Family, fault_of: FaultOf) -> None:
        family.lend(family.sibling)
        family.top.blockCustomer(i_customer=family.sibling.i_customer)

        assert fault_of(family.soap(family.borrower).getCustomers, query={}) == AUTHENTICATION
