"""The XML-RPC face: `POST /xmlapi/xmlapi`."""

import asyncio
from typing import Any

import structlog
from aiohttp import web
from aiohttp_xmlrpc.handler import XMLRPCView

from xmlrpc_api import metrics
from xmlrpc_api.auth import Refusal
from xmlrpc_api.call import Origin
from xmlrpc_api.faults import Fault
from xmlrpc_api.transport import http, xml

PATH = "/xmlapi/xmlapi"
DIALECT = "xmlrpc"
MEDIA_TYPES = ("text/xml", "application/xml")
LARGE_BODY = 65536  # longer ones are parsed in a thread, so that other calls go on meanwhile

log = structlog.get_logger()


class Gateway(XMLRPCView):  # type: ignore[misc]
    """
    aiohttp-xmlrpc's view with its own parser, lookup, fault formatting and marshalling.

    The library strips and truncates values, accepts DOCTYPEs and shows `repr(exception)` to clients;
    nothing of that is left in use. Its place as an aiohttp view is.
    """

    async def post(self) -> web.StreamResponse:
        """Answer one request: 401 before the body is read, else HTTP 200 with a result or a fault."""
        gate = self.request.app[http.GATE]
        client = http.client_of(self.request, gate.config)
        anonymous = http.new_origin(client, DIALECT)
        try:
            origin = await http.identify(gate, self.request, client, anonymous)
        except Fault as fault:
            return self._answer(xml.dumps_fault(fault), anonymous, http.unavailable_status(fault))
        if isinstance(origin, Refusal):
            return http.challenge(gate, origin, anonymous)
        body = await http.read_body(self.request, gate.config, MEDIA_TYPES)
        try:
            name, params = await self._parse_body(body)
        except Fault as fault:
            metrics.FAULTS.labels(metrics.UNKNOWN_METHOD, DIALECT, fault.code).inc()
            log.info("unreadable", fault=fault.code, address=origin.address, request_id=origin.request_id)
            return self._answer(xml.dumps_fault(fault), origin)
        try:
            return self._answer(xml.dumps(await gate.dispatcher.call(origin, name, params)), origin)
        except Fault as fault:
            return self._answer(xml.dumps_fault(fault), origin)

    async def _parse_body(self, body: bytes) -> tuple[str, list[Any]]:
        if len(body) > LARGE_BODY:
            return await asyncio.to_thread(xml.loads, body)
        return xml.loads(body)

    @staticmethod
    def _answer(document: bytes, origin: Origin, status: int = 200) -> web.Response:
        response = web.Response(body=document, status=status, content_type="text/xml", charset="utf-8")
        response.headers[http.REQUEST_ID] = origin.request_id
        return response
