"""SipPort, through zeep: domains, accounts, groups, credits, and the same accounts in the other dialect."""

import hashlib
import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from conftest import Customers
from faces import Api
from harness import Server, unique
from refusals import refused
from sippy import new
from soap import ADMIN, Clients, SoapFault
from worlds import make_vouchers

from handlers.ngnpro.sip_accounts import ATTRIBUTES
from xmlrpc_api.services.money.vouchers import Made

FaultOf = Callable[..., int]
Sip = dict[str, Any]
PERMISSION, BAD_VALUE, MISSING, NO_CREDIT, IN_USE = 902, 101, 102, 1402, 5002
NO_ALIAS, ALIAS_TAKEN, NO_VOUCHER, TOO_MANY = 1020, 1021, 1050, 1429
NO_DOMAIN, DOMAIN_TAKEN, NO_ACCOUNT, ACCOUNT_TAKEN, IN_GROUP, NOT_IN_GROUP = 1000, 1001, 1010, 1011, 1030, 1031
GIVEN = {
    "password": "s3cret-Sip",
    "firstName": "Ada",
    "lastName": "Byron",
    "email": "ada@example.com",
    "timezone": "Europe/Berlin",
    "rpid": "+4930",
    "quickdialPrefix": "00",
    "timeout": 25,
    "quota": 40,
    "prepaid": True,
    "callLimit": 3,
    "region": "Berlin",
    "groups": ["anonymous", "blocked", "whatever"],
    "acl": [{"ip": "192.0.2.0", "mask": 24, "tag": "office"}],
    "properties": [{"name": "language", "value": "en"}],
}


def prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value, "category": "sip", "permission": "admin"}


class Home:
    """A reseller with a customer, and a domain of that customer."""

    def __init__(self, clients: Clients, **reseller: Any) -> None:
        self.clients = clients
        self.reseller = clients.reseller(**reseller)
        self.customer = clients.customer(self.reseller)
        self.domain = f"{unique('sip')}.example.com"
        self.of_reseller = clients.of(self.reseller, "Sip")
        self.of_customer = clients.of(self.customer, "Sip")
        self.admin = clients.admin("Sip")
        self.of_reseller.addDomain(domain={"domain": self.domain, "customer": self.customer["id"]})

    def id(self, user: str | None = None) -> Sip:
        return {"username": user or unique("user"), "domain": self.domain}

    def add(self, port: Any = None, user: str | None = None, **account: Any) -> Sip:
        return (port or self.of_reseller).addAccount(account={"id": self.id(user), **account})

    def get(self, sip_id: Sip) -> Sip:
        return self.admin.getAccount(sipId=sip_id)


@pytest.fixture
def home(clients: Clients) -> Home:
    return Home(clients)


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


class TestAccounts:
    def test_every_attribute_comes_back(self, home: Home) -> None:
        made = home.add(**GIVEN)

        expected = {name: value for name, value in GIVEN.items() if name != "password"}
        assert {name: made[name] for name in expected} == expected
        assert (made["customer"], made["reseller"], made["owner"]) == (home.customer["id"], home.reseller["id"], 0)
        told = home.get(made["id"])
        assert {**told, "ha1": None} == {**made, "ha1": None}

    @pytest.mark.one_engine
    @pytest.mark.parametrize("name", sorted(set(GIVEN) - {"password", "prepaid"}))
    def test_an_update_changes_what_is_given_and_nothing_else(self, home: Home, name: str) -> None:
        made = home.add(home.admin, prepaid=True)

        home.of_reseller.updateAccount(account={"id": made["id"], name: GIVEN[name]})

        told = home.get(made["id"])
        assert told == {**home.get(made["id"]), name: GIVEN[name]}
        assert {**told, name: 0, "changeDate": 0, "ha1": 0} == {**made, name: 0, "changeDate": 0, "ha1": 0}

    def test_a_list_may_be_empty(self, home: Home) -> None:
        """zeep takes a plain list, and gives one back."""
        made = home.add(**GIVEN)

        home.of_reseller.updateAccount(account={"id": made["id"], "groups": [], "acl": [], "properties": []})

        told = home.get(made["id"])
        assert (told["groups"], told["acl"], told["properties"]) == ([], [], [])

    def test_a_record_echoed_as_it_was_read_changes_nothing(self, home: Home) -> None:
        made = home.add(**GIVEN)
        told = home.get(made["id"])

        home.admin.updateAccount(account=told)

        assert home.get(made["id"]) == told

    def test_what_belongs_to_the_domain_cannot_be_set(self, home: Home, clients: Clients) -> None:
        other = clients.reseller()

        made = home.add(customer=other["id"], reseller=other["id"])

        assert (made["customer"], made["reseller"]) == (home.customer["id"], home.reseller["id"])

    def test_a_free_user_name_is_taken_where_any_will_do(self, home: Home) -> None:
        home.add(user="1001")

        made = [home.add(user="<autoincrement>")["id"]["username"] for _ in range(3)]

        assert made == ["1000", "1002", "1003"]

    def test_many_at_once_get_names_of_their_own(self, home: Home, clients: Clients) -> None:
        ports = [clients.of(home.reseller, "Sip") for _ in range(6)]

        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(lambda port: home.add(port, "<autoincrement>")["id"]["username"], ports))

        assert sorted(made) == [str(number) for number in range(1000, 1006)]

    @pytest.mark.one_engine
    @pytest.mark.parametrize(
        ("account", "code"),
        [
            ({}, MISSING),
            ({"id": {"username": "x"}}, MISSING),
            ({"id": {"username": "x", "domain": "nowhere.example.com"}}, NO_DOMAIN),
        ],
    )
    def test_what_is_wrong_has_a_code(self, home: Home, fault_of: FaultOf, account: dict[str, Any], code: int) -> None:
        assert fault_of(home.of_reseller.addAccount, account=account) == code

    @pytest.mark.one_engine
    @pytest.mark.parametrize("bad", [{"email": "nobody"}, {"quota": -1}, {"timezone": "Mars"}, {"acl": [{"ip": "1"}]}])
    def test_values_that_cannot_be_have_one(self, home: Home, fault_of: FaultOf, bad: dict[str, Any]) -> None:
        assert fault_of(home.of_reseller.addAccount, account={"id": home.id(), **bad}) in (BAD_VALUE, MISSING)

    def test_is_unique_whatever_its_case(self, home: Home, fault_of: FaultOf) -> None:
        home.add(user="alice")

        assert fault_of(home.of_reseller.addAccount, account={"id": home.id("ALICE")}) == ACCOUNT_TAKEN

    def test_each_sees_his_own(self, clients: Clients, home: Home, fault_of: FaultOf) -> None:
        made = home.add()
        stranger = clients.of(clients.reseller(), "Sip")

        for port in (home.admin, home.of_reseller, home.of_customer):
            assert port.getAccount(sipId=made["id"])["id"] == made["id"]
            assert port.getAccounts(query={"filter": made["id"]})["total"] == 1
        assert stranger.getAccounts(query={"filter": made["id"]})["total"] == 0
        for work in (stranger.getAccount, stranger.deleteAccount, stranger.getGroups):
            assert fault_of(work, sipId=made["id"]) == NO_ACCOUNT
        assert fault_of(stranger.updateAccount, account={"id": made["id"], "rpid": "1"}) == NO_ACCOUNT
        assert fault_of(stranger.addToGroup, sipId=made["id"], group="x") == NO_ACCOUNT

    def test_a_deleted_one_is_gone(self, home: Home, fault_of: FaultOf) -> None:
        made = home.add()

        home.of_customer.deleteAccount(sipId=made["id"])

        assert fault_of(home.admin.getAccount, sipId=made["id"]) == NO_ACCOUNT


class TestPasswords:
    def ha1(self, home: Home, user: str, password: str) -> str:
        return hashlib.md5(f"{user}:{home.domain}:{password}".encode()).hexdigest()

    def test_ha1_is_told_to_the_administrator_alone(self, home: Home) -> None:
        made = home.add(user="alice", password="s3cret-Sip")

        assert home.get(made["id"])["ha1"] == self.ha1(home, "alice", "s3cret-Sip")
        assert home.get(made["id"])["password"] is None
        for port in (home.of_reseller, home.of_customer, home.clients.admin("Sip", home.customer["id"])):
            assert port.getAccount(sipId=made["id"])["ha1"] is None

    def test_the_password_as_well_where_the_settings_say_so(
        self, variant: Callable[..., Server], admin_hash: str
    ) -> None:
        clear = variant(ngnpro_admin_username=ADMIN, ngnpro_admin_password_hash=admin_hash, sip_passwords="clear")
        home = Home(Clients(clear))
        made = home.add(password="s3cret-Sip")

        assert home.get(made["id"])["password"] == "s3cret-Sip"
        assert home.of_reseller.getAccount(sipId=made["id"])["password"] is None

    def test_each_time_the_password_is_told_is_noted(
        self, variant: Callable[..., Server], admin_hash: str, root: Api
    ) -> None:
        clear = variant(ngnpro_admin_username=ADMIN, ngnpro_admin_password_hash=admin_hash, sip_passwords="clear")
        home = Home(Clients(clear))
        made = home.add(password="s3cret-Sip")
        admin = home.clients.admin("Sip")
        told = partial(root.getAuditLogs, resource="accounts", action="PASSWORD_READ", limit=100)
        before = len(told()["records"])

        admin.getAccount(sipId=made["id"])
        admin.getAccounts(query={"filter": {"domain": home.domain}})
        admin.getGroups(sipId=made["id"])
        home.of_reseller.getAccount(sipId=made["id"])

        assert len(told()["records"]) == before + 2

    def test_both_hashes_may_come_instead_and_no_password_is_kept(self, home: Home, ngnpro: Server) -> None:
        ha1 = self.ha1(home, "alice", "s3cret-Sip")
        made = home.add(user="alice", password=f"{ha1}:{'0' * 32}")

        assert home.get(made["id"])["ha1"] == ha1
        statement = "SELECT i_account, voip_password, ha1 FROM accounts WHERE username = :name"
        (row,) = ngnpro.sql(statement, name=f"alice@{home.domain}")
        vault = ngnpro.platform.vault
        assert vault.decrypt(row.voip_password, f"accounts.voip_password:{row.i_account}") == ""
        assert vault.decrypt(row.ha1, f"accounts.ha1:{row.i_account}") == f"{ha1}:{'0' * 32}"

    def test_one_that_is_left_out_or_empty_stays(self, home: Home) -> None:
        made = home.add(user="alice", password="s3cret-Sip")
        before = home.get(made["id"])["ha1"]

        home.of_reseller.updateAccount(account={"id": made["id"], "password": "", "rpid": "1"})
        assert home.get(made["id"])["ha1"] == before
        home.of_reseller.updateAccount(account={"id": made["id"], "password": "an0ther-Sip"})
        assert home.get(made["id"])["ha1"] == self.ha1(home, "alice", "an0ther-Sip")

    def test_without_one_there_is_no_hash_of_nothing(self, home: Home) -> None:
        assert home.get(home.add()["id"])["ha1"] is None

    def test_hashes_follow_a_new_name_given_in_the_other_dialect(self, home: Home, root: Api) -> None:
        home.add(user="alice", password="s3cret-Sip")
        i_account = root.getAccountInfo(username=f"alice@{home.domain}")["i_account"]

        root.updateAccount(i_account=i_account, username=f"bob@{home.domain}")

        assert home.get(home.id("bob"))["ha1"] == self.ha1(home, "bob", "s3cret-Sip")

    def test_a_new_name_needs_a_new_password_where_hashes_alone_are_kept(self, home: Home, root: Api) -> None:
        home.add(user="alice", password=f"{self.ha1(home, 'alice', 's3cret-Sip')}:{'0' * 32}")
        i_account = root.getAccountInfo(username=f"alice@{home.domain}")["i_account"]
        renamed = {"i_account": i_account, "username": f"bob@{home.domain}"}

        reason = "is required with a new username: it is kept as hashes of the old one"
        with refused(400, f"Parameter voip_password {reason}"):
            root.updateAccount(**renamed)
        root.updateAccount(**renamed, voip_password="an0ther-Sip")

        assert home.get(home.id("bob"))["ha1"] == self.ha1(home, "bob", "an0ther-Sip")

    def test_properties_are_not_readable_in_the_database(self, home: Home, ngnpro: Server) -> None:
        """Front ends keep the password to their portal there."""
        home.add(user="alice", properties=[{"name": "web_password", "value": "canary-portal"}])

        (row,) = ngnpro.sql("SELECT properties FROM accounts WHERE username = :name", name=f"alice@{home.domain}")

        assert "canary" not in row.properties
        rows = ngnpro.sql("SELECT after FROM audit_log WHERE after LIKE '%canary-portal%'")
        assert rows == []


class TestGroups:
    def test_come_and_go_one_by_one(self, home: Home, fault_of: FaultOf) -> None:
        made = home.add(groups=["anonymous", ""])
        member = {"sipId": made["id"], "group": "quota"}

        home.of_reseller.addToGroup(**member)
        assert home.of_reseller.getGroups(sipId=made["id"]) == ["anonymous", "quota"]
        assert fault_of(home.of_reseller.addToGroup, **member) == IN_GROUP
        home.of_reseller.removeFromGroup(**member)
        assert fault_of(home.of_reseller.removeFromGroup, **member) == NOT_IN_GROUP
        assert home.get(made["id"])["groups"] == ["anonymous"]

    def test_a_list_replaces_them(self, home: Home) -> None:
        made = home.add(groups=["anonymous", "quota"])

        home.of_reseller.updateAccount(account={"id": made["id"], "groups": ["quota", "sms"]})

        assert home.get(made["id"])["groups"] == ["quota", "sms"]

    def test_that_of_the_blocked_is_the_block_of_the_other_dialect(self, home: Home, root: Api) -> None:
        made = home.add()
        i_account = root.getAccountInfo(username=f"{made['id']['username']}@{home.domain}")["i_account"]

        home.of_reseller.addToGroup(sipId=made["id"], group="blocked")
        assert root.getAccountInfo(i_account=i_account)["blocked"] == 1
        root.unblockAccount(i_account=i_account)
        assert home.get(made["id"])["groups"] == []

    def test_accounts_are_found_by_them(self, home: Home) -> None:
        home.add(groups=["quota"])
        both = home.add(groups=["quota", "sms", "blocked"])

        def found(*groups: str) -> int:
            return home.of_reseller.getAccounts(query={"filter": {"groups": list(groups)}})["total"]

        assert (found("quota"), found("quota", "sms"), found("blocked"), found("nobody")) == (2, 1, 1, 0)
        assert home.of_reseller.getAccounts(query={"filter": {"groups": ["sms"]}})["accounts"][0]["id"] == both["id"]


class TestRules:
    @pytest.mark.parametrize(("reseller", "customer"), [("0", "1"), ("1", "0"), ("1", "1")])
    def test_pstn_needs_the_property_of_the_reseller_and_of_a_customer_who_asks_himself(
        self, clients: Clients, fault_of: FaultOf, reseller: str, customer: str
    ) -> None:
        home = Home(clients, properties=[prop("pstn_access", reseller)])
        own = {"customer": home.customer["id"], "properties": [prop("pstn_access", customer)]}
        clients.admin().setProperties(**own)
        by_reseller, by_customer = reseller == "1", reseller == customer == "1"

        for port, allowed in ((home.of_reseller, by_reseller), (home.of_customer, by_customer), (home.admin, True)):
            plain = home.add(port)
            member = {"sipId": plain["id"], "group": "free-pstn"}
            new = {"id": home.id(), "groups": ["free-pstn"]}
            if allowed:
                port.addToGroup(**member)
                port.addAccount(account=new)
                continue
            assert fault_of(port.addToGroup, **member) == PERMISSION
            assert fault_of(port.addAccount, account=new) == PERMISSION
            update = {"id": plain["id"], "groups": ["free-pstn"]}
            assert fault_of(port.updateAccount, account=update) == PERMISSION

    def test_who_may_not_change_the_way_of_paying_makes_prepaid_accounts(
        self, clients: Clients, fault_of: FaultOf
    ) -> None:
        home = Home(clients)
        made = home.add(prepaid=False)
        assert made["prepaid"] is True
        assert fault_of(home.of_reseller.updateAccount, account={"id": made["id"], "prepaid": False}) == PERMISSION

        allowed = {"customer": home.reseller["id"], "properties": [prop("prepaid_changes", "1")]}
        clients.admin().setProperties(**allowed)
        home.of_reseller.updateAccount(account={"id": made["id"], "prepaid": False})
        assert home.add(prepaid=False)["prepaid"] is False

    def test_an_inactive_reseller_makes_nothing(self, clients: Clients, home: Home, fault_of: FaultOf) -> None:
        clients.admin().updateAccount(account={"id": home.reseller["id"], "resellerActive": False})

        assert fault_of(home.of_reseller.addAccount, account={"id": home.id()}) == PERMISSION
        assert fault_of(home.of_reseller.addDomain, domain={"domain": f"{unique('d')}.example.com"}) == PERMISSION


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


class TestBalances:
    def test_money_comes_and_goes_with_its_description(self, home: Home, fault_of: FaultOf) -> None:
        sip_id = home.add()["id"]

        added = home.of_reseller.addBalance(sipId=sip_id, value=10.5, description="CC transaction 7")
        taken = home.of_reseller.addBalance(sipId=sip_id, value=-0.25, description="Refund 7 with 8")

        assert added == {"old_balance": 0.0, "new_balance": 10.5}
        assert taken == {"old_balance": 10.5, "new_balance": 10.25}
        assert home.of_customer.getPrepaidStatus(sipIds=[sip_id]) == [{"balance": 10.25}]
        assert fault_of(home.of_reseller.addBalance, sipId=sip_id, value=-11, description="") == NO_CREDIT
        assert fault_of(home.of_reseller.addBalance, sipId=sip_id, value=0, description="") == BAD_VALUE
        assert fault_of(home.of_customer.addBalance, sipId=sip_id, value=1, description="") == PERMISSION

    def test_the_history_is_the_ledger_newest_first(self, home: Home) -> None:
        sip_id = home.add()["id"]
        assert home.of_customer.getCreditHistory(sipId=sip_id, count=200) == {"total": 0, "entries": []}
        for value in (1, 2, 3):
            home.of_reseller.addBalance(sipId=sip_id, value=value, description=f"number {value}")

        history = home.of_customer.getCreditHistory(sipId=sip_id, count=2)

        shown = [(entry["description"], entry["value"], entry["balance"]) for entry in history["entries"]]
        assert shown == [("number 3", 3, 6), ("number 2", 2, 3)]
        assert history["total"] == 3

    def test_states_are_told_in_the_order_asked_for(self, home: Home, fault_of: FaultOf) -> None:
        ids = [home.add()["id"] for _ in range(3)]
        for number, sip_id in enumerate(ids):
            home.of_reseller.addBalance(sipId=sip_id, value=number + 1, description="")

        told = home.of_reseller.getPrepaidStatus(sipIds=[ids[2], ids[0], ids[1]])

        assert [state["balance"] for state in told] == [3, 1, 2]
        assert fault_of(home.of_reseller.getPrepaidStatus, sipIds=[home.id("nobody")]) == NO_ACCOUNT

    def test_it_is_the_money_of_the_other_dialect(self, home: Home, root: Api) -> None:
        sip_id = home.add()["id"]
        i_account = root.getAccountInfo(username=f"{sip_id['username']}@{home.domain}")["i_account"]

        home.of_reseller.addBalance(sipId=sip_id, value=5, description="here")
        root.accountAddFunds(i_account=i_account, amount=2, currency="USD", payment_notes="there")

        assert root.getAccountInfo(i_account=i_account)["balance"] == 7
        assert [row["notes"] for row in root.getLedger(i_account=i_account)["ledger"]] == ["there", "here"]
        entries = home.of_reseller.getCreditHistory(sipId=sip_id, count=9)["entries"]
        assert [entry["description"] for entry in entries] == ["there", "here"]


class TestVouchers:
    @pytest.fixture
    def make(self, ngnpro: Server) -> Callable[..., list[Made]]:
        return partial(make_vouchers, ngnpro)

    def card(self, made: Made) -> dict[str, Any]:
        return {"id": made.i_voucher, "number": made.pin}

    def test_is_good_once(self, home: Home, make: Callable[..., list[Made]], fault_of: FaultOf) -> None:
        sip_id = home.add()["id"]
        (voucher,) = make(home.reseller["id"])
        use = {"sipId": sip_id, "card": self.card(voucher)}

        assert home.of_customer.addBalanceFromVoucher(**use) == {"old_balance": 0.0, "new_balance": 10.0}
        assert fault_of(home.of_customer.addBalanceFromVoucher, **use) == NO_VOUCHER

    def test_many_at_once_get_it_once(self, home: Home, make: Callable[..., list[Made]], clients: Clients) -> None:
        ids = [home.add()["id"] for _ in range(6)]
        ports = [clients.of(home.customer, "Sip") for _ in ids]
        (voucher,) = make(home.reseller["id"])

        def use(port: Any, sip_id: Sip) -> int:
            try:
                port.addBalanceFromVoucher(sipId=sip_id, card=self.card(voucher))
            except SoapFault as fault:
                return fault.code
            return 0

        with ThreadPoolExecutor(6) as pool:
            outcomes = sorted(pool.map(use, ports, ids))

        assert outcomes == [0] + [NO_VOUCHER] * 5
        assert sum(state["balance"] for state in home.of_reseller.getPrepaidStatus(sipIds=ids)) == 10

    def test_wrong_foreign_expired_and_unknown_are_one_fault(
        self, home: Home, make: Callable[..., list[Made]], clients: Clients, fault_of: FaultOf
    ) -> None:
        sip_id = home.add()["id"]
        (mine,) = make(home.reseller["id"])
        (foreign,) = make(clients.reseller()["id"])
        (expired,) = make(home.reseller["id"], expires=datetime(2020, 1, 1, tzinfo=UTC))

        for card in (
            self.card(foreign),
            self.card(expired),
            {"id": mine.i_voucher, "number": foreign.pin},
            {"id": 2**31 - 1, "number": mine.pin},
        ):
            assert fault_of(home.of_customer.addBalanceFromVoucher, sipId=sip_id, card=card) == NO_VOUCHER
        assert home.of_customer.addBalanceFromVoucher(sipId=sip_id, card=self.card(mine))["new_balance"] == 10

    def test_guessing_is_throttled(self, home: Home, make: Callable[..., list[Made]], fault_of: FaultOf) -> None:
        sip_id = home.add()["id"]
        (mine,) = make(home.reseller["id"])
        guess = {"sipId": sip_id, "card": {"id": mine.i_voucher, "number": "0" * 16}}

        codes = [fault_of(home.of_customer.addBalanceFromVoucher, **guess) for _ in range(11)]

        assert codes == [NO_VOUCHER] * 10 + [TOO_MANY]
        right = {"sipId": sip_id, "card": self.card(mine)}
        assert fault_of(home.of_customer.addBalanceFromVoucher, **right) == TOO_MANY

    def test_a_payment_list_tells_that_it_was_one(self, home: Home, make: Callable[..., list[Made]], root: Api) -> None:
        sip_id = home.add()["id"]
        (voucher,) = make(home.reseller["id"])
        home.of_customer.addBalanceFromVoucher(sipId=sip_id, card=self.card(voucher))
        i_account = root.getAccountInfo(username=f"{sip_id['username']}@{home.domain}")["i_account"]

        rows = [row["kind"] for row in root.getLedger(i_account=i_account)["ledger"]]

        assert rows == ["voucher"]

    def test_pins_are_not_readable_in_the_database(self, make: Callable[..., list[Made]], ngnpro: Server) -> None:
        (voucher,) = make(1)

        (row,) = ngnpro.sql("SELECT pin FROM vouchers WHERE i_voucher = :key", key=voucher.i_voucher)

        assert voucher.pin not in row.pin

    def test_numbers_of_a_series_go_on(self, make: Callable[..., list[Made]]) -> None:
        name = unique("series")

        numbers = [made.number for count in (2, 3) for made in make(1, count, name=name)]

        assert numbers == [1, 2, 3, 4, 5]


class TestOtherDialects:
    def test_an_account_made_here_is_in_the_list_there(self, home: Home, ngnpro: Server, root: Api) -> None:
        made = home.add(**GIVEN)
        portal = ngnpro.api(home.customer["username"], "s3cret-Api")

        (listed,) = portal.listAccounts()["accounts"]

        assert listed["username"] == f"{made['id']['username']}@{home.domain}"
        assert listed["blocked"] is True
        there = root.getAccountInfo(i_account=listed["i_account"])
        ours = {field.attribute: GIVEN[name] for name, field in ATTRIBUTES.items() if name in GIVEN}
        del ours["voip_password"]
        assert {name: there[name] for name in ours if name in there} == {n: v for n, v in ours.items() if n in there}

    def test_an_account_made_there_is_here(self, home: Home, ngnpro: Server) -> None:
        portal = ngnpro.api(home.customer["username"], "s3cret-Api")
        name = f"{unique('sippy')}@{home.domain}"
        portal.createAccount(**new(username=name, authname=name, first_name="Grace"))

        user, _, domain = name.partition("@")
        told = home.of_reseller.getAccount(sipId={"username": user, "domain": domain})

        assert (told["firstName"], told["customer"]) == ("Grace", home.customer["id"])
        assert home.of_reseller.getAccounts(query={"filter": {"domain": domain}})["total"] == 1

    def test_one_without_a_domain_is_shown_below_that_of_the_settings(self, home: Home, ngnpro: Server) -> None:
        portal = ngnpro.api(home.customer["username"], "s3cret-Api")
        name = unique("plain")
        portal.createAccount(**new(username=name, authname=name))

        told = home.of_reseller.getAccount(sipId={"username": name, "domain": "localhost"})

        assert told["id"] == {"username": name, "domain": "localhost"}
        found = home.of_reseller.getAccounts(query={"filter": {"username": name, "domain": "local%"}})
        assert found["total"] == 1

    def test_changes_and_deletions_cross(self, home: Home, ngnpro: Server, root: Api, fault_of: FaultOf) -> None:
        made = home.add(firstName="Ada")
        i_account = root.getAccountInfo(username=f"{made['id']['username']}@{home.domain}")["i_account"]

        root.updateAccount(i_account=i_account, first_name="Grace")
        assert home.get(made["id"])["firstName"] == "Grace"
        home.of_reseller.updateAccount(account={"id": made["id"], "firstName": "Joan"})
        assert root.getAccountInfo(i_account=i_account)["first_name"] == "Joan"
        root.deleteAccount(i_account=i_account)
        assert fault_of(home.admin.getAccount, sipId=made["id"]) == NO_ACCOUNT
