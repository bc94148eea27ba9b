"""The JSON gateway of FlySIP: `GET` or `POST /api.php` with username, apipassword, action and JSONString."""

import json
from collections.abc import Awaitable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

from xmlrpc_api.access.authenticator import Checked
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Fault,
    MethodNotFound,
    NotWellFormed,
    PostRequired,
    WrongType,
)
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import as_struct, enveloped
from xmlrpc_api.storage.fast_path import Rows
from xmlrpc_api.transport import http
from xmlrpc_api.transport.ladder import Exchange
from xmlrpc_api.transport.xml import (
    DEPTH_LIMIT,
    MEMBER_LIMIT,
    METHOD_NAME,
    VALUE_LIMIT,
    read_double,
    read_int,
)
from xmlrpc_api.transport.xml_writer import compact_date, plain_decimal

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


def loads(text: str) -> list[Any]:
    """
    Read JSONString: an object is the one struct, an array holds positional parameters.

    Raises:
        NotWellFormed: It is not JSON.
        WrongType: A name comes twice, a number is out of range, or a limit of `xml` is exceeded.
    """
    if not text.strip():
        return []
    try:
        value = json.loads(
            text,
            parse_int=read_int,
            parse_float=read_double,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_twins,
        )
    except RecursionError:
        raise WrongType("JSONString is nested too deep") from None
    except ValueError:
        raise NotWellFormed("JSONString is not JSON") from None
    params = value if isinstance(value, list) else [value]
    if _count(params, -1) > VALUE_LIMIT:
        raise WrongType(f"JSONString holds more than {VALUE_LIMIT} values")
    return params


def _refuse_constant(_text: str) -> Any:
    raise ValueError("NaN and infinities are no numbers")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WrongType("JSONString holds a name twice")
    return members


def _count(value: Any, depth: int) -> int:
    """How many values there are within this one, itself included."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if depth > DEPTH_LIMIT:
        raise WrongType("JSONString is nested too deep")
    if len(inner) > MEMBER_LIMIT:
        raise WrongType(f"JSONString holds more than {MEMBER_LIMIT} values in one place")
    return 1 + sum(_count(member, depth + 1) for member in inner)


def dumps(value: Any, line: str = "") -> str:
    """
    JSON with exact decimals as plain numbers.

    `line` is a line feed to spread it over indented lines.
    """
    inner = f"{line}  " if line else ""
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return json.dumps(compact_date(value))
    if isinstance(value, Mapping):
        members = [f"{json.dumps(str(name))}: {dumps(member, inner)}" for name, member in value.items()]
        return _bracketed("{}", members, line)
    if isinstance(value, list | tuple | Rows):
        return _bracketed("[]", [dumps(item, inner) for item in value], line)
    return json.dumps(value)


def _bracketed(brackets: str, parts: list[str], line: str) -> str:
    if not line or not parts:
        return brackets[0] + ", ".join(parts) + brackets[1]
    return f"{brackets[0]}{line}  " + f",{line}  ".join(parts) + line + brackets[1]
