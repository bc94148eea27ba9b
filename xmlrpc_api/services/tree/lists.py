"""
Lists: which rows, in which order, which page of them, and how many there are in all. None is silently shortened.

What can be asked of a list is declared once, as a `List`; what a client asks for comes as `Asked`, whatever its dialect
calls it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.faults import BadParameter, NotFound, Thing
from xmlrpc_api.declaration.numbers import INT_HIGH
from xmlrpc_api.services.tree.stretches import Condition, Key, Of, Order
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.nested import among
from xmlrpc_api.storage.rows import Row, Rows

DIRECTIONS = ("ASC", "DESC")
ID = "id of the row"  # what no attribute is called
DATES = ("start_date", "end_date")
Columns = tuple[InstrumentedAttribute[Any], ...]
Filters = Mapping[str, Callable[[Any], ColumnElement[bool]]]


@dataclass(frozen=True, slots=True)
class Words:
    """What a dialect calls the number of rows, what it leaves out who wants all, rows, the order and its direction."""

    count: str = "limit"
    left_out: str = "limit"
    rows: str = "rows"
    order: str = "order"
    direction: str = "direction"


SORTED = Words(order="sort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    What a client asks of a list.

    Attributes:
        filters: Which rows: values by the names of filters; None is no filter.
        order: By what; the list's own order if it is left out.
        direction: ASC or DESC.
        after: Only the rows behind the one with this id, be it there or not, in the list's own order.
        start: How many of the first to skip.
        count: How many to answer; None: all.
        most: How many rows an answer may hold; None: what the setting `list_limit` says.
        words: What faults call all this.
    """

    filters: Mapping[str, Any] = field(default_factory=dict)
    order: str = ""
    direction: str = DIRECTIONS[0]
    after: int | None = None
    start: int = 0
    count: int | None = None
    most: int | None = None
    words: Words = Words()

    def most_of(self, call: Call) -> int:
        """How many rows an answer may hold."""
        return self.most or call.platform.config.list_limit

    def fetched(self, call: Call) -> int:
        """How many rows to read: one more than an answer may hold tells that it would be cut short."""
        most = self.most_of(call) + 1
        return most if self.count is None else min(self.count, most)

    def reach(self, call: Call) -> int:
        """How many rows there are from the first to the end of the page."""
        return min(self.start + self.fetched(call), INT_HIGH)

    def demand_whole(self, call: Call, there: int) -> None:
        """
        Refuse to cut an answer short. More may be asked for than there are.

        Args:
            call: The call.
            there: How many rows there are from `start` on, as far as they have been looked for.

        Raises:
            BadParameter: More rows were asked for, or exist, than one answer may hold.
        """
        most = self.most_of(call)
        if there <= most or (self.count is not None and self.count <= most):
            return
        if self.count is None:
            raise BadParameter(self.words.left_out, f"is required: there are more than {most} {self.words.rows}")
        raise BadParameter(self.words.count, f"must not be greater than {most}")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches, and how many there are in all."""

    total: int
    rows: Sequence[Row]


def asked(params: Mapping[str, Any], most: int | None = None) -> Asked:
    """What the parameters of a call ask for: sort, after, offset and limit, and the filters among them."""
    sort = params.get("sort") or ""
    return Asked(
        filters=params,
        order=sort.removeprefix("-"),
        direction=DIRECTIONS[sort.startswith("-")],
        after=params.get("after"),
        start=params.get("offset") or 0,
        count=params.get("limit"),
        most=most,
        words=SORTED,
    )


def times(time: InstrumentedAttribute[datetime]) -> Filters:
    """The filters for rows from `start_date` on, up to but without `end_date`."""
    start, end = DATES
    return {start: lambda first: time >= first, end: lambda last: time < last}


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """
    A list, and what can be asked of it.

    Attributes:
        statement: What to read.
        key: Its own order, which is the order among equals, too: an id, or the same descending.
        filters: What it can be filtered by.
        orders: What else it can be ordered by.
        lean: Reads the ids of the same rows, with no more tables than that takes. Which rows are on a page, and how
            many there are in all, is asked of it, where filters and order need no more. What is told of the rows is
            asked by their ids then: the plan for that is the same for every page, and need not be made again.
    """

    statement: Statement
    key: Order
    filters: Filters = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)
    lean: Statement | None = None

    async def rows(self, call: Call, asked: Asked, *conditions: Condition, of: Of | None = None) -> Rows:
        """
        The rows that are asked for, of those for which the conditions hold.

        Raises:
            BadParameter: More rows were asked for, or exist, than one answer may hold; or an order is not known.
        """
        if of is not None and not conditions and self.is_plain(asked):
            return await _stretch(call, asked, (self, of))
        return await _read(call, asked, self.asked_for(asked, *conditions, of=of))

    async def page(self, call: Call, asked: Asked, *conditions: Condition, counting: Statement | None = None) -> Found:
        """
        The rows that are asked for, and how many there are in all.

        Args:
            call: The call.
            asked: What is asked.
            conditions: What holds for all of them.
            counting: A statement that tells the `total` without counting, where there is one.

        Raises:
            BadParameter: As in `rows`.
        """
        matching = self._matching(asked, conditions)
        if self.lean is None or not _are_about(self.lean, (*matching, *self._order(asked))):
            rows: Sequence[Row] = await self.rows(call, asked, *conditions)
            there = len(rows)
        else:
            found = await _read(call, asked, self.lean.where(*matching).order_by(*self._order(asked), self.key))
            rows, there = await self._whole(call, found), len(found)
        if there < asked.fetched(call) and (there or not asked.start):  # none is behind the last page
            return Found(asked.start + there, list(rows))
        (counted,) = await call.store.select(self._counting(matching) if counting is None else counting)
        return Found(counted["total"], list(rows))

    async def _whole(self, call: Call, found: Sequence[Row]) -> list[Row]:
        """The rows of which `lean` told the ids; one that is gone meanwhile is left out."""
        name = Key.of(self.key).id.key
        ids = [row[name] for row in found]
        rows = {row.pop(ID): row for row in await call.store.rows(_by_ids(self), ids=ids)} if ids else {}
        return [rows[i_row] for i_row in ids if i_row in rows]

    async def told(
        self,
        call: Call,
        params: Mapping[str, Any],
        name: str,
        *conditions: Condition,
        of: Of | None = None,
        most: int | None = None,
    ) -> Row:
        """
        What a method answers whose parameters are `PAGE`, filters, and one of `sorted_by` if there are orders.

        Args:
            call: The call.
            params: Its parameters.
            name: What the rows are called.
            conditions: What holds for all of them.
            of: Whose rows they are.
            most: How many an answer may hold; None: what the setting `list_limit` says.

        Raises:
            BadParameter: As in `rows`.
        """
        wanted = asked(params, most)
        rows = await self.rows(call, wanted, *conditions, of=of)
        if not params.get("with_total"):
            return {name: rows}
        is_all = wanted.after is None and len(rows) < wanted.fetched(call) and (len(rows) or not wanted.start)
        total = wanted.start + len(rows) if is_all else await self.total(call, wanted, *conditions, of=of)
        return {name: rows, "total": total}

    async def total(self, call: Call, asked: Asked, *conditions: Condition, of: Of | None = None) -> int:
        """How many rows match, on whatever page."""
        whose = (*of.equal(), *of.also) if of else ()
        (counted,) = await call.store.select(self._counting(self._matching(asked, (*whose, *conditions))))
        total: int = counted["total"]
        return total

    def _counting(self, matching: tuple[Condition, ...]) -> Statement:
        """A statement that counts the rows for which these conditions hold."""
        total = func.count().label("total")
        if self.lean is not None and _are_about(self.lean, matching):
            return self.lean.where(*matching).with_only_columns(total)
        return select(total).select_from(self.statement.where(*matching).subquery())

    async def one(self, call: Call, thing: Thing, *conditions: Condition) -> Row:
        """
        The one row for which the conditions hold.

        Raises:
            NotFound: There is none; `thing` is what it would be.
        """
        rows = await call.store.select(self.statement.where(*conditions), is_short=True)
        if not rows:
            raise NotFound(thing)
        return rows[0]

    def asked_for(self, asked: Asked, *conditions: Condition, of: Of | None = None) -> Statement:
        """A statement that reads all pages of what is asked for, in order."""
        matches = self.statement.where(*self._matching(asked, (*conditions, *(of.also if of else ()))))
        key = Key.of(self.key)
        if of is not None and not asked.order and not self._is_dated(asked):
            return of.stretch(matches, key, asked.after)
        if of is not None:
            matches = matches.where(*of.equal())
        if asked.after is not None:
            matches = matches.where(key.behind(key.id, asked.after))
        return matches.order_by(*self._order(asked), self.key)

    def is_plain(self, asked: Asked) -> bool:
        """Whether nothing is asked for but a place to begin at, and how many."""
        return not asked.order and not any(asked.filters.get(name) is not None for name in self.filters)

    def _is_dated(self, asked: Asked) -> bool:
        """Whether an index by time may be the shorter way."""
        return any(name in self.filters and asked.filters.get(name) is not None for name in DATES)

    def _matching(self, asked: Asked, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        given = {name: value for name, value in asked.filters.items() if value is not None and name in self.filters}
        return (*conditions, *(self.filters[name](value) for name, value in given.items()))

    def _order(self, asked: Asked) -> list[ColumnElement[Any]]:
        if not asked.order:
            return []
        if asked.after is not None:
            raise BadParameter(asked.words.order, "must be left out where a page begins after a row")
        if asked.order not in self.orders:
            raise BadParameter(asked.words.order, f"must be one of {', '.join(self.orders)}")
        if asked.direction.upper() not in DIRECTIONS:
            raise BadParameter(asked.words.direction, f"must be {' or '.join(DIRECTIONS)}")
        order = self.orders[asked.order]
        return [order.desc() if asked.direction.upper() == "DESC" else order.asc()]


async def merged(call: Call, asked: Asked, *parts: tuple[List, Of]) -> Rows:
    """
    The rows of several owners, each told by a list: these tell the same, in the same order, and no row is in two.

    Each is read by an index of its own, no further than the page reaches. An OR would be read whole, and sorted.

    Raises:
        BadParameter: As in `List.rows`.
    """
    if parts[0][0].is_plain(asked):
        return await _stretch(call, asked, *parts)
    each = (listed.asked_for(asked, of=owner) for listed, owner in parts)
    return await _read(call, asked, _merged(parts[0][0], each, asked.reach(call), asked))


async def told(call: Call, params: Mapping[str, Any], name: str, *parts: tuple[List, Of]) -> Row:
    """The same for a method, and how many there are if that is asked for; see `List.told`."""
    if len(parts) == 1:
        ((listed, of),) = parts
        return await listed.told(call, params, name, of=of)
    wanted = asked(params)
    rows = await merged(call, wanted, *parts)
    if not params.get("with_total"):
        return {name: rows}
    return {name: rows, "total": sum([await listed.total(call, wanted, of=of) for listed, of in parts])}


async def _stretch(call: Call, asked: Asked, *parts: tuple[List, Of]) -> Rows:
    """What nothing but a page of owners is asked for, by a query that is made once."""
    query = _stretches(tuple((listed, tuple(of.values), of.also) for listed, of in parts))
    given = enumerate(value for _, of in parts for value in of.values.values())
    found = await call.store.rows(
        query,
        **{f"value_{place}": value for place, value in given},
        after=Key.of(parts[0][0].key).first if asked.after is None else asked.after,
        reach=asked.reach(call),
        offset=asked.start,
        limit=asked.fetched(call),
    )
    asked.demand_whole(call, len(found))
    return found


async def _read(call: Call, asked: Asked, pages: Statement) -> Rows:
    found = await call.store.select(pages.offset(asked.start).limit(asked.fetched(call)))
    asked.demand_whole(call, len(found))
    return found


def _merged(listed: List, each: Iterable[Statement], reach: Any, asked: Asked = Asked()) -> Statement:
    """The rows of several statements, of which none is asked for more than `reach` of them, in order."""
    everything = union_all(*(select(one.limit(reach).subquery()) for one in each)).subquery()
    key = Key.of(listed.key)
    order = key.order(everything.columns[key.id.key])
    if asked.order:
        by = everything.columns[asked.order]
        order.insert(0, by.desc() if asked.direction.upper() == "DESC" else by.asc())
    return select(everything).order_by(*order)


@cache
def _stretches(parts: tuple[tuple[List, Columns, tuple[Condition, ...]], ...]) -> Query:
    """A page of the rows of owners: whose they are told by these columns, and what else must hold, of each."""
    place, each = count(), []
    for listed, columns, also in parts:
        of = Of({column: bindparam(f"value_{next(place)}", type_=column.type) for column in columns}, also)
        own = Key.of(listed.key)
        each.append(of.stretch(listed.statement.where(*also), own, bindparam("after", type_=own.id.type)))
    reach, offset, limit = (bindparam(name, type_=Integer) for name in ("reach", "offset", "limit"))
    pages = each[0] if len(each) == 1 else _merged(parts[0][0], each, reach)
    return Query(pages.offset(offset).limit(limit))


@cache
def _by_ids(listed: List) -> Query:
    key = Key.of(listed.key).id
    return Query(listed.statement.add_columns(key.label(ID)).where(among(key)))


def _are_about(statement: Statement, clauses: Iterable[Order]) -> bool:
    """Whether conditions and orders need no other tables than a statement reads."""
    (there,) = statement.get_final_froms()
    tables = set(there._from_objects)  # noqa: SLF001 (nothing else tells)
    return all(tables.issuperset(clause._from_objects) for clause in clauses)  # noqa: SLF001
