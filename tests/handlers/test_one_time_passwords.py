"""One-time passwords of web users, and how they change theirs."""

import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique
from logins import ACCEPTED, FAILED, Login

from xmlrpc_api.declaration.faults import BadParameter, NotFound, NotPermitted

Refused = Any


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


class TestOneTimePasswords:
    def test_is_accepted_once_and_the_ordinary_password_stays(self, login: Login) -> None:
        password = login.reset()

        assert login.outcome(password) == ACCEPTED
        assert login.outcome(password) == FAILED
        assert login.outcome() == "OK"

    def test_is_long_and_random(self, login: Login) -> None:
        """20 characters out of 57, none of which looks like another: 116 bits."""
        first, second = login.reset(), login.reset()

        assert len(first) == 20
        assert first != second
        assert not set(first + second) & set("0O1lI")

    def test_a_newer_one_ends_the_older(self, login: Login) -> None:
        older, newer = login.reset(), login.reset()

        assert login.outcome(older) == FAILED
        assert login.outcome(newer) == ACCEPTED

    def test_is_no_good_for_another_login(self, reseller: Reseller, customers: Customers, login: Login) -> None:
        other = Login(reseller, reseller.info(customers.make(reseller))["web_login"])
        password = login.reset()

        assert other.outcome(password) == FAILED
        assert login.outcome(password) == ACCEPTED

    @pytest.mark.one_engine
    @pytest.mark.parametrize("change", [str.swapcase, str.strip, lambda value: f" {value}", lambda value: value[:-1]])
    def test_is_exact(self, login: Login, change: Callable[[str], str]) -> None:
        password = login.reset()
        changed = change(password)

        assert login.outcome(changed) == (ACCEPTED if changed == password else FAILED)

    @pytest.mark.parametrize(("after", "outcome"), [(3599, ACCEPTED), (3600, FAILED), (3601, FAILED)])
    def test_expires_to_the_second(
        self, variant: Callable[..., Server], reseller: Reseller, login: Login, after: int, outcome: Any
    ) -> None:
        server = variant(one_time_minutes=60)
        clock = server.stop_clock()
        login = Login(server.api(reseller.login, "s3cret-Api"), login.web_login)
        password = login.reset()

        clock.move(after)

        assert login.outcome(password) == outcome

    @pytest.mark.parametrize(
        "end",
        [
            lambda portal, customer: portal.updateCustomer(i_customer=customer, web_password="An-0ther"),
            lambda portal, customer: (
                portal.blockCustomer(i_customer=customer) and portal.unblockCustomer(i_customer=customer)
            ),
        ],
        ids=["password", "block"],
    )
    def test_ends_with_a_change_of_password_and_with_a_block(
        self, reseller: Reseller, customer: int, login: Login, end: Callable[[Api, int], Any]
    ) -> None:
        password = login.reset()

        end(reseller, customer)

        assert login.outcome(password) == FAILED

    def test_ends_with_a_block_further_up(self, root: Api, reseller: Reseller, login: Login) -> None:
        password = login.reset()

        root.blockCustomer(i_customer=reseller.i_customer)
        root.unblockCustomer(i_customer=reseller.i_customer)

        assert login.outcome(password) == FAILED

    def test_ends_with_a_change_of_the_login(self, reseller: Reseller, customer: int, login: Login) -> None:
        password = login.reset()
        renamed = unique("renamed")

        reseller.updateCustomer(i_customer=customer, web_login=renamed)

        assert Login(reseller, renamed).outcome(password) == FAILED

    def test_ends_with_the_block_and_the_deletion_of_its_web_user(self, reseller: Reseller) -> None:
        name = unique("user")
        i_web_user = reseller.createWebUser(web_login=name, web_password=WEB_PASSWORD)["i_web_user"]
        login = Login(reseller, name)

        blocked = login.reset()
        reseller.blockWebUser(i_web_user=i_web_user)
        reseller.unblockWebUser(i_web_user=i_web_user)
        deleted = login.reset()
        assert login.outcome(blocked) == FAILED

        reseller.deleteWebUser(i_web_user=i_web_user)
        reseller.createWebUser(web_login=name, web_password=WEB_PASSWORD)
        assert login.outcome(deleted) == FAILED

    def test_survives_changes_of_anything_else(self, reseller: Reseller, customer: int, login: Login) -> None:
        password = login.reset()

        reseller.updateCustomer(i_customer=customer, city="Berlin", web_login=login.web_login)

        assert login.outcome(password) == ACCEPTED

    def test_who_may_reset_whose(
        self, root: Api, reseller: Reseller, customers: Customers, variant: Callable[..., Server]
    ) -> None:
        child = customers.reseller(reseller)
        user = unique("user")
        child.createWebUser(web_login=user, web_password=WEB_PASSWORD)
        stranger = customers.reseller()
        trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
        missing = (NotFound.code, "Web user not found")

        def outcome(portal: Api, web_login: str) -> Any:
            try:
                return portal.resetCustomerOneTimePassword(web_login=web_login)["result"]
            except xmlrpc.client.Fault as fault:
                return fault.faultCode, fault.faultString

        for portal in (root, reseller, child, trusted):
            assert [outcome(portal, name) for name in (child.login, user)] == ["OK", "OK"]
        assert outcome(child, reseller.login) == missing
        assert outcome(stranger, child.login) == missing
        assert outcome(stranger, unique("nobody")) == missing

    def test_a_blocked_login_gets_none(self, reseller: Reseller, refused: Refused) -> None:
        name = unique("user")
        i_web_user = reseller.createWebUser(web_login=name, web_password=WEB_PASSWORD)["i_web_user"]
        reseller.blockWebUser(i_web_user=i_web_user)

        with refused(NotPermitted.code, "Not permitted: the login is blocked"):
            reseller.resetCustomerOneTimePassword(web_login=name)

    def test_every_step_is_in_the_history(self, reseller: Reseller, login: Login, customer: int) -> None:
        password = login.reset()
        login.outcome(password)
        login.outcome(password)
        login.outcome()

        rows = reseller.getAuditLogs(resource="web_users")["records"]

        assert [row["action"] for row in reversed(rows)] == ["OTP_ISSUED", "OTP_USED", "LOGIN_FAILED", "LOGIN"]
        assert {row["i_customer"] for row in rows} == {customer}
        assert password not in str(rows)

    @pytest.mark.soak
    def test_of_many_uses_at_once_one_is_accepted(
        self, variant: Callable[..., Server], reseller: Reseller, login: Login, length: Callable[[int, int], int]
    ) -> None:
        """A check that is not part of the update lets all twelve in, on PostgreSQL."""
        server = variant(login_failures=1000, bcrypt_queue=100)
        login = Login(server.api(reseller.login, "s3cret-Api"), login.web_login)
        portals = [Login(server.api(reseller.login, "s3cret-Api"), login.web_login) for _ in range(12)]

        with ThreadPoolExecutor(12) as pool:
            for _ in range(length(20, 1000)):
                password = login.reset()
                outcomes = list(pool.map(lambda portal, value=password: portal.outcome(value), portals))
                assert sorted(outcomes) == sorted([ACCEPTED, *[FAILED] * 11])
                assert login.outcome() == "OK"


class TestChangePassword:
    def test_for_the_old_one(self, reseller: Reseller, login: Login) -> None:
        reseller.changeWebPassword(web_login=login.web_login, old_password=WEB_PASSWORD, new_password="An-0ther")

        assert login.outcome("An-0ther") == "OK"
        assert login.outcome(WEB_PASSWORD) == FAILED

    @pytest.mark.parametrize("logs_in_first", [True, False])
    def test_for_a_one_time_password_once(
        self, reseller: Reseller, login: Login, refused: Refused, logs_in_first: bool
    ) -> None:
        password = login.reset()
        if logs_in_first:
            assert login.outcome(password) == ACCEPTED
        change = {"web_login": login.web_login, "one_time_password": password}

        reseller.changeWebPassword(**change, new_password="An-0ther")

        assert login.outcome("An-0ther") == "OK"
        assert login.outcome(password) == FAILED
        with refused(*FAILED):
            reseller.changeWebPassword(**change, new_password="Yet-An-0ther")

    @pytest.mark.parametrize("name", ["old_password", "one_time_password"])
    def test_not_for_a_wrong_one(self, reseller: Reseller, login: Login, refused: Refused, name: str) -> None:
        with refused(*FAILED):
            reseller.changeWebPassword(web_login=login.web_login, new_password="An-0ther", **{name: "wrong"})

        assert login.outcome() == "OK"

    def test_each_counts_as_what_it_is_called(self, reseller: Reseller, login: Login, refused: Refused) -> None:
        one_time = login.reset()
        for proof in ({"old_password": one_time}, {"one_time_password": WEB_PASSWORD}):
            with refused(*FAILED):
                reseller.changeWebPassword(web_login=login.web_login, new_password="An-0ther", **proof)

    def test_a_one_time_password_expires_for_this_as_well(
        self, variant: Callable[..., Server], reseller: Reseller, login: Login, refused: Refused
    ) -> None:
        server = variant()
        clock = server.stop_clock()
        portal = Login(server.api(reseller.login, "s3cret-Api"), login.web_login)
        password = portal.reset()
        assert portal.outcome(password) == ACCEPTED

        clock.move(3600)

        with refused(*FAILED):
            portal.portal.changeWebPassword(
                web_login=login.web_login, one_time_password=password, new_password="An-0ther"
            )

    @pytest.mark.one_engine
    @pytest.mark.parametrize(
        ("proof", "text"),
        [
            ({}, "Parameter old_password is required"),
            (
                {"old_password": "a", "one_time_password": "b"},
                "Parameter one_time_password cannot be given together with old_password",
            ),
            ({"old_password": WEB_PASSWORD, "new_password": ""}, "Parameter new_password must not be empty"),
            (
                {"old_password": WEB_PASSWORD, "new_password": WEB_PASSWORD},
                "Parameter new_password must not be the old one",
            ),
            (
                {"old_password": WEB_PASSWORD, "new_password": "short"},
                "Parameter new_password must have at least 6 characters",
            ),
        ],
    )
    def test_what_is_wrong_is_named(
        self, reseller: Reseller, login: Login, refused: Refused, proof: dict[str, str], text: str
    ) -> None:
        with refused(BadParameter.code, text):
            reseller.changeWebPassword(**{"web_login": login.web_login, "new_password": "An-0ther", **proof})

        assert login.outcome() == "OK"

    def test_it_is_a_change_of_the_customer(self, reseller: Reseller, customer: int, login: Login) -> None:
        version = reseller.info(customer)["version"]

        reseller.changeWebPassword(web_login=login.web_login, old_password=WEB_PASSWORD, new_password="An-0ther")

        assert reseller.info(customer)["version"] == version + 1
        newest = reseller.getCustomerHistory(i_customer=customer)["records"][0]
        assert newest["after"] == {"web_password": "changed", "version": version + 1}

    def test_sent_again_with_its_key_it_is_answered_again(self, reseller: Reseller, login: Login) -> None:
        change = {
            "web_login": login.web_login,
            "old_password": WEB_PASSWORD,
            "new_password": "An-0ther",
            "idempotency_key": unique("key"),
        }

        first = reseller.changeWebPassword(**change)

        assert first.keys() == {"result", "device"}
        assert reseller.changeWebPassword(**change) == first
