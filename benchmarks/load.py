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

from benchmarks.calls import Call

TIMEOUT_SECONDS = float(os.environ.get("BENCH_TIMEOUT_SECONDS", "30"))
FAULTS = (b"<fault>", b"faultCode", b":Fault")  # as XML-RPC, JSON and SOAP begin to tell one
BEGINNING = 400
READ_AHEAD = 2**22
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
            told = ", ".join(f"{kind}: {count}" for kind, count in sorted(self.problems.items()))
            return f"{told} (beside {self.answers} answers in all); the first: {self.example}"
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
class _Clients:
    """What the connections have in common."""

    port: int
    requests: Iterator[Call]
    until: float
    taken: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    example: str = ""

    def next(self) -> Call | None:
        """What to send next, while there is time."""
        return next(self.requests, None) if time.perf_counter() < self.until else None

    def note(self, problem: str, answer: bytes) -> None:
        """Count a problem, and keep the first."""
        self.problems[problem] += 1
        if not self.example:
            told = answer[:SHOWN].decode(errors="replace").split()
            self.example = " ".join([problem, *told])

    async def keep_busy(self) -> None:
        """One connection: a request, its answer, the next one; what is lost or late ends it."""
        line: _Line | None = None
        try:
            while (call := self.next()) is not None:
                started = time.perf_counter()
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    line = line or await _Line.to(self.port)
                    head, body = await line.ask(call[0])
                self.taken.append(time.perf_counter() - started)
                if problem := problem_of(head, body, call[1]):
                    self.note(problem, body)
                if _CLOSES.search(head):
                    line.close()
                    line = None
        except TimeoutError:
            self.note(TIMEOUT, f"no answer for {TIMEOUT_SECONDS:g} s".encode())
        except (OSError, EOFError) as error:
            self.note(LOST, str(error).encode())
        finally:
            if line is not None:
                line.close()


@dataclass(frozen=True)
class _Line:
    """A connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> "_Line":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=READ_AHEAD))

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return head, await self.reader.readexactly(int(length[1]) if length else 0)

    def close(self) -> None:
        self.writer.close()


async def _send(port: int, file: str, seconds: float, connections: int) -> Load:
    requests: list[Call] = pickle.loads(Path(file).read_bytes())
    started = time.perf_counter()
    clients = _Clients(port, iter(requests), started + seconds)
    await asyncio.gather(*(clients.keep_busy() for _ in range(connections)))
    passed = time.perf_counter() - started
    taken = sorted(clients.taken) or [0.0]
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    return Load(len(clients.taken), passed, p50, p99, dict(clients.problems), clients.example)


if __name__ == "__main__":
    import uvloop

    arguments = (int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(asdict(uvloop.run(_send(*arguments)))))
