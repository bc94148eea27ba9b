"""NGNPro's queries: a filter, an order and a page, on any list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from models import ROOT_ID, Customer, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.declaration.fields import Field, Wire

WILD_CARDS = "%_"
DIRECTIONS = ("ASC", "DESC")

RANGE = Field(
    name="range",
    wire=Wire.STRUCT,
    type="Range",
    doc="Which of the matches to answer.",
    members=(
        Field(name="start", wire=Wire.INT, low=0, doc="How many of the first to skip.", example=0),
        Field(name="count", wire=Wire.INT, low=0, doc="How many to answer; all if left out.", example=20),
    ),
)
ORDER_BY = Field(
    name="orderBy",
    wire=Wire.STRUCT,
    type="OrderBy",
    doc="In which order.",
    members=(
        Field(name="attribute", wire=Wire.STRING, limit=64, doc="By which attribute.", example="changeDate"),
        Field(name="direction", wire=Wire.STRING, limit=4, doc="ASC or DESC.", example="DESC"),
    ),
)
OWNERS = (
    Field(name="customer", wire=Wire.INT, low=0, doc="By customer.", example=7),
    Field(name="reseller", wire=Wire.INT, low=0, doc="By reseller.", example=7),
)
OWNER = Field(name="owner", wire=Wire.INT, low=0, doc="By owner.", example=7)
TOTAL = Field(name="total", wire=Wire.INT, doc="How many there are in all, on every page.", example=1)


def texts(names: Iterable[str]) -> tuple[Field, ...]:
    """Filters by text."""
    return tuple(
        Field(name=name, wire=Wire.STRING, limit=255, doc=f"By {name}; % and _ are wild cards.", example="%a%")
        for name in names
    )


def query(name: str, filters: Iterable[Field]) -> Field:
    """The parameter `query` of a list method, whose SOAP type is `name`."""
    chosen = Field(
        name="filter",
        wire=Wire.STRUCT,
        type=f"{name.removesuffix('Query')}Filter",
        doc="Which ones; what is left out, empty or 0 does not count.",
        members=tuple(filters),
    )
    return Field(
        name="query",
        wire=Wire.STRUCT,
        type=name,
        required=True,
        doc="What to answer.",
        members=(chosen, ORDER_BY, RANGE),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches, and how many there are in all."""

    total: int
    rows: list[dict[str, Any]]


def matches(column: InstrumentedAttribute[Any], value: str) -> ColumnElement[bool]:
    """Whether a text is `value`, whatever the case of its letters; % and _ are wild cards, as in SQL."""
    lower = value.lower()
    if any(character in value for character in WILD_CARDS):
        return or_(column.like(value), func.lower(column).like(lower))
    return or_(column == value, func.lower(column) == lower)  # SQLite knows the case of ASCII letters alone


def of_reseller(i_customer: int) -> ColumnElement[bool]:
    """The condition for a reseller and everybody below him."""
    first, end = subtree(f"{ROOT_ID}.", i_customer)
    himself = and_(Customer.i_customer == i_customer, Customer.i_wholesaler == ROOT_ID)
    return or_(himself, and_(Customer.path >= first, Customer.path < end))


def of_customers(chosen: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """The conditions for records that the filters `customer` and `reseller` choose."""
    found: list[ColumnElement[bool]] = []
    if "customer" in chosen:
        found.append(Customer.i_customer == chosen["customer"])
    if "reseller" in chosen:
        found.append(of_reseller(chosen["reseller"]))
    return found


async def page(
    call: Call,
    statement: Statement,
    sent: Mapping[str, Any],
    orders: Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]],
    key: InstrumentedAttribute[int],
) -> Found:
    """
    A page of what a statement reads.

    Args:
        call: The call.
        statement: What to read, filtered already.
        sent: The query, with its order and range.
        orders: What can be ordered by.
        key: The order among equals.

    Raises:
        BadParameter: The order is not known, or the page is too long.
    """
    total = (await call.session.execute(select(func.count()).select_from(statement.subquery()))).scalar_one()
    wanted = sent.get("range") or {}
    count, most = wanted.get("count"), call.platform.config.list_limit
    if total - (wanted.get("start") or 0) > most and (count is None or count > most):
        if count is None:
            raise BadParameter("range", f"is required: there are more than {most} matches")
        raise BadParameter("count", f"must not be greater than {most}")
    ordered = statement.order_by(*_order(sent.get("orderBy") or {}, orders), key)
    rows = await call.session.execute(ordered.offset(wanted.get("start") or 0).limit(count))
    return Found(total, [dict(row) for row in rows.mappings()])


def _order(
    sent: Mapping[str, Any], orders: Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]
) -> list[ColumnElement[Any]]:
    attribute, direction = sent.get("attribute"), (sent.get("direction") or DIRECTIONS[0]).upper()
    if not attribute:
        return []
    if attribute not in orders:
        raise BadParameter("attribute", f"must be one of {', '.join(orders)}")
    if direction not in DIRECTIONS:
        raise BadParameter("direction", f"must be {' or '.join(DIRECTIONS)}")
    column: Any = orders[attribute]
    return [column.desc() if direction == "DESC" else column.asc()]
