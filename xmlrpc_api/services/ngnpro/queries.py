"""NGNPro's queries: how its clients say which filter, order and page of a list they want."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from models import ROOT_ID, Customer
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Entity, Statement, Values
from xmlrpc_api.declaration.faults import NotFound, Thing
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.dialects.ngnpro import NAMES, struct
from xmlrpc_api.services.tree import ownership, resellers
from xmlrpc_api.services.tree.lists import DIRECTIONS, Asked, Filters, Found, List, Words
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.stretches import Condition, Order
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row

REACH = Reach.SUBTREE_AND_SELF
WILD_CARDS = "%_"
WORDS = Words(count="count", left_out="range", rows="matches", order="attribute", direction="direction")

RANGE = struct(
    "range",
    "Range",
    "Which of the matches to answer.",
    Field(name="start", wire=Wire.INT, low=0, doc="How many of the first to skip.", example=0),
    Field(name="count", wire=Wire.INT, low=0, doc="How many to answer; all if left out.", example=20),
)
ORDER_BY = struct(
    "orderBy",
    "OrderBy",
    "In which order.",
    Field(name="attribute", wire=Wire.STRING, limit=64, doc="By which attribute.", example="changeDate"),
    Field(name="direction", wire=Wire.STRING, limit=4, doc="ASC or DESC.", example="DESC"),
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
    which = "Which ones; what is left out, empty or 0 does not count."
    chosen = struct("filter", f"{name.removesuffix('Query')}Filter", which, *filters)
    return struct("query", name, "What to answer.", chosen, ORDER_BY, RANGE).require()


def matches(column: Order, value: str) -> ColumnElement[bool]:
    """Whether a text is `value`, whatever the case of its letters; % and _ are wild cards, as in SQL."""
    lower = value.lower()
    if any(character in value for character in WILD_CARDS):
        return or_(column.like(value), func.lower(column).like(lower))
    return or_(column == value, func.lower(column) == lower)  # SQLite knows the case of ASCII letters alone


def columns(entity: Entity, *names: str) -> dict[str, Order]:
    """The columns of attributes, by NGNPro's names."""
    return {NAMES[entity.model][name]: entity.column(name) for name in names}


def by_text(columns: Mapping[str, Order]) -> Filters:
    """The filters by the texts in these columns."""
    return {name: partial(matches, column) for name, column in columns.items()}


def of_reseller(i_customer: int) -> ColumnElement[bool]:
    """The condition for a reseller and everybody below it."""
    himself = and_(Customer.i_customer == i_customer, Customer.i_wholesaler == ROOT_ID)
    return or_(himself, ownership.under(f"{ROOT_ID}.", i_customer))


OF_CUSTOMERS: Filters = {"customer": lambda i_customer: Customer.i_customer == i_customer, "reseller": of_reseller}


def asked(query: Values) -> Asked:
    """What a query asks of a list; filters that are left out, empty or 0 do not count."""
    order, wanted = query.get("orderBy") or {}, query.get("range") or {}
    return Asked(
        filters={name: value for name, value in (query.get("filter") or {}).items() if value not in ("", 0)},
        order=order.get("attribute") or "",
        direction=order.get("direction") or DIRECTIONS[0],
        start=wanted.get("start") or 0,
        count=wanted.get("count"),
        words=WORDS,
    )


def with_owner(statement: Statement, i_customer: InstrumentedAttribute[int]) -> Statement:
    """A statement that tells where in the tree the customer stands to whom a row belongs, too."""
    return statement.add_columns(Customer.path).join(Customer, Customer.i_customer == i_customer)


def belonging(
    entity: Entity,
    *more: Order,
    texts: Mapping[str, Order] = MappingProxyType({}),
    orders: Mapping[str, Order] = MappingProxyType({}),
) -> List:
    """The list of what belongs to customers: its attributes and `more`, by customer, reseller and these texts."""
    told = entity.select(field for field in entity.fields.values() if not field.secret).add_columns(*more)
    key, i_customer = entity.column(entity.key_name), entity.column("i_customer")
    filters = {**by_text(texts), **OF_CUSTOMERS}
    lean = select(key).join(Customer, Customer.i_customer == i_customer)
    return List(with_owner(told, i_customer), key, filters, orders, lean)


async def search(
    call: Call, listed: List, asked: Asked, *conditions: Condition, counting: Statement | None = None
) -> Found:
    """
    The rows that are asked for and that the caller may see, each with its customer and reseller.

    As to `counting`, see `List.page`.

    Raises:
        BadParameter: The query cannot be answered.
    """
    within = ownership.within(call.caller, REACH)
    found = await listed.page(call, asked, within, *conditions, counting=counting)
    for row in found.rows:
        _place(row)
    return found


def finding(listed: List, wanted: Condition) -> Query:
    """The query for the row of a list for which a condition holds, with parameters, if the caller may see it."""
    return Query(listed.statement.where(wanted, ownership.reached(REACH)), is_short=True)


async def one(call: Call, query: Query, thing: Thing, **wanted: Any) -> Row:
    """
    The row that a query finds, with its customer and reseller.

    Args:
        call: The call.
        query: One that `finding` has made.
        thing: What the row would be.
        wanted: The parameters of the condition.

    Raises:
        NotFound: It is not there for the caller.
    """
    rows = await call.store.rows(query, **ownership.bounds(call.caller), **wanted)
    if not rows:
        raise NotFound(thing)
    _place(rows[0])
    return rows[0]


def _place(row: Row) -> None:
    """Tell customer and reseller of a row, as NGNPro shows them: what is the root's belongs to nobody."""
    places = {"reseller": resellers.reseller_of(row.pop("path"), row["i_customer"]), "i_customer": row["i_customer"]}
    row |= {name: 0 if i_customer == ROOT_ID else i_customer for name, i_customer in places.items()}
