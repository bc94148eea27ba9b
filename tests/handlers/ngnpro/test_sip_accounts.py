"""SipPort, through zeep: accounts, and their passwords."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from faces import Api
from harness import Server
from homes import GIVEN, Home
from refusals import refused
from soap import ADMIN, Clients

FaultOf = Callable[..., int]
BAD_VALUE, MISSING = 101, 102
NO_DOMAIN, NO_ACCOUNT, ACCOUNT_TAKEN = 1000, 1010, 1011


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
