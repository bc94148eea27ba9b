"""Trusted hosts that are rows: added by root, seen by every server at once, and no wider than the settings could be."""

import itertools
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from books import findings
from commandline import CommandLine
from conftest import Customers
from faces import Api
from harness import Installed, Server, serving, until
from wire import TEXT_XML, document, send

from xmlrpc_api.access.trusted_hosts import KEEPS_SECONDS
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NotPermitted

pytestmark = pytest.mark.one_engine

METHODS = document("system.listMethods")
ROOTS = "Not permitted: trusted hosts are root's alone"
HANDS = "Not permitted: trusted hosts are changed with root's credentials alone"
PLACES = itertools.count(256, 256)  # a network of 256 addresses of this host for each


@pytest.fixture
def place() -> IPv4Address:
    """An address of this host, the first of a network that no other test uses."""
    return IPv4Address(0x7F4D0000 + next(PLACES))


@pytest.fixture
def trust(root: Api) -> Iterator[Callable[..., int]]:
    """Trusts a host until the test is over."""
    added: list[int] = []

    def add(ip: object, **attributes: Any) -> int:
        added.append(root.addTrustedHost(ip=str(ip), **attributes)["i_trusted_host"])
        return added[-1]

    yield add
    there = {row["i_trusted_host"] for row in root.listTrustedHosts()["trusted_hosts"]}
    for i_trusted_host in there.intersection(added):
        root.deleteTrustedHost(i_trusted_host=i_trusted_host)


def status(server: Server, place: IPv4Address) -> int:
    """How somebody there is answered who sends no credentials."""
    return send(server, METHODS, TEXT_XML, source=str(place)).status


@pytest.mark.each_engine
def test_every_server_trusts_one_and_does_not_any_more(
    server: Server, variant: Callable[..., Server], root: Api, trust: Callable[..., int], place: IPv4Address
) -> None:
    servers = [server, *(variant() for _ in range(2))]
    assert [status(one, place) for one in servers] == [401, 401, 401]

    i_host = trust(place)
    until(lambda: [status(one, place) for one in servers] == [200, 200, 200], 5)
    root.deleteTrustedHost(i_trusted_host=i_host)
    until(lambda: [status(one, place) for one in servers] == [401, 401, 401], 5)


@pytest.mark.parametrize("form", ["{}/25", "::ffff:{}", "::ffff:{}/121"])
def test_a_network_and_other_forms_are_what_they_mean(
    server: Server, trust: Callable[..., int], place: IPv4Address, form: str
) -> None:
    trust(form.format(place))
    inside = [place + (127 if "/" in form else 0)]

    until(lambda: all(status(server, one) == 200 for one in inside), 5)
    assert status(server, place + 128) == 401


def test_it_is_told_with_its_last_hour_and_those_of_the_settings(
    variant: Callable[..., Server], trust: Callable[..., int], place: IPv4Address
) -> None:
    server = variant(trusted_hosts=["192.0.2.0/24"])
    i_host = trust(place, description="Router")

    def told() -> dict[str, Any]:
        rows = server.api().listTrustedHosts()["trusted_hosts"]
        return next(row for row in rows if row["i_trusted_host"] == i_host)

    assert (told()["ip"], told()["description"], told()["last_used"]) == (str(place), "Router", None)
    until(lambda: status(server, place) == 200, 5)
    until(lambda: told()["last_used"] is not None, 5)
    assert (told()["last_used"].minute, told()["last_used"].second) == (0, 0)
    assert server.api().listTrustedHosts()["configured"] == ["192.0.2.0/24"]


@pytest.mark.each_engine
def test_it_is_noted_and_found_where_it_was_not(fresh: Server) -> None:
    i_host = fresh.api().addTrustedHost(ip="192.0.2.1")["i_trusted_host"]
    fresh.sql("UPDATE trusted_hosts SET ip = '192.0.2.2' WHERE i_trusted_host = :i_host", i_host=i_host)

    wrong = f"trusted host {i_host}: ip is 192.0.2.2, but the change history says 192.0.2.1"
    assert findings(fresh) == [wrong]


class TestWhoMay:
    def test_is_root_alone_whatever_rights_there_are(self, customers: Customers, refused: Any) -> None:
        reseller = customers.reseller(system_mgmt=1)

        for method, params in (
            ("addTrustedHost", {"ip": "192.0.2.9"}),
            ("deleteTrustedHost", {"i_trusted_host": 1}),
            ("listTrustedHosts", {}),
        ):
            with refused(NotPermitted.code, ROOTS):
                getattr(reseller, method)(**params)

    def test_is_nobody_without_credentials(self, variant: Callable[..., Server], refused: Any) -> None:
        host = variant(trusted_hosts=["127.0.0.1"]).api(None)

        with refused(NotPermitted.code, HANDS):
            host.addTrustedHost(ip="192.0.2.9")
        with refused(NotPermitted.code, HANDS):
            host.deleteTrustedHost(i_trusted_host=1)


class TestProxies:
    @pytest.mark.parametrize("ip", ["127.0.9.9", "127.0.9.0/25", "127.0.0.0/8", "0.0.0.0/0", "::ffff:127.0.9.9"])
    def test_are_refused(self, variant: Callable[..., Server], refused: Any, ip: str) -> None:
        server = variant(trusted_proxies=["127.0.9.0/24"])

        with refused(
            BadParameter.code,
            "Parameter ip overlaps trusted_proxies: everybody behind the proxy would be trusted",
        ):
            server.api().addTrustedHost(ip=ip)

    def test_are_left_out_where_the_settings_have_changed(
        self, server: Server, variant: Callable[..., Server], trust: Callable[..., int], place: IPv4Address
    ) -> None:
        trust(f"{place}/24")
        until(lambda: status(server, place) == 200, 5)
        later = variant(trusted_proxies=[str(place + 9)])

        assert [status(later, place), status(later, place + 9)] == [401, 401]


@pytest.mark.parametrize("ip", ["192.0.2.1/24", "host", "", "fe80::1%eth0", "::ffff:0:0/90", None])
def test_what_is_no_address_is_refused(root: Api, refused: Any, ip: str | None) -> None:
    with refused(BadParameter.code):
        root.addTrustedHost(ip=ip)


@pytest.mark.each_engine
def test_one_is_added_once(root: Api, trust: Callable[..., int], place: IPv4Address, refused: Any) -> None:
    trust(place)

    with refused(Conflict.code, "Parameter ip is already taken"):
        root.addTrustedHost(ip=f"{place}/32")
    with refused(NotFound.code, "Trusted host not found"):
        root.deleteTrustedHost(i_trusted_host=2**31 - 1)


def test_credentials_that_are_sent_count_there_too(
    server: Server, trust: Callable[..., int], place: IPv4Address
) -> None:
    trust(place)
    until(lambda: status(server, place) == 200, 5)

    wrong = ("Authorization", "Digest username=x")
    assert send(server, METHODS, TEXT_XML, wrong, source=str(place)).status == 401


def test_who_knocks_asks_the_database_twice_a_second_at_most(variant: Callable[..., Server]) -> None:
    server = variant()
    asked: list[object] = []

    async def count(database: Any) -> None:
        rows = database.rows

        async def counted(query: Any, **values: Any) -> Any:
            asked.append(query)
            return await rows(query, **values)

        database.rows = counted

    server.run(count)
    begun = time.monotonic()
    for _ in range(50):
        assert status(server, IPv4Address("127.0.0.3")) == 401

    assert len(asked) <= 1 + (time.monotonic() - begun) / KEEPS_SECONDS


def test_check_warns_of_one_that_is_public(installed: Callable[[str], Installed], tmp_path: Path) -> None:
    database = installed("sqlite")
    cli = CommandLine(tmp_path, database.url)
    warning = "Everybody at 8.8.8.8/32 may do everything without credentials"
    assert warning not in cli.run("check").stdout

    with serving(database) as server:
        server.api().addTrustedHost(ip="8.8.8.8")

    assert warning in cli.run("check").stdout
