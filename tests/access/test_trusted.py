"""Trusted hosts: whom the server believes without credentials, and for whom they may call."""

from collections.abc import Callable
from typing import Any

import pytest
from faces import Api
from harness import Server, test_config
from wire import TEXT_XML, Reply, document, member, send, signed

from xmlrpc_api.addresses import is_in
from xmlrpc_api.config import Config, ConfigError

pytestmark = pytest.mark.one_engine

TRUSTED, PROXY, STRANGER = "127.0.0.2", "127.0.0.9", "127.0.0.3"
HOSTS = [TRUSTED, "10.1.0.0/16", "2001:db8::/32"]
PROXIES = [PROXY, "10.9.0.0/16", "2001:db9::/32"]
FORWARDED = "X-Forwarded-For"
METHODS = document("system.listMethods")


@pytest.fixture
def guarded(variant: Callable[..., Server]) -> Server:
    """A server that trusts some hosts, and believes some proxies."""
    return variant(trusted_hosts=HOSTS, trusted_proxies=PROXIES)


@pytest.fixture
def trusting(variant: Callable[..., Server]) -> Server:
    """A server that trusts this host."""
    return variant(trusted_hosts=["127.0.0.1"])


def forwarded(*values: str) -> list[tuple[str, str]]:
    return [(FORWARDED, value) for value in values]


IGNORED = ("X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via")
IGNORED += ("X_Forwarded_For", "X-Forwarded", "X-Original-Forwarded-For", "Client-IP", "X-Remote-Addr")
NO_ADDRESS = ("unknown", "", " ", ",", "10.1.2.3,", ",10.1.2.3,", "10.1.2.3:80", "[2001:db8::1]", "10.1.2")
NO_ADDRESS += ("010.1.2.3", "10.1.2.3 10.1.2.3", "localhost", "_hidden", "0x0a010203", "167838211")
NO_ADDRESS += ("10.1.2.3/16", "10.1.2.3;", '"10.1.2.3"', "for=10.1.2.3", "8.8.8.8, unknown, 10.9.0.1")
ROWS: dict[str, tuple[str, list[tuple[str, str]], int]] = {
    "trusted host": (TRUSTED, [], 200),
    "trusted host, forwarding for a stranger": (TRUSTED, forwarded("8.8.8.8"), 200),
    "trusted host, garbage": (TRUSTED, forwarded("garbage"), 200),
    "stranger": (STRANGER, [], 401),
    "stranger, forwarding for a trusted host": (STRANGER, forwarded("10.1.2.3"), 401),
    "stranger, forwarding for itself": (STRANGER, forwarded("127.0.0.1"), 401),
    "stranger, forwarding by a proxy": (STRANGER, forwarded("10.1.2.3, 10.9.0.1"), 401),
    "stranger, garbage": (STRANGER, forwarded("garbage"), 401),
    "proxy without the header": (PROXY, [], 401),
    "proxy for a trusted host": (PROXY, forwarded("10.1.2.3"), 200),
    "proxy, other case": (PROXY, [("x-forwarded-for", "10.1.2.3")], 200),
    "proxy, spaces": (PROXY, forwarded("  10.1.2.3  "), 200),
    "proxy for a stranger": (PROXY, forwarded("8.8.8.8"), 401),
    "proxy for a stranger who says he is trusted": (PROXY, forwarded("10.1.2.3, 8.8.8.8"), 401),
    "proxy for a trusted host that forwards": (PROXY, forwarded("8.8.8.8, 10.1.2.3"), 200),
    "proxy for a trusted host, garbage before it": (PROXY, forwarded("garbage, 10.1.2.3"), 200),
    "proxy for a stranger, garbage before him": (PROXY, forwarded("garbage, 8.8.8.8"), 401),
    "two proxies for a trusted host": (PROXY, forwarded("10.1.2.3, 10.9.0.1"), 200),
    "three proxies for a trusted host": (PROXY, forwarded("10.1.2.3, 10.9.0.1, 2001:db9::1"), 200),
    "two proxies for a stranger": (PROXY, forwarded("10.1.2.3, 8.8.8.8, 10.9.0.1"), 401),
    "two headers, the last counts": (PROXY, forwarded("8.8.8.8", "10.1.2.3"), 200),
    "two headers, the first does not": (PROXY, forwarded("10.1.2.3", "8.8.8.8"), 401),
    "two headers, a proxy in the last": (PROXY, forwarded("10.1.2.3", "10.9.0.1"), 200),
    "only proxies": (PROXY, forwarded("10.9.0.1, 10.9.0.2"), 401),
    "proxy for itself": (PROXY, forwarded(PROXY), 401),
    "IPv6": (PROXY, forwarded("2001:db8::1"), 200),
    "IPv6, written otherwise": (PROXY, forwarded("2001:0DB8:0:0:0:0:0:1"), 200),
    "IPv6 stranger": (PROXY, forwarded("2001:dba::1"), 401),
    "IPv4 as IPv6": (PROXY, forwarded("::ffff:10.1.2.3"), 200),
    "IPv4 as IPv6, in hexadecimal": (PROXY, forwarded("::ffff:a01:203"), 200),
    "IPv4 as IPv6, stranger": (PROXY, forwarded("::ffff:8.8.8.8"), 401),
    "IPv4 as IPv6, a proxy": (PROXY, forwarded("10.1.2.3, ::ffff:10.9.0.1"), 200),
    "IPv4 in the IPv6 of old": (PROXY, forwarded("::10.1.2.3"), 401),
    "50 addresses": (PROXY, forwarded(", ".join(["10.1.2.3"] + ["10.9.0.1"] * 49)), 200),
    "51 addresses": (PROXY, forwarded(", ".join(["10.1.2.3"] + ["10.9.0.1"] * 50)), 400),
    **{f"proxy, no address: {text!r}": (PROXY, forwarded(text), 400) for text in NO_ADDRESS},
    **{f"stranger, {name}": (STRANGER, [(name, "10.1.2.3")], 401) for name in IGNORED},
    **{f"proxy, {name}": (PROXY, [(name, "10.1.2.3")], 401) for name in IGNORED},
    **{f"{peer}, Forwarded": (peer, [("Forwarded", "for=10.1.2.3")], 401) for peer in (STRANGER, PROXY)},
}


@pytest.mark.parametrize(("peer", "headers", "status"), ROWS.values(), ids=ROWS)
def test_who_is_trusted(guarded: Server, peer: str, headers: list[tuple[str, str]], status: int) -> None:
    assert send(guarded, METHODS, TEXT_XML, *headers, source=peer).status == status
    target = "/api.php?action=system.listMethods"
    assert send(guarded, b"", *headers, method="GET", target=target, source=peer).status == status


def test_nobody_is_trusted_by_default(server: Server) -> None:
    assert send(server, METHODS, TEXT_XML).status == 401


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site"])
def test_what_a_web_page_makes_a_browser_send_is_not_trusted(guarded: Server, name: str) -> None:
    """The browser runs on the trusted host, the page does not."""
    request = (name, "null" if name == "Origin" else "cross-site")

    for target in ("/api.php?action=system.listMethods", "/xmlapi/xmlapi"):
        method = "GET" if target.startswith("/api") else "POST"
        assert send(guarded, b"", request, method=method, target=target, source=TRUSTED).status == 401


ADDRESSES = {
    "10.1.2.3": True,
    "::ffff:10.1.2.3": True,
    "10.2.0.0": False,
    "2001:db8:ffff::1": True,
    "2001:db9::": False,
    "::1": False,
    "::ffff:127.0.0.1": False,
    "": False,
    "localhost": False,
    "10.1.2.3\n": False,
    "10.1.2.03": False,
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items())
def test_an_address_is_in_a_network_or_not(address: str, expected: bool) -> None:
    assert is_in(address, test_config("sqlite:///x", trusted_hosts=HOSTS).trusted_hosts) is expected


BAD_CREDENTIALS = {
    "empty": "",
    "another scheme": "Basic eDp5",
    "not complete": "Digest username=x",
    "nonsense": "\udcff",
}


@pytest.mark.parametrize("value", BAD_CREDENTIALS.values(), ids=BAD_CREDENTIALS)
def test_bad_credentials_from_a_trusted_host_are_refused(trusting: Server, value: str) -> None:
    assert send(trusting, METHODS, TEXT_XML, ("Authorization", value)).status == 401
    target = "/api.php?action=system.listMethods"
    assert send(trusting, b"", ("Authorization", value), method="GET", target=target).status == 401


def test_a_wrong_password_from_a_trusted_host_is_refused(server: Server, trusting: Server) -> None:
    assert send(trusting, METHODS, TEXT_XML, signed(server, "ssp-root", "wrong")).status == 401


QUERIES = [
    "username=ssp-root&apipassword=x",
    "username=ssp-root",
    "username=",
    "apipassword=x",
    "apipassword=",
]


@pytest.mark.parametrize("query", QUERIES)
def test_wrong_or_half_credentials_in_a_query_from_a_trusted_host_are_refused(trusting: Server, query: str) -> None:
    target = f"/api.php?action=system.listMethods&{query}"

    assert send(trusting, method="GET", target=target).status == 401


def test_right_credentials_from_a_trusted_host_are_those_of_the_caller(
    server: Server, trusting: Server, reseller: Any, customers: Any
) -> None:
    other = f"<struct>{member('i_wholesaler', customers.reseller().i_customer)}</struct>"
    mine = customers.make(reseller)

    def call(content: str) -> Reply:
        authorization = signed(server, reseller.login, reseller.password)
        return send(trusting, document("listCustomers", content), authorization, TEXT_XML)

    assert [row["i_customer"] for row in call("<struct/>").value["customers"]] == [mine]
    assert call(other).fault == (401, "Wrong i_wholesaler")


@pytest.fixture
def host(trusting: Server) -> Api:
    """A client on a trusted host, without credentials."""
    return trusting.api(None)


class TestOnWhoseBehalf:
    def test_i_wholesaler_names_the_caller(self, host: Api, reseller: Any, customers: Any) -> None:
        mine = customers.make(reseller)

        rows = host.listCustomers(i_wholesaler=reseller.i_customer)["customers"]

        assert [row["i_customer"] for row in rows] == [mine]

    def test_its_rights_are_those_of_the_customer(self, host: Api, root: Api, reseller: Any, refused: Any) -> None:
        root.updateCustomer(i_customer=reseller.i_customer, customers_mgmt=0)

        with refused(403):
            host.createCustomer(i_wholesaler=reseller.i_customer, name="x", web_password="s3cret-Web", i_tariff=None)

    def test_it_sees_nothing_outside_of_the_customer(
        self, host: Api, reseller: Any, customers: Any, refused: Any
    ) -> None:
        other = customers.reseller()

        with refused(404, "Customer not found"):
            host.getCustomerInfo(i_wholesaler=reseller.i_customer, i_customer=other.i_customer)

    @pytest.mark.parametrize("absent", [{}, {"i_wholesaler": None}, {"i_wholesaler": ""}])
    def test_it_is_required(self, host: Api, refused: Any, absent: dict[str, Any]) -> None:
        with refused(400, "Parameter i_wholesaler is required"):
            host.listCustomers(**absent)

    def test_what_calls_it_i_customer_requires_that(self, host: Api, refused: Any) -> None:
        with refused(400, "Parameter i_customer is required"):
            host.getDictionary(name="currencies")

    @pytest.mark.parametrize("unknown", [2**31 - 1, "2147483647", 2_000_000.0])
    def test_an_unknown_one_is_refused(self, host: Api, refused: Any, unknown: Any) -> None:
        with refused(401, "Wrong i_wholesaler"):
            host.listCustomers(i_wholesaler=unknown)

    @pytest.mark.parametrize(("bad", "code"), [("x", -32602), ([1], -32602), (0, 400), (-1, 400), (1.5, -32602)])
    def test_one_that_is_no_id_is_refused(self, host: Api, refused: Any, bad: Any, code: int) -> None:
        with refused(code):
            host.listCustomers(i_wholesaler=bad)

    def test_a_blocked_one_is_refused_like_an_unknown_one(
        self, host: Api, root: Api, reseller: Any, customers: Any, refused: Any
    ) -> None:
        child = customers.reseller(reseller)
        root.blockCustomer(i_customer=reseller.i_customer)

        for customer in (reseller, child):
            with refused(401, "Wrong i_wholesaler"):
                host.listCustomers(i_wholesaler=customer.i_customer)

    def test_methods_for_anybody_need_none(self, host: Api) -> None:
        assert "createCustomer" in host.proxy.system.listMethods()

    def test_each_call_of_a_multicall_names_its_own(self, host: Api, reseller: Any, customers: Any) -> None:
        mine = customers.make(reseller)
        calls = [{}, {"i_wholesaler": reseller.i_customer}, {"i_wholesaler": mine}]

        first, second, third = host.proxy.system.multicall(
            [{"methodName": "listCustomers", "params": [params]} for params in calls]
        )

        assert first == {"faultCode": 400, "faultString": "Parameter i_wholesaler is required"}
        assert [row["i_customer"] for row in second[0]["customers"]] == [mine]
        assert third[0]["customers"] == []


class TestInNormalMode:
    def test_a_client_may_name_himself(self, reseller: Any, customers: Any) -> None:
        mine = customers.make(reseller)

        for same in (reseller.i_customer, str(reseller.i_customer), float(reseller.i_customer), None, ""):
            rows = reseller.listCustomers(i_wholesaler=same)["customers"]
            assert [row["i_customer"] for row in rows] == [mine]

    @pytest.mark.parametrize("nobody", [0, "0", -1, "", "x", 1.5, [], {}, [1], "1e3"])
    def test_what_names_nobody_does_not_matter(self, reseller: Any, customers: Any, nobody: Any) -> None:
        """Clients send it always, whatever they have for it."""
        mine = customers.make(reseller)

        assert [row["i_customer"] for row in reseller.listCustomers(i_wholesaler=nobody)["customers"]] == [mine]
        assert reseller.listAccounts(i_customer=nobody)["accounts"] == []

    def test_he_may_name_nobody_else(self, root: Api, reseller: Any, customers: Any, refused: Any) -> None:
        child = customers.reseller(reseller)

        for other in (child.i_customer, customers.reseller().i_customer, 1, 2**31 - 1, "99999999999999999999"):
            with refused(401, "Wrong i_wholesaler"):
                reseller.listCustomers(i_wholesaler=other)

    def test_not_even_root_may(self, root: Api, reseller: Any, refused: Any) -> None:
        with refused(401, "Wrong i_wholesaler"):
            root.listCustomers(i_wholesaler=reseller.i_customer)

    def test_it_creates_nothing_elsewhere(self, root: Api, reseller: Any, customers: Any, refused: Any) -> None:
        other = customers.reseller()

        with refused(401, "Wrong i_wholesaler"):
            reseller.createCustomer(i_wholesaler=other.i_customer, name="x", web_password="s3cret-Web", i_tariff=None)
        assert other.listCustomers()["customers"] == []


OVERLAPS = [
    ("10.1.2.3", "10.1.2.3"),
    ("10.1.0.0/16", "10.1.2.3"),
    ("10.1.2.3", "10.0.0.0/8"),
    ("0.0.0.0/0", "10.1.2.3"),
    ("2001:db8::/32", "2001:db8::1"),
    ("::/0", "2001:db8::1"),
    ("10.0.0.0/8", "::ffff:10.0.0.5"),
    ("::ffff:10.0.0.5", "10.0.0.0/8"),
]


@pytest.mark.parametrize(("host_network", "proxy_network"), OVERLAPS)
def test_a_proxy_that_is_trusted_refuses_to_start(host_network: str, proxy_network: str) -> None:
    """Everybody behind it would be trusted."""
    with pytest.raises(ConfigError, match=r"overlap|IPv4"):
        test_config("sqlite:///x", trusted_hosts=["8.8.8.8", host_network], trusted_proxies=["8.8.4.4", proxy_network])


def test_a_proxy_that_does_not_tell_is_never_trusted_itself(server: Server) -> None:
    """Not even where the refusal to start was got around."""
    config = test_config(server.config.database_url, trusted_proxies=PROXIES)
    overlapping = config.model_copy(update={"trusted_hosts": config.trusted_proxies})
    running = Server(overlapping, "")

    for headers in ([], forwarded("10.9.0.1"), forwarded(PROXY)):
        assert send(running, METHODS, TEXT_XML, *headers, source=PROXY).status == 401

    running.close()


def test_networks_side_by_side_are_fine() -> None:
    config = test_config("sqlite:///x", trusted_hosts=HOSTS, trusted_proxies=PROXIES)

    assert isinstance(config, Config)
