"""
The steps that every request takes, on every face, in this order.

What must be read to know who asks, who that is, what is asked, the call, the answer. A face says how each is done.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar, TypeVar

from aiohttp import HttpVersion11, web
from aiohttp.helpers import rfc822_formatted_time

from xmlrpc_api.access.authenticator import Checked, Refusal
from xmlrpc_api.call import Origin
from xmlrpc_api.declaration.faults import AuthenticationFailed, Fault, TooManyAttempts, Unavailable
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.transport import http
from xmlrpc_api.transport.protocol import SERVER_NAME

T = TypeVar("T")

OK, UNAUTHORIZED = 200, 401
EARLY: Mapping[type[Fault], int] = {AuthenticationFailed: UNAUTHORIZED, Unavailable: 503, TooManyAttempts: 429}
HEADERS = {
    405: ("Allow", "POST"),
    429: ("Retry-After", http.RETRY_SECONDS),
    503: ("Retry-After", http.RETRY_SECONDS),
}


class Document(web.Response):
    """An answer of which all is known, written at once; aiohttp takes a dozen steps to write the same bytes."""

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Write it, unless the client is of a kind that is told more."""
        if request.version != HttpVersion11 or self.keep_alive is False or not request.keep_alive:
            return await super().prepare(request)
        assert isinstance(self.body, bytes)  # noqa: S101
        told = "".join([f"{name}: {value}\r\n" for name, value in self.headers.items()])
        about = f"Content-Length: {len(self.body)}\r\nDate: {rfc822_formatted_time()}\r\nServer: {SERVER_NAME}\r\n"
        head = f"HTTP/1.1 {self.status} {self.reason}\r\n{told}{about}\r\n".encode()
        self._keep_alive = self._eof_sent = True
        await request.writer.write_eof(head + self.body)
        return request.writer


class Exchange(ABC):
    """
    One request and its answer, on one face.

    Attributes:
        face: Where the call comes from.
        content_type: That of answers.
        headers: Of answers, besides.
    """

    face: ClassVar[Face]
    content_type: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.gate = request.app[http.GATE]
        self.foreseen: Foreseen | None = None

    async def open(self) -> None:  # noqa: B027 (most faces have nothing to read there)
        """
        Read what must be read to know who asks; nothing, where headers tell.

        Raises:
            Fault: It cannot be read.
        """

    def check(self, _client: http.Client) -> Awaitable[Checked] | None:
        """The check of credentials that stand in what was read; None: the headers tell."""
        return None

    async def foresee(self) -> Foreseen | None:
        """
        What the call will ask for first; nothing, where that cannot be told yet.

        The one who calls is not known: whatever is wrong is told in its turn, by `read`.
        """
        return None

    @abstractmethod
    async def read(self) -> tuple[str, list[Any]]:
        """
        The name of the method that is called, and its parameters.

        Raises:
            Fault: They cannot be read.
        """

    @abstractmethod
    def dumps(self, answer: Any) -> bytes:
        """The document for what the call answered."""

    @abstractmethod
    def dumps_fault(self, fault: Fault) -> bytes:
        """The document for a fault."""

    def status(self, fault: Fault, *, is_known: bool) -> int:
        """The HTTP status of a fault; it tells those who are not known yet what to do."""
        return 200 if is_known else EARLY.get(type(fault), 200)

    def refusal(self) -> web.Response:
        """The answer to who must tell its credentials."""
        fault = AuthenticationFailed()
        return self.respond(self.dumps_fault(fault), self.status(fault, is_known=False))

    async def serve(self) -> web.StreamResponse:
        """
        Answer the request.

        Raises:
            web.HTTPException: It is not one for this face at all, or cannot be received.
        """
        client = http.client_of(self.request, self.gate.config)
        self.origin = http.new_origin(self.gate, client, self.face)
        is_known = False
        try:
            await self._noted(self.open())
            found = await self._identify(client)
            if isinstance(found, Refusal):
                return self._challenge(found)
            self.origin, is_known = found, True
            name, params = await self._noted(self.read())
            answer = await self.gate.dispatcher.call(found, name, params, self.foreseen)
            return self.respond(self.dumps(answer))
        except Fault as fault:
            return self.respond(self.dumps_fault(fault), self.status(fault, is_known=is_known))

    async def _noted(self, reading: Awaitable[T]) -> T:
        """Await it; a request that cannot be read is counted and logged."""
        try:
            return await reading
        except Fault as fault:
            http.note_unreadable(fault, self.origin)
            raise

    async def _identify(self, client: http.Client) -> Origin | Refusal:
        check = self.check(client)
        if check is None:
            return await http.identify(self.gate, self.request, client, self.origin, self._foresight)
        return await http.vouched(check, self.origin)

    async def _foresight(self) -> Foreseen | None:
        self.foreseen = await self.foresee()
        return self.foreseen

    def _challenge(self, refusal: Refusal) -> web.Response:
        """Ask for credentials; nothing tells what was wrong."""
        http.note_unauthenticated(refusal, self.origin)
        response = self.refusal()
        if response.status == UNAUTHORIZED:
            for header in self.gate.authenticator.challenges(refusal):
                response.headers.add("WWW-Authenticate", header)
            if "Expect" in self.request.headers:  # the body that waits for our word will not come
                response.force_close()
        return response

    def respond(self, document: bytes, status: int = 200, content_type: str | None = None) -> web.Response:
        """An answer of this face."""
        headers = {
            "Content-Type": content_type or self.content_type,
            http.REQUEST_ID: self.origin.request_id,
            **self.headers,
        }
        if status in HEADERS:
            name, value = HEADERS[status]
            headers[name] = value
        kind = Document if status == OK else web.Response
        return kind(body=document, status=status, headers=headers)
