"""The database goes away, freezes, fills up or turns read-only, and comes back: faults meanwhile, nothing is lost."""

import itertools
import math
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from commandline import CommandLine
from harness import until
from postgresql import ensure_running, open_folder, start_postgresql

from xmlrpc_api.declaration.faults import Unavailable

HELD = 424242  # an advisory lock by which a session tells that it has what it wants
LONGEST_ANSWER = 8
READY_SECONDS = 5
FILL = 1_000_000


class Postgres:
    """A PostgreSQL of its own, which may be hurt."""

    def __init__(self, folder: Path) -> None:
        self._server = start_postgresql(folder)
        self._server.psql("CREATE DATABASE own;")
        self.url: str = self._server.get_uri(database="own")
        self.psql = self._server.psql

    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self._server.get_pid())
        return [postmaster, *postmaster.children(recursive=True)]

    def signal(self, number: signal.Signals) -> None:
        """To the postmaster and all of its processes."""
        for process in self._processes():
            process.send_signal(number)

    def crash(self) -> None:
        """End it at once, as a power cut would."""
        processes = self._processes()
        self.signal(signal.SIGKILL)
        psutil.wait_procs(processes, timeout=10)

    def start(self) -> None:
        ensure_running(self._server)

    @contextmanager
    def holding(self, statement: str) -> Iterator[None]:
        """What a statement locks is held by a session beside the server's."""
        script = f"\\c own\nBEGIN; {statement}; SELECT pg_advisory_lock({HELD}); SELECT pg_sleep(3600);"
        with ThreadPoolExecutor(1) as pool:
            session = pool.submit(self.psql, script)
            try:
                until(lambda: "1" in self.psql(f"SELECT count(*) FROM pg_locks WHERE objid = {HELD};"))
                yield
            finally:
                self.psql(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = {HELD};")
                with suppress(subprocess.CalledProcessError):
                    session.result()

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    with open_folder() as folder:
        postgres = Postgres(folder / "pg")
        yield postgres
        postgres.close()


@pytest.fixture
def installation(own_postgres: Postgres, tmp_path: Path) -> CommandLine:
    return _trusting(CommandLine(tmp_path, own_postgres.url))


def _trusting(installation: CommandLine) -> CommandLine:
    installation.init()
    installation.environ |= {"XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1", "XMLRPC_API_LOG_LEVEL": "ERROR"}
    return installation


def _status(installation: CommandLine, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{installation.port}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def _until_status(installation: CommandLine, status: int) -> None:
    """Wait until it tells that it is ready, or not."""
    end = time.monotonic() + 30
    while (told := _status(installation, "/readyz")) != status:
        assert time.monotonic() < end, told
        time.sleep(0.1)


def _until_ready(installation: CommandLine) -> None:
    until(lambda: _status(installation, "/readyz") == 200)


class Clients:
    """Clients that read and book until they are stopped; each notes what it was answered, and when."""

    def __init__(self, installation: CommandLine, count: int = 4) -> None:
        self._url = f"http://127.0.0.1:{installation.port}/xmlapi/xmlapi"
        self._stopped = threading.Event()
        self.answers: list[tuple[float, int | str, float]] = []
        self.acknowledged: list[str] = []
        with self._connect() as api:
            new = {
                "name": f"acme-{time.monotonic_ns()}",
                "web_password": "s3cret-Web",
                "i_tariff": None,
                "i_wholesaler": 1,
            }
            self.i_customer: int = api.createCustomer(new)["i_customer"]
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _connect(self) -> Any:
        return xmlrpc.client.ServerProxy(self._url, allow_none=True)

    def _run(self, client: int) -> None:
        who = {"i_customer": self.i_customer, "i_wholesaler": 1}
        for number in itertools.count():
            if self._stopped.is_set():
                return
            with self._connect() as api:
                self._note(api.getCustomerInfo, who)
                key = f"{self.i_customer}-{client}-{number}"
                money = {**who, "amount": 1, "currency": "USD", "idempotency_key": key}
                if self._note(api.customerAddFunds, money) == "OK":
                    self.acknowledged.append(key)

    def _note(self, method: Callable[[Any], Any], params: dict[str, Any]) -> int | str:
        started = time.monotonic()
        try:
            method(params)
            outcome: int | str = "OK"
        except xmlrpc.client.Fault as fault:
            outcome = fault.faultCode
        except (OSError, xmlrpc.client.ProtocolError) as error:
            outcome = "gone" if self._stopped.is_set() else repr(error)
        self.answers.append((started, outcome, time.monotonic() - started))
        return outcome

    def since(self, moment: float) -> list[int | str]:
        """What was answered to calls that began since then, oldest first."""
        return [outcome for started, outcome, _seconds in self.answers if started > moment]

    def settle(self, *expected: int | str, calls: int = 24) -> None:
        """Wait until so many calls in turn were answered so, and not otherwise."""
        now = time.monotonic()
        until(lambda: len(latest := self.since(now)[-calls:]) == calls and set(latest) == set(expected))

    def booked(self) -> dict[str, int]:
        """Every booking that is there, with how often."""
        with self._connect() as api:
            entries = api.getLedger({"i_customer": self.i_customer, "i_wholesaler": 1})["ledger"]
        found: dict[str, int] = {}
        for entry in entries:
            found[entry["idempotency_key"]] = found.get(entry["idempotency_key"], 0) + 1
        return found

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)


@contextmanager
def _calling(installation: CommandLine) -> Iterator[Clients]:
    clients = Clients(installation)
    try:
        clients.settle("OK")
        yield clients
    finally:
        clients.stop()


def _goes(postgres: Postgres) -> None:
    postgres.crash()


def _freezes(postgres: Postgres) -> None:
    postgres.signal(signal.SIGSTOP)


def _comes_back(postgres: Postgres) -> None:
    postgres.start()


def _thaws(postgres: Postgres) -> None:
    postgres.signal(signal.SIGCONT)


OUTAGES = {"stopped": (_goes, _comes_back), "frozen": (_freezes, _thaws)}


@pytest.mark.soak
@pytest.mark.parametrize("outage", OUTAGES)
def test_without_its_database_it_says_so_and_recovers_by_itself(
    installation: CommandLine, own_postgres: Postgres, outage: str, length: Callable[[float, float], float]
) -> None:
    begin, end = OUTAGES[outage]
    with installation.serving(), _calling(installation) as clients:
        begin(own_postgres)
        gone = time.monotonic()
        assert _status(installation, "/readyz") == 503
        assert time.monotonic() - gone < length(math.inf, 2.5)
        assert _status(installation, "/healthz") == 200
        clients.settle(Unavailable.code, calls=4)
        until(lambda: time.monotonic() - gone > length(0, 8))
        end(own_postgres)
        back = time.monotonic()
        _until_ready(installation)
        assert time.monotonic() - back < length(math.inf, READY_SECONDS)
        clients.settle("OK")
        clients.stop()
        booked = clients.booked()

    assert {outcome for _started, outcome, _seconds in clients.answers} == {"OK", Unavailable.code}
    assert max(seconds for _started, _outcome, seconds in clients.answers) < length(math.inf, LONGEST_ANSWER)
    assert set(clients.acknowledged) <= booked.keys()
    assert max(booked.values()) == 1


@pytest.mark.soak
def test_killing_the_database_loses_and_doubles_nothing(
    installation: CommandLine, own_postgres: Postgres, length: Callable[[int, int], int]
) -> None:
    with installation.serving(), _calling(installation) as clients:
        for _ in range(length(2, 25)):
            own_postgres.crash()
            own_postgres.start()
            _until_ready(installation)
            clients.settle("OK")
        clients.stop()
        booked = clients.booked()

    assert {outcome for _started, outcome, _seconds in clients.answers} == {"OK", Unavailable.code}
    assert set(clients.acknowledged) <= booked.keys()
    assert max(booked.values()) == 1
    assert "Nothing is wrong" in installation.run("verify").stdout


def test_a_database_that_turned_read_only_is_unavailable_to_changes_alone(
    installation: CommandLine, own_postgres: Postgres
) -> None:
    with installation.serving(), _calling(installation) as clients:
        for setting in ("on", "off"):
            own_postgres.psql(f"ALTER DATABASE own SET default_transaction_read_only = {setting};")
            own_postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'own';")
            clients.settle("OK", *([Unavailable.code] if setting == "on" else []))


@pytest.mark.soak
def test_a_balance_that_somebody_else_has_locked_holds_up_no_other(
    installation: CommandLine, own_postgres: Postgres, length: Callable[[float, float], float]
) -> None:
    with installation.serving(), _calling(installation) as locked, _calling(installation) as others:
        begun = time.monotonic()
        with own_postgres.holding(f"SELECT 1 FROM balances WHERE i_customer = {locked.i_customer} FOR UPDATE"):
            until(lambda: Unavailable.code in locked.since(begun))
            others.settle("OK")
        ended = time.monotonic()
        for clients in (locked, others):
            clients.settle("OK")
            clients.stop()
        booked = locked.booked()

    meanwhile = [answer for answer in others.answers if begun < answer[0] < ended]
    assert {outcome for _started, outcome, _seconds in meanwhile} == {"OK"}
    assert max(seconds for _started, _outcome, seconds in meanwhile) < length(math.inf, 1)
    assert set(locked.since(0)) == {"OK", Unavailable.code}
    assert set(locked.acknowledged) <= booked.keys()


@pytest.mark.soak
def test_whoever_is_told_ok_at_its_end_finds_it_booked(
    installation: CommandLine, length: Callable[[int, int], int]
) -> None:
    for _ in range(length(2, 20)):
        with installation.serving() as process, _calling(installation) as clients:
            process.terminate()
            clients._stopped.set()
            assert process.wait(length(120, 25)) == 0
        with installation.serving():
            booked = clients.booked()
        assert set(clients.acknowledged) == booked.keys()


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system that can be filled."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user cannot mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    """A file that takes all the room."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (FILL, 4096):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return path


@contextmanager
def _on_small_disk(engine: str, folder: Path) -> Iterator[tuple[CommandLine, Path]]:
    with _small_disk(folder / "disk", {"sqlite": 20, "postgresql": 300}[engine]) as disk:
        if engine == "sqlite":
            yield _trusting(CommandLine(folder, f"sqlite:///{disk}/own.db")), disk
        else:
            disk.chmod(0o755)
            postgres = Postgres(disk / "pg")
            try:
                yield _trusting(CommandLine(folder, postgres.url)), disk
            finally:
                postgres.close()


def test_a_full_disk_acknowledges_nothing_that_is_not_stored(engine: str) -> None:
    with (
        open_folder() as folder,
        _on_small_disk(engine, folder) as (installation, disk),
        installation.serving(),
        _calling(installation) as clients,
    ):
        filler = _fill(disk)
        full = time.monotonic()
        until(lambda: Unavailable.code in clients.since(full))
        filler.unlink()
        _until_ready(installation)
        clients.settle("OK")
        clients.stop()
        booked = clients.booked()

    assert {outcome for _started, outcome, _seconds in clients.answers} == {"OK", Unavailable.code}
    assert set(clients.acknowledged) <= booked.keys()
    assert max(booked.values()) == 1


def test_a_process_that_is_told_to_end_twice_still_ends_in_order(installation: CommandLine) -> None:
    with installation.serving() as process, _calling(installation) as clients:
        for _ in range(2):
            os.kill(process.pid, signal.SIGTERM)
        clients._stopped.set()

        assert process.wait(120) == 0
