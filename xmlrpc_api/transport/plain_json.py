"""
JSON texts to values and back, within the limits of XML documents.

Numbers are exact: the reader takes them as they are written, the writer writes them in plain digits.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from xmlrpc_api.declaration.faults import NotWellFormed, WrongType
from xmlrpc_api.storage.rows import Rows
from xmlrpc_api.transport.xml import (
    DEPTH_LIMIT,
    MEMBER_LIMIT,
    VALUE_LIMIT,
    read_double,
    read_int,
)
from xmlrpc_api.transport.xml_writer import compact_date, plain_decimal


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
