"""Those that answer from memory: real answers of this server, read from a file. They check nothing and ask nobody."""

import json
import socketserver
import xmlrpc.client
from pathlib import Path
from typing import Any
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from aiohttp import web
from aiohttp_xmlrpc import handler

from benchmarks.calls import XMLRPC
from benchmarks.peers import shared


def answers(file: str) -> dict[str, Any]:
    """What to answer, by method."""
    known: dict[str, Any] = json.loads(Path(file).read_text())
    return known


def stdlib(port: int, file: str) -> None:
    """The standard library's server."""

    class Handler(SimpleXMLRPCRequestHandler):
        protocol_version = "HTTP/1.1"
        rpc_paths = (XMLRPC,)
        disable_nagle_algorithm = True

    class Threaded(socketserver.ThreadingMixIn, SimpleXMLRPCServer):
        daemon_threads = True
        request_queue_size = 128

    with Threaded(("127.0.0.1", port), Handler, logRequests=False, allow_none=True) as server:
        for name, answer in answers(file).items():
            server.register_function(lambda _params, answer=answer: answer, name)
        server.serve_forever()


def library(port: int, file: str) -> None:
    """aiohttp-xmlrpc, as its README shows it."""
    known = answers(file)

    class View(handler.XMLRPCView):
        async def rpc_getCustomerInfo(self, _params: Any) -> Any:
            return known["getCustomerInfo"]

        async def rpc_listCustomers(self, _params: Any) -> Any:
            return known["listCustomers"]

    shared.run(port, View)


def constant(port: int, file: str) -> None:
    """One answer, written before."""
    body = xmlrpc.client.dumps((answers(file)["getCustomerInfo"],), methodresponse=True, allow_none=True).encode()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="text/xml")

    shared.run(port, answer)
