"""The JSON gateway of FlySIP: `GET` or `POST /api.php` with username, apipassword, action and JSONString."""

from collections.abc import Awaitable
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

from xmlrpc_api.access.authenticator import Checked
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Fault,
    MethodNotFound,
    PostRequired,
    WrongType,
)
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import as_struct, enveloped
from xmlrpc_api.transport import http
from xmlrpc_api.transport.ladder import Exchange
from xmlrpc_api.transport.plain_json import dumps, loads
from xmlrpc_api.transport.xml import METHOD_NAME

PATH = "/api.php"
MEDIA_TYPES = ("application/x-www-form-urlencoded",)
FIELD_LIMIT = 20
CREDENTIALS = {"username", "apipassword"}
FIELDS = CREDENTIALS | {"action", "JSONString"}


async def gateway(request: web.Request) -> web.StreamResponse:
    """Answer one request."""
    return await _Exchange(request).serve()


class _Exchange(Exchange):
    """
    Credentials come in the query or the form; a Digest header or a trusted host's address serve as well.

    Then a change must be sent with POST: a link on any web page makes a browser send GET. A fault is `{"faultCode": …,
    "faultString": …, "result": its text}` with HTTP 200, wrong credentials with 401.
    """

    face = Face.REST
    content_type = "application/json; charset=utf-8"
    headers: ClassVar = {"Cache-Control": "no-store"}

    async def open(self) -> None:
        pairs = list(self.request.query.items())
        if self.request.method == "POST":
            pairs += await http.receive(self.gate, self.request, MEDIA_TYPES, _form)
        self._fields = _fields(pairs)

    def check(self, client: http.Client) -> Awaitable[Checked] | None:
        if "Authorization" in self.request.headers or not CREDENTIALS & self._fields.keys():
            return None
        login, password = (self._fields.get(name, "") for name in ("username", "apipassword"))
        return self.gate.authenticator.by_password(login, password, client.address)

    async def read(self) -> tuple[str, list[Any]]:
        name = self._fields.get("action")
        if not name:
            raise BadParameter.required("action")
        if not METHOD_NAME.fullmatch(name):
            raise MethodNotFound
        return name, await http.read(loads, self._fields.get("JSONString", ""))

    def dumps(self, answer: Any) -> bytes:
        return dumps(enveloped(answer)).encode()

    def dumps_fault(self, fault: Fault) -> bytes:
        """`result` is the text, never left out: published clients take an answer without one for success."""
        return dumps({**as_struct(fault), "result": fault.text}).encode()

    def status(self, fault: Fault, *, is_known: bool) -> int:
        return 405 if isinstance(fault, PostRequired) else super().status(fault, is_known=is_known)


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except ValueError:
        raise http.closing(web.HTTPBadRequest(text="the form cannot be read\n")) from None


def _fields(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields = {name: value for name, value in pairs if name in FIELDS}
    if len(fields) != sum(name in FIELDS for name, _ in pairs):
        raise WrongType("username, apipassword, action and JSONString can be given once each")
    return fields
