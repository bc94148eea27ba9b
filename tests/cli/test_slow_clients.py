"""Clients that hold connections and do nothing with them are dropped in time; other calls go on meanwhile."""

import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import holders
import pytest
from commandline import CommandLine
from holders import HEAD, KINDS
from wire import LIST, PATH

CLIENTS = 500
MARGIN = 5
MEGABYTE = 1024  # in the kB of /proc
DEADLINES = {
    "idle": "header_seconds",
    "dripping_headers": "header_seconds",
    "dripping_bodies": "body_seconds",
    "partial_bodies": "body_seconds",
    "idle_after_a_call": "keepalive_seconds",
    "not_reading": "send_seconds",
}
SECONDS = {  # in the suite, and by default
    "header_seconds": (4, 15),
    "body_seconds": (4, 10),
    "keepalive_seconds": (4, 30),
    "send_seconds": (4, 20),
}


class Canary(threading.Thread):
    """Asks for health and makes a call, again and again, and notes how long each took."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._stopped = threading.Event()
        self.health: list[float] = []
        self.calls: list[float] = []

    def run(self) -> None:
        while not self._stopped.wait(0.02):
            self.health.append(_timed(self._port, "/healthz"))
            self.calls.append(_timed(self._port, PATH, LIST))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _timed(port: int, path: str, body: bytes | None = None) -> float:
    """How long a request takes that must succeed."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "text/xml"})
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
        answer.read()
    return time.perf_counter() - started


def _resident(pid: int) -> int:
    """The memory of a process, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


@pytest.fixture
def trusting(cli: CommandLine) -> CommandLine:
    cli.environ |= {"XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1", "XMLRPC_API_LOG_LEVEL": "ERROR"}
    return cli


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_held_connections_are_dropped_while_other_calls_go_on(
    trusting: CommandLine, kind: str, length: Callable[[float, float], float]
) -> None:
    seconds = {name: length(*values) for name, values in SECONDS.items()}
    trusting.environ |= {f"XMLRPC_API_{name.upper()}": str(value) for name, value in seconds.items()}

    with trusting.serving() as process:
        canary = Canary(trusting.port)
        canary.start()
        before = _resident(process.pid)
        command = [sys.executable, holders.__file__, str(trusting.port), kind, str(CLIENTS)]
        held = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
        growth = _resident(process.pid) - before
        canary.stop()

    assert len(held) == CLIENTS
    assert max(held) < seconds[DEADLINES[kind]] + MARGIN
    assert _p99(canary.health) < length(1, 0.25)  # the suite runs beside another one
    assert _p99(canary.calls) < length(4, 1)
    assert growth < 320 * MEGABYTE


@pytest.mark.soak
def test_idle_connections_make_room_for_new_ones(cli: CommandLine) -> None:
    cli.environ |= {"XMLRPC_API_CONNECTIONS": "100"}

    async def crowd() -> int:
        """How many of 300 are held."""
        lines = [await asyncio.open_connection("127.0.0.1", cli.port) for _ in range(300)]
        await asyncio.to_thread(_timed, cli.port, "/healthz")
        await asyncio.sleep(0.2)
        held = sum(not reader.at_eof() for reader, _writer in lines)
        for _reader, writer in lines:
            writer.transport.abort()
        return held

    with cli.serving():
        assert asyncio.run(crowd()) <= 100


@pytest.mark.soak
def test_bodies_beyond_the_budget_are_refused_until_there_is_room(trusting: CommandLine) -> None:
    trusting.environ |= {"XMLRPC_API_BODY_BUDGET": "1048576"}
    head = f"{HEAD}Content-Length: 600000\r\n\r\n".encode()

    async def bodies() -> tuple[bytes, bytes]:
        """The first lines of the answers to a body that is not complete, and to another one meanwhile."""
        (first, to_first), (second, to_second) = [
            await asyncio.open_connection("127.0.0.1", trusting.port) for _ in range(2)
        ]
        to_first.write(head + b" " * 590_000)
        await asyncio.sleep(0.2)
        to_second.write(head + b" " * 590_000)
        refused = await asyncio.wait_for(second.readline(), 5)
        to_first.write(b" " * 10_000)
        answered = await asyncio.wait_for(first.readline(), 5)
        for writer in (to_first, to_second):
            writer.transport.abort()
        return answered, refused

    with trusting.serving():
        answered, refused = asyncio.run(bodies())
        assert answered.startswith(b"HTTP/1.1 200 ")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert _timed(trusting.port, PATH, LIST) < 1
