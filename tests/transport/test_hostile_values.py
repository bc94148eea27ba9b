"""Any method, any parameter, any type and edge: a fault at worst, never an internal error."""

import xmlrpc.client
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from conftest import ENGINES
from harness import Server, unique
from wire import TEXT_XML, document, send, signed

from xmlrpc_api.declaration.manual import example_params
from xmlrpc_api.declaration.registry import Method
from xmlrpc_api.dialects.switch import METHODS

LARGE = "x" * 70_000
VALUES = {
    "nil": "<nil/>",
    "empty": "",
    "word": "canary",
    "spaces": "   ",
    "wildcards": "%_\\*?",
    "quotes": "' OR 1=1 -- \"",
    "digits": "7",
    "digits above 32 bits": "4989123456789",
    "many digits": "9" * 30,
    "exponent": "1e400",
    "not a number": "NaN",
    "long": LARGE,
    "direction marks": "\u202e\u200d\x85",
    "beyond the basic plane": "\U0001f600" * 100,
    "zero": "<int>0</int>",
    "one": "<int>1</int>",
    "negative": "<int>-1</int>",
    "above 32 bits": "<i8>2147483648</i8>",
    "largest": "<i8>9223372036854775807</i8>",
    "smallest": "<i8>-9223372036854775808</i8>",
    "double": "<double>1.5</double>",
    "small double": "<double>0.0000001</double>",
    "large double": "<double>1e308</double>",
    "smallest double": "<double>5e-324</double>",
    "whole double": "<double>1.0</double>",
    "boolean": "<boolean>1</boolean>",
    "date": "<dateTime.iso8601>00010101T00:00:00</dateTime.iso8601>",
    "base64": "<base64>AAEC</base64>",
    "struct": "<struct><member><name>a</name><value/></member></struct>",
    "array": "<array><data><value/></data></array>",
    "empty array": "<array><data/></array>",
}
SHARES = 4  # of all pairs of a place and a value the suite meets one of so many on each engine; --soak meets all
EXPECTED = {None, 400, 401, 402, 403, 404, 409, -32602}
PLACES = [
    (METHODS[name], field.name)
    for name in sorted(METHODS, key=lambda name: name.startswith("delete"))  # the customer is needed till then
    for field in METHODS[name].documented_params
    if name != "system.multicall"
]


def call(method: Method, name: str, value: str, i_customer: int) -> str:
    """A call of a multicall: the method's example with this parameter replaced."""
    known: dict[str, Any] = {} if method.positional else next(iter(example_params(method)), {})
    fresh = {"name": unique(), "web_login": unique(), "i_customer": i_customer, "old": "not the caller's password"}
    members = {key: content(fresh.get(key, given)) for key, given in known.items()} | {name: value}
    params = f"<array><data><value>{value if method.positional else struct(members)}</value></data></array>"
    return struct({"methodName": method.name, "params": params})


def struct(members: dict[str, str]) -> str:
    inner = (f"<member><name>{name}</name><value>{value}</value></member>" for name, value in members.items())
    return f"<struct>{''.join(inner)}</struct>"


def content(value: Any) -> str:
    """What stands between the `value` tags."""
    plain = float(value) if isinstance(value, Decimal) else value
    text = xmlrpc.client.dumps((plain,), allow_none=True)
    return text.partition("<value>")[2].rpartition("</value>")[0]


def places_of(engine: str, value: str) -> list[tuple[Method, str]]:
    """Every place meets half of the values, each on one engine; which ones, a checksum chooses."""
    number = ENGINES.index(engine)
    return [
        (method, param)
        for method, param in PLACES
        if zlib.crc32(f"{value} {method.name} {param}".encode()) % SHARES == number
    ]


@pytest.mark.soak
@pytest.mark.parametrize("name", VALUES)
def test_a_value_never_makes_a_method_fail(
    server: Server, reseller: Any, customers: Any, engine: str, name: str, length: Callable[[Any, Any], Any]
) -> None:
    value, every = VALUES[name], length(places_of(engine, name), PLACES)
    i_customer = customers.make(reseller)
    size = 10 if value is LARGE else 50
    for start in range(0, len(every), size):
        places = every[start : start + size]
        calls = "".join(f"<value>{call(*place, value, i_customer)}</value>" for place in places)
        body = document("system.multicall", f"<array><data>{calls}</data></array>")

        reply = send(server, body, signed(server, reseller.login, reseller.password), TEXT_XML)

        found = {
            f"{method.name} {param}": result.get("faultCode") if isinstance(result, dict) else None
            for (method, param), result in zip(places, reply.value, strict=True)
        }
        assert {place: code for place, code in found.items() if code not in EXPECTED} == {}
