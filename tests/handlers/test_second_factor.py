"""The second factor: standard codes, each accepted once, and recovery codes, each accepted once."""

import base64
import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Clock, Server, unique

from xmlrpc_api.declaration.faults import AuthenticationFailed, Conflict, NotFound, NotPermitted, TooManyAttempts

CODE_REQUIRED = (AuthenticationFailed.code, "Parameter code is required")
FAILED = (AuthenticationFailed.code, "Authentication failed")
STEP = 30
Refused = Any

RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
RFC_6238_SHA1 = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
RFC_SEED = b"12345678901234567890"


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


@pytest.fixture
def timed(variant: Callable[..., Server]) -> Server:
    return variant(login_failures=50)


@pytest.fixture
def clock(timed: Server) -> Clock:
    return timed.stop_clock()


@pytest.fixture
def portal(timed: Server, reseller: Reseller, clock: Clock) -> Api:
    return timed.api(reseller.login, "s3cret-Api")


@pytest.fixture
def login(portal: Api) -> str:
    name = unique("user")
    portal.createWebUser(web_login=name, web_password=WEB_PASSWORD)
    return name


def outcome(portal: Api, login: str, password: str = WEB_PASSWORD, **code: str) -> Any:
    try:
        return portal.authCustomer(username=login, password=password, **code)["result"]
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString


class Authenticator:
    """What a person has in his hand."""

    def __init__(self, portal: Api, login: str, clock: Clock) -> None:
        self.clock = clock
        self.totp = pyotp.TOTP(portal.enableSecondFactor(web_login=login)["secret"])
        self.recovery_codes = portal.confirmSecondFactor(web_login=login, code=self.code())["recovery_codes"]
        clock.move(STEP)

    def code(self, steps: int = 0) -> str:
        return self.totp.generate_otp(int(self.clock.now.timestamp()) // STEP + steps)


@pytest.fixture
def authenticator(portal: Api, login: str, clock: Clock) -> Authenticator:
    return Authenticator(portal, login, clock)


@pytest.mark.one_engine
class TestStandards:
    @pytest.fixture
    def rfc_login(self, timed: Server, portal: Api, login: str) -> str:
        """A login whose seed is that of both standards."""
        i_web_user = portal.getWebUserInfo(web_login=login)["web_user"]["i_web_user"]
        seed = base64.b32encode(RFC_SEED).decode()
        sealed = timed.platform.vault.encrypt(seed, f"web_users.totp_seed:{i_web_user}")
        statement = "UPDATE web_users SET totp_seed = :seed, second_factor = true WHERE i_web_user = :key"
        timed.sql(statement, seed=sealed, key=i_web_user)
        return login

    @pytest.mark.parametrize(("count", "code"), list(enumerate(RFC_4226)))
    def test_rfc_4226(self, portal: Api, rfc_login: str, clock: Clock, count: int, code: str) -> None:
        """A count is a time step here, one before the present."""
        clock.now = datetime.fromtimestamp((count + 1) * STEP, UTC)

        assert outcome(portal, rfc_login, code=code) == "OK"

    @pytest.mark.parametrize(("time", "code"), list(RFC_6238_SHA1.items()))
    def test_rfc_6238(self, variant: Callable[..., Server], rfc_login: str, time: int, code: str) -> None:
        """The standard shows eight digits, of which authenticators show the last six."""
        trusted = variant(trusted_hosts=["127.0.0.1"])  # Digest ends in 2106
        trusted.stop_clock().now = datetime.fromtimestamp(time, UTC)

        assert outcome(trusted.api(None), rfc_login, code=code[-6:]) == "OK"

    def test_the_uri_is_what_authenticators_read(self, portal: Api, login: str) -> None:
        answer = portal.enableSecondFactor(web_login=login)
        read = pyotp.parse_uri(answer["otpauth_uri"])

        assert isinstance(read, pyotp.TOTP)
        assert (read.secret, read.name, read.issuer) == (answer["secret"], login, "xmlrpc-api")
        assert (read.digits, read.interval) == (6, STEP)


@pytest.mark.one_engine
class TestCodes:
    def test_counts_once_it_is_confirmed(self, portal: Api, login: str, clock: Clock) -> None:
        portal.enableSecondFactor(web_login=login)
        assert outcome(portal, login) == "OK"

        Authenticator(portal, login, clock)
        assert outcome(portal, login) == CODE_REQUIRED
        assert portal.getWebUserInfo(web_login=login)["web_user"]["second_factor"] is True

    @pytest.mark.each_engine
    def test_is_accepted_once(self, portal: Api, login: str, authenticator: Authenticator) -> None:
        code = authenticator.code()

        assert outcome(portal, login, code=code) == "OK"
        assert outcome(portal, login, code=code) == CODE_REQUIRED

    def test_the_code_that_confirmed_is_used_up(self, portal: Api, login: str, clock: Clock) -> None:
        authenticator = Authenticator(portal, login, clock)
        clock.move(-STEP)

        assert outcome(portal, login, code=authenticator.code()) == CODE_REQUIRED

    @pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, False), (0, True), (1, True), (2, False)])
    def test_a_clock_may_be_wrong_by_one_step(
        self, portal: Api, login: str, authenticator: Authenticator, steps: int, is_right: bool
    ) -> None:
        """The step before is used up here: it confirmed."""
        code = authenticator.code(steps)

        assert outcome(portal, login, code=code) == ("OK" if is_right else CODE_REQUIRED)

    def test_an_older_one_is_refused_after_a_newer(self, portal: Api, login: str, authenticator: Authenticator) -> None:
        newer, older = authenticator.code(1), authenticator.code(0)

        assert outcome(portal, login, code=newer) == "OK"
        assert outcome(portal, login, code=older) == CODE_REQUIRED

    @pytest.mark.parametrize("code", ["000000", "", "123", "abcdef", "١٢٣٤٥٦"])
    def test_wrong_ones_are_refused(self, portal: Api, login: str, authenticator: Authenticator, code: str) -> None:
        assert outcome(portal, login, code=code) == CODE_REQUIRED

    def test_a_wrong_password_is_not_told_of_the_code(
        self, portal: Api, login: str, authenticator: Authenticator
    ) -> None:
        assert outcome(portal, login, "wrong", code=authenticator.code()) == FAILED
        assert outcome(portal, login, code=authenticator.code()) == "OK"

    def test_guessing_codes_is_throttled(
        self, variant: Callable[..., Server], reseller: Reseller, login: str, authenticator: Authenticator
    ) -> None:
        strict = variant(login_failures=3)
        strict.platform.clock = authenticator.clock
        portal = strict.api(reseller.login, "s3cret-Api")

        outcomes = [outcome(portal, login, code="000000")[0] for _ in range(4)]

        assert outcomes == [401, 401, 401, TooManyAttempts.code]
        assert outcome(portal, login, code=authenticator.code())[0] == TooManyAttempts.code

    @pytest.mark.each_engine
    def test_at_once_one_of_many_is_accepted(
        self, timed: Server, reseller: Reseller, login: str, authenticator: Authenticator
    ) -> None:
        portals = [timed.api(reseller.login, "s3cret-Api") for _ in range(8)]
        code = authenticator.code()

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda portal: outcome(portal, login, code=code), portals))

        assert outcomes.count("OK") == 1
        assert outcomes.count(CODE_REQUIRED) == 7

    def test_a_one_time_password_needs_it_and_is_kept_until_then(
        self, portal: Api, login: str, authenticator: Authenticator
    ) -> None:
        password = portal.resetCustomerOneTimePassword(web_login=login)["password"]
        assert outcome(portal, login, password) == CODE_REQUIRED

        assert outcome(portal, login, password, code=authenticator.code())[0] == 410
        portal.changeWebPassword(web_login=login, one_time_password=password, new_password="An-0ther")

    def test_a_change_of_the_password_needs_it(
        self, portal: Api, login: str, authenticator: Authenticator, refused: Refused
    ) -> None:
        change = {"web_login": login, "old_password": WEB_PASSWORD, "new_password": "An-0ther"}
        with refused(*CODE_REQUIRED):
            portal.changeWebPassword(**change)

        assert portal.changeWebPassword(**change, code=authenticator.code())["result"] == "OK"


class TestRecoveryCodes:
    def test_there_are_ten_and_each_is_good_once(self, portal: Api, login: str, authenticator: Authenticator) -> None:
        codes = authenticator.recovery_codes
        assert len(set(codes)) == 10

        for code in codes:
            assert outcome(portal, login, code=code) == "OK"
            assert outcome(portal, login, code=code) == CODE_REQUIRED

    def test_are_read_as_people_type_them(self, portal: Api, login: str, authenticator: Authenticator) -> None:
        code = authenticator.recovery_codes[0]

        assert outcome(portal, login, code=f" {code.replace('-', '').upper()} ") == "OK"

    def test_are_no_good_for_others(self, portal: Api, login: str, authenticator: Authenticator, clock: Clock) -> None:
        other = unique("user")
        portal.createWebUser(web_login=other, web_password=WEB_PASSWORD)
        Authenticator(portal, other, clock)

        assert outcome(portal, other, code=authenticator.recovery_codes[0]) == CODE_REQUIRED


class TestManagement:
    def test_disabled_it_is_forgotten(
        self, portal: Api, login: str, authenticator: Authenticator, server: Server
    ) -> None:
        portal.disableSecondFactor(web_login=login)

        assert outcome(portal, login) == "OK"
        assert server.sql("SELECT totp_seed FROM web_users WHERE web_login = :login", login=login) == [(None,)]
        i_web_user = portal.getWebUserInfo(web_login=login)["web_user"]["i_web_user"]
        assert server.sql("SELECT code FROM recovery_codes WHERE i_web_user = :key", key=i_web_user) == []

    def test_a_new_one_ends_the_recovery_codes_of_the_old(
        self, portal: Api, login: str, authenticator: Authenticator, clock: Clock
    ) -> None:
        portal.disableSecondFactor(web_login=login)
        Authenticator(portal, login, clock)

        assert outcome(portal, login, code=authenticator.recovery_codes[0]) == CODE_REQUIRED

    def test_one_that_is_on_cannot_be_replaced_unseen(
        self, portal: Api, login: str, authenticator: Authenticator, refused: Refused
    ) -> None:
        with refused(Conflict.code, "The second factor is on already; disable it first"):
            portal.enableSecondFactor(web_login=login)
        with refused(Conflict.code, "The second factor is on already"):
            portal.confirmSecondFactor(web_login=login, code=authenticator.code())

    def test_a_wrong_code_does_not_confirm(self, portal: Api, login: str, refused: Refused) -> None:
        with refused(Conflict.code, "Enable the second factor first"):
            portal.confirmSecondFactor(web_login=login, code="000000")
        portal.enableSecondFactor(web_login=login)

        with refused(AuthenticationFailed.code, "Wrong code"):
            portal.confirmSecondFactor(web_login=login, code="000000")

        assert outcome(portal, login) == "OK"

    @pytest.mark.parametrize("method", ["enableSecondFactor", "disableSecondFactor"])
    def test_is_for_those_who_may_change_the_login(
        self, root: Api, reseller: Reseller, customers: Customers, refused: Refused, method: str
    ) -> None:
        child = customers.reseller(reseller)
        limited = customers.reseller(customers_mgmt=1)
        grandchild = customers.make(limited)

        with refused(NotFound.code, "Web user not found"):
            getattr(child, method)(web_login=reseller.login)
        with refused(NotPermitted.code, "Not permitted: bit 1 (edit) of customers_mgmt is missing"):
            getattr(limited, method)(web_login=limited.info(grandchild)["web_login"])
        assert getattr(limited, method)(web_login=limited.login)["result"] == "OK"

    def test_every_step_is_in_the_history(self, portal: Api, login: str, authenticator: Authenticator) -> None:
        outcome(portal, login, code=authenticator.code())
        portal.disableSecondFactor(web_login=login)

        rows = portal.getAuditLogs(resource="web_users")["records"]

        steps = [(row["action"], row["after"].get("second_factor")) for row in reversed(rows)]
        assert steps[1:] == [("SECOND_FACTOR_BEGUN", None), ("U", True), ("LOGIN", None), ("U", False)]
