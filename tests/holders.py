"""
A crowd of clients that hold connections and do nothing with them, in a process of its own.

    python tests/holders.py PORT KIND COUNT ARRIVAL

come within ARRIVAL seconds; prints for how many seconds the server put up with each, as JSON.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable

BODY = 990_000
HEAD = "POST /xmlapi/xmlapi HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n"
CALL = b"<methodCall><methodName>listCustomers</methodName></methodCall>"
Sending = AsyncIterator[bytes]


async def idle() -> Sending:
    yield b""


async def dripping_headers() -> Sending:
    yield HEAD.encode()
    while True:
        yield b"X: y\r\n"


async def dripping_bodies() -> Sending:
    yield f"{HEAD}Content-Length: {BODY}\r\n\r\n".encode()
    while True:
        yield b" "


async def partial_bodies() -> Sending:
    yield f"{HEAD}Content-Length: {BODY + 1}\r\n\r\n".encode() + b" " * BODY


async def idle_after_a_call() -> Sending:
    yield f"{HEAD}Content-Length: {len(CALL)}\r\n\r\n".encode() + CALL


async def not_reading() -> Sending:
    yield b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    while True:
        yield b"\r\n"  # the kernel tells when nobody is there any more


KINDS: dict[str, Callable[[], Sending]] = {
    kind.__name__: kind
    for kind in (idle, dripping_headers, dripping_bodies, partial_bodies, idle_after_a_call, not_reading)
}


def connect(port: int) -> socket.socket:
    """A connection whose kernel keeps little of what is not read."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", port))
    return line


async def hold(port: int, sending: Sending, delay: float, *, reads: bool) -> float:
    """Send what there is, one piece a quarter of a second; for how long the server put up with it."""
    await asyncio.sleep(delay)
    started = asyncio.get_running_loop().time()
    reader, writer = await asyncio.open_connection(sock=connect(port), limit=1024)
    closed = asyncio.ensure_future(until_closed(reader) if reads else asyncio.Event().wait())
    try:
        async for piece in sending:
            writer.write(piece)
            await writer.drain()
            await asyncio.wait([closed], timeout=0.25)
            if closed.done():
                break
        await closed
    except ConnectionError:
        pass
    finally:
        closed.cancel()
        writer.transport.abort()
    return asyncio.get_running_loop().time() - started


async def until_closed(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        return


async def crowd(port: int, kind: str, count: int, arrival: float) -> list[float]:
    """All of them, within these seconds."""
    reads = kind != not_reading.__name__
    delays = (number / count * arrival for number in range(count))
    return await asyncio.gather(*(hold(port, KINDS[kind](), delay, reads=reads) for delay in delays))


if __name__ == "__main__":
    held = crowd(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    print(json.dumps(asyncio.run(held)))  # noqa: T201
