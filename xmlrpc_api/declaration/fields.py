"""
Parameters and attributes: what a model's column, or a literal here, says about a value on the wire.

Checking is pydantic's; the types it checks with are built once, at import, from the declarations.
"""

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from typing import Annotated, Any, NotRequired, Required

from pydantic import AfterValidator, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy import Column
from typing_extensions import TypedDict

from models import KEY_LENGTH, SCALE
from xmlrpc_api.declaration.checks import CHECKS, bad_value, wrong_type
from xmlrpc_api.declaration.faults import BadParameter, Fault, WrongType
from xmlrpc_api.declaration.numbers import DECIMAL, DOUBLE_LIMIT, INT_HIGH, INT_LOW

NUMBER_LIMIT = 40
TEXT_LIMIT = 65536
COMPACT_DATE = "%Y%m%dT%H:%M:%S"
GMT_DATE = "%H:%M:%S.000 GMT %a %b %d %Y"

_PLACES = {6: "six", 10: "ten", 12: "twelve"}
_DOUBLES = Context(prec=2 * DOUBLE_LIMIT)
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Wire(enum.Enum):
    """The XML-RPC types of this API; the value is the name that clients read."""

    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "dateTime.iso8601"
    STRUCT = "struct"
    ARRAY = "array"
    ID_OR_NAME = "int or string"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    One parameter or one member of an answer.

    Attributes:
        name: Its name, the same on every face, in the model and in the database.
        wire: Its type on the wire.
        doc: One sentence for the API user.
        required: Whether a call without it is refused.
        nullable: Whether nil is a value of its own. Where it is not, nil at an optional parameter
            counts as left out, except in updates.
        nil_refused: Whether nil is a fault (updates: what cannot be cleared is not silently kept).
        secret: Never returned, logged or audited.
        hashed: A password that is hashed before the transaction begins.
        low, high: Bounds of a number.
        limit: Longest text, in characters.
        check: A further rule, by name; see `CHECKS`.
        places: How many decimals a number has at most.
        reference: The column it must point at.
        members: Members of a struct, or of the structs in an array.
        items: What the array holds where it holds no structs.
        type: Name of the struct, or of the structs in the array, for dialects whose structs have names.
        attribute: Our name of it, where a dialect has another.
        read_only: Whether the server alone sets it.
        example: A value for the reference.
    """

    name: str
    wire: Wire
    doc: str
    required: bool = False
    nullable: bool = False
    nil_refused: bool = False
    secret: bool = False
    hashed: bool = False
    low: int | None = None
    high: int | None = None
    limit: int | None = None
    check: str | None = None
    places: int = SCALE
    reference: Column[Any] | None = None
    members: tuple["Field", ...] = ()
    items: Wire | None = None
    type: str | None = None
    attribute: str | None = None
    read_only: bool = False
    example: Any = None

    def require(self) -> "Field":
        """The same, for methods that cannot do without it."""
        return replace(self, required=True)

    @property
    def type_name(self) -> str:
        """The type as the reference shows it."""
        return f"{self.wire.value} or nil" if self.nullable else self.wire.value


def _read_int(value: Any) -> int:
    """Integers, booleans, whole numbers and digits in a string: clients send all of them."""
    if isinstance(value, int):
        return int(value)
    if (
        isinstance(value, Decimal)
        and value.is_finite()
        and abs(value) <= INT_HIGH
        and value == value.to_integral_value()
    ):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise wrong_type("an integer")


def _read_decimal(value: Any, places: int = SCALE) -> Decimal:
    """
    Doubles are rounded, half to even: clients compute them, and 0.1 * 3 is not 0.3 in binary.

    Texts are meant as they are, and refused if they are more exact than what is kept.
    """
    if isinstance(value, bool):
        raise wrong_type("a number")
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        if value.adjusted() > DOUBLE_LIMIT:
            raise bad_value("is out of range")
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, _DOUBLES) or Decimal(0)
    if not isinstance(value, str) or len(value) > NUMBER_LIMIT or not DECIMAL.fullmatch(value.strip()):
        raise wrong_type("a number")
    exact = Decimal(value.strip())
    if exact.adjusted() > NUMBER_LIMIT or exact.normalize().as_tuple().exponent < -places:  # type: ignore[operator]
        raise bad_value(f"must have at most {_PLACES[places]} decimals")
    return exact


def _read_text(value: Any) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise wrong_type("a string")
    if _NOT_XML.search(value):
        raise bad_value("holds a character that XML does not allow")
    return value


def _read_boolean(value: Any) -> bool:
    known = {True: True, False: False, "1": True, "0": False, "true": True, "false": False}
    if isinstance(value, bool | int | str) and value in known:
        return known[value]
    raise wrong_type("a boolean")


def _read_datetime(value: Any) -> datetime:
    """Both date forms of the API (they are UTC), and what the codec has read already."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        for form in (COMPACT_DATE, GMT_DATE):
            try:
                return datetime.strptime(value.strip(), form).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise wrong_type('a date such as 20261120T09:57:29 or "09:57:29.000 GMT Fri Nov 20 2026"')


def _read_struct(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_type("a struct")
    return value


def _read_array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type("an array")
    return value


def _read_members(field: Field) -> Callable[[Any], Any]:
    """Reads a struct whose members are declared; several of them for an array."""
    params = Params(field.name, field.members)
    if field.wire is Wire.STRUCT:
        return lambda value: params.load(_read_struct(value))
    return lambda value: [params.load(_read_struct(item)) for item in _read_array(value)]


def _read_items(field: Field, wire: Wire) -> Callable[[Any], Any]:
    params = Params(field.name, [Field(name=field.name, wire=wire, doc=field.doc, required=True, limit=field.limit)])
    return lambda value: [params.load({field.name: item})[field.name] for item in _read_array(value)]


def _read_id_or_name(value: Any) -> int | str:
    try:
        number = _read_int(value)
    except PydanticCustomError:
        return _read_text(value)
    if not INT_LOW <= number <= INT_HIGH:
        raise bad_value(f"must be between {INT_LOW} and {INT_HIGH}")
    return number


READERS: dict[Wire, tuple[type[Any] | Any, Callable[[Any], Any]]] = {
    Wire.INT: (int, _read_int),
    Wire.DOUBLE: (Decimal, _read_decimal),
    Wire.STRING: (str, _read_text),
    Wire.BOOLEAN: (bool, _read_boolean),
    Wire.DATETIME: (datetime, _read_datetime),
    Wire.STRUCT: (dict[str, Any], _read_struct),
    Wire.ARRAY: (list[Any], _read_array),
    Wire.ID_OR_NAME: (int | str, _read_id_or_name),
    Wire.ANY: (Any, lambda value: value),
}


def _bounded(field: Field) -> Callable[[Any], Any]:
    low = field.low if field.low is not None else INT_LOW if field.wire is Wire.INT else None
    high = field.high if field.high is not None else INT_HIGH if field.wire is Wire.INT else None

    def check(value: Any) -> Any:
        if (low is not None and value < low) or (high is not None and value > high):
            bounds = f"must be between {low} and {high}" if high is not None else f"must not be less than {low}"
            raise bad_value(bounds)
        return value

    return check


def _short_enough(field: Field) -> Callable[[str], str]:
    limit = field.limit or TEXT_LIMIT

    def check(value: str) -> str:
        if len(value) > limit:
            raise bad_value(f"is longer than {limit} characters")
        return value

    return check


def _annotation(field: Field) -> Any:
    """The type that pydantic checks a value of this field with."""
    kind, reader = READERS[field.wire]
    if field.members:
        reader = _read_members(field)
    elif field.items is not None:
        reader = _read_items(field, field.items)
    elif field.wire is Wire.DOUBLE and field.places != SCALE:
        reader = partial(_read_decimal, places=field.places)

    def read(value: Any) -> Any:
        if value is None:
            raise bad_value("must not be nil")
        return reader(value)

    validators: list[Any] = [BeforeValidator(read)]
    if field.wire in (Wire.INT, Wire.DOUBLE):
        validators.append(AfterValidator(_bounded(field)))
    if field.wire is Wire.STRING:
        validators.append(AfterValidator(_short_enough(field)))
    if field.check:
        validators.append(AfterValidator(CHECKS[field.check]))
    annotation: Any = kind
    for validator in validators:
        annotation = Annotated[annotation, validator]
    return annotation | None if field.nullable else annotation


class Params:
    """The parameters of one method, in declared order."""

    def __init__(self, name: str, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)
        self.by_name = {field.name: field for field in self.fields}
        self.hashed = tuple(field.name for field in self.fields if field.hashed)
        if len(self.by_name) != len(self.fields):
            raise TypeError(f"{name} declares a parameter twice")
        members = {
            field.name: (Required if field.required else NotRequired)[_annotation(field)] for field in self.fields
        }
        new_type: Any = TypedDict  # made at run time, which type checkers do not follow
        shape = new_type(name, members)
        shape.__pydantic_config__ = ConfigDict(extra="ignore", hide_input_in_errors=True)
        self._adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(shape)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def unknown(self, raw: Mapping[str, Any]) -> list[str]:
        """Names in `raw` that this method does not have."""
        return [name for name in raw if name not in self.by_name]

    def load(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """
        Check and convert what a client sent. Left out stays left out.

        Raises:
            BadParameter: A value is missing or invalid, the first one in declared order.
            WrongType: A value has the wrong type.
        """
        given = {name: value for name, value in raw.items() if self._is_given(name, value)}
        try:
            return self._adapter.validate_python(given)
        except ValidationError as error:
            raise self._fault(error) from None

    def _is_given(self, name: str, value: Any) -> bool:
        field = self.by_name.get(name)
        if field is None:
            return False
        if value is None:
            return field.nullable or field.nil_refused
        return not (value == "" and field.wire not in (Wire.STRING, Wire.ANY))

    def _fault(self, error: ValidationError) -> Fault:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0])
        if first["type"] == "missing":
            return BadParameter.required(name)
        if first["type"] == "wrong_type":
            return WrongType.of(name, first["msg"])
        return BadParameter(name, first["msg"])


I_CUSTOMER = Field(name="i_customer", wire=Wire.INT, required=True, low=1, doc="Id of the customer.", example=29)
I_ACCOUNT = Field(name="i_account", wire=Wire.INT, required=True, low=1, doc="Id of the account.", example=11)
I_WHOLESALER = Field(
    name="i_wholesaler",
    wire=Wire.INT,
    low=1,
    doc="On whose behalf the call runs. Required from trusted hosts; others may only name themselves.",
    example=None,
)
I_CUSTOMER_OWNER = replace(I_WHOLESALER, name="i_customer")
IDEMPOTENCY_KEY = Field(
    name="idempotency_key",
    wire=Wire.STRING,
    limit=KEY_LENGTH,
    check="not_empty",
    doc="Makes the call safe to send again: with the same key and content it has one effect and one answer.",
    example=None,
)
