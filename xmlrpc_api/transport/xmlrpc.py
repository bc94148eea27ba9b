"""The XML-RPC face: `POST /xmlapi/xmlapi`."""

from typing import Any

from aiohttp import web
from aiohttp_xmlrpc.handler import XMLRPCView

from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import enveloped
from xmlrpc_api.dispatch.preparation import foresee
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.transport import http, xml, xml_writer
from xmlrpc_api.transport.ladder import UNAUTHORIZED, Exchange

PATH = xml.PATH
MEDIA_TYPES = ("text/xml", "application/xml")


class Gateway(XMLRPCView):  # type: ignore[misc]
    """
    aiohttp-xmlrpc's view with its own parser, lookup, fault formatting and marshalling.

    The library strips and truncates values, accepts DOCTYPEs and shows `repr(exception)` to clients;
    nothing of that is left in use. Its place as an aiohttp view is.
    """

    async def post(self) -> web.StreamResponse:
        """Answer one request."""
        return await _Exchange(self.request).serve()


class _Exchange(Exchange):
    """401 before the body is read; else HTTP 200 with a result or a fault."""

    face = Face.XMLRPC
    content_type = "text/xml; charset=utf-8"

    _early: tuple[str, list[Any]] | Exception | None = None

    async def foresee(self) -> Foreseen | None:
        if not http.is_here(self.request):
            return None
        try:
            self._early = await self._receive()
        except (Fault, web.HTTPException) as error:
            self._early = error
            return None
        return foresee(self.face, *self._early)

    async def read(self) -> tuple[str, list[Any]]:
        if isinstance(self._early, Exception):
            raise self._early
        return await self._receive() if self._early is None else self._early

    async def _receive(self) -> tuple[str, list[Any]]:
        return await http.receive(self.gate, self.request, MEDIA_TYPES, xml.loads)

    def dumps(self, answer: Any) -> bytes:
        return xml_writer.dumps(enveloped(answer))

    def dumps_fault(self, fault: Fault) -> bytes:
        return xml_writer.dumps_fault(fault)

    def refusal(self) -> web.Response:
        return self.respond(b"Authentication required\n", UNAUTHORIZED, "text/plain; charset=utf-8")
