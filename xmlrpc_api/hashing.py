"""Web passwords: bcrypt, off the event loop, in a bounded pool."""

import asyncio
import base64
import hashlib
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import bcrypt

from xmlrpc_api.faults import Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Password:
    """A new web password: as the client sent it, for the rules, and hashed, for the database."""

    plain: str = field(repr=False)
    hashed: str = field(repr=False)


class PasswordHasher:
    """
    Makes and checks bcrypt hashes in threads of its own.

    The password is hashed with SHA-256 first, so that all of its bytes count and none is special:
    bcrypt alone reads 72 bytes.

    Args:
        cost: bcrypt's work factor.
        queue: How many checks may wait; one more is refused at once.
        threads: How many run at once; one core is left to the other calls.
    """

    def __init__(self, cost: int, queue: int, threads: int | None = None) -> None:
        self._cost = cost
        threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt")
        self._room = threads + queue
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """
        Hash a password.

        Raises:
            Unavailable: Too many are waiting already.
        """
        return await self._run(lambda: bcrypt.hashpw(_prepare(password), bcrypt.gensalt(self._cost)).decode())

    async def check(self, password: str, hashed: str) -> bool:
        """
        Tell whether `password` is the one that was hashed.

        Raises:
            Unavailable: Too many are waiting already.
        """
        return await self._run(lambda: bcrypt.checkpw(_prepare(password), hashed.encode()))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._room:
            raise Unavailable("Too many password checks are waiting, try again later")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _prepare(password: str) -> bytes:
    normal = unicodedata.normalize("NFC", password).encode()
    return base64.b64encode(hashlib.sha256(normal).digest())
