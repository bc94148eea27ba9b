"""
Queries that SQLAlchemy writes once, and that then run on the driver itself.

SQLAlchemy takes several times as long to run a small statement as the database to answer it. What every call asks for,
credentials and rights, and what is asked for most, is a `Query`. A statement that is composed for its call is `ready`
once one of its shape was: that costs what it takes to compose it, which is more than a `Query`, and a fifth of what a
session takes.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Dialect, Insert, Select, Table, UpdateBase, bindparam
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import LRUCache

from models import Exact
from xmlrpc_api.storage.rows import Kind, Rows

LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
PRIMARY_CODE = 0xFF  # what is above tells more about it
SHAPES = 500  # as many as SQLAlchemy keeps
STATEMENTS = 100  # as many as asyncpg keeps on a connection
Statement = Select[*tuple[Any, ...]] | UpdateBase


class Query:
    """
    A statement whose parameters are all `bindparam`s.

    Args:
        statement: What to run.
        is_short: Whether it reads a few rows only, by an index.
        row: Of a change of one row: the parameter that tells which.
        on: What an engine is asked in its place, which finds the same.

    Attributes:
        table: To what it writes, if it does.
    """

    def __init__(
        self,
        statement: Statement,
        *,
        is_short: bool = False,
        row: str | None = None,
        on: Mapping[str, Statement] = MappingProxyType({}),
    ) -> None:
        self.statement = statement
        self._on = on
        self.is_short = is_short
        self.row = row
        self.table = table_name(statement) if isinstance(statement, UpdateBase) else ""
        self._forms: dict[str, Form] = {}

    def form(self, dialect: Dialect) -> "Form":
        """The query as this engine is asked."""
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = Form(self._on.get(dialect.name, self.statement), dialect)
        return form


def table_name(statement: UpdateBase) -> str:
    """What a statement writes to; by its name, since a model's table is not always the same object."""
    table: Any = statement.table
    return str(table.name)


def inserting(table: Table, names: Iterable[str]) -> Insert:
    """An insert of these columns, whose parameters have their names, that returns nothing."""
    return table.insert().values({name: bindparam(name, type_=table.c[name].type) for name in names}).inline()


class Form:
    """
    A query in the SQL of one engine.

    Attributes:
        sql: The text for the driver.
        places: How many parameters that has.
        width: How many columns it answers.
    """

    def __init__(self, statement: Statement, dialect: Dialect, key: Any = None) -> None:
        compiled: Any = statement.compile(dialect=dialect, cache_key=key)
        self.sql = str(compiled)
        self._compiled = compiled
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        binds = [(name, compiled.binds[name].type.dialect_impl(dialect)) for name in compiled.positiontup or ()]
        self._params = [(name, kind.bind_processor(dialect)) for name, kind in binds]
        self.places = len(binds)
        columns = list(statement.exported_columns)
        self.width = len(columns)
        readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._kinds = [
            Kind(column.name, reader, column.type.places if isinstance(column.type, Exact) else 0)
            for column, reader in zip(columns, readers, strict=True)
        ]

    def asked(self, key: Any) -> tuple[str, list[Any]]:
        """The text for a statement of the same shape, and its parameters in the order of the driver."""
        given = self._compiled.construct_params(extracted_parameters=key.bindparams)
        if not self._compiled.post_compile_params:
            return self.sql, self.values(given)
        state = self._compiled.construct_expanded_state(given)  # a list of values is as long as it is
        processes, values = state.processors, state.parameters
        places = [(name, processes.get(name)) for name in state.positiontup]
        return state.statement, [values[name] if do is None else do(values[name]) for name, do in places]

    def values(self, given: dict[str, Any]) -> list[Any]:
        """The parameters in the order of the driver."""
        if self._constants:
            given = {**self._constants, **given}
        return [given[name] if process is None else process(given[name]) for name, process in self._params]

    def rows(self, found: list[Any]) -> Rows:
        """What the driver answered."""
        return Rows(self._kinds, found)


_SHAPES: LRUCache[Any, Form] = LRUCache(SHAPES)


def ready(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> tuple[Form, str, list[Any]]:
    """A statement as this engine is asked: its form, the text for the driver, and the parameters in its order."""
    key: Any = statement._generate_cache_key()  # noqa: SLF001 (as SQLAlchemy's own cache of statements does)
    shape = (dialect.name, key.key)
    form = _SHAPES.get(shape)
    if form is None:
        form = _SHAPES[shape] = Form(statement, dialect, key)
    return form, *form.asked(key)


async def found_by(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> Rows:
    """What a statement finds in this session, as the driver answers it."""
    form, sql, given = ready(statement, session.get_bind().dialect)
    connection = await session.connection()
    return form.rows(list((await connection.exec_driver_sql(sql, tuple(given))).all()))


class Driver(Protocol):
    """
    Connections of one engine that nobody but queries uses.

    Attributes:
        in_use: How many are at work.
    """

    in_use: int

    async def fetch(self, sql: str, values: list[Any], *, is_short: bool) -> list[Any]:
        """Run a query."""

    async def close(self) -> None:
        """Close all connections."""


class _Line:
    """A connection to PostgreSQL, and what it has prepared: asyncpg's own way to that takes as long as to run it."""

    __slots__ = ("connection", "statements")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements: dict[str, Any] = {}

    def is_past(self, error: BaseException) -> bool:
        """Whether an error says that it died meanwhile, or that tables are not any more what they were."""
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            return True
        return isinstance(error, Exception) and bool(self.connection.is_closed())


class PostgresDriver:
    """
    Connections to PostgreSQL, without a transaction or a reset between two queries.

    Args:
        connect: Makes a connection.
        size: How many there may be.
        wait_seconds: How long a query waits for one.
        seconds: How long it takes at most, where it is prepared first; else the connection knows.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Any]], size: int, wait_seconds: float, seconds: float | None = None
    ) -> None:
        self._connect = connect
        self._size = size
        self._wait_seconds = wait_seconds
        self._seconds = seconds
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()  # until when, in order
        self._clock: asyncio.TimerHandle | None = None
        self._idle: list[_Line] = []
        self.in_use = 0

    async def fetch(self, sql: str, values: list[Any], *, is_short: bool) -> list[Any]:
        """Run a query; once more if its connection has died since it was used last, or knows it as it was then."""
        if self.in_use < self._size and not self._waiting:
            self.in_use += 1
        else:
            await self._turn()
        try:
            while True:
                is_new = not self._idle
                line = _Line(await self._connect()) if is_new else self._idle.pop()
                try:
                    statement = line.statements.get(sql)
                    if statement is None:
                        found = await self._first(line, sql, values)
                    else:
                        found = await statement.fetch(*values)
                except BaseException as error:
                    is_past = line.is_past(error)
                    line.connection.terminate()
                    if is_past and not is_new:
                        continue
                    raise
                self._idle.append(line)
                return found
        finally:
            self._leave()

    async def _first(self, line: "_Line", sql: str, values: list[Any]) -> list[Any]:
        """Run what the connection has not run so far, and keep it prepared there; what has been kept longest goes."""
        async with asyncio.timeout(self._seconds):
            statement = await line.connection.prepare(sql)
            found: list[Any] = await statement.fetch(*values)
        if len(line.statements) >= STATEMENTS:
            del line.statements[next(iter(line.statements))]
        line.statements[sql] = statement
        return found

    async def _turn(self) -> None:
        """Wait for a connection of those who are at work: whoever leaves hands its place to the first in the queue."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append((loop.time() + self._wait_seconds, turn))
        if self._clock is None:
            self._clock = loop.call_later(self._wait_seconds, self._give_up)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()  # it came, but too late
            raise

    def _leave(self) -> None:
        while self._waiting:
            _until, turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.in_use -= 1

    def _give_up(self) -> None:
        """Tell those whose time is over; one timer looks after all of them."""
        loop, self._clock = asyncio.get_running_loop(), None
        while self._waiting and (self._waiting[0][0] <= loop.time() or self._waiting[0][1].done()):
            _until, turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(TimeoutError())
        if self._waiting:
            self._clock = loop.call_at(self._waiting[0][0], self._give_up)

    async def close(self) -> None:
        """Close all connections."""
        if self._clock is not None:
            self._clock.cancel()
        while self._idle:
            self._idle.pop().connection.terminate()


class SqliteDriver:
    """
    Connections to SQLite, each in a thread of its own; and one for what is shorter than the way to a thread and back.

    Args:
        path: The file.
        size: How many threads there are.
        prepare: Is given each new connection.
    """

    def __init__(self, path: str, size: int, prepare: Callable[[Any, Any], None]) -> None:
        self._path, self._prepare = path, prepare
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="query")
        self._local = threading.local()
        self._own: sqlite3.Connection | None = None
        self._open: list[sqlite3.Connection] = []
        self.in_use = 0

    async def fetch(self, sql: str, values: list[Any], *, is_short: bool) -> list[Any]:
        """Run a query. What would have to wait for somebody waits in a thread; nothing else is tried again."""
        if is_short:
            try:
                return self._here(sql, values)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY_CODE not in LOCKED:
                    raise
        self.in_use += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, sql, values)
        finally:
            self.in_use -= 1

    def _here(self, sql: str, values: list[Any]) -> list[Any]:
        if self._own is None:
            self._own = self._connect()
            self._own.execute("PRAGMA busy_timeout=0")
        return self._own.execute(sql, values).fetchall()

    def _fetch(self, sql: str, values: list[Any]) -> list[Any]:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
        found: list[Any] = self._local.connection.execute(sql, values).fetchall()
        return found

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False)
        self._open.append(connection)
        self._prepare(connection, None)
        return connection

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._open:
            self._open.pop().close()


DRIVER_ERRORS: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error)
