"""The description of NGNPro's ports, made from the registry: WSDL for machines, a list for people."""

from collections.abc import Iterator
from functools import cache
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined

from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Method
from xmlrpc_api.dialects.ngnpro import OPERATIONS

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPES = "urn:AGProjects:NGNPro"
XSD_TYPES = {Wire.INT: "integer", Wire.DOUBLE: "double", Wire.STRING: "string", Wire.BOOLEAN: "boolean"}
TEMPLATE = "ngnpro.wsdl"
BASE = "http://base.invalid/"
ENCODING_FILE = "soap-encoding.xsd"
IMPORTED = (ENCODING_FILE, "soap-items.xsd")


def ports() -> dict[str, list[Method]]:
    """The operations of each port."""
    found: dict[str, list[Method]] = {}
    for name, method in OPERATIONS.items():
        found.setdefault(name.partition("Port.")[0], []).append(method)
    return found


def answered(method: Method) -> tuple[Field, ...]:
    """The parts of an answer."""
    return method.returns if isinstance(method.returns, tuple) else ()


def _structs() -> Iterator[Field]:
    """All structs and arrays that occur anywhere."""
    waiting = [field for methods in ports().values() for m in methods for field in (*m.params, *answered(m))]
    while waiting:
        field = waiting.pop()
        if field.members or field.wire is Wire.ARRAY:
            yield field
        waiting += field.members


@cache
def structs() -> dict[str, tuple[Field, ...]]:
    """
    The members of each struct, by its type.

    Raises:
        TypeError: One type is declared with different members.
    """
    found: dict[str, tuple[Field, ...]] = {}
    for field in _structs():
        if not field.members:
            continue
        if field.type is None:
            raise TypeError(f"{field.name} is a struct without a type")
        names = [member.name for member in field.members]
        if [member.name for member in found.setdefault(field.type, field.members)] != names:
            raise TypeError(f"{field.type} is declared in two ways")
    return dict(sorted(found.items()))


@cache
def arrays() -> dict[str, str]:
    """What each array type holds."""
    return dict(sorted((type_name(field).partition(":")[2], _item(field)) for field in _structs() if _is_array(field)))


def _is_array(field: Field) -> bool:
    return field.wire is Wire.ARRAY


def _item(field: Field) -> str:
    return f"ngnpro:{field.type}" if field.members else f"xsd:{XSD_TYPES[field.items or Wire.STRING]}"


def type_name(field: Field) -> str:
    """The type of a value, as the description names it."""
    if _is_array(field):
        return f"ngnpro:{field.type if field.members else (field.items or Wire.STRING).name.capitalize()}Array"
    return f"ngnpro:{field.type}" if field.members else f"xsd:{XSD_TYPES[field.wire]}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("xmlrpc_api.transport"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def imported(file: str) -> bytes:
    """A schema that the description imports, directly or not: one of `IMPORTED`."""
    return _environment().get_template(file).render().encode()


def dumps(base: str) -> bytes:
    """The description, for a server at `base`, which whoever asks may choose."""
    return _description().replace(BASE, escape(base)).encode()


@cache
def _description() -> str:
    """The description, for a server at `BASE`. It takes milliseconds, and anybody may ask for it."""
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            base=BASE,
            ports=ports(),
            structs=structs(),
            arrays=arrays(),
            type_name=type_name,
            answered=answered,
            types=TYPES,
            encoding=ENCODING,
            encoding_file=ENCODING_FILE,
        )
    )


def as_text() -> str:
    """The ports and their operations, with what each does."""
    lines = ["NGNPro's SOAP ports. The WSDL is at wsdl, beside this page."]
    for port, methods in ports().items():
        lines += ["", f"{port}Port ({TYPES}:{port})"]
        lines += [f"  {_signature(method)}: {method.documentation.partition(chr(10))[0]}" for method in methods]
    return "\n".join(lines) + "\n"


def _signature(method: Method) -> str:
    params = ", ".join(f"{field.name}: {type_name(field).partition(':')[2]}" for field in method.params)
    return f"{method.name.partition('.')[2]}({params})"
