"""What web pages make browsers send: nobody who is known by address, or by kept credentials, acts at their word."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from faces import Api
from harness import Server, test_config, unique
from wire import LIST, PATH, TEXT_XML, Reply, send, signed

from xmlrpc_api.config import ConfigError

pytestmark = pytest.mark.one_engine

GATEWAY = "/api.php"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
READ = {"action": "system.listMethods"}


def creation(name: str) -> dict[str, str]:
    params = {"name": name, "web_password": "s3cret-Web", "i_tariff": None, "i_wholesaler": 1}
    return {"action": "createCustomer", "JSONString": json.dumps(params)}


def names(root: Api) -> list[str]:
    return [row["name"] for row in root.listCustomers()["customers"]]


def get(server: Server, fields: dict[str, str], *headers: tuple[str, str], method: str = "GET") -> Reply:
    return send(server, b"", *headers, method=method, target=f"{GATEWAY}?{urlencode(fields)}")


def credentials_of(server: Server, method: str, uri: str) -> tuple[str, str]:
    """What a browser keeps, for a server that may trust its address: what pages send is challenged by both."""
    return signed(server, method=method, uri=uri, nonce=send(server, b"", ("Origin", "null")).nonce)


def digest_get(server: Server, fields: dict[str, str], *headers: tuple[str, str], method: str = "GET") -> Reply:
    target = f"{GATEWAY}?{urlencode(fields)}"
    return send(server, b"", credentials_of(server, method, target), *headers, method=method, target=target)


WAYS: dict[str, Callable[..., Reply]] = {"trusted host": get, "Digest": digest_get}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[..., Reply]:
    """How a browser is known without a word of its user."""
    return WAYS[request.param]


class TestGet:
    def test_changes_nothing_for_who_is_known_anyway(
        self, trusting: Server, root: Api, way: Callable[..., Reply]
    ) -> None:
        name = unique("by-get")

        reply = way(trusting, creation(name))

        assert (reply.status, reply.header("Allow")) == (405, "POST")
        text = "This method changes something: send it with POST"
        assert json.loads(reply.body) == {"faultCode": 405, "faultString": text, "result": text}
        assert name not in names(root)

    def test_reads_for_them(self, trusting: Server, way: Callable[..., Reply]) -> None:
        assert "createCustomer" in json.loads(way(trusting, READ).body)

    def test_changes_nothing_from_within_a_multicall_either(
        self, trusting: Server, root: Api, way: Callable[..., Reply]
    ) -> None:
        name = unique("by-get")
        inner = {"methodName": "createCustomer", "params": [json.loads(creation(name)["JSONString"])]}

        reply = way(trusting, {"action": "system.multicall", "JSONString": json.dumps([[inner]])})

        assert [result["faultCode"] for result in json.loads(reply.body)] == [405]
        assert name not in names(root)

    def test_changes_with_credentials_in_the_query(self, server: Server, root: Api) -> None:
        """It is the documented form; a page that knows them needs no browser."""
        name = unique("by-get")
        credentials = {"username": "ssp-root", "apipassword": server.root_password}

        assert json.loads(get(server, {**credentials, **creation(name)}).body)["result"] == "OK"
        assert name in names(root)

    def test_changes_where_the_setting_allows_it(
        self, variant: Callable[..., Server], root: Api, way: Callable[..., Reply]
    ) -> None:
        name = unique("by-get")
        lax = variant(trusted_hosts=["127.0.0.1"], api_get_changes=True)

        assert json.loads(way(lax, creation(name)).body)["result"] == "OK"
        assert name in names(root)

    def test_post_changes_for_them(self, trusting: Server, root: Api) -> None:
        name = unique("by-post")

        reply = send(trusting, urlencode(creation(name)).encode(), FORM, target=GATEWAY)

        assert json.loads(reply.body)["result"] == "OK"
        assert name in names(root)

    @pytest.mark.parametrize("credentials", [True, False], ids=["credentials in the query", "Digest"])
    def test_head_runs_nothing(self, server: Server, root: Api, credentials: bool) -> None:
        name = unique("by-head")
        in_query = {"username": "ssp-root", "apipassword": server.root_password} if credentials else {}

        reply = (get if credentials else digest_get)(server, {**in_query, **creation(name)}, method="HEAD")

        assert reply.status == 405
        assert name not in names(root)


FOREIGN: dict[str, list[tuple[str, str]]] = {
    "another site": [("Origin", "http://evil.example")],
    "another port": [("Origin", "http://127.0.0.1:1")],
    "another scheme": [("Origin", "ftp://127.0.0.1")],
    "a sandbox": [("Origin", "null")],
    "nothing": [("Origin", "")],
    "a cross-site fetch": [("Sec-Fetch-Site", "cross-site")],
    "another host of this site": [("Sec-Fetch-Site", "same-site")],
    "another fetch of ours": [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
}


def own(server: Server) -> dict[str, list[tuple[str, str]]]:
    origin = ("Origin", f"http://127.0.0.1:{server.port}")
    return {
        "no browser": [],
        "our own page": [origin],
        "our own page, of late": [origin, ("Sec-Fetch-Site", "same-origin")],
        "an address that somebody types": [("Sec-Fetch-Site", "none")],
    }


class TestPages:
    @pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
    def test_of_other_sites_are_nobody_on_a_trusted_host(
        self, trusting: Server, headers: list[tuple[str, str]]
    ) -> None:
        assert get(trusting, READ, *headers).status == 401
        assert send(trusting, LIST, *headers, TEXT_XML).status == 401
        form = urlencode(READ).encode()
        assert send(trusting, form, FORM, *headers, target=GATEWAY).status == 401

    @pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
    def test_of_other_sites_do_not_have_kept_credentials(self, server: Server, headers: list[tuple[str, str]]) -> None:
        assert digest_get(server, READ, *headers).status == 403
        assert send(server, LIST, signed(server), *headers, TEXT_XML).status == 403
        form = urlencode(READ).encode()
        assert send(server, form, signed(server, uri=GATEWAY), FORM, *headers, target=GATEWAY).status == 403

    def test_of_our_own_are_let_in(self, trusting: Server) -> None:
        for name, headers in own(trusting).items():
            assert get(trusting, READ, *headers).status == 200, name
            assert digest_get(trusting, READ, *headers).status == 200, name
            assert send(trusting, LIST, credentials_of(trusting, "POST", PATH), *headers, TEXT_XML).status == 200, name

    def test_that_know_credentials_may_send_them(self, server: Server) -> None:
        """They stand in the query: no browser adds them."""
        credentials = {"username": "ssp-root", "apipassword": server.root_password}

        for headers in FOREIGN.values():
            assert get(server, {**credentials, **READ}, *headers).status == 200

    def test_come_from_a_name_of_the_server_where_a_proxy_puts_another_host(
        self, variant: Callable[..., Server]
    ) -> None:
        named = variant(host_names=["switch.example"])

        for origin, status in (("https://switch.example", 200), ("https://switch.example:9000", 403)):
            assert send(named, LIST, signed(named), ("Origin", origin), TEXT_XML).status == status


HOSTS = {
    "127.0.0.1": True,
    "127.0.0.1:8080": True,
    "[::1]:8080": True,
    "[::1]": True,
    "localhost": True,
    "LocalHost:80": True,
    "Switch.Example": True,
    "switch.example.:8080": True,
    "pbx": True,
    "evil.example": False,
    "switch.example.evil.example": False,
    "127.0.0.1.evil.example": False,
    "127.0.0.1@evil.example": False,
    "evil.example:80@127.0.0.1": False,
    "x.localhost": False,
    "2130706433": False,
    "": False,
}


class TestHost:
    """A page whose name has come to mean our address (DNS rebinding) is of our origin for the browser."""

    @pytest.fixture
    def named(self, variant: Callable[..., Server]) -> Server:
        return variant(trusted_hosts=["127.0.0.1"], host_names=["switch.example", "PBX."])

    @pytest.mark.parametrize(("host", "is_own"), HOSTS.items())
    def test_is_a_name_of_ours_where_a_trusted_host_asks(self, named: Server, host: str, is_own: bool) -> None:
        status = 200 if is_own else 401

        assert status_of(named, host, "GET", f"{GATEWAY}?{urlencode(READ)}") == status
        assert status_of(named, host, "POST", PATH) == status

    @pytest.mark.parametrize(("host", "is_own"), [("127.0.0.1", True), ("localhost:1", True), ("pbx", False)])
    def test_is_an_address_or_localhost_where_no_name_is_set(self, trusting: Server, host: str, is_own: bool) -> None:
        assert status_of(trusting, host, "GET", f"{GATEWAY}?{urlencode(READ)}") == (200 if is_own else 401)

    def test_does_not_matter_to_who_has_credentials(self, server: Server) -> None:
        """A browser keeps them for the name that they were given for."""
        assert status_of(server, "any.name.example:8443", "POST", PATH, signed(server)) == 200

    @pytest.mark.parametrize("name", ["http://switch.example", "switch.example:8080", "a b", "[::1]"])
    def test_names_are_names(self, name: str) -> None:
        with pytest.raises(ConfigError, match="write a name alone"):
            test_config("sqlite:///x", host_names=[name])

    def test_names_come_from_the_environment_with_commas(self, monkeypatch: Any) -> None:
        monkeypatch.setenv("XMLRPC_API_HOST_NAMES", "A.example, b.example.")

        assert test_config("sqlite:///x").host_names == ["a.example", "b.example"]


def status_of(server: Server, host: str, method: str, target: str, *headers: tuple[str, str]) -> int:
    """The status for a request with this Host."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = LIST if method == "POST" else b""
    line.putrequest(method, target, skip_host=True)
    for name, value in (("Host", host), TEXT_XML, ("Content-Length", str(len(body))), *headers):
        line.putheader(name, value)
    line.endheaders(body)
    status = line.getresponse().status
    line.close()
    return status
