"""
Throttles: whoever guesses too often must wait, a minute first, then longer, up to a quarter of an hour.

Counted in the database, so that every process sees it, under keyed hashes, so that no login is kept. What counts
together is one login, one address or one device, never all that a caller sends: else one attacker would shut out
everybody who comes by the same portal. What is unknown is counted as what is known. All of a caller is counted as
well, to tell a flood, which limits what is noted of unknown logins and nothing else.
"""

import enum
import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Throttle
from xmlrpc_api import addresses
from xmlrpc_api.call import Call

WINDOW = timedelta(minutes=1)
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
FORGOTTEN = timedelta(minutes=30)
FLOOD_FAILURES = 100
PRUNE_BATCH = 1000
MOST_ROWS = 100_000

Limits = dict[str, int]


class Kind(enum.Enum):
    """What is counted; each has names of its own, so that none can be taken for another."""

    WEB_USER = "login of a web user"
    ACCOUNT = "login of an account"
    EMAIL = "e-mail address of an account"
    DEVICE = "device of somebody who logged in before"
    CODE = "second factor of a web user"
    OWN_API_LOGIN = "caller's own API password"
    VOUCHER = "account that uses vouchers"
    ADDRESS = "address of a person"
    CALLER = "all of a caller"


def limits(call: Call, kind: Kind, what: str, remote_ip: str | None = None) -> Limits:
    """
    What an attempt counts for, and how many failures a minute each may have, in the order of locking.

    What it is about comes first, then the address from where it came.
    """
    config = call.platform.config
    found = {_key(call, kind, what): config.login_failures}
    if remote_ip is not None:
        found[_key(call, Kind.ADDRESS, addresses.counted(remote_ip))] = config.address_failures
    return found


def flood(call: Call) -> Limits:
    """What tells that a caller's portal is flooded with guesses. Nobody is refused for it."""
    return {_key(call, Kind.CALLER, ""): FLOOD_FAILURES}


def _key(call: Call, kind: Kind, what: str) -> str:
    content = json.dumps([kind.name, call.caller.i_customer, what])
    return hmac.digest(call.platform.vault.subkey(b"throttle"), content.encode(), "sha256").hex()


async def is_open(call: Call, counted: Iterable[str]) -> bool:
    """Whether none of these counters is locked; the first of them is held until the end of the transaction."""
    keys = list(counted)
    await call.session.execute(select(Throttle.key).where(Throttle.key.in_(keys[:1])).with_for_update())
    locked = select(Throttle.key).where(Throttle.key.in_(keys), Throttle.locked_until > call.now).limit(1)
    return (await call.session.execute(locked)).first() is None


async def clear(call: Call, counted: Limits) -> None:
    """Forget the failures of what an attempt was about; those of its address stay."""
    await call.session.execute(delete(Throttle).where(Throttle.key == next(iter(counted))))


async def failed(call: Call, counted: Limits) -> tuple[bool, bool]:
    """
    Count a failure everywhere.

    Returns:
        Whether it had been locked meanwhile, and whether it is locked from now on.
    """
    was_locked = locks_now = False
    for key, limit in counted.items():
        row = await _row(call, key)
        if row.locked_until is not None and row.locked_until > call.now:
            was_locked = True
            continue
        locks_now |= await _count(call, row, limit)
    return was_locked, locks_now


async def _row(call: Call, key: str) -> Throttle:
    """The counter of this key, locked; a new one if there is none."""
    now = call.now
    new = {"key": key, "failures": 0, "since": now, "last": now, "locks": 0, "locked_until": None}
    return Throttle(**await call.transaction.insert_or_lock(Throttle, new))


async def _count(call: Call, row: Throttle, limit: int) -> bool:
    """Add one failure. Whether that locks."""
    now = call.now
    locks = 0 if row.last <= now - FORGOTTEN else row.locks
    failures, since = (1, now) if row.since <= now - WINDOW else (row.failures + 1, row.since)
    locked_until = None
    if failures >= limit:
        locked_until = now + min(FIRST_LOCK * 2**locks, LONGEST_LOCK)
        locks, failures = locks + 1, 0
    await call.session.execute(
        update(Throttle)
        .where(Throttle.key == row.key)
        .values(failures=failures, since=since, last=now, locks=locks, locked_until=locked_until)
        .execution_options(synchronize_session=False)
    )
    return locked_until is not None


async def prune(session: AsyncSession, now: datetime, most: int = MOST_ROWS) -> int:
    """
    Drop counters that mean nothing any more, and those of the fewest failures while there are more than `most`.

    Whoever floods with invented logins cannot wash out the counter of one that it guesses: it has more failures. At
    most as many go as one short transaction may drop.

    Returns:
        How many they were.
    """
    is_free = or_(Throttle.locked_until.is_(None), Throttle.locked_until <= now)
    idle = (Throttle.last <= now - FORGOTTEN, is_free)
    old = (await session.execute(select(Throttle.key).where(*idle).limit(PRUNE_BATCH))).scalars().all()
    await session.execute(delete(Throttle).where(Throttle.key.in_(old), *idle))
    too_many = (await session.execute(select(func.count()).select_from(Throttle))).scalar_one() - most
    if too_many <= 0 or old:
        return len(old)
    fewest = select(Throttle.key).where(is_free, Throttle.locks == 0).order_by(Throttle.failures, Throttle.last)
    spare = (await session.execute(fewest.limit(min(too_many, PRUNE_BATCH)))).scalars().all()
    await session.execute(delete(Throttle).where(Throttle.key.in_(spare), is_free))
    return len(spare)
