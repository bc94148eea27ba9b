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
from typing import Any

import bcrypt
from passlib.hash import apr_md5_crypt, md5_crypt, sha256_crypt, sha512_crypt

from models import ROOT_ID
from xmlrpc_api.turns import Queues, TooManyWaiting

UNKNOWN_HASH = "is no bcrypt, SHA-crypt or MD5-crypt hash, or one of a cost beyond all bounds"
NOBODYS_HASH = "!"  # kept where there is no password yet: none is hashed to it
LOW_PRIORITY = 10
RUNS_A_SECOND, USUAL_COST = 4.3, 12  # of one thread, measured; each step of cost halves it
WAIT_SECONDS = 5
CALLER_QUEUE = 500
LOGIN_QUEUE = 16
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

    Anybody may send guesses: checking them gives way to all else, and one beyond `queue` is refused at once. What a
    caller sets is hashed by other threads, which a flood of guesses does not reach, in turns: each caller has a queue
    of its own, in which as much may wait as bcrypt does in a few seconds. What somebody sends who logged in before is
    checked there as well, one password of a login at a time.

    The password is hashed with SHA-256 first, so that all of its bytes count and none is special:
    bcrypt alone reads 72 bytes.

    Args:
        cost: bcrypt's work factor.
        queue: How many checks may wait.
        threads: How many of each kind run at once.
        caller_queue: How many passwords of one caller may wait, however fast bcrypt is.
    """

    def __init__(self, cost: int, queue: int, threads: int = 1, caller_queue: int = CALLER_QUEUE) -> None:
        self._cost = cost
        self._guesses = ThreadPoolExecutor(threads, thread_name_prefix="guesses", initializer=_step_back)
        self._room = threads + queue
        self._waiting = 0
        self._passwords = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._turns = Queues("caller", bcrypt_runs(cost, threads, caller_queue), threads)
        self._logins = Queues("login", LOGIN_QUEUE)
        self.hashed = 0

    async def hash(self, password: str, caller: int = ROOT_ID) -> str:
        """
        Hash a password that a caller sets.

        Raises:
            TooManyWaiting: Too many of this caller are waiting already.
        """
        async with self._turns.hold((caller,)):
            self.hashed += 1
            return await asyncio.get_running_loop().run_in_executor(
                self._passwords, lambda: bcrypt.hashpw(_prepare(password), bcrypt.gensalt(self._cost)).decode()
            )

    async def check(self, password: str, hashed: str | None, known_to: int | None = None) -> bool:
        """
        Tell whether `password` is the one that was hashed. None is nobody's hash, and takes as long.

        Args:
            password: As it was sent.
            hashed: The hash.
            known_to: The login's number, where somebody asks who logged in before: it is no guess of a stranger
                then, and waits for its turn.

        Raises:
            TooManyWaiting: Too many are waiting already.
        """
        known = hashed if hashed and hashed != NOBODYS_HASH else f"$2b${self._cost:02}${_NOBODYS}"
        return await self._judge(lambda: bcrypt.checkpw(_prepare(password), known.encode()), known_to)

    async def check_foreign(self, password: str, hashed: str, known_to: int | None = None) -> bool:
        """
        Tell whether `password` is the one that another system hashed.

        Raises:
            TooManyWaiting: Too many are waiting already.
        """
        return await self._judge(lambda: _is_foreign(password, hashed), known_to)

    def is_weak(self, hashed: str) -> bool:
        """Whether a hash was made at a lower cost than new ones are."""
        return int(hashed.split("$")[2]) < self._cost

    def close(self) -> None:
        """End the threads."""
        for pool in (self._guesses, self._passwords):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _judge(self, work: Callable[[], bool], known_to: int | None) -> bool:
        if known_to is None:
            return await self._guess(work)
        async with self._logins.hold((known_to,)):
            return await asyncio.get_running_loop().run_in_executor(self._passwords, work)

    async def _guess(self, work: Callable[[], bool]) -> bool:
        if self._waiting >= self._room:
            raise TooManyWaiting("Too many password checks are waiting, try again later")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._guesses, work)
        finally:
            self._waiting -= 1


def bcrypt_runs(cost: int, threads: int, most: int) -> int:
    """How many hashes of a cost so many threads make in the seconds that a password may wait; 1 to `most`."""
    a_second = RUNS_A_SECOND * 2.0 ** (USUAL_COST - cost)
    return max(1, min(int(a_second * WAIT_SECONDS * threads), most))


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
