"""Waiting for a connection of the driver: in order, for so long, and no place is ever lost."""

import asyncio
from typing import Any

import pytest

from xmlrpc_api.storage.fast_path import PostgresDriver

PATIENCE = 0.05


class Connection:
    """One to PostgreSQL, whose queries end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_end = asyncio.Event()

    async def fetch(self, sql: str) -> list[Any]:
        self.asked.append(sql)
        await self.may_end.wait()
        return [sql]

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
        task = asyncio.create_task(self.driver.fetch(sql, [], is_short=True))
        await asyncio.sleep(0)
        return task


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
