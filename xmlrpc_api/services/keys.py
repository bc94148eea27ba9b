"""Which keys the database needs, and a new one for all that is encrypted, batch by batch while calls go on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Account, AuditEntry, Sealed, Signature, Voucher, WebUser, columns_of, place_of, purpose_of
from xmlrpc_api.crypto.vault import Vault, VaultError

BATCH = 100
PAGE = 5000
NAME_LENGTH = 8
SEALED = columns_of(Sealed)
Key = tuple[object, ...]  # of a row
Condition = Callable[[datetime], ColumnElement[bool]]
SIGNATURES = columns_of(Signature)
FOR_EVER = (purpose_of(AuditEntry.mac), purpose_of(AuditEntry.hash))
"""What is proved with an old key for as long as there is a history: it is never signed anew."""


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Some values of a column, encrypted anew.

    Attributes:
        last: The key of the last row that was looked at; None if there are no more.
        done: How many were encrypted anew.
        lost: Places of those that cannot be decrypted.
        left: How many somebody changed meanwhile.
    """

    last: Key | None
    done: int
    lost: list[str]
    left: int


async def encrypt_anew(session: AsyncSession, vault: Vault, column: Column[Any], last: Key | None) -> Batch:
    """
    Encrypt the next values of a column with the newest key, in this transaction.

    Rows that others hold are left to the next pass, and a value that was changed meanwhile is not overwritten.
    """
    key = tuple(column.table.primary_key.columns)
    old = select(*key, column.label("sealed")).where(column.is_not(None), _is_old(column, vault))
    if last is not None:
        old = old.where(_after(key, last))
    old = old.order_by(*key).limit(BATCH).with_for_update(skip_locked=True, key_share=True)
    rows = (await session.execute(old)).all()
    done, lost = 0, []
    for row in rows:
        *own, sealed = row
        place = place_of(column, *own)
        try:
            anew = vault.encrypt(vault.decrypt(sealed, place), place)
        except VaultError:
            lost.append(place)
            continue
        same = [part == value for part, value in zip(key, own, strict=True)]
        changed = update(column.table).where(*same, column == sealed).values({column: anew}).returning(*key)
        done += len((await session.execute(changed)).all())
    return Batch(tuple(rows[-1][:-1]) if rows else None, done, lost, len(rows) - done - len(lost))


async def count_old(session: AsyncSession, vault: Vault, column: Column[Any]) -> int:
    """How many values of a column are not encrypted with the newest key."""
    old = select(func.count()).select_from(column.table).where(column.is_not(None), _is_old(column, vault))
    return int((await session.execute(old)).scalar_one())


def _after(key: tuple[Column[Any], ...], last: Key) -> ColumnElement[bool]:
    after: ColumnElement[bool] = tuple_(*key) > tuple_(*last, types=[column.type for column in key])
    return after


def _is_old(column: Column[Any], vault: Vault) -> ColumnElement[bool]:
    return func.substr(column, 1, NAME_LENGTH) != vault.current


async def unreadable(session: AsyncSession, vault: Vault) -> list[str]:
    """A sentence for each key that is missing to decrypt something."""
    found = []
    for column in SEALED:
        names = await _names(session, column, column.is_not(None))
        found += [(name, str(column), count) for name, count in names.items() if not vault.knows(name)]
    return [
        f"key {name!r} is not in the key file, so {count} of {what} cannot be decrypted" for name, what, count in found
    ]


async def needed_proofs(session: AsyncSession, now: datetime) -> Counter[tuple[str, bytes]]:
    """How many signatures that still matter each key made, by its name and what they are for."""
    needed: Counter[tuple[str, bytes]] = Counter()
    for column in SIGNATURES:
        condition = _STILL_MATTERS.get(str(column))
        names = await _names(session, column, column.is_not(None) if condition is None else condition(now))
        for name, count in names.items():
            needed[name, purpose_of(column)] += count
    return needed


async def _names(session: AsyncSession, column: Column[Any], wanted: ColumnElement[bool]) -> Counter[str]:
    """How often which key's name stands in a column: a page at a time, since no statement may take long."""
    key = tuple(column.table.primary_key.columns)
    name = func.substr(column, 1, NAME_LENGTH)
    last: Key | None = None
    total: Counter[str] = Counter()
    while True:
        page = select(*key, name).where(wanted).order_by(*key).limit(PAGE)
        rows = (await session.execute(page if last is None else page.where(_after(key, last)))).all()
        total.update(row[-1] for row in rows)
        if len(rows) < PAGE:
            return total
        last = tuple(rows[-1][:-1])


def _one_time(owner: type[WebUser] | type[Account]) -> Condition:
    return lambda now: owner.one_time_expires > now


_STILL_MATTERS: dict[str, Condition] = {
    str(WebUser.__table__.c.one_time_password): _one_time(WebUser),
    str(Account.__table__.c.one_time_password): _one_time(Account),
    str(Voucher.__table__.c.pin): lambda now: (
        Voucher.used.is_(None) & or_(Voucher.expires.is_(None), Voucher.expires > now)
    ),
}
