"""Calls of every method and dialect, changed at random: the same seed makes the same calls."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import callers
import hostile
import soap

from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Method
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.transport import plain_json, rest, xml_writer, xmlrpc

KNOWN_IDS = 40
NASTY: tuple[Any, ...] = (
    *(
        None,
        "",
        " ",
        "0",
        "-1",
        "1",
        "a",
        "\t",
        "é",
        "\U0001f600",
        "x" * 300,
        "x" * 70_000,
        "a\rb",
        "a\nb",
        "%",
        "'",
        "\\",
    ),
    *(
        "../..",
        "${a}",
        "nan",
        "null",
        "true",
        "1e5",
        "0x1",
        "1.5",
        "20261120T09:57:29",
        "2026-02-30",
        "a@b",
        "@",
        "sip:a@b",
    ),
    *(0, 1, -1, 7, 8, 2**31 - 1, -(2**31), 2**31, 2**53, 2**63 - 1, -(2**63)),
    *(
        Decimal(0),
        Decimal("0.1"),
        Decimal("-0.000001"),
        Decimal("1e-9"),
        Decimal("1e15"),
        Decimal("1e300"),
        Decimal(10) ** 9,
    ),
    *(True, False, b"", b"\0\x1b", b"\xff\xfe", [], [[]], [None], ["a"] * 1001, {}, {"": ""}, {"a": {"a": {"a": []}}}),
    *(
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 20, tzinfo=UTC),
    ),
)
TOKENS = (
    b"<",
    b">",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&#x41;",
    b"&x;",
    b"]]>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"<?x?>",
    b"<!DOCTYPE x>",
)
TOKENS += (
    b"<value>",
    b"</value>",
    b"<int>",
    b"</int>",
    b"<nil/>",
    b"<struct>",
    b"<array><data>",
    b"<member>",
    b"<name>",
    b"\0",
)
TOKENS += (
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"'",
    b"=",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"%00",
    b"+",
    b"-",
    b"9" * 40,
)
BYTE_CHANGES = 3


@dataclass(frozen=True)
class Request:
    """A request, and what it was made from."""

    name: str
    path: str
    media_type: str
    body: bytes = field(repr=False)


class Mutator:
    """
    Makes requests without end.

    Args:
        seed: Decides them all.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._dialects = (self._xmlrpc, self._xmlrpc, self._xmlrpc, self._rest, self._soap)

    def __iter__(self) -> Iterator[Request]:
        while True:
            request = self._random.choice(self._dialects)()
            if self._random.random() < 0.3:
                request = Request(request.name, request.path, request.media_type, self._bytes(request.body))
            yield request

    def _xmlrpc(self) -> Request:
        method = self._method(METHODS)
        return Request(method.name, xmlrpc.PATH, "text/xml", xml_writer.dumps_call(method.name, self._params(method)))

    def _rest(self) -> Request:
        method = self._method(METHODS)
        params = [self._in_json(param) for param in self._params(method)]
        sent = params if method.positional or not params else params[0]
        form = urlencode({"action": method.name, "JSONString": plain_json.dumps(sent)}, errors="replace").encode()
        return Request(method.name, rest.PATH, rest.MEDIA_TYPES[0], form)

    def _soap(self) -> Request:
        method = self._method(OPERATIONS)
        port, _, name = method.name.partition("Port.")
        arguments = "".join(callers.elements(self._params(method)[0].items()))
        return Request(method.name, "/ngnpro/", "text/xml", soap.envelope(port, name, arguments, hostile.AUTH))

    def _method(self, table: Mapping[str, Method]) -> Method:
        return table[self._random.choice(sorted(table))]

    def _params(self, method: Method) -> list[Any]:
        fields = [one for one in method.documented_params if one.required or self._random.random() < 0.3]
        if method.positional:
            return [self._value(one) for one in fields]
        members = {one.name: self._value(one) for one in fields}
        if method.scope is not None and self._random.random() < 0.9:
            members[method.scope.name] = 1
        if self._random.random() < 0.1:
            members[self._random.choice(("self", "", "canary", "i_customer", "x" * 300))] = self._random.choice(NASTY)
        return [members]

    def _value(self, one: Field) -> Any:
        chance = self._random.random()
        if chance < 0.2:
            return self._random.choice(NASTY)
        if one.name.startswith("i_") or one.name in ("id", "customer", "reseller"):
            return self._random.randint(1, KNOWN_IDS)
        if one.members:
            inner = {member.name: self._value(member) for member in one.members if self._random.random() < 0.4}
            return [inner] if one.wire is Wire.ARRAY else inner
        sample = manual.sample(one)
        return f"{sample}{self._random.randint(1, 10**6)}" if one.name in ("name", "username") else sample

    def _in_json(self, value: Any) -> Any:
        """The same with texts instead of bytes, which JSON does not have."""
        if isinstance(value, bytes):
            return value.decode("latin-1")
        if isinstance(value, dict):
            return {name: self._in_json(member) for name, member in value.items()}
        return [self._in_json(item) for item in value] if isinstance(value, list) else value

    def _bytes(self, body: bytes) -> bytes:
        """Change a few bytes."""
        for _ in range(self._random.randint(1, BYTE_CHANGES)):
            place = self._random.randrange(len(body) + 1)
            end = min(len(body), place + self._random.choice((1, 1, 8, 100)))
            piece = self._random.choice(
                (b"", bytes([self._random.randrange(256)]), self._random.choice(TOKENS), body[place:end] * 2)
            )
            body = body[:place] + piece + body[end if self._random.random() < 0.5 else place :]
        return body
