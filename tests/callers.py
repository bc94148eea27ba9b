"""One call by one customer, over whichever face he chooses, on real sockets."""

import enum
import http.client
import json
import xmlrpc.client
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import soap
import wire
from harness import Server, test_config
from lxml import etree

from models import ROOT_ID
from xmlrpc_api.declaration.registry import Method
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.transport import rest

NOBODY = "127.0.0.1"  # credentials are needed from here
TRUSTED = "127.0.0.2"  # and none from here
KEPT_SECONDS = 3600
PASSWORD = soap.PASSWORD
NGNPRO_PATH = "/ngnpro/"
MULTICALL = "system.multicall"


class Way(enum.Enum):
    """How somebody calls: a face, and how it learns who he is."""

    DIGEST = "XML-RPC, Digest"
    TRUSTED = "XML-RPC, trusted host"
    GATEWAY = "JSON, password"
    TRUSTED_GATEWAY = "JSON, trusted host"
    SOAP = "SOAP, login"
    IMPERSONATED = "SOAP, impersonated by the administrator"

    @property
    def is_soap(self) -> bool:
        """Whether NGNPro's operations are called; there the rights of a lender count."""
        return self in (Way.SOAP, Way.IMPERSONATED)

    @property
    def methods(self) -> Mapping[str, Method]:
        """Which methods are known there."""
        return OPERATIONS if self.is_soap else METHODS

    @property
    def is_trusted(self) -> bool:
        """Whether the caller is named in a parameter."""
        return self in (Way.TRUSTED, Way.TRUSTED_GATEWAY)


SWITCH_WAYS = tuple(way for way in Way if not way.is_soap)
SOAP_WAYS = tuple(way for way in Way if way.is_soap)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    fault: int | None
    text: str
    value: Any = None

    @property
    def is_refused(self) -> bool:
        return self.fault is not None


def trusting(database_url: str, admin_hash: str, **settings: Any) -> Server:
    """A server that trusts one address of this host, and has an administrator for SOAP. Its lines outlive any proof."""
    administrator = {"ngnpro_admin_username": soap.ADMIN, "ngnpro_admin_password_hash": admin_hash}
    given = {"trusted_hosts": [TRUSTED], "keepalive_seconds": KEPT_SECONDS, **administrator, **settings}
    return Server(test_config(database_url, **given), "")


class Switchboard:
    """Makes calls to a server, over connections that are kept."""

    def __init__(self, server: Server) -> None:
        self._lines = {
            source: http.client.HTTPConnection(NOBODY, server.port, 60, (source, 0)) for source in (NOBODY, TRUSTED)
        }
        self._nonce = ""
        self._count = 0

    def close(self) -> None:
        for line in self._lines.values():
            line.close()

    def call(self, way: Way, i_customer: int, login: str, method: Method, params: Any) -> Answer:
        """Call a method; params are the one struct, or a list of positional ones."""
        if way.is_soap:
            return self._soap(way, i_customer, login, method, params)
        sent = _scoped(method, i_customer, params) if way.is_trusted else params
        values = sent if method.positional else [sent]
        if way in (Way.GATEWAY, Way.TRUSTED_GATEWAY):
            credentials = {} if way.is_trusted else {"username": login, "apipassword": PASSWORD}
            return self._json({**credentials, "action": method.name, "JSONString": json.dumps(values)}, way)
        document = xmlrpc.client.dumps(tuple(values), method.name, allow_none=True).encode()
        return self._xml(document, None if way.is_trusted else login)

    def _xml(self, document: bytes, login: str | None) -> Answer:
        source = TRUSTED if login is None else NOBODY
        headers = {"Content-Type": "text/xml"}
        reply = self._send(source, wire.PATH, document, {**headers, **(self._signed(login) if login else {})})
        if reply.status == http.client.UNAUTHORIZED:
            self._nonce, self._count = reply.nonce, 0
            reply = self._send(source, wire.PATH, document, {**headers, **self._signed(login or "")})
        if reply.status != http.client.OK:
            return Answer(reply.status, "")
        try:
            (value,), _ = xmlrpc.client.loads(reply.body, use_builtin_types=True)
        except xmlrpc.client.Fault as fault:
            return Answer(fault.faultCode, reply.body.decode())
        return Answer(None, reply.body.decode(), value)

    def _signed(self, login: str) -> dict[str, str]:
        """An Authorization header, on the nonce that there is."""
        if not self._nonce:
            return {}
        self._count += 1
        return dict([wire.header(wire.answer(self._nonce, login, PASSWORD, nc=f"{self._count:08x}"))])

    def _json(self, fields: Mapping[str, str], way: Way) -> Answer:
        headers = {"Content-Type": rest.MEDIA_TYPES[0]}
        source = TRUSTED if way.is_trusted else NOBODY
        reply = self._send(source, rest.PATH, urlencode(fields).encode(), headers)
        if reply.status != http.client.OK:
            return Answer(reply.status, "")
        value = json.loads(reply.body)
        fault = value.get("faultCode") if isinstance(value, dict) else None
        return Answer(fault, reply.body.decode(), value)

    def _soap(self, way: Way, i_customer: int, login: str, method: Method, params: Mapping[str, Any]) -> Answer:
        if way is Way.SOAP:
            auth = soap.auth(login, PASSWORD, admin=False)
        else:
            lent = i_customer if i_customer != ROOT_ID else None
            auth = soap.auth(soap.ADMIN, soap.ADMIN_PASSWORD, admin=True, impersonate=lent)
        port, _, name = method.name.partition("Port.")
        document = soap.envelope(port, name, "".join(elements(params.items())), auth)
        reply = self._send(NOBODY, NGNPRO_PATH, document, {"Content-Type": "text/xml"})
        text = reply.body.decode()
        if reply.status == http.client.OK:
            return Answer(None, text, etree.fromstring(reply.body))
        return Answer(soap.Reply(reply.status, "", reply.body).code, text)

    def _send(self, source: str, path: str, body: bytes, headers: Mapping[str, str]) -> wire.Reply:
        line = self._lines[source]
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        return wire.Reply(answer.status, answer.getheaders(), answer.read())


def _scoped(method: Method, i_customer: int, params: Any) -> Any:
    """The parameters as a trusted host sends them: they say on whose behalf."""
    if method.name == MULTICALL:
        (calls,) = params
        inner = [(METHODS.get(entry["methodName"]), entry) for entry in calls]
        return [
            [
                {**entry, "params": [_scoped(one, i_customer, entry["params"][0])]} if one and one.scope else entry
                for one, entry in inner
            ]
        ]
    return {**params, method.scope.name: i_customer} if method.scope else params


def can_be_called(way: Way, method: Method) -> bool:
    """Whether a customer can call it: what trusted hosts call without saying for whom is root's."""
    return method.name == MULTICALL or not way.is_trusted or method.scope is not None


def elements(members: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Arguments of SOAP, without types; what cannot be a tag gets one that nobody knows."""
    for known, value in members:
        name = known if known.isidentifier() else "canary"
        if isinstance(value, dict):
            yield f"<{name}>{''.join(elements(value.items()))}</{name}>"
        elif isinstance(value, list):
            yield f"<{name}>{''.join(elements(('item', item) for item in value))}</{name}>"
        elif value is None:
            yield f'<{name} xsi:nil="true"/>'
        else:
            yield f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"
