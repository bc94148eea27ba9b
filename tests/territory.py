"""Whose rows are whose: what stands in the tables, each row with the customer whom it belongs to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness import Server
from sqlalchemy import Column, ColumnElement, FromClause, Table, or_, select

from models import Base
from models.customer import ancestors

# What the server notes of calls, whoever makes them.
BOOKKEEPING = frozenset({"audit_head", "audit_log", "customer_counts", "idempotency_keys", "throttles"})
# How to get from a row that names no customer to one that does.
VIA = {
    "i_account": "accounts",
    "i_tariff": "tariffs",
    "i_balance": "balances",
    "i_domain": "sip_domains",
    "i_upload": "uploads",
    "i_web_user": "web_users",
}
TABLES: Mapping[str, Table] = Base.metadata.tables
Key = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Row:
    """One row; `owner` is None where it is everybody's."""

    owner: int | None
    values: Mapping[str, Any]

    def differs_from(self, other: "Row | None") -> set[str]:
        """The columns that are not the same; all of a row that is not there."""
        if other is None:
            return set(self.values)
        return {name for name, value in self.values.items() if value != other.values[name]}


@cache
def _owner(table: Table) -> tuple[FromClause, ColumnElement[Any]] | None:
    """Where a table's rows say to whom they belong; None: to nobody."""
    if "i_customer" in table.c:
        return table, table.c.i_customer
    for name, target in VIA.items():
        if name in table.c:
            other = TABLES[target]
            return table.join(other, other.c[name] == table.c[name]), other.c.i_customer
    return None


OWNED = tuple(t for name, t in sorted(TABLES.items()) if name not in BOOKKEEPING and _owner(t) is not None)
COMMON = tuple(t for name, t in sorted(TABLES.items()) if name not in BOOKKEEPING and _owner(t) is None)


class Land:
    """
    The rows of some customers, at one time.

    Args:
        rows: By table and primary key.
    """

    def __init__(self, rows: Mapping[Key, Row]) -> None:
        self.rows = rows

    @property
    def customers(self) -> dict[int, Mapping[str, Any]]:
        return {row.owner: row.values for row in self.of("customers") if row.owner is not None}

    def of(self, table: str, owner: int | None = None) -> list[Row]:
        """The rows of a table; those of one customer."""
        found = (row for (name, _), row in self.rows.items() if name == table)
        return [row for row in found if owner is None or row.owner == owner]

    def chain(self, i_customer: int) -> list[Mapping[str, Any]]:
        """A customer, and those above him whose rows were read."""
        known = self.customers
        steps = [*ancestors(known[i_customer]["path"]), i_customer]
        return [known[step] for step in steps if step in known]


def survey(server: Server, first: int, others: Collection[int]) -> Land:
    """The rows of all customers from this id on, and of these others."""

    async def work(database: Any) -> Any:
        rows: dict[Key, Row] = {}
        async with database.snapshot() as session:
            for table in OWNED:
                source, owner = _owner(table)
                mine = or_(owner >= first, owner.in_(others), owner.is_(None))
                statement = select(owner.label("whose"), *table.c).select_from(source).where(mine)
                for row in (await session.execute(statement)).mappings():
                    rows[_key(table, row)] = Row(row["whose"], {column.name: row[column] for column in table.c})
        return rows

    return Land(server.run(work))


def common(server: Server) -> Any:
    """The rows of what is everybody's, such as currencies."""

    async def work(database: Any) -> Any:
        async with database.snapshot() as session:
            return {table.name: sorted((await session.execute(select(table))).all(), key=repr) for table in COMMON}

    return server.run(work)


def _key(table: Table, row: Mapping[Column[Any], Any]) -> Key:
    return table.name, tuple(row[column] for column in table.primary_key)
