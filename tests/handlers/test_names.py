"""Names and logins: kept as they were sent, one whatever their form, and found in any."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique
from sippy import new
from soap import Clients
from wire import TEXT_XML, document, send, signed

from models import account_key, login_key
from xmlrpc_api.cli.checks import Verdict, shared_names
from xmlrpc_api.installation import upgrade_data

FORMS: dict[str, Callable[[str], str]] = {
    "upper case": lambda name: name.upper(),
    "white space around": lambda name: f" {name}\u00a0",
    "decomposed": lambda name: name.replace("é", "e\u0301"),
    "folded": lambda name: name.replace("ß", "SS"),
    "all of it": lambda name: " " + name.replace("é", "E\u0301").replace("ß", "ss").upper() + " ",
}
FORBIDDEN = {
    "a tab": ("a\tb", "must not hold control characters"),
    "a line feed": ("a\nb", "must not hold control characters"),
    "a control character of ISO 8859": ("a\x85b", "must not hold control characters"),
    "DEL": ("a\x7fb", "must not hold control characters"),
    "white space alone": (" \u2003", "must not be empty"),
}


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


def login() -> str:
    return f"é-ß-{unique()}"


def logged_in(server: Server, web_login: str) -> int:
    """Whom HTTP Digest lets in with a login, which stands in the hash as it was typed."""
    reply = send(server, document("listWebUsers"), signed(server, web_login, "s3cret-Api"), TEXT_XML)
    i_customer: int = reply.value["web_users"][0]["i_customer"]
    return i_customer


def test_a_key_is_at_most_three_times_as_long_and_its_own_key() -> None:
    keys = {login_key(chr(code)) for code in range(0x110000) if not 0xD800 <= code < 0xE000}

    assert max(map(len, keys)) == 3
    assert {login_key(key) for key in keys} == keys


def test_no_key_begins_with_white_space() -> None:
    """What does stands for a name that is found by exactly its own form."""
    assert not any(login_key(chr(code) + "x").startswith(" ") for code in range(0xD800))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
class TestOneNameInManyForms:
    def test_belongs_to_one_customer_who_is_found_by_each(
        self, reseller: Reseller, customers: Customers, refused: Any, form: Callable[[str], str]
    ) -> None:
        name = login()
        mine = customers.make(reseller, name=name)

        assert reseller.getCustomerInfo(name=form(name))["customer"]["i_customer"] == mine
        with refused(409, "Parameter name is already taken"):
            customers.make(reseller, name=form(name), web_login=unique())
        other = customers.make(reseller)
        with refused(409, "Parameter name is already taken"):
            reseller.updateCustomer(i_customer=other, name=form(name))
        assert reseller.info(mine)["name"] == name

    def test_belongs_to_one_login_to_the_api(
        self, server: Server, root: Api, customers: Customers, refused: Any, form: Callable[[str], str]
    ) -> None:
        name = login()
        made = customers.reseller(name=unique(), web_login=name)

        assert logged_in(server, form(name)) == made.i_customer
        with refused(409, "Parameter web_login is already taken"):
            customers.make(root, web_login=form(name))

    def test_belongs_to_one_web_user(self, reseller: Reseller, refused: Any, form: Callable[[str], str]) -> None:
        name = login()
        user = {"web_login": name, "web_password": WEB_PASSWORD}
        i_web_user = reseller.createWebUser(**user)["i_web_user"]

        found = reseller.getWebUserInfo(web_login=form(name))["web_user"]

        assert (found["i_web_user"], found["web_login"]) == (i_web_user, name)
        assert reseller.authCustomer(username=form(name), password=WEB_PASSWORD)["result"] == "OK"
        with refused(409, "Parameter web_login is already taken"):
            reseller.createWebUser(**{**user, "web_login": form(name)})

    def test_belongs_to_one_account(self, reseller: Reseller, refused: Any, form: Callable[[str], str]) -> None:
        name = login()
        i_account = reseller.createAccount(**new(username=name))["i_account"]

        found = reseller.getAccountInfo(username=form(name))

        assert (found["i_account"], found["username"]) == (i_account, name)
        assert reseller.authAccount(username=form(name), password=WEB_PASSWORD)["result"] == "OK"
        with refused(409, "Parameter username is already taken"):
            reseller.createAccount(**new(username=form(name)))


class TestWhatIsNoName:
    @pytest.mark.parametrize(("name", "reason"), FORBIDDEN.values(), ids=FORBIDDEN)
    def test_is_refused_wherever_one_is_given(
        self, reseller: Reseller, customers: Customers, refused: Any, name: str, reason: str
    ) -> None:
        mine = customers.make(reseller)
        user = {"web_login": unique(), "web_password": WEB_PASSWORD}
        i_web_user = reseller.createWebUser(**user)["i_web_user"]
        i_account = reseller.createAccount(**new())["i_account"]
        refusals: list[tuple[str, Callable[[], Any]]] = [
            ("name", lambda: customers.make(reseller, name=name, web_login=unique())),
            ("web_login", lambda: customers.make(reseller, web_login=name)),
            ("name", lambda: reseller.updateCustomer(i_customer=mine, name=name)),
            ("web_login", lambda: reseller.updateCustomer(i_customer=mine, web_login=name)),
            ("web_login", lambda: reseller.createWebUser(**{**user, "web_login": name})),
            ("web_login", lambda: reseller.updateWebUser(i_web_user=i_web_user, web_login=name)),
            ("username", lambda: reseller.createAccount(**new(username=name))),
            ("authname", lambda: reseller.createAccount(**new(authname=name))),
            ("username", lambda: reseller.updateAccount(i_account=i_account, username=name)),
        ]

        for parameter, work in refusals:
            with refused(400, f"Parameter {parameter} {reason}"):
                work()

    def test_a_colon_is_none_in_a_login(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        """HTTP Digest joins login, realm and password with colons."""
        with refused(400, "Parameter web_login must not hold a colon"):
            reseller.createWebUser(web_login=f"a:{unique()}", web_password=WEB_PASSWORD)
        with refused(400, "Parameter username must not hold a colon"):
            reseller.createAccount(**new(username=f"a:{unique()}"))
        name = f"Acme: {unique()}"
        with refused(400, "Parameter web_login must not hold a colon (taken from name)"):
            customers.make(reseller, name=name)
        assert reseller.info(customers.make(reseller, name=name, web_login=unique()))["name"] == name

    def test_a_login_that_is_taken_tells_where_it_came_from(
        self, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        name = unique()
        customers.make(reseller, web_login=name)

        with refused(409, "Parameter web_login is already taken (taken from name)"):
            customers.make(reseller, name=name.upper())

    def test_one_from_before_keeps_working(self, server: Server, reseller: Reseller, customers: Customers) -> None:
        child = customers.reseller(reseller)
        old = f"a:\t{unique()}"
        server.sql(
            "UPDATE web_users SET web_login = :old, web_login_key = :old WHERE i_customer = :i",
            old=old,
            i=child.i_customer,
        )
        record = reseller.info(child.i_customer)

        reseller.updateCustomer(**{**record, "description": "all of it sent back"})

        assert record["web_login"] == old
        assert Api(server.url, old, "s3cret-Api").info(child.i_customer)["description"] == "all of it sent back"


class Before:
    """Rows as they were before there were keys: every form of a name was one of its own."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def customer(self, customers: Customers, name: str) -> int:
        made = customers.reseller().i_customer
        given = {"i": made, "name": name}
        self.server.sql("UPDATE customers SET name = :name, name_key = :name WHERE i_customer = :i", **given)
        statement = "UPDATE web_users SET web_login = :name, web_login_key = :key WHERE i_customer = :i"
        self.server.sql(statement, **given, key=name.casefold())
        return made

    def account(self, owner: Api, username: str) -> int:
        i_account: int = owner.createAccount(**new())["i_account"]
        statement = "UPDATE accounts SET username = :name, username_key = :key WHERE i_account = :i"
        self.server.sql(statement, i=i_account, name=username, key=username.casefold())
        return i_account

    def upgrade(self) -> list[str]:
        self.server.sql("DELETE FROM upgrade_steps WHERE name LIKE 'keys of%'")
        return self.server.run(lambda database: upgrade_data(self.server.platform, database, lambda _step, _rows: None))


@pytest.fixture
def before(fresh: Server) -> Before:
    return Before(fresh)


class TestUpgrade:
    def test_gives_each_name_its_key(self, fresh: Server, before: Before) -> None:
        customers, root = Customers(fresh), fresh.api()
        made = before.customer(customers, " Żółw\u0301 ")
        i_account = before.account(root, " Ala@Example.com")

        assert before.upgrade() == []

        assert root.getCustomerInfo(name="żółẃ")["customer"]["i_customer"] == made
        assert logged_in(fresh, "ŻÓŁẂ") == made
        assert root.info(made)["name"] == " Żółw\u0301 "
        assert root.getAccountInfo(username="ala@example.com")["i_account"] == i_account

    @pytest.mark.parametrize("names", [("acme", " acme", "Acme\u00a0"), (" acme ", "acme", "  acme ", " acme")])
    def test_what_is_one_by_now_is_found_by_its_own_form(
        self, fresh: Server, before: Before, names: tuple[str, ...]
    ) -> None:
        customers, root = Customers(fresh), fresh.api()
        made = {name: before.customer(customers, name) for name in names}

        findings = before.upgrade()

        for name, i_customer in made.items():
            assert root.getCustomerInfo(name=name)["customer"]["i_customer"] == i_customer
            assert logged_in(fresh, name) == i_customer
            assert root.getWebUserInfo(web_login=name)["web_user"]["i_customer"] == i_customer
        assert root.getCustomerInfo(name="ACME")["customer"]["i_customer"] == made[names[0]]
        younger = [made[name] for name in names[1:]]
        assert [f"Customer {i_customer} is called" in " ".join(findings) for i_customer in younger] == [True] * len(
            younger
        )
        assert len([line for line in findings if line.startswith("Web user")]) == len(younger)

    def test_leaves_what_is_one_to_check(self, fresh: Server, before: Before) -> None:
        assert fresh.run(shared_names).verdict is Verdict.OK
        for name in ("acme", "Acme "):
            before.customer(Customers(fresh), name)
        before.upgrade()

        finding = fresh.run(shared_names)

        assert finding.verdict is Verdict.WARNING
        assert re.search(r"customer [0-9]+ 'Acme ', web user [0-9]+ 'Acme '\. Rename them", finding.advice)

    def test_changes_nothing_when_it_is_run_again(self, fresh: Server, before: Before) -> None:
        customers = Customers(fresh)
        for name in ("acme", " acme", "Other "):
            before.customer(customers, name)
        first = before.upgrade()
        keys = "SELECT i_customer, name_key FROM customers ORDER BY i_customer"
        found = fresh.sql(keys)

        assert before.upgrade() == first
        assert fresh.sql(keys) == found

    def test_what_lost_its_key_stays_unique_and_may_be_changed(
        self, fresh: Server, before: Before, refused: Any
    ) -> None:
        customers, root = Customers(fresh), fresh.api()
        older, younger = (before.customer(customers, name) for name in ("Acme", "acme "))
        before.upgrade()
        record = root.info(younger)

        root.updateCustomer(**{**record, "description": "kept"})
        root.deleteCustomer(i_customer=older)

        with refused(409):
            customers.make(root, name="acme ")
        assert root.getCustomerInfo(name="acme ")["customer"]["i_customer"] == younger

    def test_lists_logins_that_may_not_be_any_more(self, fresh: Server, before: Before) -> None:
        made = before.customer(Customers(fresh), "a:b")

        (finding,) = before.upgrade()

        assert finding.endswith("is called 'a:b', which must not hold a colon. It keeps working.")
        assert finding.startswith("Web user")
        assert logged_in(fresh, "a:b") == made


class TestSipDomain:
    """`user` and `user@sip_domain` are one id."""

    @pytest.fixture
    def domain(self) -> str:
        return f"{unique('sip')}.example.com"

    @pytest.fixture
    def port(self, clients: Clients, domain: str) -> dict[str, Any]:
        reseller = clients.reseller()
        clients.of(reseller, "Sip").addDomain(domain={"domain": domain})
        return reseller

    def test_that_is_served_has_accounts_that_are_reached(
        self, variant: Callable[..., Server], clients: Clients, port: dict[str, Any], domain: str
    ) -> None:
        sip = Clients(variant(sip_domain=domain)).of(port, "Sip")
        sip_id = {"username": "alice", "domain": domain}

        made = sip.addAccount(account={"id": sip_id, "password": "s3cret-Sip"})

        assert made["id"] == sip_id
        assert sip.getAccount(sipId={"username": "Alice", "domain": domain.upper()})["id"] == sip_id
        sip.updateAccount(account={"id": sip_id, "firstName": "Alice"})
        found = sip.getAccounts(query={"filter": sip_id})["accounts"]
        assert [row["firstName"] for row in found] == ["Alice"]
        sip.deleteAccount(sipId=sip_id)

    def test_makes_one_id_of_both_forms(
        self,
        variant: Callable[..., Server],
        clients: Clients,
        port: dict[str, Any],
        domain: str,
        refused: Any,
        fault_of: Callable[..., int],
    ) -> None:
        serving = variant(sip_domain=domain)
        sip, root = Clients(serving).of(port, "Sip"), serving.api()
        user = unique("user")
        bare = root.createAccount(**new(username=user))["i_account"]

        with refused(409, "Parameter username is already taken"):
            root.createAccount(**new(username=f"{user}@{domain.upper()}"))
        assert root.getAccountInfo(username=f"{user}@{domain}")["i_account"] == bare
        alias = {"id": {"username": user, "domain": domain}, "target": {"username": "x", "domain": domain}}
        assert fault_of(sip.addAlias, alias=alias) == 1011
        assert fault_of(sip.addAccount, account={"id": alias["id"], "password": "s3cret-Sip"}) == 1011

    def test_counts_when_an_account_is_made_and_no_more(
        self, variant: Callable[..., Server], server: Server, domain: str
    ) -> None:
        user = unique("user")
        made = variant(sip_domain=domain).api().createAccount(**new(username=user))["i_account"]

        assert server.api().getAccountInfo(username=user)["i_account"] == made
        shown = Clients(server).admin("Sip").getAccount(sipId={"username": user, "domain": domain})
        assert shown["id"] == {"username": user, "domain": domain}

    def test_both_forms_from_before_keep_working(self, fresh: Server, before: Before) -> None:
        root, sip_domain = fresh.api(), fresh.config.sip_domain
        bare, whole = before.account(root, "alice"), before.account(root, f"alice@{sip_domain}")

        (finding,) = before.upgrade()

        assert finding.startswith(f"Account {whole} is called 'alice@{sip_domain}', which is one with account {bare}")
        assert root.getAccountInfo(username="alice")["i_account"] == bare
        assert root.getAccountInfo(username=f"alice@{sip_domain}")["i_account"] == whole

    def test_stands_in_the_key_alone(self) -> None:
        assert account_key("Alice", "Example.com") == account_key("alice@example.com", "other") == "alice@example.com"
