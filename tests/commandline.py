"""Runs the command line as a process of its own, in a folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import TEST_KEY

ROOT = Path(__file__).parents[1]
START_SECONDS = 20


class CommandLine:
    """One installation: a folder, a database, and the commands that work on them."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("XMLRPC_API_", "PYTHON"))}
        self.environ = {
            **clean,
            "PYTHONPATH": str(ROOT),
            "XMLRPC_API_DATABASE_URL": database_url,
            "XMLRPC_API_SECRET_KEY": TEST_KEY,
            "XMLRPC_API_BCRYPT_COST": "4",
            "XMLRPC_API_PORT": str(free_port()),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": "200",
            **{f"XMLRPC_API_{name.upper()}": value for name, value in settings.items()},
        }

    @property
    def port(self) -> int:
        return int(self.environ["XMLRPC_API_PORT"])

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "xmlrpc_api", *arguments]

    def run(self, *arguments: str, code: int = 0, stdin: str = "", **environ: str) -> Any:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def init(self, *arguments: str) -> str:
        """Root's API password, as `init` printed it."""
        lines = self.run("init", *arguments).stdout.splitlines()
        start = next(number for number, line in enumerate(lines) if "shown only this once" in line)
        self.environ["XMLRPC_API_PASSWORD"] = lines[start + 2].strip()
        return self.environ["XMLRPC_API_PASSWORD"]

    @contextmanager
    def serving(self, *arguments: str, stderr: Any = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
        """The server, from when it accepts calls."""
        process = subprocess.Popen(
            self.command("serve", *arguments),
            cwd=self.folder,
            env=self.environ,
            stderr=stderr,
            text=True,
        )
        try:
            self._await_port(process)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()

    def _await_port(self, process: "subprocess.Popen[str]") -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server does not listen")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
