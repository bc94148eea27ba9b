"""
Throttles: whoever guesses too often must wait, a minute first, then longer, up to a quarter of an hour.

Counted in the database, so that every process sees it, under keyed hashes, so that no login is kept.
"""

import enum
import hmac
import json
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Throttle
from xmlrpc_api import addresses
from xmlrpc_api.call import Call
from xmlrpc_api.database import insert_unless_there

WINDOW = timedelta(minutes=1)
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
FORGOTTEN = timedelta(minutes=30)
PRUNE_BATCH = 1000

Limits = dict[str, int]


class Kind(enum.Enum):
    """What is counted; each has names of its own, so that none can be taken for another."""

    WEB_USER = "login of a web user"
    ACCOUNT = "login of an account"
    EMAIL = "e-mail address of an account"
    OWN_API_LOGIN = "caller's own API password"
    VOUCHER = "account that uses vouchers"
    ADDRESS = "address of a person"
    CALLER = "all of a caller"


def limits(call: Call, kind: Kind, what: str, remote_ip: str | None) -> Limits:
    """
    What an attempt counts for, and how many failures a minute each may have, in the order of locking.

    What it is about comes first: that is what a success clears.
    """
    config = call.platform.config
    found = {_key(call, kind, what): config.login_failures}
    if remote_ip is not None:
        found[_key(call, Kind.ADDRESS, addresses.counted(remote_ip))] = config.address_failures
    found[_key(call, Kind.CALLER, "")] = config.caller_failures
    return found


def _key(call: Call, kind: Kind, what: str) -> str:
    content = json.dumps([kind.name, call.caller.i_customer, what])
    return hmac.digest(call.platform.vault.subkey(b"throttle"), content.encode(), "sha256").hex()


async def is_open(call: Call, counted: Limits) -> bool:
    """Whether none of these counters is locked; that of the login is held until the end of the transaction."""
    login = next(iter(counted))
    await call.session.execute(select(Throttle.key).where(Throttle.key == login).with_for_update())
    locked = select(Throttle.key).where(Throttle.key.in_(counted), Throttle.locked_until > call.now).limit(1)
    return (await call.session.execute(locked)).first() is None


async def clear(call: Call, counted: Limits) -> None:
    """Forget the failures of the login; those of its address and its caller stay."""
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
    await insert_unless_there(
        call.session, Throttle, {"key": key, "failures": 0, "since": now, "last": now, "locks": 0}
    )
    statement = select(Throttle).where(Throttle.key == key).with_for_update()
    return (await call.session.execute(statement.execution_options(populate_existing=True))).scalar_one()


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


async def prune(session: AsyncSession, now: datetime) -> int:
    """Drop counters that mean nothing any more; at most as many as one short transaction may. How many they were."""
    idle = (Throttle.last <= now - FORGOTTEN, or_(Throttle.locked_until.is_(None), Throttle.locked_until <= now))
    old = (await session.execute(select(Throttle.key).where(*idle).limit(PRUNE_BATCH))).scalars().all()
    await session.execute(delete(Throttle).where(Throttle.key.in_(old), *idle))
    return len(old)
