"""Queues in front of the database pool, so that one busy balance, or caller, does not take all connections."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from xmlrpc_api.faults import Unavailable


class Queues:
    """
    One queue a key. Whoever holds a key works, the others wait in order, without a connection.

    Args:
        what: What keys stand for, for the client who is refused.
        limit: How many may wait for one key; one more is refused at once.
        at_once: How many may hold one key at one time.
    """

    def __init__(self, what: str, limit: int, at_once: int = 1) -> None:
        self._what = what
        self._limit = limit
        self._at_once = at_once
        self._turns: dict[int, asyncio.Semaphore] = {}
        self._users: dict[int, int] = {}

    @asynccontextmanager
    async def hold(self, keys: Iterable[int]) -> AsyncIterator[None]:
        """
        Hold all of these keys; they are taken in one order, so that nobody waits in a circle.

        Raises:
            Unavailable: Too many are waiting for one of them.
        """
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self._one(key))
            yield

    @asynccontextmanager
    async def _one(self, key: int) -> AsyncIterator[None]:
        users = self._users.get(key, 0)
        if users >= self._limit + self._at_once:
            raise Unavailable(f"Too many calls are waiting for this {self._what}, try again later")
        self._users[key] = users + 1
        turn = self._turns.setdefault(key, asyncio.Semaphore(self._at_once))
        try:
            async with turn:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._turns[key]
