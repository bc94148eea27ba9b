"""
Load: a client in a process of its own, that keeps so many connections busy and looks into every answer.

A connection sends its next request when the last one is answered. When the time is over no more are sent, and those
under way are waited for: what a server has worked on counts, for slow ones as for fast ones. That, and that an answer
with HTTP 200 may be a fault, is why this is no `wrk`, which need not be installed.
"""

import asyncio
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.calls import Call

TIMEOUT_SECONDS = 30
FAULTS = (b"<fault>", b"faultCode", b":Fault")  # as XML-RPC, JSON and SOAP begin to tell one
BEGINNING = 400
SHOWN = 160
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
TIMEOUT, LOST = "time-out", "connection lost"


@dataclass(frozen=True)
class Load:
    """
    What clients saw.

    Attributes:
        answers: How many came, right or wrong.
        seconds: From the first request to the last answer.
        p50: What half of them took, in seconds.
        p99: What nearly all of them took.
        problems: How many were wrong, and how.
        example: The first of these.
    """

    answers: int
    seconds: float
    p50: float
    p99: float
    problems: dict[str, int] = field(default_factory=dict)
    example: str = ""

    @property
    def complaint(self) -> str | None:
        """Why it does not count; None: all is right."""
        if self.problems:
            told = ", ".join(f"{count} × {kind}" for kind, count in sorted(self.problems.items()))
            return f"{told} among {self.answers} answers; the first: {self.example}"
        return None if self.answers else "nothing was answered"


def problem_of(head: bytes, body: bytes, wanted: bytes) -> str | None:
    """What is wrong with an answer, if anything is: its HTTP status, a fault, or that it is another's."""
    if not head.startswith(b"HTTP/1.1 200"):
        return f"HTTP {head[9:12].decode(errors='replace')}"
    beginning = body[:BEGINNING]
    if any(mark in beginning for mark in FAULTS):
        return "fault"
    return None if wanted in body else "wrong answer"


def run(port: int, requests: Iterable[Call], seconds: float, connections: int) -> Load:
    """Send these requests, each once, for so long or until there are no more."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        pickle.dump(list(requests), file)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.load", str(port), file.name, str(seconds), str(connections)]
        patience = seconds + 2 * TIMEOUT_SECONDS
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=patience)
    return Load(**json.loads(done.stdout))


@dataclass
class _Shared:
    """What the connections have in common."""

    port: int
    requests: Iterator[Call]
    until: float
    taken: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    example: str = ""

    def note(self, problem: str, answer: bytes) -> None:
        """Count a problem, and keep the first."""
        self.problems[problem] += 1
        self.example = self.example or f"{problem} {answer[:SHOWN].decode(errors='replace')}".strip()


class _Client(asyncio.Protocol):
    """One connection: a request, its answer, the next one, until the time is over."""

    def __init__(self, shared: _Shared, done: asyncio.Future[None]) -> None:
        self._shared, self._done = shared, done
        self._pieces: list[bytes] = []
        self._head = b""
        self._missing = 0
        self._wanted = b""
        self.started: float | None = None  # when the request under way was sent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's are no asyncio.Transport
        self._next()

    def _next(self) -> None:
        now = time.perf_counter()
        call = next(self._shared.requests, None) if now < self._shared.until else None
        if call is None:
            self._end()
            return
        self.started = now
        self._wanted = call[1]
        self._transport.write(call[0])

    def _end(self) -> None:
        self.started = None
        self._transport.close()
        if not self._done.done():
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self._head:
            data = b"".join((*self._pieces, data))
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._pieces = [data]
                return
            self._head, data, self._pieces = data[:end], data[end + 4 :], []
            length = _LENGTH.search(self._head)
            self._missing = int(length[1]) if length else 0
        self._pieces.append(data)
        self._missing -= len(data)
        if self._missing <= 0:
            self._take(self._head, b"".join(self._pieces))

    def _take(self, head: bytes, body: bytes) -> None:
        assert self.started is not None
        self._shared.taken.append(time.perf_counter() - self.started)
        self.started = None
        if problem := problem_of(head, body, self._wanted):
            self._shared.note(problem, body)
        self._pieces, self._head = [], b""
        if _CLOSES.search(head):
            self._again()
        else:
            self._next()

    def _again(self) -> None:
        """The server closes after each answer: connect anew."""
        self._transport.close()
        follower = _Client(self._shared, self._done)
        _CLIENTS.remove(self)
        _CLIENTS.append(follower)
        connecting = asyncio.ensure_future(_connect(self._shared.port, follower))
        _CONNECTING.add(connecting)
        connecting.add_done_callback(_CONNECTING.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done() and self in _CLIENTS:
            self.give_up(LOST, str(exc or "closed before it was answered"))

    def give_up(self, problem: str, why: str) -> None:
        """What is under way is not answered any more."""
        self.started = None
        self._shared.note(problem, why.encode())
        self._end()


_CLIENTS: list[_Client] = []
_CONNECTING: set[asyncio.Future[None]] = set()


async def _connect(port: int, client: _Client) -> None:
    try:
        await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
    except OSError as error:
        client.started = None
        client._shared.note(LOST, str(error).encode())  # noqa: SLF001 (one of ours)
        client._done.set_result(None)  # noqa: SLF001


def _crash(context: dict[str, Any]) -> None:
    """A bug of the client ends it at once: nobody would ever answer."""
    sys.stderr.write(f"{context['message']}: {context.get('exception')!r}\n")
    os._exit(1)


async def _watch() -> None:
    while True:
        await asyncio.sleep(0.5)
        late = time.perf_counter() - TIMEOUT_SECONDS
        for client in _CLIENTS:
            if client.started is not None and client.started < late:
                client.give_up(TIMEOUT, f"no answer for {TIMEOUT_SECONDS} s")


async def _send(port: int, file: str, seconds: float, connections: int) -> Load:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: _crash(context))
    requests: list[Call] = pickle.loads(Path(file).read_bytes())
    started = time.perf_counter()
    shared = _Shared(port, iter(requests), started + seconds)
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    _CLIENTS.extend(_Client(shared, end) for end in ends)
    watch = asyncio.ensure_future(_watch())
    for client in _CLIENTS:
        await _connect(port, client)
    await asyncio.gather(*ends)
    passed = time.perf_counter() - started
    watch.cancel()
    taken = sorted(shared.taken) or [0.0]
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    return Load(len(shared.taken), passed, p50, p99, dict(shared.problems), shared.example)


if __name__ == "__main__":
    import uvloop

    arguments = (int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(asdict(uvloop.run(_send(*arguments)))))
