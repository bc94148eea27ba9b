"""Clients that hold connections and do nothing with them are dropped in time; other calls go on meanwhile."""

import asyncio
import itertools
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable

import holders
import pytest
from canary import MEGABYTE, Canary, resident, timed
from commandline import CommandLine
from holders import HEAD, KINDS, until_closed
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
    "header_seconds": (2, 15),
    "body_seconds": (2, 10),
    "keepalive_seconds": (3, 30),
    "send_seconds": (2, 20),
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
        command = [sys.executable, holders.__file__, str(trusting.port), kind, str(CLIENTS), str(length(1, 3))]
        held = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
        growth = resident(process.pid) - before
        canary.stop()

    assert len(held) == CLIENTS
    assert max(held) < length(math.inf, seconds[DEADLINES[kind]] + MARGIN)
    assert _p99(canary.health) < length(math.inf, 0.25)
    assert _p99(canary.calls) < length(math.inf, 1)
    assert growth < 320 * MEGABYTE


@pytest.mark.soak
def test_idle_connections_make_room_for_new_ones(cli: CommandLine) -> None:
    cli.environ |= {"XMLRPC_API_CONNECTIONS": "100"}

    async def crowd() -> int:
        """300 come; how many are sent away, 200 at most being waited for."""
        lines = [await asyncio.open_connection("127.0.0.1", cli.port) for _ in range(300)]
        await asyncio.to_thread(timed, cli.port, "/healthz")
        async with asyncio.timeout(60):
            gone = asyncio.as_completed([until_closed(reader) for reader, _writer in lines])
            sent_away = 0
            for closed in itertools.islice(gone, 200):
                await closed
                sent_away += 1
        for _reader, writer in lines:
            writer.transport.abort()
        return sent_away

    with cli.serving():
        assert asyncio.run(crowd()) == 200


@pytest.mark.soak
def test_bodies_beyond_the_budget_are_refused_until_there_is_room(trusting: CommandLine) -> None:
    trusting.environ |= {"XMLRPC_API_BODY_BUDGET": "1048576", "XMLRPC_API_BODY_SECONDS": "120"}
    head = f"{HEAD}Content-Length: 600000\r\n\r\n".encode()

    async def bodies() -> tuple[bytes, bytes]:
        """The first lines of the answers to a body that is not complete, and to another one meanwhile."""
        first, to_first = await asyncio.open_connection("127.0.0.1", trusting.port)
        to_first.write(head + b" " * 590_000)
        async with asyncio.timeout(60):
            while not (refused := await whole()).startswith(b"HTTP/1.1 503 "):
                continue  # the first one has not been read so far
            to_first.write(b" " * 10_000)
            answered = await first.readline()
        to_first.transport.abort()
        return answered, refused

    async def whole() -> bytes:
        """The first line of the answer to a body that is sent at once."""
        reader, writer = await asyncio.open_connection("127.0.0.1", trusting.port)
        writer.write(head + b" " * 600_000)
        line = await reader.readline()
        writer.transport.abort()
        return line

    with trusting.serving():
        answered, refused = asyncio.run(bodies())
        assert answered.startswith(b"HTTP/1.1 200 ")
        assert refused.startswith(b"HTTP/1.1 503 ")
        timed(trusting.port, PATH, LIST)
