"""Who may see and touch whom: the one place that asks whether a customer is the caller's."""

import dataclasses
import enum
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Integer, Select, String, and_, bindparam, cast, false, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from models import Balance, Base, Customer, ancestors, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import table_of
from xmlrpc_api.declaration.faults import NotFound, NotPermitted
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.tree import names
from xmlrpc_api.storage.database import Store
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row, Rows
from xmlrpc_api.storage.together import Asked

M = TypeVar("M", bound=Base)
_CALLER_NAMES = tuple(field.name for field in dataclasses.fields(Caller) if field.name != "web_login")
CALLER_COLUMNS = tuple(getattr(Customer, name) for name in _CALLER_NAMES)
_WANTED = bindparam("i_customer", type_=Integer)
_PATH = Query(select(Customer.path).where(Customer.i_customer == _WANTED), is_short=True)
_CALLER = Query(select(*CALLER_COLUMNS, Customer.blocked).where(Customer.i_customer == _WANTED), is_short=True)


def _blocked_above() -> Query:
    columns = (Customer.i_customer, Customer.i_wholesaler, Customer.blocked)
    up = select(*columns).where(Customer.i_customer == _WANTED).cte("up", recursive=True)
    up = up.union_all(select(*columns).join(up, Customer.i_customer == up.c.i_wholesaler))
    return Query(select(up.c.i_customer).where(up.c.blocked, up.c.i_customer != _WANTED).limit(1), is_short=True)


_BLOCKED_ABOVE = _blocked_above()


class HasRows(Protocol):
    """What answers queries: a call's store, or the database itself."""

    async def rows(self, query: Query, **values: Any) -> Rows:
        """What a query finds."""


class Reach(enum.Enum):
    """Which customers a method may touch, seen from its caller."""

    CHILDREN = "direct sub-customers"
    CHILDREN_AND_SELF = "direct sub-customers and the caller himself"
    SUBTREE = "customers at any depth below"
    SUBTREE_AND_SELF = "customers at any depth below and the caller himself"


def below(caller: Caller | Customer) -> ColumnElement[bool]:
    """The condition for all customers at any depth below the caller."""
    return under(caller.path, caller.i_customer)


def under(path: str, i_customer: int) -> ColumnElement[bool]:
    """The condition for all customers at any depth below the one with this path and id."""
    first, end = subtree(path, i_customer)
    return and_(Customer.path >= first, Customer.path < end)


def branch(path: str, i_customer: int) -> ColumnElement[bool]:
    """The same with that customer itself."""
    return or_(Customer.i_customer == i_customer, under(path, i_customer))


def within(caller: Caller, reach: Reach) -> ColumnElement[bool]:
    """The condition for all customers in reach of the caller."""
    return _reached(reach, literal(caller.i_customer), below(caller))


def _reached(reach: Reach, caller: ColumnElement[int], below_it: ColumnElement[bool]) -> ColumnElement[bool]:
    children = reach in (Reach.CHILDREN, Reach.CHILDREN_AND_SELF)
    others = Customer.i_wholesaler == caller if children else below_it
    return others if reach in (Reach.CHILDREN, Reach.SUBTREE) else or_(others, Customer.i_customer == caller)


def reached(reach: Reach) -> ColumnElement[bool]:
    """The same in a query that is made once: `bounds` tells the values."""
    below_it = and_(Customer.path >= bindparam("reach_first"), Customer.path < bindparam("reach_end"))
    return _reached(reach, bindparam("reach_top", type_=Integer), below_it)


def bounds(caller: Caller) -> dict[str, Any]:
    """The values of `reached` for this caller."""
    first, end = subtree(caller.path, caller.i_customer)
    return {"reach_first": first, "reach_end": end, "reach_top": caller.i_customer}


def is_in_branch(row: Any, caller: Any) -> ColumnElement[bool]:
    """The condition for a customer at any depth below another, or that one itself, by the columns of both."""
    below_it = caller.path + cast(caller.i_customer, String)
    return or_(row.i_customer == caller.i_customer, and_(row.path >= below_it + ".", row.path < below_it + "/"))


def named(i_customer: int | str | None, name: str | None = None) -> ColumnElement[bool]:
    """The condition for one customer, by id or by name; a string that is no number is a name."""
    if isinstance(i_customer, int):
        return Customer.i_customer == i_customer
    wanted = i_customer if i_customer is not None else name
    return names.is_customer(wanted) if wanted is not None else false()


async def find_for_update(
    call: Call, i_customer: int, reach: Reach = Reach.CHILDREN, *, rights_stay: bool = False
) -> Customer:
    """
    Lock a customer and its balance until the end of the transaction.

    Args:
        call: The call.
        i_customer: Its id.
        reach: Where it must be, seen from the caller.
        rights_stay: Whether nothing is changed that matters to calls of its own, which may then go on.

    Raises:
        NotFound: It does not exist or is out of reach; nobody can tell which.
    """
    statement = (
        select(Customer)
        .join(Customer.money)
        .join(Customer.default_user)
        .options(contains_eager(Customer.money), contains_eager(Customer.default_user))
        .where(within(call.caller, reach), named(i_customer))
    )
    return await locked(call, Customer, statement, Balance, key_share=rights_stay)


async def locked(call: Call, model: type[M], statement: Select[M], *others: type[Base], key_share: bool = False) -> M:
    """
    The one row that a statement finds, as it is by now, locked until the end of the transaction.

    Args:
        call: The call.
        model: Of what it is a row.
        statement: Reads it, if it is in reach.
        others: Which of the joined rows are locked, too.
        key_share: Whether rows that point at it may be made meanwhile.

    Raises:
        NotFound: It finds none.
    """
    statement = statement.with_for_update(of=(model, *others), key_share=key_share)
    row = (await call.session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()
    if row is None:
        raise NotFound(model)
    return row


async def find(call: Call, i_customer: int | str, reach: Reach = Reach.CHILDREN) -> str:
    """
    Make sure that a customer is there and in reach.

    Returns:
        Its path.

    Raises:
        NotFound: It does not exist or is out of reach; nobody can tell which.
    """
    query, values = finding(call, i_customer, reach)
    rows = await call.store.rows(query, **values)
    return found(call, rows[0] if rows else None)


def finding(call: Call, i_customer: int | str, reach: Reach = Reach.CHILDREN, *, held: bool = False) -> Asked:
    """What to ask for a customer that may be in reach; `found` makes sure that it is."""
    if isinstance(i_customer, int):
        return _finding(reach, by_name=False, held=held), {**bounds(call.caller), "i_customer": i_customer}
    return _finding(reach, by_name=True, held=held), {**bounds(call.caller), **names.forms(i_customer)}


def found(call: Call, row: Row | None) -> str:
    """
    The path of the customer that `finding` has found.

    Raises:
        NotFound: It has found none.
    """
    if row is None:
        raise NotFound(Customer)
    path: str = row["path"]
    call.store.scopes[row["i_customer"]] = subtree(path, row["i_customer"])[0]
    return path


@cache
def _finding(reach: Reach, *, by_name: bool, held: bool) -> Query:
    statement = select(Customer.i_customer, Customer.path).where(
        reached(reach), names.is_customer() if by_name else Customer.i_customer == _WANTED
    )
    return Query(statement.with_for_update(read=True, key_share=True) if held else statement, is_short=True)


async def path_of(call: Call, i_customer: int) -> str:
    """The path of a customer who is there."""
    (row,) = await call.store.rows(_PATH, i_customer=i_customer)
    path: str = row["path"]
    return path


async def hold(call: Call, known: int | str, reach: Reach = Reach.SUBTREE_AND_SELF) -> int | None:
    """
    Keep a customer from being deleted until the end of the transaction; what is put below it comes after this.

    Returns:
        Its id, if it is there and in reach.
    """
    query, values = finding(call, known, reach, held=True)
    rows = await call.store.rows(query, **values)
    if not rows:
        return None
    found(call, rows[0])
    i_customer: int = rows[0]["i_customer"]
    return i_customer


async def load_caller(store: HasRows, i_customer: int) -> Caller | None:
    """The rights of a customer; None if it does not exist or if it or anybody above is blocked."""
    rows = await store.rows(_CALLER, i_customer=i_customer)
    if not rows or rows[0]["blocked"] or await is_anybody_blocked_above(store, i_customer, rows[0]["path"]):
        return None
    return caller_from(rows[0])


async def is_anybody_blocked_above(store: HasRows, i_customer: int, path: str) -> bool:
    """Whether somebody above a customer is blocked. The root never is."""
    return len(ancestors(path)) > 1 and bool(await store.rows(_BLOCKED_ABOVE, i_customer=i_customer))


async def any_blocked(session: AsyncSession, customers: list[int]) -> bool:
    """Whether one of these customers is blocked. The root (the first) never is."""
    if len(customers) <= 1:
        return False
    statement = select(Customer.i_customer).where(Customer.i_customer.in_(customers), Customer.blocked).limit(1)
    return (await session.execute(statement)).first() is not None


async def lock_caller(store: Store, caller: Caller) -> Caller:
    """
    Hold the caller and everybody above it as they are until the end of the transaction.

    Rights, blocking and existence cannot change meanwhile: whoever changes them takes the stronger
    lock. Parents are locked before their children (they have the smaller ids), so nobody waits in a
    circle.

    Raises:
        NotPermitted: It is gone, or it or somebody above it has been blocked.
    """
    chain = [*ancestors(caller.path), caller.i_customer]
    rows = await store.rows(_locking(len(chain)), **dict(zip(_places(len(chain)), chain, strict=True)))
    if len(rows) != len(chain) or any(row["blocked"] for row in rows):
        raise NotPermitted("the caller is blocked")
    store.scopes.update(zip(chain, accumulate(f"{i_customer}." for i_customer in chain), strict=True))
    return caller_from({**rows[-1], "reseller_active": all(row["reseller_active"] for row in rows[1:])})


@cache
def _locking(count: int) -> Query:
    """The query that locks so many customers."""
    columns = table_of(Customer.__mapper__.columns["i_customer"]).columns
    chain = [bindparam(place, type_=Integer) for place in _places(count)]
    return Query(
        select(*(columns[name] for name in (*_CALLER_NAMES, "blocked")))
        .where(columns.i_customer.in_(chain))
        .order_by(columns.i_customer)
        .with_for_update(read=True, key_share=True)
    )


@cache
def _places(count: int) -> list[str]:
    return [f"place_{number}" for number in range(count)]


def caller_from(row: Mapping[str, Any], web_login: str | None = None) -> Caller:
    """A caller from a row that holds `CALLER_COLUMNS`."""
    return Caller(**{name: row[name] for name in _CALLER_NAMES}, web_login=web_login)
