"""authCustomer and changeWebPassword: who gets in, with what, and what everybody else is told."""

import statistics
import time
import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique
from labour import recorded
from sippy import new

from xmlrpc_api import background
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    NotFound,
    NotPermitted,
    OneTimePasswordAccepted,
    TooManyAttempts,
    Unavailable,
)

FAILED = (AuthenticationFailed.code, "Authentication failed")
ACCEPTED = (OneTimePasswordAccepted.code, "Authenticated by one-time password")
THROTTLED = (TooManyAttempts.code, "Too many attempts, try again later")
Refused = Any


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


class Login:
    """A login to the portal, and what it is answered."""

    def __init__(self, portal: Api, web_login: str, **extra: Any) -> None:
        self.portal, self.web_login, self._extra = portal, web_login, extra

    def outcome(self, password: str = WEB_PASSWORD, **params: Any) -> Any:
        """`OK`, or code and text of the fault."""
        try:
            call = {"username": self.web_login, "password": password, **self._extra, **params}
            return self.portal.authCustomer(**call)["result"]
        except xmlrpc.client.Fault as fault:
            return fault.faultCode, fault.faultString

    def reset(self) -> str:
        return self.portal.resetCustomerOneTimePassword(web_login=self.web_login, **self._extra)["password"]


@pytest.fixture
def customer(reseller: Reseller, customers: Customers) -> int:
    return customers.make(reseller)


@pytest.fixture
def login(reseller: Reseller, customer: int) -> Login:
    return Login(reseller, reseller.info(customer)["web_login"])


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


class TestThrottle:
    """Its limits are those of the settings; the clock stands still."""

    @pytest.fixture
    def timed(self, variant: Callable[..., Server]) -> Server:
        return variant(login_failures=3, address_failures=5)

    @pytest.fixture
    def clock(self, timed: Server) -> Any:
        return timed.stop_clock()

    @pytest.fixture
    def portal(self, timed: Server, reseller: Reseller) -> Api:
        return timed.api(reseller.login, "s3cret-Api")

    @pytest.fixture
    def login(self, portal: Api, login: Login) -> Login:
        return Login(portal, login.web_login)

    def fail(self, login: Login, times: int, **params: Any) -> list[Any]:
        return [login.outcome("wrong", **params) for _ in range(times)]

    @pytest.mark.usefixtures("clock")
    def test_after_so_many_failures_the_right_password_is_refused_as_well(self, login: Login) -> None:
        assert self.fail(login, 4) == [FAILED] * 3 + [THROTTLED]
        assert login.outcome() == THROTTLED

    @pytest.mark.usefixtures("clock")
    def test_an_unknown_login_is_counted_alike(self, portal: Api) -> None:
        assert self.fail(Login(portal, unique("nobody")), 4) == [FAILED] * 3 + [THROTTLED]

    @pytest.mark.usefixtures("clock")
    def test_the_case_of_letters_does_not_make_another_login(self, portal: Api, login: Login) -> None:
        self.fail(login, 2)

        assert self.fail(Login(portal, login.web_login.upper()), 2) == [FAILED, THROTTLED]

    def test_failures_of_another_minute_do_not_count(self, login: Login, clock: Any) -> None:
        self.fail(login, 2)
        clock.move(60)

        assert self.fail(login, 2) == [FAILED] * 2
        assert login.outcome() == "OK"

    def test_it_lasts_longer_each_time_up_to_a_quarter_of_an_hour(self, login: Login, clock: Any) -> None:
        lasted = []
        for _ in range(6):
            self.fail(login, 3)
            minutes = 0
            while login.outcome("wrong") == THROTTLED:
                clock.move(60)
                minutes += 1
            lasted.append(minutes)
            clock.move(60)  # the attempt that ended it does not count for the next

        assert lasted == [1, 2, 4, 8, 15, 15]

    def test_a_success_forgets(self, login: Login, clock: Any) -> None:
        for _ in range(3):
            self.fail(login, 2)
            assert login.outcome() == "OK"

    @pytest.mark.usefixtures("clock")
    def test_callers_are_counted_each_for_himself(self, login: Login, timed: Server) -> None:
        self.fail(login, 3)

        assert Login(timed.api(), login.web_login).outcome() == "OK"

    def test_names_of_one_kind_are_nobody_elses(self, variant: Callable[..., Server], reseller: Reseller) -> None:
        """Whoever may choose his login cannot choose one that stands for an account, or for its e-mail address."""
        server = variant(login_failures=3)
        server.stop_clock()
        portal = server.api(reseller.login, "s3cret-Api")
        account, email = unique("account"), f"{unique('mail')}@example.com"
        portal.createAccount(**new(username=account, email=email))
        for name in (f"username:{account}", f"email:{email}", email):
            made = reseller.createWebUser(web_login=unique(), web_password=WEB_PASSWORD)
            statement = "UPDATE web_users SET web_login = :name, web_login_key = :name WHERE i_web_user = :i"
            server.sql(statement, name=name, i=made["i_web_user"])  # such logins are there from before
        portal.createAccount(**new(username=email))

        def guess(**params: Any) -> int:
            with pytest.raises(xmlrpc.client.Fault) as caught:
                portal.authAccount(**{"password": "wrong", **params})
            return caught.value.faultCode

        assert [guess(username=account), guess(username=account)] == [401, 401]
        assert [guess(email=email), guess(email=email)] == [401, 401]
        for name in (f"username:{account}", f"email:{email}", email):
            assert Login(portal, name).outcome() == "OK"
        assert portal.authAccount(username=email, password=WEB_PASSWORD)["result"] == "OK"
        assert [guess(username=account), guess(username=account)] == [401, 429]
        assert [guess(email=email), guess(email=email)] == [401, 429]

    @pytest.mark.usefixtures("clock")
    @pytest.mark.parametrize(
        ("first", "second", "is_same"),
        [
            ("203.0.113.7", "203.0.113.7", True),
            ("203.0.113.7", "203.0.113.8", False),
            ("2001:db8::1", "2001:db8::ffff", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("203.0.113.7", "::ffff:203.0.113.7", True),
            ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ],
    )
    def test_the_address_of_the_person_is_counted(
        self, portal: Api, login: Login, first: str, second: str, is_same: bool
    ) -> None:
        """An IPv6 household has a network of 64 bits."""
        for _ in range(5):
            assert Login(portal, unique("nobody")).outcome("wrong", remote_ip=first) == FAILED

        assert login.outcome(remote_ip=second) == (THROTTLED if is_same else "OK")
        assert login.outcome() == "OK"

    @pytest.mark.usefixtures("clock")
    def test_a_multicall_counts_each(self, portal: Api, login: Login) -> None:
        guesses = [{"username": login.web_login, "password": f"guess {number}"} for number in range(5)]
        guesses.append({"username": login.web_login, "password": WEB_PASSWORD})
        calls = [{"methodName": "authCustomer", "params": [guess]} for guess in guesses]

        answers = portal.proxy.system.multicall(calls)

        assert [answer["faultCode"] for answer in answers] == [401] * 3 + [429] * 3

    @pytest.mark.usefixtures("clock")
    def test_at_once_no_more_are_judged_than_one_by_one(self, timed: Server, reseller: Reseller, login: Login) -> None:
        portals = [Login(timed.api(reseller.login, "s3cret-Api"), login.web_login) for _ in range(12)]

        with ThreadPoolExecutor(12) as pool:
            outcomes = list(pool.map(lambda portal: portal.outcome("wrong"), portals))

        assert outcomes.count(FAILED) == 3
        assert outcomes.count(THROTTLED) == 9

    @pytest.mark.usefixtures("clock")
    def test_every_process_sees_it(self, login: Login, variant: Callable[..., Server], reseller: Reseller) -> None:
        self.fail(login, 3)
        other = variant(login_failures=3)
        other.stop_clock()

        assert Login(other.api(reseller.login, "s3cret-Api"), login.web_login).outcome() == THROTTLED

    @pytest.mark.usefixtures("clock")
    def test_it_is_in_the_history_once(self, reseller: Reseller, login: Login) -> None:
        self.fail(login, 6)

        rows = reseller.getAuditLogs(resource="web_users")["records"]

        assert [row["action"] for row in reversed(rows)] == ["LOGIN_FAILED"] * 3 + ["THROTTLED"]

    def test_counters_are_forgotten_in_time(self, timed: Server, login: Login, clock: Any) -> None:
        before = {row.key for row in timed.sql("SELECT key FROM throttles")}
        login.outcome("wrong")
        counters = {row.key for row in timed.sql("SELECT key FROM throttles")} - before

        def left() -> set[str]:
            timed.run(lambda database: background.prune(timed.platform, database))
            return counters & {row.key for row in timed.sql("SELECT key FROM throttles")}

        clock.move(1799)
        assert left() == counters != set()
        clock.move(1)
        assert left() == set()


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
