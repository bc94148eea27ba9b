"""A transaction, and the ways to its connection."""

import weakref
from collections.abc import Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Self

import asyncpg
from sqlalchemy import Connection, Engine, Select, Table, bindparam, event, util
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from models import Base
from xmlrpc_api.storage.fast_path import Form, Query, ready
from xmlrpc_api.storage.ids import Drawn, Ids, Wanted
from xmlrpc_api.storage.rows import Once, Process, Row, Rows
from xmlrpc_api.storage.together import Asked, Batch, joined

_PATIENT = (
    "SELECT set_config('statement_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true)"
)
LOADED = 10_000  # rows in one round trip, which must end within `statement_seconds`
BEGUN = "transaction"  # under which name a connection knows the one that it is in


class Transaction:
    """
    A store in one transaction: what is written is read.

    Three ways lead to its connection. Whichever is taken, what was asked for before it has been done:

    - `rows` and `together` run queries on the driver, at once.
    - `write` runs them later. They wait, to be sent in as few round trips as they can, until anything is read by
      whichever way, until a savepoint begins or ends, or until `flush`: there an error of theirs is raised.
    - `session` is SQLAlchemy's, for all that is not asked for often enough. What is changed in it is sent before a
      query, or a write, of the others.

    A row that a session has loaded is changed in that session, or told to it (`set_committed_value`): it does not see
    what the others write. A new row is no part of it (see `services.records`): who wants to change it loads it.

    Args:
        engine: Whose connection it takes.

    Attributes:
        ids: Draws ids for new rows.
        scopes: Where customers stand, as far as it was read: nobody ever moves.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._dialect = engine.dialect
        self._connection = engine.connect()
        self._session: AsyncSession | None = None
        self._driver: Any = None
        self._seconds: float | None = None  # None: as long as the connection knows
        self._batch = Batch()
        self.ids = Ids(in_turn=self._dialect.name != "sqlite")
        self.scopes: dict[int, str] = {}

    async def __aenter__(self) -> Self:
        await self._connection.start()
        try:
            await self._connection.run_sync(self._begin)
        except BaseException as error:
            await self._connection.__aexit__(type(error), error, None)
            raise
        return self

    def _begin(self, connection: Connection) -> None:
        connection.info[BEGUN] = weakref.ref(self)
        connection.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._connection.closed:
                await self.commit()
        finally:
            self._batch = Batch()
            if not self._connection.closed:
                await self._connection.__aexit__(kind, value, traceback)

    async def commit(self) -> None:
        """End it; it is kept."""
        await self.flush()
        await self._connection.run_sync(_commit)

    async def rollback(self) -> None:
        """End it; it is undone."""
        self._batch = Batch()
        await self._connection.close()

    @property
    def session(self) -> AsyncSession:
        """For statements."""
        if self._session is None:
            self._session = AsyncSession(self._connection, expire_on_commit=False, autoflush=False)
        return self._session

    async def rows(self, query: Query, **values: Any) -> Rows:
        """What a query finds in this transaction, in which all is written that was changed before."""
        form = query.form(self._dialect)
        return await self._found(form, form.sql, form.values(values))

    async def select(self, statement: Select[*tuple[Any, ...]], *, is_short: bool = False) -> Rows:
        """What a statement finds in this transaction, as `rows` does."""
        return await self._found(*ready(statement, self._dialect))

    async def _found(self, form: Form, sql: str, values: list[Any]) -> Rows:
        await self.flush()
        return form.rows(await self._run(sql, values))

    async def together(self, *asked: Asked) -> list[Row | None]:
        """What several queries find that do not need each other, each one row at most."""
        await self.flush()
        forms = [(query.form(self._dialect), given) for query, given in asked]
        if self._dialect.name == "sqlite" or len(asked) == 1:
            found = [form.rows(await self._run(form.sql, form.values(given))) for form, given in forms]
            return [rows[0] if rows else None for rows in found]
        one = joined(tuple(form for form, _ in forms))
        return one.rows(await self._run(one.sql, [value for form, given in forms for value in form.values(given)]))

    async def draw(self, wanted: Wanted) -> Drawn:
        """Ids for new rows."""
        query, values = self.ids.drawing(wanted)
        (row,) = await self.rows(query, **values)
        return self.ids.drawn(wanted, row)

    async def insert_or_lock(self, model: type[Base], values: dict[str, Any]) -> Row:
        """The row with this key, locked until the end of the transaction: the one that is there, or a new one."""
        (row,) = await self.rows(_insert_or_lock(model, tuple(values)), **values)
        return row

    async def write(self, query: Query, **values: Any) -> None:
        """Write something before anything is read; an update that answers rows must find the one that it changes."""
        await self._flush_session()
        if not self._batch.fits(query, values):
            await self._send()
        self._batch.add(query, values)

    async def take_time(self, seconds: float) -> None:
        """Let each of its statements, and each pause between two, take so long: for what changes many rows at once."""
        self._seconds = seconds
        if self._dialect.name != "sqlite":
            await self._run(_PATIENT, [str(int(seconds * 1000))])

    async def load(self, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert many rows at once, without a word of each: the values of these columns, in the same order."""
        await self.flush()
        names = list(columns)
        kinds = [table.c[name].type.dialect_impl(self._dialect) for name in names]
        written = [
            _written(kind.bind_processor(self._dialect), columns[name]) for kind, name in zip(kinds, names, strict=True)
        ]
        if self._driver is None:
            await self._run("SELECT 1", [])
        for begin in range(0, len(written[0]), LOADED):
            rows = zip(*(column[begin : begin + LOADED] for column in written), strict=True)
            if isinstance(self._driver, asyncpg.Connection):
                await self._driver.copy_records_to_table(table.name, records=rows, columns=names, timeout=self._seconds)
            else:
                places = ", ".join("?" * len(names))
                await self._driver.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})", rows)  # noqa: S608 (names of ours)

    def before(self, statement: str) -> None:
        """Send what waits: SQLAlchemy is about to run a statement. What a savepoint undoes is not sent."""
        if self._batch and statement.startswith("ROLLBACK TO"):
            self._batch = Batch()
        elif self._batch:
            util.await_only(self._send())

    async def flush(self) -> None:
        """Send what was changed to the database."""
        await self._flush_session()
        await self._send()

    async def _flush_session(self) -> None:
        session = self._session
        if session is not None and (session.new or session.dirty or session.deleted):
            await session.flush()

    async def _send(self) -> None:
        while self._batch:
            batch, self._batch = self._batch, Batch()
            for sql, values, changes in batch.take(self._dialect):
                if len(await self._run(sql, values)) != changes:
                    raise LookupError("a row that was to be changed is not there")

    async def _run(self, sql: str, values: list[Any]) -> list[Any]:
        if self._driver is None:
            return await self._connection.run_sync(self._first, sql, tuple(values))
        if isinstance(self._driver, asyncpg.Connection):
            found: list[Any] = await self._driver.fetch(sql, *values, timeout=self._seconds)
            return found
        return list(await self._driver.execute_fetchall(sql, values))

    def _first(self, connection: Connection, sql: str, values: tuple[Any, ...]) -> list[Any]:
        """Run a query by SQLAlchemy, which begins the transaction with it; those that follow run on the driver."""
        result = connection.exec_driver_sql(sql, values)
        self._driver = connection.connection.driver_connection
        return list(result) if result.returns_rows else []


def _written(write: Process | None, column: Sequence[Any]) -> Sequence[Any]:
    """A column as the driver takes it; what comes again and again is made once."""
    return column if write is None else list(map(Once(None, write).__getitem__, column))


@cache
def _insert_or_lock(model: type[Base], names: tuple[str, ...]) -> Query:
    columns = model.__mapper__.columns
    unchanged = next(column for column in columns if not column.primary_key)
    new = insert(model).values({name: bindparam(name, type_=columns[name].type) for name in names})
    same = {unchanged.name: unchanged}  # what both engines understand is written as PostgreSQL has it
    return Query(new.on_conflict_do_update(index_elements=model.__mapper__.primary_key, set_=same).returning(*columns))


def _commit(connection: Connection) -> None:
    connection.commit()
    connection.close()


def send_first(engine: Engine) -> None:
    """Make sure that what waits is sent before any statement of SQLAlchemy's; what a savepoint undoes never is."""

    @event.listens_for(engine, "before_cursor_execute")
    def send(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        begun = connection.info.get(BEGUN)
        transaction: Transaction | None = begun and begun()
        if transaction is not None:
            transaction.before(statement)
