"""Clients that hold connections and do nothing with them are dropped in time; other calls go on meanwhile."""

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Callable

import holders
import pytest
from canary import MEGABYTE, Canary, resident, timed
from commandline import CommandLine
from holders import HEAD, KINDS
from wire import LIST, PATH

CLIENTS = 500
MARGIN = 3
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
    "keepalive_seconds": (8, 30),
    "send_seconds": (4, 20),
}


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
        before = resident(process.pid)
        command = [sys.executable, holders.__file__, str(trusting.port), kind, str(CLIENTS)]
        held = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
        growth = resident(process.pid) - before
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
        await asyncio.to_thread(timed, cli.port, "/healthz")
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
        assert timed(trusting.port, PATH, LIST) < 1
