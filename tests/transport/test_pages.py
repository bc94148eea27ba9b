"""The pages beside the calls: the reference, health, readiness and metrics."""

import http.client
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from faces import Api
from harness import Server
from harness import test_config as new_config
from sqlalchemy import make_url
from wire import LIST, TEXT_XML, Reply, document, post, send, signed

from xmlrpc_api.declaration import faults
from xmlrpc_api.declaration.fields import Field
from xmlrpc_api.dialects.switch import METHODS

pytestmark = pytest.mark.one_engine


def get(server: Server, path: str) -> Reply:
    return send(server, method="GET", target=path)


class Text(HTMLParser):
    """The text of a page, in one section for each heading of the second level."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections = {"": ""}
        self.current = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h2":
            self.current = dict(attrs)["id"]
            self.sections[self.current] = ""

    def handle_data(self, data: str) -> None:
        self.sections[self.current] += data

    def handle_endtag(self, tag: str) -> None:
        self.sections[self.current] += " "


@pytest.fixture(scope="module")
def sections(server: Server) -> dict[str, str]:
    return Text(get(server, "/docs").body.decode()).sections


def flat(fields: tuple[Field, ...]) -> list[Field]:
    return [one for field in fields for one in (field, *flat(field.members))]


@pytest.mark.parametrize("name", METHODS)
class TestReference:
    def test_every_method_has_a_section(self, sections: dict[str, str], name: str) -> None:
        assert sections[name].startswith(name)
        assert METHODS[name].documentation.splitlines()[0] in sections[name]
        assert METHODS[name].right.explanation in sections[name]

    def test_it_describes_every_parameter_and_answer(self, sections: dict[str, str], name: str) -> None:
        returns = METHODS[name].returns
        answers = flat(returns) if isinstance(returns, tuple) else []
        for field in [*flat(METHODS[name].documented_params), *answers]:
            assert field.name in sections[name]
            assert field.doc in sections[name]

    def test_it_lists_the_faults(self, sections: dict[str, str], name: str) -> None:
        for fault in METHODS[name].expected_faults:
            assert f"{fault.code} {fault.summary}" in " ".join(sections[name].split())

    def test_its_example_is_a_call(self, sections: dict[str, str], name: str) -> None:
        assert f"<methodName>{name}</methodName>" in sections[name]
        assert "<methodResponse>" in sections[name]
        assert "As JSON: [" in sections[name]


def test_the_reference_lists_every_fault(sections: dict[str, str]) -> None:
    text = " ".join(sections["faults"].split())

    for fault in faults.Fault.__subclasses__():
        assert f"{fault.code} {fault.summary}" in text


def test_the_reference_is_a_page_for_anybody(server: Server) -> None:
    reply = get(server, "/docs")

    assert reply.status == 200
    assert reply.header("Content-Type").startswith("text/html")
    assert "<script" not in reply.body.decode()


def test_health_and_readiness_need_no_credentials(server: Server) -> None:
    assert (get(server, "/healthz").status, get(server, "/healthz").body) == (200, b"ok\n")
    assert (get(server, "/readyz").status, get(server, "/readyz").body) == (200, b"ready\n")


@pytest.mark.parametrize("path", ["/docs", "/healthz", "/readyz"])
def test_pages_are_read_only(server: Server, path: str) -> None:
    assert send(server, method="POST", target=path).status == 405


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/docs/", "/docs/../etc/passwd", "/%2e%2e/", "/xmlapi", "/xmlapi/xmlapi/"]
)
def test_there_is_nothing_else(server: Server, path: str) -> None:
    assert get(server, path).status == 404


@pytest.fixture
def lost(engine: str, new_database: Callable[[str], str]) -> Iterator[Server]:
    """A server whose database is not there any more."""
    before = set(threading.enumerate())
    if engine == "postgresql":
        running = Server(new_config("postgresql://nobody@127.0.0.1:1/nothing"), "")
    else:
        url = new_database(engine)
        running = Server(new_config(url), "")
        folder = Path(url.removeprefix("sqlite:///")).parent
        while folder.exists():  # the server may be opening the file just now
            shutil.rmtree(folder, ignore_errors=True)
    yield running
    for thread in set(threading.enumerate()) - before:
        if "_connection_worker_thread" in thread.name:  # aiosqlite's, about to tell the loop that it ends
            thread.join(5)
    running.close()


@pytest.mark.each_engine
class TestWithoutDatabase:
    def test_it_is_alive_but_not_ready(self, lost: Server) -> None:
        assert get(lost, "/healthz").status == 200
        assert (get(lost, "/readyz").status, get(lost, "/readyz").body) == (
            503,
            b"the database does not answer, or is empty\n",
        )

    def test_a_call_is_to_be_tried_again(self, lost: Server) -> None:
        """HTTP 503, because nobody knows who the caller is."""
        reply = send(lost, LIST, signed(lost, "ssp-root", "x"), TEXT_XML)

        assert reply.status == 503
        assert reply.fault == (-32400, "Temporarily unavailable, try again later")

    def test_so_is_a_call_through_the_gateway(self, lost: Server) -> None:
        reply = get(lost, "/api.php?username=a&apipassword=b&action=listCustomers")

        assert reply.status == 503
        assert b'"faultCode": -32400' in reply.body

    def test_whoever_brings_no_credentials_is_still_asked_for_them(self, lost: Server) -> None:
        assert send(lost).status == 401


@pytest.mark.each_engine
def test_without_tables_it_is_not_ready(engine: str, new_database: Callable[[str], str]) -> None:
    empty = Server(new_config(new_database(engine)), "")

    assert get(empty, "/readyz").status == 503

    empty.close()


def get_aside(server: Server, path: str, method: str = "GET") -> Reply:
    """Ask the listener of the metrics."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.metrics_port, 30)) as line:
        return send(server, method=method, target=path, connection=line)


class TestMetricsListener:
    @pytest.mark.parametrize(("path", "body"), [("/healthz", b"ok\n"), ("/readyz", b"ready\n")])
    def test_it_tells_health_and_readiness(self, server: Server, path: str, body: bytes) -> None:
        reply = get_aside(server, path)

        assert (reply.status, reply.body) == (200, body)

    @pytest.mark.parametrize("path", ["/docs", "/xmlapi/xmlapi", "/api.php", "/ngnpro/", "/"])
    def test_there_is_nothing_else(self, server: Server, path: str) -> None:
        assert get_aside(server, path).status == 404

    @pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
    def test_it_is_read_only(self, server: Server, path: str) -> None:
        assert get_aside(server, path, "POST").status == 405


@contextmanager
def without_writing(server: Server, postgres: Any) -> Iterator[None]:
    """SQLite: somebody else writes and does not end. PostgreSQL: it has become one that may only be read."""
    database = make_url(server.config.database_url).database
    if server.config.is_sqlite:
        with closing(sqlite3.connect(str(database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    for setting in ("on", "off"):
        postgres.psql(f"ALTER DATABASE {database} SET default_transaction_read_only = {setting};")
        postgres.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}';")
        if setting == "on":
            yield


def status_is(server: Server, status: int) -> bool:
    """Whether it is ready, or not, sooner or later: connections that were ended are made again."""
    end = time.monotonic() + 20
    while get_aside(server, "/readyz").status != status:
        if time.monotonic() > end:
            return False
    return True


@pytest.mark.each_engine
def test_it_is_not_ready_while_nothing_can_be_written(
    fresh: Server, engine: str, request: pytest.FixtureRequest
) -> None:
    postgres = request.getfixturevalue("postgres") if engine == "postgresql" else None
    assert get_aside(fresh, "/readyz").status == 200

    with without_writing(fresh, postgres):
        assert status_is(fresh, 503)
        assert get_aside(fresh, "/healthz").status == 200

    assert status_is(fresh, 200)


class TestMetrics:
    def read(self, server: Server) -> dict[str, float]:
        lines = get_aside(server, "/metrics").body.decode().splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    def growth(self, server: Server, before: dict[str, float], name: str) -> float:
        return self.read(server)[name] - before.get(name, 0)

    def test_calls_are_counted(self, server: Server, root: Api) -> None:
        before = self.read(server)

        root.listCustomers(limit=0)
        root.listCustomers(limit=0)

        name = 'xmlrpc_api_calls_total{dialect="xmlrpc",method="listCustomers"}'
        assert self.growth(server, before, name) == 2
        assert self.growth(server, before, 'xmlrpc_api_call_seconds_count{method="listCustomers"}') == 2

    def test_faults_are_counted_by_code(self, server: Server) -> None:
        before = self.read(server)

        post(server, document("getCustomerInfo"))

        name = 'xmlrpc_api_faults_total{code="400",dialect="xmlrpc",method="getCustomerInfo"}'
        assert self.growth(server, before, name) == 1

    def test_what_cannot_be_read_is_counted_on_each_face(self, server: Server) -> None:
        before = self.read(server)

        post(server, b"<")
        get(server, f"/api.php?username=ssp-root&apipassword={server.root_password}&action=m&JSONString=x")
        send(server, b"<", TEXT_XML, target="/ngnpro/")

        for dialect in ("xmlrpc", "rest", "soap"):
            name = f'xmlrpc_api_faults_total{{code="-32700",dialect="{dialect}",method="(unknown)"}}'
            assert self.growth(server, before, name) == 1

    def test_names_that_are_no_methods_do_not_make_series(self, server: Server) -> None:
        before = self.read(server)

        for number in range(5):
            post(server, document(f"canary{number}"))

        assert "canary" not in get_aside(server, "/metrics").body.decode()
        name = 'xmlrpc_api_calls_total{dialect="xmlrpc",method="(unknown)"}'
        assert self.growth(server, before, name) == 5

    def test_each_call_of_a_multicall_is_counted(self, server: Server, root: Api) -> None:
        before = self.read(server)

        root.proxy.system.multicall([{"methodName": "listCustomers", "params": []}] * 3)

        name = 'xmlrpc_api_calls_total{dialect="xmlrpc",method="listCustomers"}'
        assert self.growth(server, before, name) == 3

    def test_challenges_are_counted_on_each_face(self, server: Server) -> None:
        before = self.read(server)

        send(server)
        get(server, "/api.php")

        for dialect in ("xmlrpc", "rest"):
            name = f'xmlrpc_api_unauthenticated_total{{dialect="{dialect}"}}'
            assert self.growth(server, before, name) == 1

    def test_they_tell_no_version(self, server: Server) -> None:
        reply = get_aside(server, "/metrics")

        assert reply.header("Content-Type").startswith("text/plain")
        assert not re.search("python|aiohttp|[0-9]+\\.[0-9]+\\.[0-9]+", reply.body.decode(), re.IGNORECASE)
