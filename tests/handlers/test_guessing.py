"""
Attacks on logins through a portal, and who suffers: no more than the login under attack, whose owner still gets in.

The portal's caller is one, whoever knocks at it; addresses are what the portal tells. The clock stands still.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest
from conftest import WEB_PASSWORD, Reseller
from faces import Api
from harness import Clock, Server, unique
from portals import Portal, _outcome
from sippy import new

from xmlrpc_api.declaration.faults import AuthenticationFailed, OneTimePasswordAccepted, TooManyAttempts, Unavailable
from xmlrpc_api.services.logins import throttle

pytestmark = pytest.mark.one_engine
OK = "OK"
FAILED = (AuthenticationFailed.code, "Authentication failed")
CODE_REQUIRED = (AuthenticationFailed.code, "Parameter code is required")
ACCEPTED = (OneTimePasswordAccepted.code, "Authenticated by one-time password")
THROTTLED = (TooManyAttempts.code, "Too many attempts, try again later")
PER_LOGIN, PER_ADDRESS = 3, 5
NEW = "An-0ther"
DAY = 86400


@pytest.fixture
def timed(variant: Callable[..., Server]) -> Server:
    return variant(login_failures=PER_LOGIN, address_failures=PER_ADDRESS)


@pytest.fixture
def clock(timed: Server) -> Clock:
    return timed.stop_clock()


@pytest.fixture
def portal(timed: Server, clock: Clock, reseller: Reseller) -> Portal:
    return Portal(timed.api(reseller.login, "s3cret-Api"))


@pytest.fixture
def login(reseller: Reseller) -> str:
    """Of the victim."""
    return _user(reseller)


def _user(owner: Api) -> str:
    name = unique("user")
    owner.createWebUser(web_login=name, web_password=WEB_PASSWORD)
    return name


class TestWhoSuffers:
    def test_nobody_when_names_and_addresses_are_invented(self, portal: Portal, login: str) -> None:
        """They used to shut the whole portal out."""
        one_time = portal.reset(login)
        for number in range(120):
            assert portal.outcome(unique("nobody"), "wrong", remote_ip=f"203.0.113.{number}") == FAILED

        assert portal.outcome(login) == OK
        assert portal.outcome(login, one_time) == ACCEPTED

    def test_the_login_that_is_guessed_and_no_other(self, portal: Portal, login: str, reseller: Reseller) -> None:
        other = _user(reseller)

        assert portal.guess(login, 30) == [FAILED] * PER_LOGIN + [THROTTLED] * (30 - PER_LOGIN)

        assert portal.outcome(login) == THROTTLED
        assert portal.outcome(other) == OK

    def test_an_address_that_tries_many_logins_and_no_other(self, portal: Portal, login: str) -> None:
        address = {"remote_ip": "203.0.113.7"}
        token = portal.device(login)

        outcomes = [portal.outcome(unique("nobody"), "wrong", **address) for _ in range(PER_ADDRESS + 1)]

        assert outcomes == [FAILED] * PER_ADDRESS + [THROTTLED]
        assert portal.outcome(login, **address) == THROTTLED
        assert portal.outcome(login, remote_ip="203.0.113.8") == OK
        assert portal.outcome(login, **address, device=token) == OK
        assert portal.outcome(login, portal.reset(login), **address) == ACCEPTED

    @pytest.mark.each_engine
    def test_one_password_on_many_logins_from_many_addresses_locks_none(
        self, portal: Portal, reseller: Reseller
    ) -> None:
        """Each of them still has its own limit."""
        users = [_user(reseller) for _ in range(12)]

        for number, user in enumerate(users):
            assert portal.outcome(user, "Summer-2026", remote_ip=f"203.0.113.{number}") == FAILED

        assert [portal.outcome(user) for user in users] == [OK] * len(users)

    @pytest.mark.parametrize("extra", [{}, {"device": "no token"}, {"code": "123456"}])
    def test_known_and_unknown_logins_are_told_the_same(
        self, portal: Portal, login: str, extra: dict[str, Any]
    ) -> None:
        assert portal.guess(login, 8, **extra) == portal.guess(unique("nobody"), 8, **extra)


class TestTheOwner:
    """The login is under attack from everywhere."""

    @pytest.fixture
    def attack(self, portal: Portal, login: str) -> Callable[[], None]:
        def attack() -> None:
            portal.guess(login, 3 * PER_LOGIN)
            portal.guess(login, PER_LOGIN, code="000000")
            assert portal.outcome(login) == THROTTLED

        return attack

    def test_gets_in_from_a_device_that_he_used_before(
        self, portal: Portal, login: str, attack: Callable[[], None]
    ) -> None:
        token = portal.device(login)
        attack()

        for _ in range(2 * PER_LOGIN):
            assert portal.outcome(login, device=token) == OK
        assert portal.outcome(login) == THROTTLED  # his success does not help who guesses

    def test_gets_in_with_a_one_time_password_and_then_with_the_new_one(
        self, portal: Portal, login: str, attack: Callable[[], None]
    ) -> None:
        attack()
        one_time = portal.reset(login)

        assert portal.outcome(login, one_time) == ACCEPTED
        change = {"web_login": login, "one_time_password": one_time, "new_password": NEW}
        token = portal.api.changeWebPassword(**change)["device"]

        assert portal.outcome(login, NEW) == THROTTLED
        assert portal.outcome(login, NEW, device=token) == OK

    def test_changes_his_password_from_his_device(self, portal: Portal, login: str, attack: Callable[[], None]) -> None:
        token = portal.device(login)
        attack()
        change = {"web_login": login, "old_password": WEB_PASSWORD, "new_password": NEW}

        assert _outcome(lambda: portal.api.changeWebPassword(**change)) == THROTTLED
        token = portal.api.changeWebPassword(**change, device=token)["device"]

        assert portal.outcome(login, NEW, device=token) == OK

    def test_gets_in_with_the_code_of_his_second_factor(
        self, portal: Portal, login: str, clock: Clock, attack: Callable[[], None]
    ) -> None:
        """A wrong code counts after the right password alone, so that strangers cannot use its limit up."""
        totp = _with_second_factor(portal, login, clock)
        attack()

        assert portal.outcome(login, code=_code(totp, clock)) == OK
        assert portal.outcome(login) == THROTTLED

    def test_gets_in_as_an_account_as_well(self, portal: Portal) -> None:
        account = new()["username"]
        portal.api.createAccount(**new(username=account))
        token = portal.api.authAccount(username=account, password=WEB_PASSWORD)["device"]

        def outcome(**params: Any) -> Any:
            return _outcome(lambda: portal.api.authAccount(**{"username": account, "password": WEB_PASSWORD, **params}))

        assert [outcome(password="wrong") for _ in range(4)] == [FAILED] * PER_LOGIN + [THROTTLED]
        assert outcome() == THROTTLED
        assert outcome(device=token) == OK
        one_time = portal.api.resetAccountOneTimePassword(username=account)["password"]
        assert outcome(password=one_time) == ACCEPTED


class TestLockedLogins:
    """What strangers find out about a login that is locked: nothing."""

    def test_a_code_opens_nothing_where_there_is_no_second_factor(self, portal: Portal, login: str) -> None:
        portal.guess(login, PER_LOGIN)

        for code in ("", "000000", "abcd-efgh"):
            assert portal.outcome(login, code=code) == THROTTLED

    def test_a_right_password_with_a_wrong_code_is_as_a_wrong_one(
        self, portal: Portal, login: str, clock: Clock
    ) -> None:
        totp = _with_second_factor(portal, login, clock)
        portal.guess(login, PER_LOGIN)

        for _ in range(PER_LOGIN):
            assert portal.outcome(login, code="000000") == portal.outcome(login, "wrong", code="000000") == THROTTLED

        assert portal.outcome(login, code=_code(totp, clock)) == THROTTLED  # who knows the password guesses codes

    def test_guesses_with_a_code_count_for_their_address(self, portal: Portal, login: str) -> None:
        portal.guess(login, PER_LOGIN)
        address = {"remote_ip": "203.0.113.7"}

        for _ in range(PER_ADDRESS):
            assert portal.outcome(login, "wrong", code="000000", **address) == THROTTLED

        assert portal.outcome(unique("nobody"), **address) == THROTTLED

    def test_a_wrong_one_time_password_is_told_nothing(self, portal: Portal, login: str) -> None:
        right = portal.reset(login)
        portal.guess(login, PER_LOGIN)

        assert portal.outcome(login, right[:-1]) == THROTTLED
        assert portal.outcome(login, right) == ACCEPTED
        assert portal.outcome(login, right) == THROTTLED


class TestDevices:
    def test_a_token_lets_nobody_in(self, portal: Portal, login: str) -> None:
        token = portal.device(login)

        assert portal.outcome(login, "wrong", device=token) == FAILED
        assert portal.outcome(login, token, device=token) == FAILED

    def test_every_login_answers_another(self, portal: Portal, login: str) -> None:
        assert portal.device(login) != portal.device(login)

    def test_has_a_limit_of_its_own(self, portal: Portal, login: str, clock: Clock) -> None:
        """A stolen one is good for as many guesses, and locks nobody else out."""
        stolen, other = portal.device(login), portal.device(login)

        outcomes = [portal.outcome(login, "wrong", device=stolen) for _ in range(PER_LOGIN + 1)]

        assert outcomes == [FAILED] * PER_LOGIN + [THROTTLED]
        assert portal.outcome(login, device=stolen) == THROTTLED
        assert portal.outcome(login, device=other) == OK
        assert portal.outcome(login) == OK
        clock.move(60)
        assert portal.outcome(login, device=stolen) == OK

    def test_codes_are_limited_for_it_as_well(self, portal: Portal, login: str, clock: Clock) -> None:
        totp = _with_second_factor(portal, login, clock)
        token = portal.device(login, code=_code(totp, clock))
        clock.move(30)

        outcomes = [portal.outcome(login, code="000000", device=token) for _ in range(PER_LOGIN + 1)]

        assert outcomes == [CODE_REQUIRED] * PER_LOGIN + [THROTTLED]
        assert portal.outcome(login, code=_code(totp, clock)) == OK

    @pytest.mark.parametrize(
        "change",
        [
            lambda token: "",
            lambda token: "garbage",
            lambda token: token.replace(".", "."[:0]),
            lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
            lambda token: "f" + token[1:],
            lambda token: token.upper(),
            lambda token: f"{token} ",
            lambda token: f"{token}\n",
            lambda token: "0.0000000000000000.:",
            lambda token: "9" * 1000,
        ],
    )
    def test_what_is_no_good_is_as_none(self, portal: Portal, login: str, change: Callable[[str], str]) -> None:
        token = change(portal.device(login))
        assert portal.outcome(login, device=token) == OK
        portal.guess(login, PER_LOGIN)

        assert portal.outcome(login, device=token) == THROTTLED

    def test_is_good_for_its_login_and_its_caller_alone(
        self, portal: Portal, login: str, reseller: Reseller, timed: Server
    ) -> None:
        of_another = portal.device(_user(reseller))
        root = Portal(timed.api())
        by_another = root.device(login)
        for caller in (portal, root):
            caller.guess(login, PER_LOGIN)

        assert portal.outcome(login, device=of_another) == THROTTLED
        assert portal.outcome(login, device=by_another) == THROTTLED
        assert root.outcome(login, device=by_another) == OK

    def test_an_account_of_the_same_name_and_number_is_somebody_else(self, portal: Portal, login: str) -> None:
        portal.api.createAccount(**new(username=login))
        token = portal.api.authAccount(username=login, password=WEB_PASSWORD)["device"]
        portal.guess(login, PER_LOGIN)

        assert portal.outcome(login, device=token) == THROTTLED

    @pytest.mark.parametrize(("days", "outcome"), [(90, THROTTLED), (89.999, OK)])
    def test_ends_with_its_life(self, portal: Portal, login: str, clock: Clock, days: float, outcome: Any) -> None:
        token = portal.device(login)
        clock.move(days * DAY)
        portal.guess(login, PER_LOGIN)

        assert portal.outcome(login, device=token) == outcome

    @pytest.mark.parametrize(
        "change",
        [
            lambda api, user: api.updateWebUser(**user, web_password=NEW),
            lambda api, user: api.updateWebUser(**user, web_login=unique("renamed")),
        ],
        ids=["password", "login"],
    )
    def test_ends_with_a_change_of_password_or_login(
        self, portal: Portal, login: str, change: Callable[[Api, dict[str, Any]], Any]
    ) -> None:
        token = portal.device(login)
        user = {"i_web_user": portal.api.getWebUserInfo(web_login=login)["web_user"]["i_web_user"]}

        change(portal.api, user)

        now = portal.api.getWebUserInfo(**user)["web_user"]["web_login"]
        password = WEB_PASSWORD if now != login else NEW
        portal.guess(now, PER_LOGIN)
        assert portal.outcome(now, password, device=token) == THROTTLED

    def test_survives_a_hash_that_is_made_anew(
        self, variant: Callable[..., Server], reseller: Reseller, login: str
    ) -> None:
        """The login that makes it answers a token for the new one."""
        costly = variant(bcrypt_cost=5, login_failures=PER_LOGIN)
        portal = Portal(costly.api(reseller.login, "s3cret-Api"))
        token = portal.device(login)
        portal.guess(login, PER_LOGIN)

        assert portal.outcome(login, device=token) == OK

    def test_is_in_no_history(self, portal: Portal, login: str, timed: Server) -> None:
        token = portal.device(login)
        portal.outcome(login, "wrong", device=token)

        assert token not in str(timed.sql("SELECT * FROM audit_log"))
        assert token.split(".")[1] not in str(timed.sql("SELECT * FROM throttles"))

    def test_is_hashed_however_many_strangers_guess(
        self, variant: Callable[..., Server], reseller: Reseller, login: str
    ) -> None:
        slow = variant(bcrypt_cost=9, bcrypt_queue=1)
        apis = [Portal(slow.api(reseller.login, "s3cret-Api")) for _ in range(16)]
        token = apis[0].device(login)

        with ThreadPoolExecutor(16) as pool:
            strangers = [pool.submit(api.outcome, unique("nobody"), "wrong") for api in apis[:12] for _ in range(4)]
            owner = [pool.submit(api.outcome, login, device=token) for api in apis[12:] for _ in range(2)]

        busy = (Unavailable.code, "Too many password checks are waiting, try again later")
        assert busy in {stranger.result() for stranger in strangers}
        assert {one.result() for one in owner} == {OK}


@pytest.mark.each_engine
class TestHistory:
    def test_a_flood_of_unknown_logins_does_not_fill_it(
        self, portal: Portal, login: str, reseller: Reseller, timed: Server
    ) -> None:
        """It is noted that there is one; what happens to known logins is noted all the same."""
        for number in range(throttle.FLOOD_FAILURES + 20):
            portal.outcome(unique("nobody"), "wrong", remote_ip=f"203.0.113.{number}")
        portal.outcome(login, "wrong")

        statement = "SELECT action, object_id FROM audit_log WHERE object_type = 'web_users' AND i_customer = :owner"
        rows = timed.sql(f"{statement} ORDER BY i_audit", owner=reseller.i_customer)
        of_nobody = [row.action for row in rows if row.object_id is None]
        assert (of_nobody.count("LOGIN_FAILED"), of_nobody.count("FLOOD")) == (throttle.FLOOD_FAILURES, 1)
        assert [row.action for row in rows if row.object_id is not None] == ["A", "LOGIN_FAILED"]


def _with_second_factor(portal: Portal, login: str, clock: Clock) -> pyotp.TOTP:
    totp = pyotp.TOTP(portal.api.enableSecondFactor(web_login=login)["secret"])
    portal.api.confirmSecondFactor(web_login=login, code=_code(totp, clock))
    clock.move(30)
    return totp


def _code(totp: pyotp.TOTP, clock: Clock) -> str:
    return totp.at(clock())
