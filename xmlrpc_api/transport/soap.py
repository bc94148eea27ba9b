"""
NGNPro's SOAP face: SOAP 1.1, RPC style, section 5 encoding.

What is called is told by the namespace and name of the first element in the body, nothing else; credentials are
in the header `auth`. Answers have one part, lists always tell their length, faults come with HTTP 500.
"""

import re
from collections.abc import Awaitable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from aiohttp import web
from lxml import etree

from xmlrpc_api.access.authenticator import Checked, Credentials
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Fault,
    InternalError,
    InvalidRequest,
    MethodNotFound,
    Unavailable,
    WrongType,
)
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.numbers import to_decimal
from xmlrpc_api.declaration.registry import Method, nearest
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.ngnpro import OPERATIONS, code_of, words_of
from xmlrpc_api.dispatch.preparation import foresee
from xmlrpc_api.transport import http, wsdl
from xmlrpc_api.transport.ladder import Exchange
from xmlrpc_api.transport.wsdl import ENCODING, ENVELOPE, SCHEMA, TYPES, XSD_TYPES, XSI
from xmlrpc_api.transport.xml import DEPTH_LIMIT, MEMBER_LIMIT, has_text, parse
from xmlrpc_api.transport.xml_writer import is_plain, plain_decimal, safe_text

PATH = "/ngnpro/"
MEDIA_TYPES = ("text/xml", "application/xml")
FOLDER = "/ngnpro"
TYPE = f"{{{XSI}}}type"
_SPACE = " \t\r\n"


async def view(request: web.Request) -> web.StreamResponse:
    """Answer one request."""
    return await _Exchange(request).serve()


class _Exchange(Exchange):
    """
    Credentials are in the document.

    Old clients wait until the connection is closed: they speak HTTP/1.0, which says so. Nor can they read chunks.
    """

    face = Face.SOAP
    content_type = "text/xml; charset=utf-8"

    _called: Method | None = None  # until it is read
    _call: tuple[str, list[Any]]

    async def open(self) -> None:
        read = await http.receive(self.gate, self.request, MEDIA_TYPES, loads)
        self._method, self._credentials, members = read
        self._called, self._call = self._method, (self._method.name, [members])

    def check(self, client: http.Client) -> Awaitable[Checked] | None:
        self.foreseen = foresee(self.face, *self._call)
        return self.gate.authenticator.by_header(self._credentials, client.address, self.foreseen)

    async def read(self) -> tuple[str, list[Any]]:
        return self._call

    def dumps(self, answer: Any) -> bytes:
        return dumps(self._method, answer)

    def dumps_fault(self, fault: Fault) -> bytes:
        return dumps_fault(fault, self._called)

    def status(self, _fault: Fault, *, is_known: bool) -> int:
        return 500


async def describe(request: web.Request) -> web.Response:
    """`GET /ngnpro/wsdl`: the description of all ports, for the address that was asked."""
    base = str(request.url.with_query(None)).removesuffix("wsdl")
    return web.Response(body=wsdl.dumps(base), content_type="text/xml", charset="utf-8")


async def show_schema(request: web.Request) -> web.Response:
    """`GET /ngnpro/soap-encoding.xsd` and its like: what the description imports."""
    return web.Response(body=wsdl.imported(request.path.rpartition("/")[2]), content_type="text/xml", charset="utf-8")


async def show_ports(_request: web.Request) -> web.Response:
    """`GET /ngnpro/`: the ports and their operations, for people."""
    return web.Response(text=wsdl.as_text(), content_type="text/plain", charset="utf-8")


def add_routes(app: web.Application, folder: str) -> None:
    """Answer below `folder`; on a listener of its own any path is taken for a call."""
    app.router.add_get(f"{folder}/wsdl", describe)
    for file in wsdl.IMPORTED:
        app.router.add_get(f"{folder}/{file}", show_schema)
    app.router.add_get(f"{folder}/", show_ports)
    for path in (folder, f"{folder}/") if folder else ("/{path:.*}",):
        app.router.add_post(path, view, expect_handler=http.expect)


def loads(body: bytes) -> tuple[Method, Credentials, dict[str, Any]]:
    """
    Read a call.

    Returns:
        What is called, the credentials, and the arguments by name: texts, lists, dicts. What is nil or empty
        without a type is left out.

    Raises:
        Fault: It is not a readable call.
    """
    envelope = parse(body)
    if envelope.tag != f"{{{ENVELOPE}}}Envelope":
        raise InvalidRequest("The document is not a SOAP 1.1 envelope")
    header = envelope.find(f"{{{ENVELOPE}}}Header")
    operations = envelope.findall(f"{{{ENVELOPE}}}Body/*")
    if len(operations) != 1:
        raise InvalidRequest("The body must hold one operation")
    credentials = _credentials(header)
    namespace, name = _split(operations[0])
    port = namespace.removeprefix(f"{TYPES}:") if namespace.startswith(f"{TYPES}:") else ""
    method = OPERATIONS.get(f"{port}Port.{name}")
    if method is None:
        known = [known.partition("Port.")[2] for known in OPERATIONS if known.startswith(f"{port}Port.")]
        raise MethodNotFound(nearest(name, known))
    is_typed = any(element.get(TYPE) is not None for element in operations[0].iter())
    return method, credentials, _Reader(is_typed).members(operations[0], method.params.by_name, 0)


def _split(element: etree._Element) -> tuple[str, str]:
    """Namespace and local name of an element."""
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace[1:], name


def _credentials(header: etree._Element | None) -> Credentials:
    """
    What the header `auth` says, in whatever namespace.

    Raises:
        InvalidRequest: Something else in the header must be understood.
        AuthenticationFailed: There is no `auth`.
    """
    found: dict[str, str] | None = None
    for entry in header if header is not None else ():
        if _split(entry)[1] == "auth":
            found = {_split(member)[1]: member.text or "" for member in entry}
        elif entry.get(f"{{{ENVELOPE}}}mustUnderstand") in ("1", "true"):
            raise InvalidRequest("A header that must be understood is not known")
    if found is None:
        raise AuthenticationFailed
    impersonate = found.get("impersonate", "").strip(_SPACE) or "0"
    if not re.fullmatch("[0-9]{1,10}", impersonate):
        raise BadParameter("impersonate", "must be the id of a customer")
    return Credentials(
        username=found.get("username", ""),
        password=found.get("password", ""),
        is_admin=found.get("admin", "").strip(_SPACE).lower() in ("true", "1"),
        impersonate=int(impersonate),
    )


class _Reader:
    """
    Reads arguments by their declaration.

    Args:
        is_typed: Whether the client tells types. If so an empty element without one is PHP's null, and is taken for
            left out; clients that read the description tell none, and mean an empty text.
    """

    def __init__(self, is_typed: bool) -> None:
        self._is_typed = is_typed

    def members(self, element: etree._Element, fields: Mapping[str, Field], depth: int) -> dict[str, Any]:
        """The declared members of a struct; others are ignored, as clients echo more than there is."""
        if depth > DEPTH_LIMIT:
            raise InvalidRequest(f"The document is nested deeper than {DEPTH_LIMIT} levels")
        if len(element) > MEMBER_LIMIT:
            raise WrongType(f"A struct holds more than {MEMBER_LIMIT} members")
        if has_text(element):
            raise WrongType(f"{_split(element)[1]} must be a struct")
        members: dict[str, Any] = {}
        for child in element:
            name = _split(child)[1]
            field = fields.get(name)
            if field is None or not self._is_given(child):
                continue
            if name in members:
                raise WrongType.of(name, "is given twice")
            members[name] = self._value(child, field, depth + 1)
        return members

    def _is_given(self, element: etree._Element) -> bool:
        if element.get("href") is not None:
            raise InvalidRequest("References between values are not supported")
        if element.get(f"{{{XSI}}}nil") in ("true", "1"):
            return False
        is_null = self._is_typed and element.get(TYPE) is None and not len(element) and not element.text
        return not is_null

    def _value(self, element: etree._Element, field: Field, depth: int) -> Any:
        if field.wire is Wire.STRUCT:
            return self.members(element, {member.name: member for member in field.members}, depth)
        if field.wire is Wire.ARRAY:
            if len(element) > MEMBER_LIMIT:
                raise WrongType(f"An array holds more than {MEMBER_LIMIT} values")
            members = {member.name: member for member in field.members}
            if members:
                return [self.members(item, members, depth) for item in element]
            return [item.text or "" for item in element]
        if len(element):
            raise WrongType.of(field.name, "must be one value")
        text = element.text or ""
        return _double(text) if field.wire is Wire.DOUBLE and not _is_string(element) else text


def _double(text: str) -> Decimal | str:
    """A number; a text that is none stays what it is, and is refused with the parameter's name."""
    try:
        return to_decimal(text.strip(_SPACE))
    except ValueError:
        return text


def _is_string(element: etree._Element) -> bool:
    """Whether the client says that it means a text."""
    return (element.get(TYPE) or "").rpartition(":")[2] == "string"


def dumps(method: Method, answer: Mapping[str, Any]) -> bytes:
    """The answer: one part, or none."""
    begin, parts, end = _template(method.name)
    body = "".join([part.write(answer[part.name]) for part in parts])
    return f"{begin}{body}{end}".encode()


@cache
def _template(operation: str) -> tuple[str, list["_Element"], str]:
    """What stands before the parts of an answer, those, and what stands behind."""
    port, _, name = operation.partition("Port.")
    parts = [_element(field) for field in wsdl.answered(OPERATIONS[operation])]
    begin, end = _envelope(f'<port:{name}Response xmlns:port="{TYPES}:{port}">\0</port:{name}Response>').split("\0")
    return begin, parts, end


def dumps_fault(fault: Fault, method: Method | None = None) -> bytes:
    """A fault, with the code that NGNPro's clients compare, and with their names of what the method was sent."""
    side = "Server" if isinstance(fault, Unavailable | InternalError) else "Client"
    text = safe_text(fault.told(words_of(method.name) if method else {}))
    return _envelope(
        f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:{side}</faultcode><faultstring>{text}</faultstring><detail>"
        f'<ngnpro:exception><errorcode xsi:type="xsd:int">{code_of(fault)}</errorcode>'
        f'<errorstring xsi:type="xsd:string">{text}</errorstring></ngnpro:exception></detail></SOAP-ENV:Fault>'
    ).encode()


def _envelope(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{ENVELOPE}" xmlns:SOAP-ENC="{ENCODING}" xmlns:xsd="{SCHEMA}"'
        f' xmlns:xsi="{XSI}" xmlns:ngnpro="{TYPES}" SOAP-ENV:encodingStyle="{ENCODING}">'
        f"<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def _element(field: Field) -> "_Element":
    kinds: dict[Wire, type[_Element]] = {Wire.ARRAY: _Array, Wire.STRUCT: _Struct}
    return kinds.get(field.wire, _Element)(field)


class _Element:
    """
    Writes what is declared: one value. A boolean that is nil is left out: PHP would read it as true.

    Attributes:
        name: What it is called.
    """

    def __init__(self, field: Field) -> None:
        self.name = field.name
        kind = f"ngnpro:{field.type}" if field.type else f"xsd:{XSD_TYPES.get(field.wire)}"
        self._begin, self._end = f'<{field.name} xsi:type="{kind}">', f"</{field.name}>"
        self._nil = "" if field.wire is Wire.BOOLEAN else f'<{field.name} xsi:nil="true"/>'

    def write(self, value: Any) -> str:
        """The element."""
        return self._nil if value is None else f"{self._begin}{_text(value)}{self._end}"

    def write_all(self, values: list[Any]) -> list[str]:
        """The elements for many values; texts are looked at together."""
        if set(map(type, values)) == {str} and is_plain("".join(values)):
            begin, end = self._begin, self._end
            return [f"{begin}{value}{end}" for value in values]
        return list(map(self.write, values))


class _Struct(_Element):
    """Writes a struct."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._members = _Members(field)

    def write(self, value: Any) -> str:
        return f"{self._begin}{self._members.write(value)}{self._end}"

    def write_all(self, values: list[Any]) -> list[str]:
        return [f"{self._begin}{members}{self._end}" for members in self._members.write_all(values)]


class _Array(_Element):
    """Writes a list: without its type and length clients cannot read it."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._kind = f"ngnpro:{field.type}" if field.members else f"xsd:{XSD_TYPES[field.items or Wire.STRING]}"
        self._members = _Members(field) if field.members else None

    def write(self, value: Any) -> str:
        values = value or []
        texts = map(_text, values) if self._members is None else self._members.write_all(values)
        items = "".join([f'<item xsi:type="{self._kind}">{text}</item>' for text in texts])
        length = f'SOAP-ENC:arrayType="{self._kind}[{len(values)}]"'
        return f'<{self.name} xsi:type="SOAP-ENC:Array" {length}>{items}{self._end}'

    def write_all(self, values: list[Any]) -> list[str]:
        return list(map(self.write, values))


class _Members:
    """Writes the members of a struct: those that are there, in their order."""

    def __init__(self, field: Field) -> None:
        self._elements = [_element(member) for member in field.members]

    def write(self, value: Mapping[str, Any]) -> str:
        return "".join([element.write(value[element.name]) for element in self._elements if element.name in value])

    def write_all(self, values: list[Any]) -> list[str]:
        """The same of many structs, member by member, where all have all of them."""
        try:
            columns = [element.write_all([value[element.name] for value in values]) for element in self._elements]
        except KeyError:
            return list(map(self.write, values))
        return list(map("".join, zip(*columns, strict=True)))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_decimal(value)
    text = str(value)
    return text if is_plain(text) else safe_text(text)
