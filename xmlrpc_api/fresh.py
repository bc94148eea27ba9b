"""Values that cost too much to be made for everybody who asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """
    A value that is made when somebody asks, and told to all who ask within a time from then.

    Args:
        make: Makes it.
        seconds: How long it keeps.
        clock: Tells the time in seconds.
    """

    def __init__(
        self, make: Callable[[], Awaitable[T]], seconds: float = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock
        self._begun = 0.0
        self._made: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """The value; whoever asks while it is being made waits for it."""
        if self._made is None or (self._made.done() and self._clock() - self._begun >= self._seconds):
            self._begun = self._clock()
            self._made = asyncio.ensure_future(self._make())
        return await asyncio.shield(self._made)
