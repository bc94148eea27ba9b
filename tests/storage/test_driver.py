"""
The driver of PostgreSQL.

Its connections are waited for: in order, for so long, and no place is ever lost. Each keeps what it has prepared.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from xmlrpc_api.storage.fast_path import STATEMENTS, PostgresDriver

PATIENCE = 0.05
KEPT = "SELECT count(*) FROM pg_prepared_statements"
PROCESS = "SELECT pg_backend_pid()"


class Statement:
    """What a connection has prepared."""

    def __init__(self, connection: "Connection", sql: str) -> None:
        self._connection, self._sql = connection, sql

    async def fetch(self) -> list[Any]:
        self._connection.asked.append(self._sql)
        await self._connection.may_end.wait()
        return [self._sql]


class Connection:
    """One to PostgreSQL, whose queries end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_end = asyncio.Event()

    async def prepare(self, sql: str) -> Statement:
        return Statement(self, sql)

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        self.may_end.set()


class Waiting:
    """A driver with one connection, at work."""

    def __init__(self, seconds: float) -> None:
        self.connection = Connection()
        self.driver = PostgresDriver(self._connect, 1, seconds)

    async def _connect(self) -> Connection:
        return self.connection

    async def ask(self, sql: str) -> asyncio.Task[list[Any]]:
        before = self._in_line()
        task = asyncio.create_task(self.driver.fetch(sql, [], is_short=True))
        while self._in_line() == before and not task.done():  # noqa: ASYNC110 (it is the loop's next turn that is waited for)
            await asyncio.sleep(0)
        return task

    def _in_line(self) -> int:
        """How many queries are at work or wait."""
        return self.driver.in_use + len(self.driver._waiting)


def test_queries_are_asked_in_the_order_in_which_they_came() -> None:
    async def work() -> list[str]:
        waiting = Waiting(60)
        tasks = [await waiting.ask(name) for name in "abcd"]
        waiting.connection.may_end.set()
        await asyncio.gather(*tasks)
        assert waiting.driver.in_use == 0
        await waiting.driver.close()
        return waiting.connection.asked

    assert asyncio.run(work()) == ["a", "b", "c", "d"]


def test_one_that_waits_too_long_is_given_up_and_the_others_go_on() -> None:
    async def work() -> None:
        waiting = Waiting(PATIENCE)
        first, late = await waiting.ask("first"), await waiting.ask("late")
        with pytest.raises(TimeoutError):
            await late
        waiting.connection.may_end.set()
        assert await first == ["first"]
        assert await (await waiting.ask("next")) == ["next"]
        assert waiting.driver.in_use == 0

    asyncio.run(work())


def test_a_place_that_comes_to_somebody_who_has_gone_goes_on_to_the_next() -> None:
    async def work() -> None:
        waiting = Waiting(60)
        first, gone, leaving, last = [await waiting.ask(name) for name in ("first", "gone", "leaving", "last")]
        gone.cancel()
        first.add_done_callback(lambda _task: leaving.cancel())  # its turn has come by then
        waiting.connection.may_end.set()
        assert await last == ["last"]
        await asyncio.gather(gone, leaving, return_exceptions=True)
        assert waiting.driver.in_use == 0
        await waiting.driver.close()

    asyncio.run(work())


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("postgresql")


async def ask(driver: PostgresDriver, sql: str, *values: Any) -> Any:
    """What a query tells in its first row and column."""
    return (await driver.fetch(sql, list(values), is_short=True))[0][0]


async def run(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


def test_what_is_asked_again_is_not_prepared_again(url: str) -> None:
    async def work() -> list[int]:
        driver = PostgresDriver(lambda: asyncpg.connect(url), 1, 60)
        found = [await ask(driver, KEPT) for _ in range(3)]
        await driver.close()
        return found

    assert asyncio.run(work()) == [1, 1, 1]


def test_a_connection_keeps_so_many_statements_only(url: str) -> None:
    async def work() -> tuple[int, int]:
        driver = PostgresDriver(lambda: asyncpg.connect(url), 1, 60)
        told = [await ask(driver, f"SELECT {number}") for number in range(STATEMENTS + 5)]
        kept = await ask(driver, KEPT)
        await driver.close()
        return len(told), kept

    told, kept = asyncio.run(work())
    assert (told, kept <= STATEMENTS + 1) == (STATEMENTS + 5, True)


def test_what_a_migration_changes_is_asked_anew(url: str) -> None:
    async def work() -> tuple[bool, list[Any]]:
        await run(url, "CREATE TABLE one (id INTEGER); INSERT INTO one VALUES (1)")
        driver = PostgresDriver(lambda: asyncpg.connect(url), 1, 60)
        before, process = await ask(driver, "SELECT * FROM one"), await ask(driver, PROCESS)
        await run(url, "ALTER TABLE one ALTER id TYPE text")
        found = [before, await ask(driver, "SELECT * FROM one"), driver.in_use]
        is_new = await ask(driver, PROCESS) != process
        await driver.close()
        return is_new, found

    assert asyncio.run(work()) == (True, [1, "1", 0])


def test_a_connection_that_died_between_two_queries_is_replaced(url: str) -> None:
    async def work() -> bool:
        driver = PostgresDriver(lambda: asyncpg.connect(url), 1, 60)
        process = await ask(driver, PROCESS)
        await run(url, f"SELECT pg_terminate_backend({process})")
        is_new = await ask(driver, PROCESS) != process
        await driver.close()
        return is_new

    assert asyncio.run(work())


def test_what_is_prepared_and_run_has_one_time_limit_for_both(url: str) -> None:
    async def work() -> None:
        driver = PostgresDriver(lambda: asyncpg.connect(url), 1, 60, PATIENCE)
        with pytest.raises(TimeoutError):
            await ask(driver, "SELECT pg_sleep(60)")
        assert (await ask(driver, "SELECT 1"), driver.in_use) == (1, 0)
        await driver.close()

    asyncio.run(work())
