"""Starts servers as processes of their own, and tells what they use."""

import io
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60
TICKS = os.sysconf("SC_CLK_TCK")
KEY = "5a" * 32
HERE = Path(__file__).resolve().parent.parent


class UnmeasurableError(Exception):
    """A case cannot be measured, or its answers are wrong; the text is the reason."""


@dataclass(frozen=True)
class Running:
    """A server that listens, or another process that works; in turn its pid is what is known of it."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What it and all processes that it ever started have used so far."""
        return sum(_cpu_seconds(pid) for pid in family(self.pid))

    def memory(self) -> int:
        """Resident bytes of the largest of its processes."""
        return max(_resident(pid) for pid in family(self.pid))


def family(pid: int) -> list[int]:
    """A process and its descendants that live."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended; its parent tells of it
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def _cpu_seconds(pid: int) -> float:
    """In user and kernel mode, that of its children that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database_url: str, settings: Mapping[str, object]) -> dict[str, str]:
    """The variables of an installation on this database."""
    given = {
        "database_url": database_url,
        "secret_key": KEY,
        "bcrypt_cost": 4,
        "list_limit": 10_000,
        "log_format": "json",
        **settings,
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XMLRPC_API_")},
        **{f"XMLRPC_API_{name.upper()}": str(value) for name, value in given.items()},
    }


@contextmanager
def product(
    database_url: str, source: Path = HERE, *, is_stubbed: bool = False, **settings: object
) -> Iterator[Running]:
    """
    This server, or what another tree holds of it, as an operator starts it: checks, logs, metrics and all.

    Args:
        database_url: Its database.
        source: The tree.
        is_stubbed: Whether passwords are hashed to a constant, as `benchmarks.launch` does.
        settings: Its settings.
    """
    port = free_port()
    module = "benchmarks.launch" if is_stubbed else "xmlrpc_api"
    environ = environment(database_url, {"port": port, **settings})
    with _process([sys.executable, "-m", module, "serve"], environ, port, source) as running:
        yield running


@contextmanager
def peer(name: str, *arguments: str, python_path: str = "") -> Iterator[Running]:
    """One of `benchmarks.peers`."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers", name, str(port), *arguments]
    with _process(command, {**os.environ, "PYTHONPATH": python_path}, port, HERE) as running:
        yield running


@contextmanager
def _process(command: list[str], environ: dict[str, str], port: int, source: Path) -> Iterator[Running]:
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, cwd=source, env=environ, stdout=subprocess.DEVNULL, stderr=told)
        try:
            _await_port(process, port, command, told)
            yield Running(port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _await_port(process: "subprocess.Popen[bytes]", port: int, command: list[str], told: io.BufferedRandom) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > until:
            told.seek(0)
            last = told.read().decode(errors="replace").strip().splitlines()[-1:]
            raise UnmeasurableError(f"{' '.join(command[2:4])} does not start: {' '.join(last)}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            time.sleep(0.3)
            return


@contextmanager
def tree(revision: str) -> Iterator[Path]:
    """
    The files of a revision, in a folder of their own, with this benchmark in place of the one that it had.

    Raises:
        UnmeasurableError: There is no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="xmlrpc-api-tree-") as name:
        folder = Path(name)
        archive = subprocess.run(["git", "archive", revision], cwd=HERE, capture_output=True, check=False)
        if archive.returncode:
            raise UnmeasurableError(f"git archive {revision}: {archive.stderr.decode().strip()}")
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
        (folder / "benchmarks").rename(folder / "benchmarks.old")
        (folder / "benchmarks").symlink_to(HERE / "benchmarks")
        yield folder
