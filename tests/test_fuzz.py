"""Whatever a call holds, it is answered in order: no internal error, no broken answer, no closed connection."""

import http.client
from collections.abc import Callable
from itertools import islice

import pytest
import soap
from conftest import Customers
from harness import Server, test_config
from lxml import etree
from mutations import KNOWN_IDS, Mutator, Request
from wire import Reply

from xmlrpc_api.declaration.faults import InternalError
from xmlrpc_api.dialects import ngnpro
from xmlrpc_api.transport import rest, xmlrpc


@pytest.fixture
def open_server(fresh: Server, admin_hash: str) -> Server:
    """A server that everybody on this host may call, with customers to play with."""
    customers = Customers(fresh)
    for _ in range(KNOWN_IDS // 4):
        reseller = customers.reseller(balance=1000, max_depth=5)
        for _ in range(3):
            customers.make(reseller)
    settings = {"ngnpro_admin_username": soap.ADMIN, "ngnpro_admin_password_hash": admin_hash}
    running = Server(test_config(fresh.config.database_url, trusted_hosts=["127.0.0.1"], **settings), "")
    yield running
    running.close()


def complaint(request: Request, reply: Reply) -> str | None:
    """What is wrong with an answer."""
    is_soap = request.path.startswith("/ngnpro")
    allowed = {xmlrpc.PATH: (200,), rest.PATH: (200, 400)}.get(request.path, (200, 500))
    if reply.status not in allowed:
        return f"HTTP {reply.status}"
    if is_soap:
        answer = soap.Reply(reply.status, "", reply.body)
        return "internal error" if reply.status == 500 and answer.code == ngnpro.CODES[InternalError] else None
    if request.path == xmlrpc.PATH:
        etree.fromstring(reply.body)
    return "internal error" if str(InternalError.code).encode() in reply.body else None


@pytest.mark.soak
@pytest.mark.one_engine
@pytest.mark.timeout(3600)
def test_every_mutated_call_is_answered_in_order(
    open_server: Server, length: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    """`--seed` makes other ones; what is found is printed with its number, to be made again."""
    seed = request.config.getoption("--seed")
    line = http.client.HTTPConnection("127.0.0.1", open_server.port, timeout=20)
    wrong = []
    for number, mutated in enumerate(islice(Mutator(seed), length(2500, 50_000))):
        line.request("POST", mutated.path, mutated.body, {"Content-Type": mutated.media_type})
        answer = line.getresponse()
        reply = Reply(answer.status, answer.getheaders(), answer.read())
        reason = complaint(mutated, reply)
        if line.sock is None and reply.status == 200 and not mutated.path.startswith("/ngnpro"):
            reason = "closed"
        if reason:
            wrong.append(f"{seed}/{number} {mutated.name}: {reason}: {mutated.body[:1500]!r}")
    line.close()

    assert not wrong, "\n".join(wrong[:10])
