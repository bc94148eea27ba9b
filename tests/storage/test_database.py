"""Transactions on SQLite, without a server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from harness import test_config as new_config
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from xmlrpc_api.storage.database import Database

TABLES = ("CREATE TABLE one (id INTEGER PRIMARY KEY)", "CREATE TABLE other (id INTEGER REFERENCES one (id))")
With = Callable[[Callable[[Database], Awaitable[Any]]], Any]


@pytest.fixture
def with_database(tmp_path: Path) -> With:
    """Awaits `work(database)` on two tables."""

    def run(work: Callable[[Database], Awaitable[Any]]) -> Any:
        async def all_of_it() -> Any:
            database = Database(new_config(f"sqlite:///{tmp_path}/test.db"))
            try:
                for table in TABLES:
                    await sql(database, table)
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(all_of_it())

    return run


async def sql(database: Database, *statements: str) -> None:
    async with database.write() as session:
        for statement in statements:
            await session.execute(text(statement))


async def count(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(text("SELECT count(*) FROM one"))).scalar_one())


def test_what_was_written_is_there_when_the_block_ends(with_database: With) -> None:
    async def work(database: Database) -> int:
        await sql(database, "INSERT INTO one VALUES (1)")
        return await count(database)

    assert with_database(work) == 1


def test_nothing_is_there_of_a_block_that_failed(with_database: With) -> None:
    async def work(database: Database) -> int:
        with pytest.raises(IntegrityError, match="UNIQUE"):
            await sql(database, "INSERT INTO one VALUES (1)", "INSERT INTO one VALUES (1)")
        return await count(database)

    assert with_database(work) == 0


def test_a_row_that_points_at_nothing_is_refused(with_database: With) -> None:
    async def work(database: Database) -> int:
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            await sql(database, "INSERT INTO other VALUES (7)")
        return await count(database)

    assert with_database(work) == 0


def test_readers_see_what_is_committed_while_somebody_writes(with_database: With) -> None:
    async def work(database: Database) -> tuple[int, int]:
        async with database.write() as session:
            await session.execute(text("INSERT INTO one VALUES (1)"))
            meanwhile = await count(database)
        return meanwhile, await count(database)

    assert with_database(work) == (0, 1)


def test_writers_come_one_after_another(with_database: With) -> None:
    async def work(database: Database) -> int:
        await asyncio.gather(*(sql(database, f"INSERT INTO one VALUES ({number})") for number in range(20)))
        return await count(database)

    assert with_database(work) == 20


def test_it_tells_that_it_can_be_written_and_that_nobody_uses_it(with_database: With) -> None:
    async def work(database: Database) -> tuple[bool, int]:
        return await database.is_writable(), database.pool_in_use()

    assert with_database(work) == (True, 0)
