"""
XML-RPC documents to values.

Every value arrives whole or not at all: nothing is stripped, shortened or guessed. Beyond the
specification the reader takes `i8`, Apache's `ex:nil` and `ex:i8`, 64 bits in an `int` (clients of 64
bits send them; the field decides whether they fit), dates with dashes and `Z`.
"""

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from xmlrpc_api.declaration.faults import (
    InvalidCharacter,
    InvalidRequest,
    MethodNotFound,
    NotWellFormed,
    UnsupportedEncoding,
    WrongType,
)
from xmlrpc_api.declaration.numbers import to_decimal

PATH = "/xmlapi/xmlapi"  # where they are exchanged
DEPTH_LIMIT = 16
MEMBER_LIMIT = 1000
VALUE_LIMIT = 20_000
APACHE = "{http://ws.apache.org/xmlrpc/namespaces/extensions}"
METHOD_NAME = re.compile(r"[A-Za-z0-9_.:/]{1,255}")
ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252")

_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^<]*?encoding\s*=\s*[\"']([^\"'<]*)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DATE = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.0{1,6})?Z?")
_SPACE = " \t\r\n"

_ERRORS: dict[int, type[NotWellFormed | UnsupportedEncoding | InvalidCharacter]] = {
    etree.ErrorTypes.ERR_INVALID_CHAR: InvalidCharacter,
    etree.ErrorTypes.ERR_INVALID_CHARREF: InvalidCharacter,
    etree.ErrorTypes.ERR_INVALID_ENCODING: UnsupportedEncoding,
    etree.ErrorTypes.ERR_UNKNOWN_ENCODING: UnsupportedEncoding,
    etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING: UnsupportedEncoding,
}


def _new_parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,  # joins the text around them: no value is cut at a comment
        remove_pis=True,
    )


def parse(body: bytes) -> etree._Element:
    """
    Read a document; one with a DOCTYPE is refused, whatever it holds.

    Raises:
        NotWellFormed, UnsupportedEncoding, InvalidCharacter: It cannot be read.
    """
    declared = _DECLARED.match(body)  # UTF-16 does not match: its first bytes tell what it is
    if declared and declared[1].decode("latin-1").lower() not in ENCODINGS:
        raise UnsupportedEncoding  # some that the parser knows hide markup from everybody else, like UTF-7
    try:
        root = etree.fromstring(body, _new_parser())
    except etree.XMLSyntaxError as error:
        raise _ERRORS.get(getattr(error, "code", 0), NotWellFormed)() from None  # noqa: RSE102
    except ValueError:
        raise NotWellFormed from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotWellFormed("A document type declaration is not allowed")
    return root


def loads(body: bytes) -> tuple[str, list[Any]]:
    """
    Read a call.

    Returns:
        The method's name and the parameters: int, Decimal, bool, str, bytes, datetime, None, list, dict.

    Raises:
        Fault: It is not a readable call.
    """
    root = parse(body)
    if root.tag != "methodCall" or has_text(root):
        raise InvalidRequest("The document is not a methodCall")
    children = list(root)
    if not children or children[0].tag != "methodName" or len(children[0]):
        raise InvalidRequest("methodName is missing")
    name = (children[0].text or "").strip(_SPACE)
    if not METHOD_NAME.fullmatch(name):
        raise MethodNotFound
    if len(children) == 1:
        return name, []
    params = children[1]
    if len(children) > 2 or params.tag != "params" or has_text(params):  # noqa: PLR2004
        raise InvalidRequest("Only params may follow methodName")
    if len(params) > MEMBER_LIMIT:
        raise WrongType(f"There are more than {MEMBER_LIMIT} parameters")
    reader = _Reader()
    return name, [reader.value(_only_child(param, "param", "value"), 0) for param in params]


def loads_answer(body: bytes) -> tuple[bool, Any]:
    """
    Read an answer, for the command line's client.

    Returns:
        Whether it is a fault, and its one value.

    Raises:
        Fault: It cannot be read.
    """
    root = parse(body)
    if root.tag != "methodResponse" or len(root) != 1:
        raise InvalidRequest("The document is not a methodResponse")
    if root[0].tag == "fault":
        return True, _Reader(limited=False).value(_only_child(root[0], "fault", "value"), 0)
    return False, _Reader(limited=False).value(
        _only_child(_only_child(root[0], "params", "param"), "param", "value"), 0
    )


def has_text(element: etree._Element) -> bool:
    """Whether there is text beside the children."""
    if element.text and element.text.strip(_SPACE):
        return True
    for child in element:  # asked of every element: a generator takes twice as long
        tail = child.tail
        if tail and tail.strip(_SPACE):
            return True
    return False


def _only_child(element: etree._Element, tag: str, child: str) -> etree._Element:
    if element.tag != tag or len(element) != 1 or element[0].tag != child or has_text(element):
        raise InvalidRequest(f"{tag} must hold one {child}")
    return element[0]


class _Reader:
    """Walks one document and counts what it has read."""

    def __init__(self, *, limited: bool = True) -> None:
        self._values = 0
        self._value_limit = VALUE_LIMIT if limited else 2**31
        self._member_limit = MEMBER_LIMIT if limited else 2**31

    def value(self, element: etree._Element, depth: int) -> Any:
        """The content of a `value` element."""
        self._values += 1
        if self._values > self._value_limit:
            raise WrongType(f"The document holds more than {VALUE_LIMIT} values")
        if depth > DEPTH_LIMIT:
            raise InvalidRequest(f"The document is nested deeper than {DEPTH_LIMIT} levels")
        if not len(element):
            return element.text or ""
        if len(element) > 1 or has_text(element):
            raise InvalidRequest("value must hold one type")
        typed = element[0]
        if typed.tag == "struct":
            return self._struct(typed, depth)
        if typed.tag == "array":
            return self._array(typed, depth)
        read = SCALARS.get(typed.tag)
        if read is None or len(typed):
            raise InvalidRequest("value holds an unknown type")
        return read(typed.text or "")

    def _struct(self, element: etree._Element, depth: int) -> dict[str, Any]:
        if has_text(element):
            raise InvalidRequest("struct must hold members only")
        if len(element) > self._member_limit:
            raise WrongType(f"A struct holds more than {MEMBER_LIMIT} members")
        members: dict[str, Any] = {}
        for member in element:
            if member.tag != "member" or len(member) != 2 or has_text(member):  # noqa: PLR2004
                raise InvalidRequest("member must hold name and value")
            name, value = member
            if name.tag != "name":
                name, value = value, name
            if name.tag != "name" or value.tag != "value" or len(name):
                raise InvalidRequest("member must hold name and value")
            key = name.text or ""
            if key in members:
                raise WrongType(f"Parameter {key[:64]} is given twice")
            members[key] = self.value(value, depth + 1)
        return members

    def _array(self, element: etree._Element, depth: int) -> list[Any]:
        data = _only_child(element, "array", "data")
        if has_text(data):
            raise InvalidRequest("data must hold values only")
        if len(data) > self._member_limit:
            raise WrongType(f"An array holds more than {MEMBER_LIMIT} values")
        if any(value.tag != "value" for value in data):
            raise InvalidRequest("data must hold values only")
        return [self.value(value, depth + 1) for value in data]


def read_int(text: str) -> int:
    """A whole number of up to 64 bits."""
    text = text.strip(_SPACE)
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise WrongType("An int is not a whole number")
    return int(text)


def read_double(text: str) -> Decimal:
    """A number within the range of a double, exactly as it is written."""
    try:
        value = to_decimal(text.strip(_SPACE))
    except ValueError:
        raise WrongType("A double is not a number") from None
    if math.isinf(float(value)) or (value and not float(value)):
        raise WrongType("A double is out of range")
    return value


def _boolean(text: str) -> bool:
    text = text.strip(_SPACE)
    if text not in ("0", "1"):
        raise WrongType("A boolean is neither 0 nor 1")
    return text == "1"


def _datetime(text: str) -> datetime:
    match = _DATE.fullmatch(text.strip(_SPACE))
    try:
        if match:
            return datetime(*(int(part) for part in match.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        pass
    raise WrongType("A dateTime.iso8601 is not a date such as 20261120T09:57:29")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(f"[{_SPACE}]", "", text), validate=True)
    except (binascii.Error, ValueError):
        raise WrongType("A base64 is not base64") from None


def _nil(text: str) -> None:
    if text.strip(_SPACE):
        raise InvalidRequest("nil must be empty")


SCALARS: dict[Any, Any] = {
    "int": read_int,
    "i4": read_int,
    "i8": read_int,
    f"{APACHE}i8": read_int,
    "double": read_double,
    "boolean": _boolean,
    "string": str,
    "dateTime.iso8601": _datetime,
    "base64": _base64,
    "nil": _nil,
    f"{APACHE}nil": _nil,
}
