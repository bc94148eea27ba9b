"""Web passwords: bcrypt, and the hashes of other systems, off the event loop, in a bounded pool."""

import asyncio
import base64
import hashlib
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import bcrypt
from passlib.hash import apr_md5_crypt, md5_crypt, sha256_crypt, sha512_crypt

from xmlrpc_api.faults import Unavailable

T = TypeVar("T")

NOBODYS_HASH = "!"  # kept where there is no password yet: none is hashed to it
LOW_PRIORITY = 10
BCRYPT_BYTES = 72
SCORED_CHARACTERS = 24  # more would take seconds and change no verdict
HIGHEST_COST = 16
MOST_ROUNDS = 1_000_000
_BCRYPT = re.compile(r"\$2[abxy]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}")
_ROUNDS = re.compile(r"\$[56]\$rounds=(?P<rounds>[0-9]{1,9})\$")
_OTHERS: dict[str, Any] = {"$1$": md5_crypt, "$apr1$": apr_md5_crypt, "$5$": sha256_crypt, "$6$": sha512_crypt}
_NOBODYS = "." * 53  # salt and digest of no password


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
        threads: How many run at once. They give way to the other calls.
    """

    def __init__(self, cost: int, queue: int, threads: int = 1) -> None:
        self._cost = cost
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt", initializer=_step_back)
        self._room = threads + queue
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """
        Hash a password.

        Raises:
            Unavailable: Too many are waiting already.
        """
        return await self._run(lambda: bcrypt.hashpw(_prepare(password), bcrypt.gensalt(self._cost)).decode())

    async def check(self, password: str, hashed: str | None) -> bool:
        """
        Tell whether `password` is the one that was hashed. None is nobody's hash, and takes as long.

        Raises:
            Unavailable: Too many are waiting already.
        """
        known = hashed if hashed and hashed != NOBODYS_HASH else f"$2b${self._cost:02}${_NOBODYS}"
        return await self._run(lambda: bcrypt.checkpw(_prepare(password), known.encode()))

    async def check_foreign(self, password: str, hashed: str) -> bool:
        """
        Tell whether `password` is the one that another system hashed.

        Raises:
            Unavailable: Too many are waiting already.
        """
        return await self._run(lambda: _is_foreign(password, hashed))

    def is_weak(self, hashed: str) -> bool:
        """Whether a hash was made at a lower cost than new ones are."""
        return int(hashed.split("$")[2]) < self._cost

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


def _step_back() -> None:
    """Let the threads that answer other calls go first; on Linux each thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)


def _prepare(password: str) -> bytes:
    normal = unicodedata.normalize("NFC", password).encode()
    return base64.b64encode(hashlib.sha256(normal).digest())


def is_known_hash(hashed: str) -> bool:
    """Whether a hash of another system can be checked here, in bearable time."""
    if match := _BCRYPT.fullmatch(hashed):
        return int(match["cost"]) <= HIGHEST_COST
    if (match := _ROUNDS.match(hashed)) and int(match["rounds"]) > MOST_ROUNDS:
        return False
    scheme = _scheme_of(hashed)
    try:
        return scheme is not None and bool(scheme.from_string(hashed).checksum)
    except ValueError:
        return False


def _scheme_of(hashed: str) -> Any:
    return _OTHERS.get(hashed[: hashed.find("$", 1) + 1])


def _is_foreign(password: str, hashed: str) -> bool:
    try:
        if _BCRYPT.fullmatch(hashed):
            return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], hashed.encode())  # as they all cut it
        return bool(_scheme_of(hashed).verify(password, hashed))
    except ValueError:  # a NUL, or a hash that only looked like one
        return False


def score(password: str) -> int:
    """How hard a password is to guess, from 0 (at once) to 4, after zxcvbn. Slow: milliseconds."""
    from zxcvbn import zxcvbn  # its word lists take 12 MB, which most servers do not need

    return int(zxcvbn(password[:SCORED_CHARACTERS])["score"])
