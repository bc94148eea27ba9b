"""Requests that are sent before the answers to others: all are answered, in order, and nobody else waits for them."""

import asyncio
import random
import re
import socket
from collections.abc import Callable

from aiohttp import web
from conftest import Customers
from faces import Api
from harness import Server, prepare
from harness import test_config as new_config
from wire import PATH, document, member

from xmlrpc_api.app import create_app
from xmlrpc_api.transport.protocol import Runner

CALLS = 200
CONNECTIONS = 50
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
MOST_BYTES = 64 * 1024 * 1024
STUCK_SECONDS = 3


def request(i_customer: int) -> bytes:
    value = f"<struct>{member('i_customer', i_customer)}{member('i_wholesaler', 1)}</struct>"
    body = document("getCustomerInfo", value)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_all_answers_come_in_the_order_of_the_calls(
    variant: Callable[..., Server], customers: Customers, root: Api
) -> None:
    server = variant(trusted_hosts="127.0.0.1")
    known = {i_customer: root.info(i_customer)["name"] for i_customer in (customers.make(root) for _ in range(5))}
    wanted = random.Random(1).choices(list(known), k=CALLS)

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(b"".join(map(request, wanted)) + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = line.makefile("rb").read()

    names = re.findall(rb"<name>name</name>\s*<value>\s*(?:<string>)?([^<]*)<", answers)
    assert [name.decode() for name in names] == [known[i_customer] for i_customer in wanted]
    assert answers.endswith(b"ok\n")


def test_who_does_not_read_is_not_read(server: Server) -> None:
    """The server stops when some wait; the kernels of both sides keep a little more."""
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=STUCK_SECONDS) as line:
        try:
            while sent < MOST_BYTES:
                sent += line.send(HEALTH * 1000)
        except TimeoutError:
            pass

    assert sent < MOST_BYTES


def test_who_asks_once_does_not_wait_for_those_who_ask_for_much(new_database: Callable[[str], str]) -> None:
    """
    Fewer requests are begun before his answer than there are connections that send without an end.

    Server and clients share one loop here, so that rounds of it are counted, whatever else the machine does.
    """
    config = new_config(new_database("sqlite"))

    async def begun_meanwhile() -> int:
        await prepare(config)
        runner = Runner(create_app(config), config)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        for _reader, writer in lines:
            writer.write(HEALTH * CALLS)
        for _ in range(3):
            await lines[-1][0].readuntil(b"ok\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        before = runner.server.requests_count
        writer.write(HEALTH)
        await reader.readuntil(b"ok\n")
        begun = runner.server.requests_count - before
        for _reader, other in [*lines, (reader, writer)]:
            other.transport.abort()
        await runner.cleanup()
        return begun

    assert asyncio.run(begun_meanwhile()) < CONNECTIONS
