"""
Runs the command line in a folder of its own: commands in this process, what serves or is killed as one of its own.

A process takes two seconds to start, most commands a tenth.
"""

import io
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import structlog
from harness import TEST_KEY, Server

from xmlrpc_api.__main__ import main
from xmlrpc_api.cli import console
from xmlrpc_api.config import load

Ended = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[1]
START_SECONDS = 20
PORTS = 10_000, 32_000


class CommandLine:
    """One installation: a folder, a database, and the commands that work on them."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.program = [sys.executable, "-m", "xmlrpc_api"]
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
        return [*self.program, *arguments]

    def run(self, *arguments: str, code: int = 0, stdin: str = "", **environ: str) -> Ended:
        """Run a command to its end, in this process, as if it had one of its own."""
        with as_process(self.folder, {**self.environ, **environ}, arguments, stdin) as (out, err):
            ended = _code_of(main)
        return _checked(subprocess.CompletedProcess(arguments, ended, told(out), told(err)), code)

    def run_apart(self, *arguments: str, code: int = 0, **environ: str) -> Ended:
        """The same in a process of its own, for what serves, or is killed."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return _checked(done, code)

    def init(self, *arguments: str) -> str:
        """Root's API password, as `init` printed it."""
        lines = self.run("init", *arguments).stdout.splitlines()
        start = next(number for number, line in enumerate(lines) if "shown only this once" in line)
        self.environ["XMLRPC_API_PASSWORD"] = lines[start + 2].strip()
        return self.environ["XMLRPC_API_PASSWORD"]

    @contextmanager
    def serving_here(self) -> Iterator[None]:
        """A server in this process, for those who only ask it something; it chooses its port."""
        with as_process(self.folder, self.environ, (), ""):
            config = load()
        server = Server(config, "")
        self.environ["XMLRPC_API_PORT"] = str(server.port)
        yield
        server.close()

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
            self.await_port(process)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()

    def await_port(self, process: "subprocess.Popen[str]") -> None:
        """Wait until the server accepts connections."""
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


@contextmanager
def as_process(
    folder: Path, environ: dict[str, str], arguments: Sequence[str], stdin: str
) -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    """What a process has of its own, lent to the block; its standard output and error."""
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    console.out.width = console.err.width = int(environ["COLUMNS"])
    with (
        chdir(folder),
        patch.dict(os.environ, environ, clear=True),
        patch.object(sys, "argv", ["xmlrpc-api", *arguments]),
        patch.object(sys, "stdin", given),
        redirect_stdout(out),
        redirect_stderr(err),
        kept_logging(),
    ):
        yield out, err


@contextmanager
def kept_logging() -> Iterator[None]:
    """Commands configure the logs of their process; here servers run that have configured them otherwise."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    root.handlers = []
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**before)


def _code_of(program: Callable[[], None]) -> int:
    """With what code a process would end that runs this."""
    try:
        program()
    except SystemExit as end:
        return int(end.code or 0)
    except Exception:  # noqa: BLE001 (an interpreter does so with any)
        traceback.print_exc()
        return 1
    return 0


def told(stream: io.TextIOWrapper) -> str:
    return cast("io.BytesIO", stream.buffer).getvalue().decode().replace("\r\n", "\n")


def _checked(done: Ended, code: int) -> Ended:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def free_port() -> int:
    """A port that nobody has; none of those that the system gives to connections, which might take it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
