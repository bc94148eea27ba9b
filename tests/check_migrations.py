"""
`make check`: on both engines the migrations give exactly the tables of the models, go back, and lose no row.

Every table is filled with made-up rows at every revision; then it goes up and down one revision at a time, and what
was in a table is still there, in all columns that survive. The way back also restores the schema of before: what a
table lost when SQLite made it again (a trigger, a check, an index, AUTOINCREMENT) is noticed then.
"""

import asyncio
import itertools
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlalchemy.exc import IntegrityError

from models import Base
from tests.postgresql import start_postgresql
from xmlrpc_api.config import load
from xmlrpc_api.installation import VERSION_TABLE, migrations, newest_revision
from xmlrpc_api.storage.database import Database

ATTEMPTS = 3000
FIRST_MADE = 100_000
LONGEST_TEXT = 40
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
LITERAL = re.compile(r"-?\b\d+\b|'[^']*'")
TRIGGERS = {
    "sqlite": "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
}
NEVER_REUSED = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"

Row = frozenset[tuple[str, Any]]
Rows = dict[str, Counter[Row]]


@dataclass
class Filler:
    """Makes rows that a table takes, knowing only what the database says about it."""

    chance: random.Random = field(default_factory=lambda: random.Random(11))
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_MADE))
    made: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def fill(self, connection: Connection) -> None:
        """Add two rows to every table: one without what may be left out, and one with all there is."""
        tables = reflected(connection)
        for sparse in (True, False):
            for table in in_order(tables):
                self._add(connection, table, sparse=sparse)

    def _add(self, connection: Connection, table: Table, *, sparse: bool) -> None:
        row = {column.name: self._value(column, sparse=sparse) for column in table.columns}
        self._refer(table, row, sparse=sparse)
        for _ in range(ATTEMPTS):
            try:
                with connection.begin_nested():
                    connection.execute(table.insert().values(row))
            except IntegrityError as error:
                self._mend(table, row, str(error.orig))
            else:
                self.made.setdefault(table.name, []).append(row)
                return
        raise AssertionError(f"no row of {table.name} can be made up: {row}")

    def _value(self, column: Column[Any], *, sparse: bool) -> Any:
        if sparse and column.nullable:
            return None
        number = next(self.numbers)
        kind = column.type.python_type
        if kind is str:
            length = min(getattr(column.type, "length", None) or LONGEST_TEXT, LONGEST_TEXT)
            return f"{column.name}-{number}"[-length:]
        values: dict[type, Any] = {
            bool: not sparse,
            int: number if column.primary_key and not column.foreign_keys else 1,
            datetime: MIDNIGHT + timedelta(seconds=number),
            date: MIDNIGHT.date(),
            Decimal: Decimal(1),
            float: 1.5,
            bytes: str(number).encode(),
        }
        return values[kind]

    def _refer(self, table: Table, row: dict[str, Any], *, sparse: bool) -> None:
        """Point at rows that were made here, where there are some."""
        for key in table.foreign_key_constraints:
            columns = [table.columns[name] for name in key.column_keys]
            known = self.made.get(key.referred_table.name)
            if known and not (sparse and all(column.nullable for column in columns)):
                target = self.chance.choice(known)
                for element in key.elements:
                    row[element.parent.name] = target[element.column.name]
            elif any(column.nullable for column in columns):
                row.update({column.name: None for column in columns if column.nullable})

    def _mend(self, table: Table, row: dict[str, Any], refusal: str) -> None:
        """Try other values in the columns that the database named."""
        checks = [one for one in table.constraints if isinstance(one, CheckConstraint)]
        broken = [one for one in checks if one.name and re.search(rf"\b{one.name}\b", refusal)]
        rules = [str(one.sqltext) for one in broken]
        unique = [one for one in (*table.constraints, *table.indexes) if one.name and str(one.name) in refusal]
        named = {column.name for one in unique for column in one.columns}
        for column in table.columns:
            if column.name in named or any(re.search(rf"\b{column.name}\b", rule) for rule in rules or [refusal]):
                row[column.name] = self._other(column, rules)
            elif not broken and column.type.python_type is bool:
                row[column.name] = False
        if not broken:
            self._refer(table, row, sparse=False)

    def _other(self, column: Column[Any], rules: list[str]) -> Any:
        kind = column.type.python_type
        literals = [found.strip("'") for rule in rules for found in LITERAL.findall(rule)]
        values: list[Any] = [None] if column.nullable else []
        if kind is str:
            values += ["", self._value(column, sparse=False), *literals]
        elif kind is int:
            near = [int(found) + step for found in literals if found.lstrip("-").isdigit() for step in (-1, 0, 1)]
            values += [0, 1, next(self.numbers), *near]
        elif kind is bool:
            values += [True, False]
        else:
            values.append(self._value(column, sparse=False))
        return self.chance.choice(values)


def reflected(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.tables.values() if table.name != VERSION_TABLE]


def in_order(tables: list[Table]) -> list[Table]:
    """Those first at which others must point."""
    done: list[Table] = []
    left = sorted(tables, key=lambda table: table.name)
    while left:
        ready = [
            table
            for table in left
            if not any(
                key.column.table in left and key.column.table is not table and not key.parent.nullable
                for key in table.foreign_keys
            )
        ]
        assert ready, f"{[table.name for table in left]} must all point at each other"
        done += ready
        left = [table for table in left if table not in ready]
    return done


def rows_of(connection: Connection) -> Rows:
    """All rows of all tables, by name of column, as the driver reads them."""
    found: Rows = {}
    for table in inspect(connection).get_table_names():
        if table != VERSION_TABLE:
            read = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
            found[table] = Counter(frozenset(row.items()) for row in read)
    return found


def only(rows: Counter[Row], columns: set[str]) -> Counter[Row]:
    """The rows in these columns."""
    kept: Counter[Row] = Counter()
    for row, count in rows.items():
        kept[frozenset(item for item in row if item[0] in columns)] += count
    return kept


def columns_of(rows: Counter[Row]) -> set[str]:
    return {name for row in rows for name, _ in row}


def lost(before: Rows, after: Rows, seeded: Rows) -> list[str]:
    """Which rows of tables that are still there are not, or differ; what a migration itself puts in may differ."""
    found = []
    for table in before.keys() & after.keys():
        common = columns_of(before[table]) & columns_of(after[table]) or columns_of(before[table])
        missing = only(before[table], common) - only(after[table], common) - only(seeded.get(table, Counter()), common)
        found += [f"{table}: {dict(row)}" for row in missing]
    return found


def added(before: Counter[Row], after: Counter[Row]) -> Counter[Row]:
    """The rows that were not there before."""
    known, left, new = columns_of(before), before.copy(), Counter[Row]()
    for row in after.elements():
        as_before = frozenset(item for item in row if item[0] in known)
        if left[as_before]:
            left[as_before] -= 1
        else:
            new[row] += 1
    return new


def schema_of(connection: Connection) -> dict[str, Any]:
    """All that the database knows about its tables, in a form that can be compared."""
    inspector = inspect(connection)
    schema: dict[str, Any] = {}
    for table in inspector.get_table_names():
        schema[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": by_name(inspector.get_foreign_keys(table)),
            "unique": by_name(inspector.get_unique_constraints(table)),
            "checks": by_name(inspector.get_check_constraints(table)),
            "indexes": by_name(inspector.get_indexes(table)),
            "triggers": [],
        }
    for table, trigger in connection.execute(text(TRIGGERS[connection.dialect.name])).all():
        schema[table]["triggers"].append(trigger)
    if connection.dialect.name == "sqlite":
        for table in connection.execute(text(NEVER_REUSED)).scalars():
            schema[table]["ids are never used twice"] = True
    for table in schema.values():
        table["triggers"].sort()
    return schema


def by_name(constraints: Any) -> list[str]:
    return sorted(
        ", ".join(f"{name}: {as_text(one[name])}" for name in sorted(one) if one[name]) for one in constraints
    )


def as_text(value: Any) -> str:
    return str({name: str(option) for name, option in value.items()} if isinstance(value, dict) else value)


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        f"{table}, {what}: {before.get(table, {}).get(what)} is now {after.get(table, {}).get(what)}"
        for table in sorted(before.keys() | after.keys())
        for what in sorted(before.get(table, {}).keys() | after.get(table, {}).keys())
        if before.get(table, {}).get(what) != after.get(table, {}).get(what)
    ]


class Walk:
    """
    One database that goes up through all revisions, and down again.

    Args:
        database: Where; empty.
        config: Which migrations.
        since: The first revision with rows; what is before is passed by.
    """

    def __init__(self, database: Database, config: Config, since: str = "0001") -> None:
        self._database = database
        self._config = config
        self._filler = Filler()
        self._schemas: dict[str, dict[str, Any]] = {}
        self._seeded: Rows = {}
        scripts = ScriptDirectory.from_config(config).walk_revisions()
        self._revisions = [script.revision for script in reversed(list(scripts)) if script.revision >= since]
        self._end = "base" if self._revisions[0] == "0001" else self._revisions[0]
        self.guarded: dict[str, list[str]] = {}

    async def all_the_way(self) -> None:
        """
        Go there and back.

        Raises:
            AssertionError: A row, or a part of the schema, is lost on the way.
        """
        for revision in self._revisions:
            await self._up(revision)
        for revision in [*reversed(self._revisions[1:-1]), self._revisions[0], self._end]:
            await self._down(revision)

    async def _up(self, revision: str) -> None:
        before = await self._look(rows_of)
        await self._go(command.upgrade, revision)
        after = await self._look(rows_of)
        missing = lost(before, after, self._seeded)
        assert not missing, f"the way up to {revision} loses rows: {missing}"
        for table, rows in after.items():
            new = added(before.get(table, Counter()), rows)
            self._seeded[table] = self._seeded.get(table, Counter()) + new
        schema = self._schemas[revision] = await self._look(schema_of)
        self.guarded[revision] = sorted(table for table, parts in schema.items() if parts["triggers"])
        await self._look(self._filler.fill, keep=True)

    async def _down(self, revision: str) -> None:
        before = await self._look(rows_of)
        await self._go(command.downgrade, revision)
        missing = lost(before, await self._look(rows_of), self._seeded)
        assert not missing, f"the way down to {revision} loses rows: {missing}"
        if revision in self._schemas:
            differing = differences(self._schemas[revision], await self._look(schema_of))
            assert not differing, f"the way up from {revision} and down again changes the schema: {differing}"

    async def _go(self, way: Any, revision: str) -> None:
        def run(connection: Connection) -> None:
            self._config.attributes["connection"] = connection
            way(self._config, revision)

        await self._database.run(run)

    async def _look(self, work: Any, *, keep: bool = False) -> Any:
        def run(connection: Connection) -> Any:
            found = work(connection)
            if keep:
                connection.commit()
            return found

        return await self._database.run(run)


async def compare_with_models(database: Database) -> None:
    """At the newest revision the tables are those of the models, and no id is given twice."""

    def compare(connection: Connection) -> None:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        command.check(config)
        if connection.dialect.name == "sqlite":
            found = set(connection.execute(text(NEVER_REUSED)).scalars())
            wanted = {
                table.name
                for table in Base.metadata.tables.values()
                if table.dialect_options["sqlite"]["autoincrement"] and table.autoincrement_column is not None
            }
            assert found >= wanted, f"{wanted - found} lost AUTOINCREMENT"

    await database.run(compare)


async def check(database_url: str) -> dict[str, list[str]]:
    """
    Check all migrations on an empty database.

    Returns:
        The tables that triggers guard, by revision.
    """
    database = Database(load(database_url=database_url, statement_seconds=600, lock_seconds=60))
    try:
        walk = Walk(database, migrations())
        await walk.all_the_way()
        await compare_with_models(database)
    finally:
        await database.close()
    return walk.guarded


def main() -> int:
    assert newest_revision() == ScriptDirectory.from_config(migrations()).get_current_head()
    with tempfile.TemporaryDirectory() as folder:
        on_sqlite = asyncio.run(check(f"sqlite:///{folder}/check.db"))
        server = start_postgresql(Path(folder) / "pg")
        try:
            on_postgresql = asyncio.run(check(server.get_uri()))
        finally:
            server.cleanup()
    assert on_sqlite == on_postgresql, f"guarded by triggers: {on_sqlite} on SQLite, {on_postgresql} on PostgreSQL"
    return 0


if __name__ == "__main__":
    sys.exit(main())
