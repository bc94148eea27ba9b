"""Starts servers as processes of their own, and tells what they use."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
KEY = "5a" * 32


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What it and its workers have used so far."""
        return sum(_cpu_seconds(pid) for pid in (self.pid, *_children(self.pid)))

    def memory(self) -> int:
        """Resident bytes of the largest of its processes."""
        return max(_resident(pid) for pid in (self.pid, *_children(self.pid)))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """The variables of an installation on this database."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XMLRPC_API_")},
        "XMLRPC_API_DATABASE_URL": database_url,
        "XMLRPC_API_SECRET_KEY": KEY,
        "XMLRPC_API_BCRYPT_COST": "4",
        "XMLRPC_API_LIST_LIMIT": "10000",
        **{f"XMLRPC_API_{name.upper()}": value for name, value in settings.items()},
    }


@contextmanager
def product(database_url: str, source: Path | None = None, **settings: str) -> Iterator[Running]:
    """This server, or what another tree holds of it, as an operator starts it: checks, logs, metrics and all."""
    port = free_port()
    command = [sys.executable, "-m", "xmlrpc_api", "serve"]
    with _process(command, environment(database_url, port=str(port), **settings), port, source) as running:
        yield running


@contextmanager
def peer(name: str, *arguments: str) -> Iterator[Running]:
    """One of `peers`."""
    port = free_port()
    with _process(
        [sys.executable, "-m", "benchmarks.peers", name, str(port), *arguments], dict(os.environ), port
    ) as running:
        yield running


@contextmanager
def _process(command: list[str], environ: dict[str, str], port: int, source: Path | None = None) -> Iterator[Running]:
    process = subprocess.Popen(command, cwd=source, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} does not start")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        time.sleep(0.3)
        yield Running(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)
