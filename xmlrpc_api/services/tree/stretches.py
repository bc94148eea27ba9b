"""Stretches of an index: the rows of an owner, in the order of their ids, from a place on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import BigInteger, ColumnElement, UnaryExpression, and_, literal, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.numbers import INT_HIGH

LARGEST = 2**63 - 1
Order = ColumnElement[Any] | InstrumentedAttribute[Any]
Condition = ColumnElement[bool] | InstrumentedAttribute[bool]


class ByEngine(FunctionElement[bool]):
    """
    A condition that SQLite is asked in another form.

    SQLite seeks by equal values and takes no better way for a worse one, but does not seek by rows of values.
    """

    name = "by_engine"
    inherit_cache = True

    def __init__(self, usual: ColumnElement[bool], on_sqlite: ColumnElement[bool]) -> None:
        super().__init__(usual, on_sqlite)


@compiles(ByEngine)
def _usual(element: ByEngine, compiler: SQLCompiler, **kw: Any) -> str:
    usual, _ = element.clauses
    return f"({compiler.process(usual, **kw)})"


@compiles(ByEngine, "sqlite")
def _on_sqlite(element: ByEngine, compiler: SQLCompiler, **kw: Any) -> str:
    _, on_sqlite = element.clauses
    return f"({compiler.process(on_sqlite, **kw)})"


@dataclass(frozen=True, slots=True)
class Key:
    """
    The order of a list: that of an id.

    Attributes:
        id: The column.
        newest_first: Whether the order is descending.
    """

    id: InstrumentedAttribute[int]
    newest_first: bool

    @classmethod
    def of(cls, order: Any) -> Self:
        """That of an order as it is declared: an id, or the same descending."""
        is_descending = isinstance(order, UnaryExpression)
        return cls(order.element if is_descending else order, is_descending)

    @property
    def first(self) -> int:
        """What no id is, and stands before all of them."""
        most = LARGEST if isinstance(self.id.type, BigInteger) else INT_HIGH
        return most if self.newest_first else 0

    def order(self, *columns: Order) -> list[Order]:
        """These columns in its direction."""
        return [column.desc() if self.newest_first else column for column in columns]

    def behind(self, place: Order, other: Any) -> ColumnElement[bool]:
        """The condition for what comes after something else; nothing is asked of that but its place."""
        condition: ColumnElement[bool] = place < other if self.newest_first else place > other
        return condition


@dataclass(frozen=True, slots=True)
class Of:
    """
    Whose rows a list tells: those with these values, which an index holds in front of the id.

    They are read as a stretch of that index. Told that the values are equal, and no more, a database may prefer to
    read all rows by their ids and leave out the others, which takes long where these do not lie evenly among them.

    Attributes:
        values: The values, by their columns; none of those that are nobody's, as `also` says then.
        also: What else must hold; the same for every call, since queries are kept by it.
    """

    values: Mapping[InstrumentedAttribute[Any], Any]
    also: tuple[Condition, ...] = ()

    def equal(self) -> list[ColumnElement[bool]]:
        """The condition, as a database may take it."""
        return [column == value for column, value in self.values.items()]

    def stretch(self, statement: Statement, key: Key, after: Any) -> Statement:
        """The rows behind an id, or all of them, in order."""
        after = _bound(key.first if after is None else after, key.id)
        if not self.values:
            return statement.where(key.behind(key.id, after)).order_by(*key.order(key.id))
        bound = [_bound(value, column) for column, value in self.values.items()]
        columns = [*self.values, key.id]
        owner, same = tuple_(*self.values), tuple_(*bound)
        within = owner >= same if key.newest_first else owner <= same
        usual = and_(key.behind(tuple_(*columns), tuple_(*bound, after)), within)
        plain = and_(*self.equal(), key.behind(key.id, after))
        return statement.where(ByEngine(usual, plain)).order_by(*key.order(*columns))


def _bound(value: Any, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return value if isinstance(value, ColumnElement) else literal(value, column.type)
