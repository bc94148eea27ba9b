"""
Runs the migrations on the connection the caller hands over, or on the configured database.

All of them in one transaction, on SQLite, too. SQLite changes a constraint by making the table again, and dropping
the old one would delete what points at it: foreign keys are off meanwhile, and checked before it commits.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from sqlalchemy import TypeDecorator
from sqlalchemy.engine import Connection

from models import Base
from xmlrpc_api.config import ConfigError, load
from xmlrpc_api.installation import next_revision
from xmlrpc_api.storage.database import Database

SHOWN = 5
SEQUENCES = "SELECT name, seq FROM sqlite_sequence"
ALONE = (  # a second one waits, however long it takes, and then finds nothing to do; tables are not waited for so long
    "SET LOCAL lock_timeout = 0",
    "SELECT pg_advisory_xact_lock(hashtext('xmlrpc-api migrate'))",
    "SET LOCAL lock_timeout TO DEFAULT",
)


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=True,
        transactional_ddl=True,
        process_revision_directives=number,
        render_item=as_stored,
    )
    if connection.dialect.name == "postgresql":
        with context.begin_transaction():
            for statement in ALONE:
                connection.exec_driver_sql(statement)
            context.run_migrations()
        return
    with without_foreign_keys(connection), context.begin_transaction():
        sequences = read_sequences(connection)
        context.run_migrations()
        keep_sequences(connection, sequences)
        demand_foreign_keys(connection)


def number(_context: Any, _revision: Any, scripts: list[MigrationScript]) -> None:
    """Number a new revision, whoever makes it: the server looks for the highest number."""
    for script in scripts:
        script.rev_id = next_revision()


def as_stored(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write down a type of our own as what it is in the database: migrations outlive our classes."""
    if kind != "type" or type(item).__module__.startswith("sqlalchemy."):
        return False
    known = next(base for base in type(item).__mro__ if base.__module__.startswith("sqlalchemy."))
    stored = item.impl if isinstance(item, TypeDecorator) else item.adapt(known)
    return f"{context.opts['sqlalchemy_module_prefix']}{stored!r}"


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Switch them off and on, past SQLAlchemy: it would begin a transaction, where that has no effect."""
    switch(connection, "OFF")
    try:
        yield
    finally:
        connection.rollback()  # what an error left open
        switch(connection, "ON")


def switch(connection: Connection, state: str) -> None:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA foreign_keys={state}")
        cursor.execute("PRAGMA foreign_keys")
        if cursor.fetchone() != (int(state == "ON"),):
            raise ConfigError("SQLite migrates on a connection of its own, outside of any transaction")
    finally:
        cursor.close()


def demand_foreign_keys(connection: Connection) -> None:
    """
    Refuse what would leave a row that points nowhere.

    Raises:
        ConfigError: There is one; nothing is changed.
    """
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if lost:
        shown = ", ".join(f"{table} row {row} → {parent}" for table, row, parent, _ in lost[:SHOWN])
        raise ConfigError(f"{len(lost)} rows would point at nothing, so nothing was migrated: {shown}")


def read_sequences(connection: Connection) -> dict[str, int]:
    """The highest id that each table has ever given; the table for it comes with the first one that needs it."""
    there = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").first()
    return dict(connection.exec_driver_sql(SEQUENCES).all()) if there else {}


def keep_sequences(connection: Connection, before: dict[str, int]) -> None:
    """A table that is made again knows its rows, but not the ids of rows that are gone: none is given twice."""
    after = read_sequences(connection)
    tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    for table, highest in before.items():
        if table in tables and after.get(table, -1) < highest:
            connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, highest))


async def migrate_configured_database() -> None:
    database = Database(load())
    try:
        await database.run(migrate)
    finally:
        await database.close()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    asyncio.run(migrate_configured_database())
