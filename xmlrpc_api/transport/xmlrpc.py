"""The XML-RPC face: `POST /xmlapi/xmlapi`."""

from aiohttp import web
from aiohttp_xmlrpc.handler import XMLRPCView

from xmlrpc_api.access.authenticator import Refusal
from xmlrpc_api.call import Origin
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import enveloped
from xmlrpc_api.transport import http, xml

PATH = "/xmlapi/xmlapi"
MEDIA_TYPES = ("text/xml", "application/xml")


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
        anonymous = http.new_origin(gate, client, Face.XMLRPC)
        try:
            origin = await http.identify(gate, self.request, client, anonymous)
        except Fault as fault:
            return http.early(fault, self._answer(xml.dumps_fault(fault), anonymous))
        if isinstance(origin, Refusal):
            return http.challenge(gate, self.request, origin, anonymous, web.Response(text="Authentication required\n"))
        try:
            name, params = await http.receive(gate, self.request, MEDIA_TYPES, xml.loads)
        except Fault as fault:
            http.note_unreadable(fault, origin)
            return self._answer(xml.dumps_fault(fault), origin)
        try:
            answer = await gate.dispatcher.call(origin, name, params)
            return self._answer(xml.dumps(enveloped(answer)), origin)
        except Fault as fault:
            return self._answer(xml.dumps_fault(fault), origin)

    @staticmethod
    def _answer(document: bytes, origin: Origin) -> web.Response:
        headers = {"Content-Type": "text/xml; charset=utf-8", http.REQUEST_ID: origin.request_id}
        return web.Response(body=document, headers=headers)
