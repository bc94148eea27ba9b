"""Queues in front of the database pool, so that one busy balance, or caller, does not take all connections."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from typing import Generic, TypeVar

CUSTOMER, ACCOUNT = "customer", "account"
Key = tuple[str, int]  # whose balance: CUSTOMER or ACCOUNT, and the id
K = TypeVar("K", int, Key)


class TooManyWaiting(Exception):  # noqa: N818 (it is a state, not a mistake)
    """One more would wait too long; the text is for the client, who may try again later."""


class Queues(Generic[K]):
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
        self._turns: dict[K, asyncio.Semaphore] = {}
        self._users: dict[K, int] = {}

    def hold(self, keys: Collection[K]) -> AbstractAsyncContextManager[None]:
        """
        Hold all of these keys; they are taken in one order, so that nobody waits in a circle.

        Raises:
            TooManyWaiting: Too many are waiting for one of them.
        """
        if len(keys) > 1:
            return self._all(keys)
        return _Turn(self, next(iter(keys))) if keys else nullcontext()

    @asynccontextmanager
    async def _all(self, keys: Collection[K]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(_Turn(self, key))
            yield

    async def enter(self, key: K) -> None:
        """Wait for a key."""
        users = self._users.get(key, 0)
        if users >= self._limit + self._at_once:
            raise TooManyWaiting(f"Too many calls are waiting for this {self._what}, try again later")
        self._users[key] = users + 1
        turn = self._turns.get(key)
        if turn is None and users < self._at_once:
            return
        if turn is None:  # those who are at work have taken all there is
            turn = self._turns[key] = asyncio.Semaphore(0)
        try:
            await turn.acquire()
        except BaseException:
            self._forget(key)
            raise

    def leave(self, key: K) -> None:
        """Give a key back."""
        if key in self._turns:
            self._turns[key].release()
        self._forget(key)

    def _forget(self, key: K) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key]
            self._turns.pop(key, None)


class _Turn(Generic[K]):
    """One key, held for the length of a block."""

    __slots__ = ("_key", "_queues")

    def __init__(self, queues: Queues[K], key: K) -> None:
        self._queues: Queues[K] = queues
        self._key: K = key

    async def __aenter__(self) -> None:
        await self._queues.enter(self._key)

    async def __aexit__(self, *_error: object) -> None:
        self._queues.leave(self._key)
