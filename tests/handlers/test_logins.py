"""Logins of web users: who is let in, and what a check costs."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique
from labour import recorded
from logins import FAILED, Login

from xmlrpc_api.declaration.faults import BadParameter, Unavailable

Refused = Any


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


class TestAuthentication:
    def test_tells_customer_web_user_and_access_level(self, reseller: Reseller, customer: int, login: Login) -> None:
        known = reseller.info(customer)

        answer = reseller.authCustomer(username=login.web_login, password=WEB_PASSWORD)

        assert answer.pop("device")
        assert answer == {
            "result": "OK",
            "i_customer": customer,
            "i_web_user": known["i_web_user"],
            "i_access_level": "ADMINISTRATOR",
        }

    def test_a_login_is_right_in_any_case_of_letters_and_a_password_in_one(self, login: Login) -> None:
        assert Login(login.portal, login.web_login.upper()).outcome() == "OK"
        assert login.outcome(WEB_PASSWORD.swapcase()) == FAILED

    def test_further_web_users_log_in_as_themselves(self, reseller: Reseller, customer: int) -> None:
        name = unique("user")
        user = reseller.createWebUser(
            i_customer=customer, web_login=name, web_password=WEB_PASSWORD, i_access_level="NOC"
        )

        answer = reseller.authCustomer(username=name, password=WEB_PASSWORD)

        assert answer.pop("device")
        assert answer == {
            "result": "OK",
            "i_customer": customer,
            "i_web_user": user["i_web_user"],
            "i_access_level": "NOC",
        }

    def test_who_may_ask_for_whom(
        self, root: Api, reseller: Reseller, customers: Customers, variant: Callable[..., Server]
    ) -> None:
        """Everybody for himself and those below; a trusted host for those below the one it names, or for all."""
        child = customers.reseller(reseller)
        grandchild = customers.reseller(child)
        stranger = customers.reseller()
        trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
        named = {"i_wholesaler": child.i_customer}
        portals = {
            "root": Login(root, child.login),
            "parent": Login(reseller, child.login),
            "self": Login(child, child.login),
            "child": Login(grandchild, child.login),
            "stranger": Login(stranger, child.login),
            "trusted": Login(trusted, child.login),
            "trusted for himself": Login(trusted, child.login, **named),
            "trusted for another": Login(trusted, reseller.login, **named),
        }

        assert {who: portal.outcome() for who, portal in portals.items()} == {
            "root": "OK",
            "parent": "OK",
            "self": "OK",
            "child": FAILED,
            "stranger": FAILED,
            "trusted": "OK",
            "trusted for himself": "OK",
            "trusted for another": FAILED,
        }

    def test_nobody_at_or_below_a_block_gets_in(self, root: Api, reseller: Reseller, customers: Customers) -> None:
        child = customers.reseller(reseller)
        grandchild = customers.make(child)
        login = Login(root, child.info(grandchild)["web_login"])

        for i_customer in (grandchild, child.i_customer, reseller.i_customer):
            root.blockCustomer(i_customer=i_customer)
            assert login.outcome() == FAILED
            root.unblockCustomer(i_customer=i_customer)
            assert login.outcome() == "OK"

    def test_a_blocked_web_user_does_not_get_in(self, reseller: Reseller) -> None:
        name = unique("user")
        i_web_user = reseller.createWebUser(web_login=name, web_password=WEB_PASSWORD)["i_web_user"]

        reseller.blockWebUser(i_web_user=i_web_user)
        assert Login(reseller, name).outcome() == FAILED

        reseller.unblockWebUser(i_web_user=i_web_user)
        assert Login(reseller, name).outcome() == "OK"

    @pytest.mark.one_engine
    @pytest.mark.parametrize(
        "password",
        [
            "x" * 73,
            "x" * 72 + "y" * 183,
            "  spaces at both ends  ",
            "mañana-Grüße-пароль-密码",
            "\t tabs and\nnew lines",
            "<b>&amp;</b>",
        ],
    )
    def test_every_character_of_a_password_counts(self, reseller: Reseller, login: Login, password: str) -> None:
        reseller.changeWebPassword(web_login=login.web_login, old_password=WEB_PASSWORD, new_password=password)

        assert login.outcome(password) == "OK"
        assert login.outcome(password[:-1]) == FAILED
        assert login.outcome(password + "x") == FAILED

    @pytest.mark.one_engine
    @pytest.mark.parametrize("name", ["username", "password"])
    def test_what_is_missing_is_named(self, reseller: Reseller, refused: Refused, name: str) -> None:
        params = {"username": "acme", "password": WEB_PASSWORD}
        del params[name]

        with refused(BadParameter.code, f"Parameter {name} is required"):
            reseller.authCustomer(**params)

    def test_an_address_must_be_one(self, reseller: Reseller, refused: Refused) -> None:
        with refused(BadParameter.code, "Parameter remote_ip is not an IP address"):
            reseller.authCustomer(username="acme", password=WEB_PASSWORD, remote_ip="my house")

    def test_a_hash_of_lower_cost_is_made_anew_at_login(
        self, customers: Customers, variant: Callable[..., Server], reseller: Reseller, customer: int
    ) -> None:
        """It is no change of the customer."""
        costly = variant(bcrypt_cost=5)
        name = reseller.info(customer)["web_login"]
        statement = "SELECT web_password FROM web_users WHERE web_login = :login"
        version = reseller.info(customer)["version"]

        assert costly.sql(statement, login=name)[0][0].startswith("$2b$04$")
        assert Login(costly.api(reseller.login, "s3cret-Api"), name).outcome() == "OK"
        assert costly.sql(statement, login=name)[0][0].startswith("$2b$05$")
        assert Login(reseller, name).outcome() == "OK"
        assert reseller.info(customer)["version"] == version

    def test_too_many_at_once_are_told_to_come_back(self, variant: Callable[..., Server], reseller: Reseller) -> None:
        """And the others are answered meanwhile; see tests/cli/test_overload.py."""
        slow = variant(bcrypt_cost=10, bcrypt_queue=1)
        portals = [Login(slow.api(reseller.login, "s3cret-Api"), unique("nobody")) for _ in range(12)]

        with ThreadPoolExecutor(12) as pool:
            outcomes = set(pool.map(Login.outcome, portals))

        busy = (Unavailable.code, "Too many password checks are waiting, try again later")
        assert busy in outcomes
        assert outcomes <= {busy, FAILED}


class TestTiming:
    def test_an_unknown_login_costs_the_same_work_as_a_wrong_password(self, server: Server, login: Login) -> None:
        nobody = Login(login.portal, unique("nobody"))
        work = []
        for somebody in (login, nobody):
            somebody.outcome("wrong")  # what is made once is made
            with recorded(server) as done:
                assert somebody.outcome("wrong") == FAILED
            work.append(done)

        known, unknown = work
        assert known == unknown
        assert known["$2b$04$"] == 1

    @pytest.mark.timing
    def test_an_unknown_login_takes_as_long_as_a_wrong_password(
        self, variant: Callable[..., Server], reseller: Reseller, login: Login
    ) -> None:
        server = variant(bcrypt_cost=9, login_failures=1000)
        portal = server.api(reseller.login, "s3cret-Api")
        statement = "UPDATE web_users SET web_password = :hash WHERE web_login = :login"
        hashed = "$2b$09$" + "." * 22 + "a" * 31
        server.sql(statement, hash=hashed, login=login.web_login)
        seconds: dict[str, list[float]] = {"known": [], "unknown": []}

        for number in range(500):
            for kind, name in (("known", login.web_login), ("unknown", f"nobody-{number}")):
                started = time.perf_counter()
                assert Login(portal, name).outcome("wrong") == FAILED
                seconds[kind].append(time.perf_counter() - started)
                server.sql("DELETE FROM throttles")

        known, unknown = (statistics.median(values) for values in seconds.values())
        assert abs(known / unknown - 1) < 0.05
