"""
Load: wrk where it is installed, else a client of our own in a process of its own.

Both send prepared requests, in order, over keep-alive connections, so that neither computes anything meanwhile. Digest
is computed when they are prepared: one nonce, and a count of its own for each request.
"""

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

SEPARATOR = b"\n\x00\n"
PATH = "/xmlapi/xmlapi"
WRK_SCRIPT = """
local file = io.open(os.getenv("BENCH_REQUESTS"), "rb")
local all = file:read("*a")
file:close()
local requests, start = {}, 1
while true do
  local from, to = string.find(all, "\\n\\0\\n", start, true)
  if not from then break end
  requests[#requests + 1] = string.sub(all, start, from - 1)
  start = to + 1
end
local number = 0
request = function()
  number = number % #requests + 1
  return requests[number]
end
done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What clients saw: answers, for how long, how long half and nearly all of them took, and what was no answer."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int


def document(method: str, members: dict[str, object]) -> bytes:
    """A call with one struct of texts and ints."""
    inner = "".join(
        f"<member><name>{name}</name><value>{_value(value)}</value></member>" for name, value in members.items()
    )
    return (
        f"<?xml version='1.0'?>\n<methodCall><methodName>{method}</methodName><params><param><value>"
        f"<struct>{inner}</struct></value></param></params></methodCall>\n"
    ).encode()


def _value(value: object) -> str:
    if value is None:
        return "<nil/>"
    return f"<int>{value}</int>" if isinstance(value, int) else f"<string>{value}</string>"


def request(port: int, body: bytes, *headers: str) -> bytes:
    """One request as it goes over the wire."""
    lines = [f"POST {PATH} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: text/xml", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def plain(port: int, bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Requests without credentials."""
    return (request(port, body) for body in bodies)


def with_digest(port: int, login: str, password: str, bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Requests with the Digest answer of each (RFC 7616, MD5, qop=auth)."""
    realm, nonce = _challenge(port)
    secret = _md5(f"{login}:{realm}:{password}")
    target = _md5(f"POST:{PATH}")
    for number, body in enumerate(bodies, 1):
        count = f"{number:08x}"
        response = _md5(f"{secret}:{nonce}:{count}:0a4f113b:auth:{target}")
        yield request(
            port,
            body,
            f'Authorization: Digest username="{login}", realm="{realm}", nonce="{nonce}", uri="{PATH}", qop=auth,'
            f' nc={count}, cnonce="0a4f113b", response="{response}"',
        )


def _challenge(port: int) -> tuple[str, str]:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}", b"", timeout=10)
    except urllib.error.HTTPError as error:
        header = error.headers["WWW-Authenticate"]
        return re.findall('realm="([^"]+)"', header)[0], re.findall('nonce="([^"]+)"', header)[0]
    raise RuntimeError("this server asks for no credentials")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def run(port: int, requests: Iterable[bytes], seconds: int, connections: int) -> Load:
    """Send these requests, over and over, for so long."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        for one in requests:
            file.write(one + SEPARATOR)
        file.flush()
        return (
            _wrk(port, file.name, seconds, connections)
            if shutil.which("wrk")
            else _own(port, file.name, seconds, connections)
        )


def generator() -> str:
    """What makes the load."""
    return "wrk" if shutil.which("wrk") else "the bundled client"


def _wrk(port: int, file: str, seconds: int, connections: int) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK_SCRIPT)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}"]
        done = subprocess.run(
            command,
            env={"BENCH_REQUESTS": file, "PATH": "/usr/bin:/bin:/usr/local/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
    return Load(**json.loads(done.stdout.strip().splitlines()[-1]))


def _own(port: int, file: str, seconds: int, connections: int) -> Load:
    command = [sys.executable, "-m", "benchmarks.load", str(port), file, str(seconds), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout))


class _Client(asyncio.Protocol):
    """One connection: a request, its answer, the next one, until the time is over."""

    def __init__(self, requests: Iterator[bytes], until: float, seconds: list[float]) -> None:
        self._requests, self._until, self._seconds = requests, until, seconds
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._errors = 0
        self._buffer = b""
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._started = time.perf_counter()
        if self._started > self._until:
            self._transport.close()
            return
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._wanted:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            length = re.search(rb"\r\nContent-Length: (\d+)", self._buffer[:end], re.IGNORECASE)
            self._wanted = end + 4 + int(length[1] if length else 0)
        if len(self._buffer) >= self._wanted:
            self._errors += not self._buffer.startswith(b"HTTP/1.1 200")
            self._seconds.append(time.perf_counter() - self._started)
            self._buffer, self._wanted = b"", 0
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set_result(self._errors + (time.perf_counter() < self._until))


async def _send(port: int, file: str, seconds: float, connections: int) -> Load:
    requests = cycle(Path(file).read_bytes().split(SEPARATOR)[:-1])
    taken: list[float] = []
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: _Client(requests, started + seconds, taken), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    errors = sum([await client.done for client in clients])
    passed = time.perf_counter() - started
    taken.sort()
    return Load(len(taken), passed, taken[len(taken) // 2], taken[len(taken) * 99 // 100], errors)


def repeat(body: bytes, times: int) -> Iterator[bytes]:
    """The same body again and again."""
    return islice(cycle([body]), times)


if __name__ == "__main__":
    import uvloop

    arguments = (int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(asdict(uvloop.run(_send(*arguments)))))
