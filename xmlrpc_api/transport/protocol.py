"""
aiohttp's HTTP protocol, with the deadlines and the limit of connections that it lacks, and without its own answers.

Those quote the request, tell the versions of Python and aiohttp, and are logged with the request line.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_urldispatcher import PlainResource, UrlMappingMatchInfo

from xmlrpc_api.config import Config

SERVER_NAME = "xmlrpc-api"  # no version: that is nobody's business
LINGERING_SECONDS = 2
SEND_BUFFER = 262_144  # what the kernel keeps of answers that are not read; by itself it takes 4 MB
_FULL = (
    f"HTTP/1.1 503 Service Unavailable\r\nServer: {SERVER_NAME}\r\nRetry-After: 5\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n"
).encode()

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


class _Protocol(RequestHandler):
    """
    One connection.

    Until its first request is there it has `header_seconds`; aiohttp gives later ones `keepalive_seconds`
    from the answer before. A client that does not read its answer has `send_seconds`.
    """

    __slots__ = ("_answered", "_config", "_deadline", "_is_awaited", "_server")

    def __init__(self, server: "_Server", config: Config, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._config = config
        self._server = server
        self._deadline: asyncio.TimerHandle | None = None
        self._answered = 0
        self._is_awaited = False  # whether the next request came when all before it were answered

    @property
    def has_spoken(self) -> bool:
        """Whether a request has come over this connection."""
        return self._request_count > 0

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is being done for its client."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many connections already."""
        if not self._server.make_room():
            log.warning("too many connections", limit=self._config.connections)
            assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
            transport.write(_FULL)
            transport.close()
            self._force_close = True
            return
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._deadline = self._loop.call_later(self._config.header_seconds, self._first_request_is_due)

    def data_received(self, data: bytes) -> None:
        """Take requests in. aiohttp stops reading when 32 wait for their turn."""
        taken = self._request_count
        super().data_received(data)
        if taken == self._answered and taken < self._request_count:
            self._is_awaited = True

    async def _handle_request(
        self, request: web.BaseRequest, start_time: float | None, request_handler: Handler
    ) -> tuple[web.StreamResponse, bool]:
        """
        Answer a request. One that was sent before the answer to another waits until it is its turn to be begun.

        Else a hundred connections with hundreds of requests each would do a hundred calls in every round of the loop,
        and whoever asks once, which takes a few rounds, would wait for all of them.
        """
        handler = request_handler if self._is_awaited else self._server.in_turn(request_handler)
        self._is_awaited = False
        try:
            return await super()._handle_request(request, start_time, handler)
        finally:
            self._answered += 1

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read: from now on it has a time to."""
        super().pause_writing()
        self._cancel_deadline()
        self._deadline = self._loop.call_later(self._config.send_seconds, self._abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._cancel_deadline()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _first_request_is_due(self) -> None:
        if not self.has_spoken:
            self.force_close()

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer. One that was raised forgets its traceback, which would keep request and body alive."""
        if isinstance(resp, web.HTTPException):
            resp.__traceback__ = None
        return await super().finish_response(request, resp, start_time)

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
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request failed", address=request.remote, exc_info=exc)
        else:
            log.info("request refused", status=status, address=request.remote)
        response = web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n")
        response.headers["Server"] = SERVER_NAME
        response.force_close()
        return response


class _Server(web.Server):
    """Makes the connections, and makes room for a new one where there are too many."""

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._config = config
        self._turn = asyncio.Lock()

    def in_turn(self, handler: Handler) -> Handler:
        """The same handler, begun in a round of the loop in which no other of these is."""

        async def wait(request: web.BaseRequest) -> web.StreamResponse:
            async with self._turn:
                await asyncio.sleep(0)
            return await handler(request)

        return wait

    def __call__(self) -> RequestHandler:
        return _Protocol(self, self._config, loop=self._loop, **self._kwargs)

    def make_room(self) -> bool:
        """
        Whether one more connection is welcome.

        Where there are too many, one goes that has not sent a request yet, else one that waits for its next.
        """
        if len(self._connections) < self._config.connections:
            return True
        waiting = [known for known in self._connections if isinstance(known, _Protocol) and known.is_waiting]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda known: known.has_spoken)
        oldest.force_close()
        return True


class _Routes:
    """
    An application's handler that asks for the way to a method and a target, exactly as they are sent, once.

    Ways to one fixed path alone are remembered, so there are no more than routes. What has middlewares, or is
    expected to answer `Expect` first, goes through aiohttp.
    """

    def __init__(self, app: web.Application, handler: Handler) -> None:
        self._app = app
        self._handler = handler
        self._known: dict[tuple[str, str], UrlMappingMatchInfo] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        known = self._known.get((request.method, request.raw_path))
        if known is None or "Expect" in request.headers:
            try:
                return await self._handler(request)
            finally:
                self._remember(request)
        assert isinstance(request, web.Request)  # noqa: S101
        request._match_info = known  # noqa: SLF001 (as aiohttp's own handler does)
        return await known.handler(request)

    def _remember(self, request: web.BaseRequest) -> None:
        found = request._match_info if isinstance(request, web.Request) else None  # noqa: SLF001
        if found is None or self._app.middlewares:
            return
        place = found.route.resource
        asked = (request.method, request.raw_path)
        if isinstance(place, PlainResource) and asked == (found.route.method, place.canonical):
            self._known[asked] = found


class Runner(web.AppRunner):
    """An application runner whose connections speak this protocol."""

    def __init__(self, app: web.Application, config: Config) -> None:
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,
            handle_signals=False,
            keepalive_timeout=config.keepalive_seconds,
            lingering_time=LINGERING_SECONDS,
            shutdown_timeout=config.shutdown_seconds,
        )
        self._config = config

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        kwargs = made._kwargs  # noqa: SLF001 (aiohttp takes no class of server)
        handle = _Routes(self.app, made.request_handler).handle
        return _Server(self._config, handle, request_factory=made.request_factory, **kwargs)
