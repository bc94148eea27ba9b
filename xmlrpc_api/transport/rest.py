"""The JSON gateway of FlySIP: `GET` or `POST /api.php` with username, apipassword, action and JSONString."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from xmlrpc_api.access.authenticator import Refusal
from xmlrpc_api.call import Origin
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Fault,
    MethodNotFound,
    NotWellFormed,
    PostRequired,
    WrongType,
)
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import as_struct, enveloped
from xmlrpc_api.transport import http
from xmlrpc_api.transport.xml import (
    DEPTH_LIMIT,
    MEMBER_LIMIT,
    METHOD_NAME,
    VALUE_LIMIT,
    compact_date,
    plain_decimal,
    read_double,
    read_int,
)

PATH = "/api.php"
MEDIA_TYPES = ("application/x-www-form-urlencoded",)
FIELD_LIMIT = 20
CREDENTIALS = {"username", "apipassword"}
FIELDS = CREDENTIALS | {"action", "JSONString"}


async def gateway(request: web.Request) -> web.StreamResponse:
    """
    Answer one request.

    Credentials come in the query or the form; a Digest header or a trusted host's address serve as
    well, but then a change must be sent with POST: a link on any web page makes a browser send GET.
    A fault is `{"faultCode": …, "faultString": …, "result": its text}` with HTTP 200, wrong
    credentials with 401.
    """
    gate = request.app[http.GATE]
    client = http.client_of(request, gate.config)
    anonymous = http.new_origin(gate, client, Face.REST)
    pairs = list(request.query.items())
    if request.method == "POST":
        pairs += await http.receive(gate, request, MEDIA_TYPES, _form)
    try:
        fields = _fields(pairs)
        origin = await _identify(gate, request, client, anonymous, fields)
    except Fault as fault:
        return http.early(fault, _answer(_fault(fault), anonymous))
    if isinstance(origin, Refusal):
        return http.challenge(gate, request, origin, anonymous, _answer(_fault(AuthenticationFailed()), anonymous))
    try:
        name, params = await _call(fields)
    except Fault as fault:
        http.note_unreadable(fault, origin)
        return _answer(_fault(fault), origin)
    try:
        return _answer(enveloped(await gate.dispatcher.call(origin, name, params)), origin)
    except PostRequired as fault:
        response = _answer(_fault(fault), origin, 405)
        response.headers["Allow"] = "POST"
        return response
    except Fault as fault:
        return _answer(_fault(fault), origin)


async def _identify(
    gate: http.Gate, request: web.Request, client: http.Client, anonymous: Origin, fields: Mapping[str, str]
) -> Origin | Refusal:
    """Tell on whose behalf a request comes, from its fields if they hold credentials."""
    if "Authorization" in request.headers or not CREDENTIALS & fields.keys():
        may_change = request.method == "POST" or gate.config.api_get_changes
        return await http.identify(gate, request, client, replace(anonymous, may_change=may_change))
    login, password = (fields.get(name, "") for name in ("username", "apipassword"))
    return await http.vouched(gate.authenticator.by_password(login, password, client.address), anonymous)


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


async def _call(fields: dict[str, str]) -> tuple[str, list[Any]]:
    if not fields.get("action"):
        raise BadParameter.required("action")
    if not METHOD_NAME.fullmatch(fields["action"]):
        raise MethodNotFound
    return fields["action"], await http.read(loads, fields.get("JSONString", ""))


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
    if isinstance(value, list | tuple):
        return _bracketed("[]", [dumps(item, inner) for item in value], line)
    return json.dumps(value)


def _bracketed(brackets: str, parts: list[str], line: str) -> str:
    if not line or not parts:
        return brackets[0] + ", ".join(parts) + brackets[1]
    return f"{brackets[0]}{line}  " + f",{line}  ".join(parts) + line + brackets[1]


def _fault(fault: Fault) -> dict[str, Any]:
    """`result` is the text, never left out: published clients take an answer without one for success."""
    return {**as_struct(fault), "result": fault.text}


def _answer(value: Any, origin: Origin, status: int = 200) -> web.Response:
    response = web.Response(text=dumps(value), status=status, content_type="application/json")
    response.headers[http.REQUEST_ID] = origin.request_id
    response.headers["Cache-Control"] = "no-store"
    return response
