"""The JSON gateway of FlySIP: `GET` or `POST /api.php` with username, apipassword, action and JSONString."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from xmlrpc_api.auth import Refusal
from xmlrpc_api.call import Origin
from xmlrpc_api.faults import AuthenticationFailed, BadParameter, Fault, NotWellFormed, WrongType
from xmlrpc_api.fields import COMPACT_DATE, to_decimal
from xmlrpc_api.transport import http
from xmlrpc_api.transport.xml import DEPTH_LIMIT, plain_decimal

PATH = "/api.php"
DIALECT = "rest"
MEDIA_TYPES = ("application/x-www-form-urlencoded",)
FIELD_LIMIT = 20


async def gateway(request: web.Request) -> web.StreamResponse:
    """
    Answer one request.

    Credentials come in the query or the form; a Digest header or a trusted host's address serve as
    well. A fault is `{"faultCode": …, "faultString": …}` with HTTP 200, wrong credentials with 401.
    """
    gate = request.app[http.GATE]
    client = http.client_of(request, gate.config)
    anonymous = http.new_origin(client, DIALECT)
    fields = dict(request.query)
    if request.method == "POST":
        fields.update(_form(await http.read_body(request, gate.config, MEDIA_TYPES)))
    try:
        if "Authorization" in request.headers or "username" not in fields:
            origin = await http.identify(gate, request, client, anonymous)
        else:
            check = gate.authenticator.by_password(fields["username"], fields.get("apipassword", ""))
            origin = await http.vouched(check, anonymous)
        if isinstance(origin, Refusal):
            return _answer(_fault(AuthenticationFailed()), anonymous, status=401)
        if not fields.get("action"):
            raise BadParameter.required("action")
        params = loads(fields.get("JSONString", ""))
        return _answer(await gate.dispatcher.call(origin, fields["action"], params), origin)
    except Fault as fault:
        return _answer(_fault(fault), anonymous, http.unavailable_status(fault))


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELD_LIMIT))
    except ValueError:
        raise http.closing(web.HTTPBadRequest(text="the form cannot be read\n")) from None


def loads(text: str) -> list[Any]:
    """
    Read JSONString: an object is the one struct, an array holds positional parameters.

    Raises:
        NotWellFormed: It is not JSON.
        WrongType: A name comes twice, or it is nested too deep.
    """
    if not text.strip():
        return []
    try:
        value = json.loads(
            text, parse_float=to_decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_twins
        )
    except RecursionError:
        raise WrongType("JSONString is nested too deep") from None
    except ValueError:
        raise NotWellFormed("JSONString is not JSON") from None
    if _depth(value) > DEPTH_LIMIT:
        raise WrongType("JSONString is nested too deep")
    return value if isinstance(value, list) else [value]


def _refuse_constant(_text: str) -> Any:
    raise ValueError("NaN and infinities are no numbers")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WrongType("JSONString holds a name twice")
    return members


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def dumps(value: Any) -> str:
    """JSON with exact decimals as plain numbers."""
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return json.dumps(value.strftime(COMPACT_DATE))
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(name))}: {dumps(member)}" for name, member in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value)


def _fault(fault: Fault) -> dict[str, Any]:
    return {"faultCode": fault.code, "faultString": fault.text}


def _answer(value: Any, origin: Origin, status: int = 200) -> web.Response:
    response = web.Response(text=dumps(value), status=status, content_type="application/json")
    response.headers[http.REQUEST_ID] = origin.request_id
    response.headers["Cache-Control"] = "no-store"
    return response
