"""Connections to SQLite or PostgreSQL, made so that both keep the same promises."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import asyncpg
from sqlalchemy import Dialect, Select, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.storage.errors import ERRORS, is_unavailable
from xmlrpc_api.storage.fast_path import PostgresDriver, Query, SqliteDriver, ready
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.storage.rows import Row, Rows
from xmlrpc_api.storage.together import Asked
from xmlrpc_api.storage.transaction import Transaction, send_first

SQLITE_BUSY_MS = 5000
SQLITE_READERS = 4
GOODBYE_SECONDS = 0.5
WRITTEN_TO_TRY = "SELECT pg_export_snapshot(), pg_logical_emit_message(true, 'xmlrpc-api', 'ready')"


class UnusableError(Exception):
    """The database cannot be used; the text tells why, and what to do."""


class Store(Protocol):
    """
    What a call finds things in: a transaction, or single reads.

    Attributes:
        scopes: Where customers stand, as far as it was read: ids from the root down to each, each followed by a dot.
    """

    scopes: dict[int, str]

    @property
    def session(self) -> AsyncSession:
        """For statements."""

    async def rows(self, query: Query, **values: Any) -> Rows:
        """What a query finds."""

    async def select(self, statement: Select[*tuple[Any, ...]], *, is_short: bool = False) -> Rows:
        """What a statement finds that is composed for this call; as to `is_short`, see `Query`."""

    async def together(self, *asked: Asked) -> list[Row | None]:
        """What several queries find that do not need each other, each one row at most."""

    async def flush(self) -> None:
        """Send what was changed to the database."""


class Reading:
    """A store that only reads, every statement for itself. There is a session from when it is asked for."""

    def __init__(self, database: "Database", foreseen: Foreseen | None = None) -> None:
        self._database = database
        self._foreseen = foreseen
        self._session: AsyncSession | None = None
        self.scopes: dict[int, str] = {}

    @property
    def session(self) -> AsyncSession:
        """For statements."""
        if self._session is None:
            self._session = self._database.new_reader()
        return self._session

    async def rows(self, query: Query, **values: Any) -> Rows:
        """What a query finds."""
        known = self._foreseen.answer(query, values) if self._foreseen is not None else None
        return await self._database.rows(query, **values) if known is None else known

    async def select(self, statement: Select[*tuple[Any, ...]], *, is_short: bool = False) -> Rows:
        """What a statement finds."""
        return await self._database.select(statement, is_short=is_short)

    async def together(self, *asked: Asked) -> list[Row | None]:
        """What several queries find, each one row at most."""
        found = [await self.rows(query, **values) for query, values in asked]
        return [rows[0] if rows else None for rows in found]

    async def flush(self) -> None:
        """Do nothing: nothing was changed."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._session is not None:
            await self._session.close()


class Database:
    """
    The engines of one process.

    `write` hands out transactions, `read` single statements that need none, `rows` answers queries that are made for
    speed. On SQLite one writer at a time is let in here, so that it never meets "database is locked" there.
    """

    def __init__(self, config: Config) -> None:
        self.is_sqlite = config.is_sqlite
        self._writer, self._reader = _sqlite(config) if self.is_sqlite else _postgresql(config)
        self._dialect = self._reader.dialect
        send_first(self._writer.sync_engine)
        self._driver = _sqlite_driver(config) if self.is_sqlite else _postgresql_driver(config, self._dialect)
        self._snapshots = (
            self._reader if self.is_sqlite else self._writer.execution_options(isolation_level="REPEATABLE READ")
        )

    def transaction(self) -> Transaction:
        """One transaction: committed at the end of the block, rolled back by any exception."""
        return Transaction(self._writer)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """The session of one transaction."""
        async with self.transaction() as transaction:
            yield transaction.session

    def new_reader(self) -> AsyncSession:
        """A session for reading, every statement for itself; it must be closed."""
        return AsyncSession(self._reader, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading, every statement for itself."""
        async with self.new_reader() as session:
            yield session

    async def rows(self, query: Query, **values: Any) -> Rows:
        """What a query finds."""
        form = query.form(self._dialect)
        return form.rows(await self._driver.fetch(form.sql, form.values(values), is_short=query.is_short))

    async def select(self, statement: Select[*tuple[Any, ...]], *, is_short: bool = False) -> Rows:
        """What a statement finds."""
        form, sql, given = ready(statement, self._dialect)
        return form.rows(await self._driver.fetch(sql, given, is_short=is_short))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session in which everything is read as it was at one moment, however long it takes."""
        async with AsyncSession(self._snapshots, expire_on_commit=False, autoflush=False) as session:
            if self.is_sqlite:
                await session.execute(text("BEGIN"))
            yield session

    async def is_writable(self) -> bool:
        """
        Whether changes can be kept now. Something is written to find out, which leaves no row behind.

        SQLite writes its header again. PostgreSQL writes a message into its log that nobody reads, which a full log
        refuses, and a small file for the length of the transaction, which a full disk refuses; a transaction that may
        only read could do both.
        """
        try:
            async with self.write() as session:
                if self.is_sqlite:
                    version = (await session.execute(text("PRAGMA user_version"))).scalar_one()
                    await session.execute(text(f"PRAGMA user_version = {version}"))
                    return True
                may_only_read = (await session.execute(text("SHOW transaction_read_only"))).scalar_one() == "on"
                if not may_only_read:
                    await session.execute(text(WRITTEN_TO_TRY))
                return not may_only_read
        except ERRORS as error:  # what this PostgreSQL does not know how to do proves nothing
            return not is_unavailable(error)

    async def run(self, work: Any) -> Any:
        """Run `work(connection)`, a plain function, in a transaction of its own (migrations use this)."""
        async with self._writer.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close all connections."""
        await self._driver.close()
        await self._writer.dispose()
        if self._reader.sync_engine.pool is not self._writer.sync_engine.pool:
            await self._reader.dispose()

    def pool_in_use(self) -> int:
        """How many connections are at work."""
        return self._driver.in_use + sum(getattr(engine.pool, "checkedout", int)() for engine in self._pools())

    def _pools(self) -> list[AsyncEngine]:
        return [self._writer, self._reader] if self.is_sqlite else [self._writer]


def _sqlite(config: Config) -> tuple[AsyncEngine, AsyncEngine]:
    path = make_url(config.database_url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    writer = create_async_engine(
        config.database_url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=config.pool_wait_seconds,
        hide_parameters=True,
    )
    reader = create_async_engine(
        config.database_url,
        pool_size=SQLITE_READERS,
        max_overflow=0,
        pool_timeout=config.pool_wait_seconds,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
    )
    for engine in (writer, reader):
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    return writer, reader


def _sqlite_driver(config: Config) -> SqliteDriver:
    return SqliteDriver(make_url(config.database_url).database or "", SQLITE_READERS, _prepare_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL loses acknowledged writes at a power cut
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 (it is asyncpg's)
        """Close. What SQLAlchemy gives up it closes with a time limit: a frozen server never says goodbye."""
        await super().close(timeout=timeout and min(timeout, GOODBYE_SECONDS))


def _postgresql(config: Config) -> tuple[AsyncEngine, AsyncEngine]:
    engine = create_async_engine(
        config.database_url,
        pool_size=config.pool_size - _query_connections(config),
        max_overflow=0,
        pool_timeout=config.pool_wait_seconds,
        hide_parameters=True,
        connect_args=_connect_args(config),
    )
    return engine, engine.execution_options(isolation_level="AUTOCOMMIT")


def _postgresql_driver(config: Config, dialect: Dialect) -> PostgresDriver:
    url = make_url(config.database_url)
    unknown = sorted(url.query.keys() - inspect.signature(asyncpg.connect).parameters)
    if unknown:
        hint = "; ssl takes the place of sslmode" if "sslmode" in unknown else ""
        raise ConfigError(f"database_url: there is no option {unknown[0]}{hint}")
    _none, address = dialect.create_connect_args(url)
    wanted = {**address, **_connect_args(config)}
    return PostgresDriver(
        lambda: asyncpg.connect(**wanted),
        _query_connections(config),
        config.pool_wait_seconds,
        wanted["command_timeout"],
    )


def _query_connections(config: Config) -> int:
    """Half of the connections belong to queries."""
    return config.pool_size // 2


def _connect_args(config: Config) -> dict[str, Any]:
    return {
        "connection_class": _Connection,
        "timeout": config.pool_wait_seconds,
        "command_timeout": config.statement_seconds + GOODBYE_SECONDS,
        "server_settings": {
            "application_name": "xmlrpc-api",
            "statement_timeout": str(int(config.statement_seconds * 1000)),
            "lock_timeout": str(int(config.lock_seconds * 1000)),
            "idle_in_transaction_session_timeout": "10000",
            "jit": "off",
        },
    }
