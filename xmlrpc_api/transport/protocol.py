"""
aiohttp's HTTP protocol, without the answers that it gives by itself.

Those quote the request, tell the versions of Python and aiohttp, and are logged with the request line.
"""

from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

SERVER_NAME = "xmlrpc-api"  # no version: that is nobody's business

log = structlog.get_logger()


class _Protocol(RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be served with its status alone, and close."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was begun already")
        bug = exc if status == HTTPStatus.INTERNAL_SERVER_ERROR else None
        log.error("request failed", status=status, address=request.remote, exc_info=bug)
        response = web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n")
        response.headers["Server"] = SERVER_NAME
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        handler = super().__call__()
        handler.__class__ = _Protocol
        return handler


class Runner(web.AppRunner):
    """An application runner whose connections speak this protocol."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        return server
