"""Who may log in to the API; everybody else gets one and the same answer."""

import http.client
import re
import socket
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import soap
from faces import Api
from harness import Server, unique
from labour import recorded
from wire import LIST, TEXT_XML, Reply, answer, header, send

from xmlrpc_api.transport import http as faces_http

pytestmark = pytest.mark.one_engine

PASSWORD = "s3cret-Api"


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


def digest(server: Server, login: str, password: str = PASSWORD, nonce: str | None = None) -> Reply:
    """A call with HTTP Digest."""
    members = answer(nonce or send(server).nonce, login, password)
    quoted = members | {"username": login.replace("\\", "\\\\").replace('"', '\\"')}
    return send(server, LIST, header(quoted), TEXT_XML)


def gateway(server: Server, login: str, password: str = PASSWORD) -> Reply:
    """A call through the JSON gateway."""
    query = urlencode({"username": login, "apipassword": password, "action": "listCustomers"})
    return send(server, method="GET", target=f"/api.php?{query}")


def soap_call(server: Server, login: str, password: str, *, admin: bool = False) -> None:
    """A call of the SOAP face that is refused."""
    header = soap.auth(login, password, admin=admin)
    reply = soap.send(server.port, soap.envelope("Customer", "getAccount", "<id>1</id>", header))
    assert reply.code in (901, 1429)


LogIn = Callable[..., Reply]


@pytest.fixture(params=[digest, gateway])
def log_in(request: pytest.FixtureRequest) -> LogIn:
    return request.param


def shape(reply: Reply) -> tuple[Any, ...]:
    """All that an outsider sees, apart from what differs from answer to answer."""
    headers = [(name, re.sub("[0-9a-f]{16,}", "(random)", value)) for name, value in reply.headers]
    return reply.status, [pair for pair in headers if pair[0] != "Date"], reply.body


def blocked(root: Api, customers: Any) -> str:
    reseller = customers.reseller()
    root.blockCustomer(i_customer=reseller.i_customer)
    return reseller.login


def below_a_blocked_one(root: Api, customers: Any) -> str:
    reseller = customers.reseller()
    child = customers.reseller(reseller)
    root.blockCustomer(i_customer=reseller.i_customer)
    return child.login


def far_below_a_blocked_one(root: Api, customers: Any) -> str:
    reseller = customers.reseller()
    grandchild = customers.reseller(customers.reseller(reseller))
    root.blockCustomer(i_customer=reseller.i_customer)
    return grandchild.login


def without_api_access(root: Api, customers: Any) -> str:
    reseller = customers.reseller()
    root.updateCustomer(i_customer=reseller.i_customer, api_access=0)
    return reseller.login


def without_api_password(root: Api, customers: Any) -> str:
    reseller = customers.reseller()
    root.updateCustomer(i_customer=reseller.i_customer, api_password=None)
    return reseller.login


def deleted(root: Api, customers: Any) -> str:
    reseller = customers.reseller()
    root.deleteCustomer(i_customer=reseller.i_customer)
    return reseller.login


def with_another_password(root: Api, customers: Any) -> str:
    return customers.reseller(api_password="another").login


SHUT_OUT = [
    blocked,
    below_a_blocked_one,
    far_below_a_blocked_one,
    without_api_access,
    without_api_password,
    deleted,
    with_another_password,
]


@pytest.mark.each_engine
@pytest.mark.parametrize("make", SHUT_OUT)
def test_whoever_is_shut_out_looks_unknown(
    server: Server, root: Api, customers: Any, log_in: LogIn, make: Callable[[Api, Any], str]
) -> None:
    login = make(root, customers)

    refused = shape(log_in(server, login))

    assert refused[0] == 401
    assert refused == shape(log_in(server, "nobody"))


@pytest.mark.parametrize("make", SHUT_OUT)
def test_whoever_is_shut_out_is_never_called_stale(
    server: Server, root: Api, customers: Any, make: Callable[[Api, Any], str]
) -> None:
    """`stale=true` says that the password is right."""
    login = make(root, customers)

    assert not digest(server, login, nonce="00" * 28).is_stale


def test_the_password_of_somebody_else_does_not_help(server: Server, customers: Any, log_in: LogIn) -> None:
    customers.reseller(api_password="mine-alone")
    victim = customers.reseller()

    assert log_in(server, victim.login, "mine-alone").status == 401
    assert log_in(server, "ssp-root", PASSWORD).status == 401


@pytest.mark.parametrize("password", ["", "s3cret-Web", PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1]])
def test_only_the_whole_api_password_does(server: Server, customers: Any, log_in: LogIn, password: str) -> None:
    assert log_in(server, customers.reseller().login, password).status == 401


def test_an_unblocked_customer_is_let_in_again(server: Server, root: Api, customers: Any, log_in: LogIn) -> None:
    reseller = customers.reseller()
    root.blockCustomer(i_customer=reseller.i_customer)
    root.unblockCustomer(i_customer=reseller.i_customer)

    assert log_in(server, reseller.login).status == 200


@pytest.mark.each_engine
def test_the_case_of_the_login_does_not_matter(server: Server, customers: Any, log_in: LogIn) -> None:
    login = unique("Straße-Żółć")
    customers.reseller(web_login=login)

    for form in (login, login.upper(), login.lower(), login.swapcase()):
        assert log_in(server, form).status == 200


LOGINS = [
    "é",
    "a\u00a0b",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    'qu"ote',
    "back\\slash",
    " a b ",
]


@pytest.mark.each_engine
@pytest.mark.parametrize("login", LOGINS)
def test_every_login_that_can_be_given_can_be_used(server: Server, customers: Any, log_in: LogIn, login: str) -> None:
    login = f"{unique()}{login}"
    customers.reseller(web_login=login)

    assert log_in(server, login).status == 200


@pytest.mark.parametrize("password", ["żółć", "a:b", '"\\', " ", "\U0001f600" * 64, "x" * 120, "\n\t"])
def test_every_api_password_that_can_be_given_can_be_used(
    server: Server, customers: Any, log_in: LogIn, password: str
) -> None:
    password = f"{password} 12345"
    reseller = customers.reseller(api_password=password)

    assert log_in(server, reseller.login, password).status == 200


@pytest.mark.each_engine
def test_a_renamed_login_works_at_once_with_the_same_password(
    server: Server, root: Api, customers: Any, log_in: LogIn
) -> None:
    reseller, renamed = customers.reseller(), unique("renamed")

    root.updateCustomer(i_customer=reseller.i_customer, web_login=renamed)

    assert log_in(server, renamed).status == 200
    assert log_in(server, reseller.login).status == 401


@pytest.mark.each_engine
def test_a_changed_password_works_at_once_and_the_old_one_no_more(
    server: Server, root: Api, customers: Any, log_in: LogIn
) -> None:
    reseller = customers.reseller()
    nonce = send(server).nonce

    root.updateCustomer(i_customer=reseller.i_customer, api_password="changed")

    assert log_in(server, reseller.login, "changed").status == 200
    assert log_in(server, reseller.login).status == 401
    assert digest(server, reseller.login, nonce=nonce).status == 401


def test_the_web_password_is_not_the_api_password(server: Server, root: Api, customers: Any, log_in: LogIn) -> None:
    reseller = customers.reseller()

    root.updateCustomer(i_customer=reseller.i_customer, web_password="changed-Web1")

    assert log_in(server, reseller.login).status == 200
    assert log_in(server, reseller.login, "changed-Web1").status == 401


def test_an_unknown_login_costs_the_same_work_as_a_wrong_password(
    server: Server, customers: Any, log_in: LogIn
) -> None:
    logins = [customers.reseller().login, unique("nobody")]
    work = []
    for login in logins:
        with recorded(server) as done:
            assert log_in(server, login, "wrong").status == 401
        work.append(done)

    known, unknown = work
    assert known == unknown != {}


@pytest.mark.timing
def test_an_unknown_login_takes_as_long_as_a_wrong_password(server: Server, customers: Any) -> None:
    known = customers.reseller().login
    unknown = known[:-1] + "x"
    nonce = send(server).nonce
    line = http.client.HTTPConnection("127.0.0.1", server.port)

    def measure(login: str) -> float:
        authorization = header(answer(nonce, login, "wrong"))
        started = time.perf_counter()
        send(server, LIST, authorization, TEXT_XML, connection=line)
        return time.perf_counter() - started

    def is_alike() -> bool:
        pairs = [(measure(known), measure(unknown)) for _ in range(300)]
        first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
        return max(first, second) < 1.25 * min(first, second)

    assert any(is_alike() for _ in range(3))  # another process may disturb one of them
    line.close()


class TestAttempts:
    """Wrong credentials from one address are counted, for the login and for the address."""

    @pytest.fixture
    def strict(self, variant: Callable[..., Server]) -> Server:
        return variant(api_login_failures=3, api_address_failures=8)

    def test_after_so_many_the_right_password_is_refused_as_well(
        self, strict: Server, customers: Any, log_in: LogIn
    ) -> None:
        clock = strict.stop_clock()
        login = customers.reseller().login

        statuses = [log_in(strict, login, "wrong").status for _ in range(4)]

        assert statuses == [401, 401, 401, 429]
        assert log_in(strict, login.upper()).status == 429
        assert log_in(strict, customers.reseller().login).status == 200
        clock.move(60)
        assert log_in(strict, login).status == 200

    def test_unknown_logins_are_counted_alike(self, strict: Server, log_in: LogIn) -> None:
        strict.stop_clock()
        login = unique("nobody")

        assert [log_in(strict, login, "wrong").status for _ in range(4)] == [401, 401, 401, 429]

    def test_one_password_on_many_logins_ends_too(self, strict: Server, customers: Any, log_in: LogIn) -> None:
        strict.stop_clock()

        statuses = [log_in(strict, unique("nobody"), "wrong").status for _ in range(9)]

        assert statuses == [401] * 8 + [429]
        assert log_in(strict, customers.reseller().login).status == 429

    def test_a_challenge_and_a_stale_nonce_are_no_attempts(self, strict: Server, customers: Any) -> None:
        login = customers.reseller().login
        nonce = send(strict).nonce

        assert {send(strict).status for _ in range(10)} == {401}
        assert digest(strict, login, nonce=nonce).status == 200
        assert {digest(strict, login, nonce=nonce).status for _ in range(5)} == {401}
        assert digest(strict, login).status == 200

    def test_it_is_told_when_to_come_back(self, strict: Server, log_in: LogIn) -> None:
        for _ in range(4):
            reply = log_in(strict, "nobody-again", "wrong")

        assert dict(reply.headers)["Retry-After"] == "60"

    def test_logins_are_counted_for_whoever_they_are_of(self, strict: Server, customers: Any) -> None:
        """A customer whose name begins like the administrator's is not he, and the other way round."""
        strict.stop_clock()
        name = unique("x")
        statement = "UPDATE web_users SET web_login = :new, web_login_key = :new WHERE web_login = :old"
        old = f"administrator:{name}"  # such logins are there from before
        strict.sql(statement, new=old, old=customers.reseller().login)

        for _ in range(3):
            soap_call(strict, name, "wrong", admin=True)

        assert gateway(strict, old).status == 200

    def test_an_ipv6_household_is_one_address(self, strict: Server, variant: Callable[..., Server]) -> None:
        behind = variant(api_login_failures=3, trusted_proxies=["127.0.0.1"])
        behind.stop_clock()
        login = unique("nobody")

        def guess(address: str) -> int:
            authorization = header(answer("00" * 28, login, "wrong"))
            return send(behind, LIST, authorization, TEXT_XML, ("X-Forwarded-For", address)).status

        household = [guess(f"2001:db8::{number}") for number in range(4)]
        mapped = [guess(address) for address in ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "192.0.2.7")]

        assert household == mapped == [401, 401, 401, 429]
        assert guess("2001:db8:0:1::1") == 401

    def test_what_was_tried_is_not_kept(self, strict: Server) -> None:
        """A login, and a password in its place, of any length leave the same few bytes."""
        kept = strict.app[faces_http.GATE].authenticator._attempts
        before = len(kept)

        for number in range(3):
            soap_call(strict, f"{number}" + "x" * 500_000, "y" * 400_000)
            soap_call(strict, f"{number}" + "x" * 500_000, "y" * 400_000, admin=True)

        assert len(kept) <= before + 3  # whoever is too long, administrators and customers, and the address
        assert "xxx" not in str(kept._levels)


class Line(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def through(server: Server, *request: Any) -> Reply:
    """One request through the server's Unix socket."""
    with closing(Line(server.config.socket)) as line:
        return send(server, *request, connection=line)


class TestUnixSocket:
    """Whoever is behind the proxy there has an address of his own, and is trusted by none."""

    @pytest.fixture
    def local(self, variant: Callable[..., Server], tmp_path: Path) -> Server:
        trusted = {"trusted_hosts": ["192.0.2.7"], "trusted_proxies": ["198.51.100.0/24"]}
        return variant(socket=tmp_path / "api.sock", api_login_failures=3, api_address_failures=5, **trusted)

    def status(self, local: Server, login: str, password: str, *forwarded: str) -> int:
        headers = [("X-Forwarded-For", value) for value in forwarded]
        nonce = through(local).nonce
        authorization = header(answer(nonce, login, password))
        return through(local, LIST, authorization, TEXT_XML, *headers).status

    def test_one_client_of_the_proxy_does_not_shut_out_another(self, local: Server, customers: Any) -> None:
        local.stop_clock()
        login = customers.reseller().login

        for number in range(5):
            assert self.status(local, unique("nobody"), "wrong", f"203.0.113.7, 198.51.100.{number}") == 401

        assert self.status(local, login, PASSWORD, "203.0.113.7") == 429
        assert self.status(local, login, PASSWORD, "203.0.113.8") == 200
        assert self.status(local, login, PASSWORD) == 200

    def test_what_the_client_wrote_before_the_proxy_counts_for_nothing(self, local: Server, customers: Any) -> None:
        local.stop_clock()
        login = customers.reseller().login

        for number in range(5):
            assert self.status(local, unique("nobody"), "wrong", f"203.0.113.{number}, 203.0.113.99") == 401

        assert self.status(local, login, PASSWORD, "203.0.113.100, 203.0.113.99") == 429

    def test_the_local_peer_is_counted_as_such(self, local: Server, customers: Any) -> None:
        local.stop_clock()
        login = customers.reseller().login

        assert [self.status(local, login, "wrong") for _ in range(4)] == [401, 401, 401, 429]
        assert self.status(local, login, PASSWORD, "203.0.113.8") == 200

    @pytest.mark.parametrize("forwarded", [[], ["192.0.2.7"], ["::ffff:192.0.2.7"], ["192.0.2.7, 198.51.100.1"]])
    def test_nobody_is_trusted(self, local: Server, forwarded: list[str]) -> None:
        """Who may open the socket could write a trusted host into the header."""
        headers = [("X-Forwarded-For", value) for value in forwarded]

        assert through(local, LIST, TEXT_XML, *headers).status == 401

    def test_what_is_no_address_is_refused(self, local: Server) -> None:
        assert through(local, LIST, TEXT_XML, ("X-Forwarded-For", "me")).status == 400
