"""
Who tried wrong API credentials too often must wait: a minute, for a login from one address, or for an address.

Counted in the memory of the process, which is bounded: a wrong attempt costs no write to the database. Somebody who
knocks from many addresses locks nobody else out.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
MOST_KEYS = 20_000


@dataclass(slots=True)
class _Count:
    since: float
    failures: int = 0


class Attempts:
    """
    Counts wrong attempts.

    Args:
        per_login: How many a minute a login may have from one address.
        per_address: How many a minute an address may have.
        clock: The time, in seconds.
    """

    def __init__(self, per_login: int, per_address: int, clock: Callable[[], float]) -> None:
        self._limits = (per_login, per_address)
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def are_left(self, login: str, address: str) -> bool:
        """Whether one more attempt may be judged; if not, the right password is refused as well."""
        return all(
            self._count(key).failures < limit for key, limit in zip(_keys(login, address), self._limits, strict=True)
        )

    def failed(self, login: str, address: str) -> None:
        """Count a wrong attempt."""
        for key in _keys(login, address):
            count = self._count(key)
            count.failures += 1
            self._counts[key] = count
            self._counts.move_to_end(key)
        while len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)

    def _count(self, key: tuple[str, str]) -> _Count:
        now = self._clock()
        count = self._counts.get(key)
        return count if count is not None and count.since > now - WINDOW_SECONDS else _Count(now)


def _keys(login: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (login, address), ("", address)
