"""
Who tried wrong API credentials too often must wait: a minute, for a login from one address, or for an address.

Counted in the memory of the process, which is bounded: a wrong attempt costs no write to the database. Somebody who
knocks from many addresses locks nobody else out. What was tried is not kept, only a keyed hash of it.
"""

import enum
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from models import login_key
from xmlrpc_api import addresses

WINDOW_SECONDS = 60.0
MOST_OF_A_LEVEL = 10_000
LONGEST_LOGIN = 256  # longer ones are nobody's
KEY_BYTES = 16


class Kind(enum.Enum):
    """What is counted; each has names of its own."""

    ADDRESS = b"address"
    CUSTOMER = b"customer"
    ADMINISTRATOR = b"administrator"


@dataclass(slots=True)
class _Count:
    since: float
    failures: int = 0


class Attempts:
    """
    Counts wrong attempts.

    Counters are kept in levels: of 1 failure, of 2 and 3, of 4 to 7, and so on. Where a level is full its oldest
    counter makes room for the next, so that whoever wants to wash a counter out, its own for example, has to fail as
    often as that, with each of `MOST_OF_A_LEVEL` others.

    Args:
        per_login: How many a minute a login may have from one address.
        per_address: How many a minute an address may have.
        clock: The time, in seconds.
    """

    def __init__(self, per_login: int, per_address: int, clock: Callable[[], float]) -> None:
        self._limits = (per_login, per_address)
        self._clock = clock
        self._secret = secrets.token_bytes()
        self._levels: list[OrderedDict[bytes, _Count]] = [
            OrderedDict() for _ in range(max(per_login, per_address).bit_length())
        ]

    def __len__(self) -> int:
        """How many counters are kept."""
        return sum(map(len, self._levels))

    def are_left(self, kind: Kind, login: str, address: str) -> bool:
        """Whether one more attempt may be judged; if not, the right password is refused as well."""
        if not any(self._levels):  # as it mostly is: nothing needs to be hashed
            return True
        self._age()
        counts = map(self._count, self._keys(kind, login, address))
        return all(count.failures < limit for count, limit in zip(counts, self._limits, strict=True))

    def failed(self, kind: Kind, login: str, address: str) -> None:
        """Count a wrong attempt."""
        self._age()
        for key, limit in zip(self._keys(kind, login, address), self._limits, strict=True):
            count = self._count(key)
            if count.failures < limit:
                for level in self._levels:
                    level.pop(key, None)
                count.failures += 1
                self._keep(key, count)

    def _keep(self, key: bytes, count: _Count) -> None:
        level = self._levels[count.failures.bit_length() - 1]
        level[key] = count
        if len(level) > MOST_OF_A_LEVEL:
            level.popitem(last=False)

    def _count(self, key: bytes) -> _Count:
        now = self._clock()
        found = (level[key] for level in self._levels if key in level)
        return next((count for count in found if count.since > now - WINDOW_SECONDS), _Count(now))

    def _age(self) -> None:
        """
        Drop what means nothing any more.

        A counter began before it came to its level, so that none outlives the window after one that came later.
        """
        over = self._clock() - WINDOW_SECONDS
        for level in self._levels:
            while level and next(iter(level.values())).since <= over:
                level.popitem(last=False)

    def _keys(self, kind: Kind, login: str, address: str) -> tuple[bytes, bytes]:
        """What an attempt counts for: the login from this address, and the address."""
        network = addresses.counted(address)
        return self._key(kind, login, network), self._key(Kind.ADDRESS, "", network)

    def _key(self, kind: Kind, login: str, network: str) -> bytes:
        named = login_key(login) if len(login) <= LONGEST_LOGIN else None
        return hashlib.blake2b(
            repr((kind.value, named, network)).encode(), digest_size=KEY_BYTES, key=self._secret
        ).digest()
