"""A client that asks again and again while something else goes on, and notes how long it had to wait."""

import threading
import time
import urllib.request
from pathlib import Path

from wire import LIST, PATH

MEGABYTE = 1024  # in the kB of /proc


class Canary(threading.Thread):
    """Asks for health and makes a call, again and again, and notes how long each took."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._stopped = threading.Event()
        self.health: list[float] = []
        self.calls: list[float] = []

    def run(self) -> None:
        while not self._stopped.wait(0.02):
            self.health.append(timed(self._port, "/healthz"))
            self.calls.append(timed(self._port, PATH, LIST))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def timed(port: int, path: str, body: bytes | None = None) -> float:
    """How long a request takes that must succeed."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "text/xml"})
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
        answer.read()
    return time.perf_counter() - started


def resident(pid: int) -> int:
    """The memory of a process, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
