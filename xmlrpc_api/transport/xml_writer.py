"""
Values to XML-RPC documents.

The writer cannot fail: what cannot be written was refused when it was read.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.numbers import INT_HIGH, INT_LOW
from xmlrpc_api.storage.rows import Kind, Rows

FEW = 8  # rows that are written singly
PROLOG = "<?xml version='1.0'?>\n"
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def dumps(value: Any) -> bytes:
    """A methodResponse with one value, in the form Python's xmlrpclib gave it and old parsers expect."""
    end = "</param>\n</params>\n</methodResponse>\n"
    return f"{PROLOG}<methodResponse>\n<params>\n<param>\n{_text(value)}{end}".encode()


def dumps_fault(fault: Fault) -> bytes:
    """A methodResponse with a fault: the code first, as an int."""
    inner = _text({"faultCode": fault.code, "faultString": fault.text})
    return f"{PROLOG}<methodResponse>\n<fault>\n{inner}</fault>\n</methodResponse>\n".encode()


def dumps_call(name: str, params: list[Any]) -> bytes:
    """A methodCall (for the command line's client, the printed examples and the reference)."""
    inner = "".join(f"<param>\n{_text(param)}</param>\n" for param in params)
    call = f"<methodName>{escape(name)}</methodName>\n<params>\n{inner}</params>"
    return f"{PROLOG}<methodCall>\n{call}\n</methodCall>\n".encode()


def safe_text(value: str) -> str:
    """Text as it may stand in an element; a carriage return would not survive as itself."""
    return escape(_UNWRITABLE.sub("\ufffd", value), {"\r": "&#13;"})


def plain_decimal(value: Decimal) -> str:
    """A number in plain digits with a point: 25.5, 100.0, 0.000001."""
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text[-1] == "." else text


def compact_date(value: datetime) -> str:
    """A date as 20261120T09:57:29."""
    text = value.isoformat()  # which takes a fifth of what strftime does, and pads years
    return f"{text[:4]}{text[5:7]}{text[8:19]}"


def _write_text(value: str) -> str:
    return f"<value><string>{value if is_plain(value) else safe_text(value)}</string></value>\n"


def is_plain(text: str) -> bool:
    """Whether it may stand in an element as it is; told at a glance, a few that may are not found."""
    return text.isprintable() and "&" not in text and "<" not in text and ">" not in text


def _write_int(value: int) -> str:
    kind = "int" if INT_LOW <= value <= INT_HIGH else "string"
    return f"<value><{kind}>{value}</{kind}></value>\n"


def _write_double(value: Decimal) -> str:
    return f"<value><double>{plain_decimal(value)}</double></value>\n" if value.is_finite() else NIL


NIL = "<value><nil/></value>"  # without a line feed, as xmlrpclib has it
NIL_ALONE = {type(None)}
ALIKE = {str, int, type(None)}  # equal values of these have equal texts
WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: NIL,
    str: _write_text,
    bool: lambda value: f"<value><boolean>{value:d}</boolean></value>\n",
    int: _write_int,
    Decimal: _write_double,
    float: lambda value: _write_double(Decimal(str(value))),
    datetime: lambda value: f"<value><dateTime.iso8601>{compact_date(value)}</dateTime.iso8601></value>\n",
    bytes: lambda value: f"<value><base64>{base64.b64encode(value).decode()}</base64></value>\n",
}


@lru_cache(maxsize=1024)
def _template(names: tuple[Any, ...]) -> list[str]:
    """The pieces of a struct with members of these names; every second one is the place of a value."""
    pieces = ["<value><struct>\n"]
    for name in names:
        pieces[-1] += f"<member>\n<name>{safe_text(str(name))}</name>\n"
        pieces += ["", "</member>\n"]
    pieces[-1] += "</struct></value>\n"
    return pieces


def _text(value: Any) -> str:
    """A value, as it stands in a document."""
    kind: Any = type(value)
    writer = WRITERS.get(kind)
    if writer is not None:
        return writer(value)
    if kind is dict or isinstance(value, Mapping):
        pieces = _template(tuple(value)).copy()
        members = value.values()
        if is_plain("".join([member for member in members if type(member) is str])):
            pieces[1::2] = [
                f"<value><string>{member}</string></value>\n"
                if type(member) is str
                else NIL
                if member is None
                else WRITERS.get(type(member), _text)(member)
                for member in members
            ]
        else:
            pieces[1::2] = [WRITERS.get(type(member), _text)(member) for member in members]
        return "".join(pieces)
    writer = _inherited_writer(kind)
    if writer is not None:
        return writer(value)
    if isinstance(value, Iterable):
        return f"<value><array><data>\n{_items(value)}</data></array></value>\n"
    return _write_text(str(value))


def _items(values: Iterable[Any]) -> str:
    """Values one after another. Many that are structs of the same members are written member by member."""
    if isinstance(values, Rows):
        if values.is_as_found and len(values) >= FEW:
            return _table(values.kinds, list(zip(*values.found, strict=True)))
        values = list(values)
    if type(values) is list and len(values) >= FEW and type(values[0]) is dict and values[0]:
        names = tuple(values[0])
        if all(type(value) is dict and tuple(value) == names for value in values):
            columns = list(zip(*(value.values() for value in values), strict=True))
            return _table([Kind(name, None) for name in names], columns)
    return "".join(map(_text, values))


def _table(kinds: Sequence[Kind], columns: Sequence[tuple[Any, ...]]) -> str:
    """
    Structs of the same members, one after another.

    What `_text` makes of each is put together from the texts of all values and what stands between them, at once.
    """
    pieces = _template(tuple(kind.name for kind in kinds))
    before, varying = pieces[0], []
    for kind, values, behind in zip(kinds, columns, pieces[2::2], strict=True):
        column = _column(kind, values)
        if column.texts is None:
            before += column.before + column.after + behind
        else:
            varying.append((before + column.before, column.texts))
            before = column.after + behind
    return _interleaved(varying, before, len(columns[0]))


def _interleaved(columns: Sequence[tuple[str, Sequence[str]]], end: str, count: int) -> str:
    """So many rows: of each column what stands before its texts, and the text; at last how a row ends."""
    step = 2 * len(columns)
    if not step:
        return end * count
    pieces = [""] * (count * step)
    for place, (before, texts) in enumerate(columns):
        pieces[2 * place :: step] = [before] * count
        pieces[2 * place + 1 :: step] = texts
    pieces[step::step] = [end + columns[0][0]] * (count - 1)
    return "".join((*pieces, end))


class _Column(NamedTuple):
    """What stands before each value, their texts, and what stands after each; None: each is told by what is before."""

    before: str
    texts: Sequence[str] | None
    after: str = ""


def _column(kind: Kind, values: Sequence[Any]) -> _Column:
    types = set(map(type, values))
    if types <= ALIKE and values[0] == values[-1] and values.count(values[0]) == len(values):
        return _Column(_text(values[0] if kind.read is None else kind.read(values[0])), None)
    there = types - NIL_ALONE
    places = kind.places if there == {int} else 0
    if kind.read is not None and not places:
        values = list(map(kind.read, values))
        there = set(map(type, values)) - NIL_ALONE
    some = [value for value in values if value is not None]
    leaves = _leaves(there, some, places)
    if leaves is None:
        return _Column("", [WRITERS.get(type(value), _text)(value) for value in values])
    before, texts, after = leaves
    if len(some) == len(values):
        return leaves
    told = iter(texts or ())
    return _Column("", [NIL if value is None else f"{before}{next(told)}{after}" for value in values])


def _leaves(types: set[type], values: Sequence[Any], places: int) -> _Column | None:
    """Values of one type, none of them nil; None: they are to be written singly."""
    if places:
        fixed = {value: _fixed(value, places) for value in set(values)}
        return _Column("<value><double>", [fixed[value] for value in values], "</double></value>\n")
    if types == {str} and is_plain("".join(values)):
        return _Column("<value><string>", values, "</string></value>\n")
    if types == {int} and min(values) >= INT_LOW and max(values) <= INT_HIGH:
        return _Column("<value><int>", list(map(str, values)), "</int></value>\n")
    if types == {bool}:
        return _Column("<value><boolean>", ["1" if value else "0" for value in values], "</boolean></value>\n")
    if types == {datetime}:
        return _Column("<value><dateTime.iso8601>", list(map(compact_date, values)), "</dateTime.iso8601></value>\n")
    return None


def _fixed(value: int, places: int) -> str:
    """So many parts of 10 to the power of `places` in plain digits, as `plain_decimal` has them."""
    whole, parts = divmod(abs(value), 10**places)
    digits = f"{parts:0{places}}".rstrip("0") or "0"
    return f"{'-' if value < 0 else ''}{whole}.{digits}"


@cache
def _inherited_writer(kind: Any) -> Callable[[Any], str] | None:
    return next((WRITERS[base] for base in kind.__mro__ if base in WRITERS), None)
