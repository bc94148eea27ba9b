"""Queues in front of the database pool, so that calls for one busy balance do not take all connections."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from xmlrpc_api.faults import Unavailable


class Queues:
    """
    One queue a key. Whoever holds a key works, the others wait in order, without a connection.

    Args:
        limit: How many may wait for one key; one more is refused at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._locks: dict[int, asyncio.Lock] = {}
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
        if users > self._limit:
            raise Unavailable("Too many calls are waiting for this balance, try again later")
        self._users[key] = users + 1
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
