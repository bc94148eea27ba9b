"""Metrics on a listener of their own, as `serve` opens it: of one process, and of several workers together."""

import http.client
import socket
import time
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from commandline import CommandLine, free_port
from sqlalchemy import make_url
from wire import PATH

PATIENCE = 20
CALLS = 'xmlrpc_api_calls_total{dialect="xmlrpc",method="listCustomers"}'
POOL = "xmlrpc_api_pool_in_use"


class Installation:
    """A server with metrics, called from a trusted host."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli
        self.metrics_port = free_port()
        cli.environ |= {
            "XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1",
            "XMLRPC_API_METRICS_PORT": str(self.metrics_port),
            "XMLRPC_API_LOG_LEVEL": "ERROR",
        }

    @property
    def api(self) -> Any:
        """A client with a connection of its own, which any of the workers may accept."""
        return xmlrpc.client.ServerProxy(f"http://127.0.0.1:{self.cli.port}{PATH}", allow_none=True)

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    def until(self, name: str, is_right: Callable[[float], bool]) -> float:
        """Wait until a number is right; it."""
        end = time.monotonic() + PATIENCE
        while not is_right(value := self.metrics().get(name, 0)):
            assert time.monotonic() < end, f"{name} is {value}"
            time.sleep(0.05)
        return value

    def status(self, port: int, path: str) -> int:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        line.request("GET", path)
        status = line.getresponse().status
        line.close()
        return status

    def call_until_every_worker_has(self, workers: list[psutil.Process]) -> int:
        """Call on new connections until each worker has one; how many calls it took."""
        held, calls = [], 0
        while not all(_is_called(worker, self.cli.port) for worker in workers):
            held.append(self.api)
            assert held[-1].listCustomers({"limit": 0, "i_wholesaler": 1})["result"] == "OK"
            calls += 1
            assert calls < 1000
        for api in held:
            api("close")()
        return calls


def _is_called(worker: psutil.Process, port: int) -> bool:
    return any(line.status == "ESTABLISHED" and line.laddr.port == port for line in worker.net_connections("tcp"))


@pytest.fixture
def one(cli: CommandLine) -> Installation:
    return Installation(cli)


@pytest.fixture
def two(ready: Callable[..., CommandLine]) -> Installation:
    """Two workers, on PostgreSQL; what waits for a lock may wait for long."""
    return Installation(ready("postgresql", workers="2", lock_seconds="60", statement_seconds="60"))


def _workers(process: Any, port: int) -> list[psutil.Process]:
    """The children that listen for calls."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = [
            child
            for child in psutil.Process(process.pid).children()
            if any(line.status == "LISTEN" and line.laddr.port == port for line in child.net_connections("tcp"))
        ]
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise AssertionError("there are not two workers")


def test_one_process_counts_its_calls_and_is_measured(one: Installation) -> None:
    with one.cli.serving(), one.api as api:
        api.listCustomers({"limit": 0, "i_wholesaler": 1})

        assert one.until(CALLS, bool) == 1
        assert POOL in one.metrics()


@pytest.mark.parametrize("workers", ["one", "two"])
def test_health_is_told_beside_the_metrics_and_metrics_there_alone(
    request: pytest.FixtureRequest, workers: str
) -> None:
    installation: Installation = request.getfixturevalue(workers)
    with installation.cli.serving():
        aside = {path: installation.status(installation.metrics_port, path) for path in ("/healthz", "/readyz", PATH)}
        beside = {
            path: installation.status(installation.cli.port, path) for path in ("/healthz", "/readyz", "/metrics")
        }

    assert aside == {"/healthz": 200, "/readyz": 200, PATH: 404}
    assert beside == {"/healthz": 200, "/readyz": 200, "/metrics": 404}


def test_the_calls_of_all_workers_are_counted_together_and_outlive_them(two: Installation) -> None:
    with two.cli.serving() as process:
        calls = two.call_until_every_worker_has(_workers(process, two.cli.port))
        assert two.until(CALLS, lambda value: value >= calls) == calls

        for worker in (workers := _workers(process, two.cli.port)):
            worker.kill()
        psutil.wait_procs(workers, timeout=PATIENCE)
        more = two.call_until_every_worker_has(_workers(process, two.cli.port))

        assert two.until(CALLS, lambda value: value >= calls + more) == calls + more


def test_what_a_dead_worker_was_at_does_not_count(two: Installation, postgres: Any) -> None:
    """Its connection was at work when it died, and nobody told that it is not any more."""
    url = two.cli.environ["XMLRPC_API_DATABASE_URL"]
    with two.cli.serving() as process, ThreadPoolExecutor(2) as pool, two.api as api:
        made = api.createCustomer({"name": "acme", "web_password": "s3cret", "i_tariff": None, "i_wholesaler": 1})
        with _locked(postgres, make_url(url).database, made["i_customer"]):
            waiting = pool.submit(_swallow, api.blockCustomer, {"i_customer": made["i_customer"], "i_wholesaler": 1})
            two.until(POOL, lambda value: value > 0)

            for worker in (workers := _workers(process, two.cli.port)):
                worker.kill()
            psutil.wait_procs(workers, timeout=PATIENCE)

            two.until(POOL, lambda value: value == 0)
            waiting.result(PATIENCE)


@contextmanager
def _locked(postgres: Any, database: str | None, i_customer: int) -> Iterator[None]:
    """Hold the row of a customer."""
    holder = f"SELECT 1 FROM customers WHERE i_customer = {i_customer} FOR UPDATE; SELECT pg_sleep(60)"
    pids = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(postgres.psql, f"\\c {database}\nBEGIN; {holder}; COMMIT;")
        try:
            end = time.monotonic() + PATIENCE
            while "(1 row)" not in postgres.psql(f"{pids};"):
                assert not held.done() or held.result()
                assert time.monotonic() < end
            yield
        finally:
            postgres.psql(f"SELECT pg_terminate_backend(pid) FROM ({pids}) AS holders;")
            held.exception(PATIENCE)


def _swallow(work: Callable[[Any], Any], params: Any) -> None:
    try:
        work(params)
    except (OSError, http.client.HTTPException):
        return


def test_a_port_that_is_taken_is_told(one: Installation) -> None:
    with socket.create_server(("127.0.0.1", one.metrics_port)):
        assert "Cannot listen" in one.cli.run_apart("serve", code=2).stderr
