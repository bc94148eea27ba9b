"""Wrong passwords of web users are throttled."""

import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Reseller
from faces import Api
from harness import Server, unique
from logins import FAILED, THROTTLED, Login
from sippy import new

from xmlrpc_api import background


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


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
