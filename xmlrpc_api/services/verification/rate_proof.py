"""
Proof, for `verify`, that tariffs have the rates that the change history says.

The history tells each single change, and of a change of many by what it changed the sum of their tariff's rates (see
`rate_sums`). Sums tell which tariffs are wrong; of those alone each rate is looked at.
"""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import AuditEntry, Price, Rate, Tariff, UtcDateTime
from xmlrpc_api.services.catalogue import rates
from xmlrpc_api.services.catalogue.rate_sums import RATE, RateSum
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.verification import objects
from xmlrpc_api.storage.fast_path import found_by

BATCH, SHOWN = 5000, 20
SINGLE = (audit.ADDED, audit.UPDATED, audit.DELETED)
MANY = (rates.MANY, rates.NONE_LEFT)
_KINDS = {name: RATE.column(name).type for name in RATE.fields}
_TABLE = RATE.model.__table__
Values = Mapping[str, Any]


class Told:
    """
    What the history tells of the rates of a tariff.

    Attributes:
        sum: That of the rates that it must have.
        many: The newest row that tells of many.
    """

    def __init__(self) -> None:
        self.sum = RateSum()
        self.many = 0

    def follow(self, i_audit: int, action: str, before: Values | None, after: Values | None) -> None:
        """Take a row of the history into account."""
        if action in MANY:
            self.many = i_audit
        if action == rates.NONE_LEFT:
            self.sum.restart()
        elif action == rates.MANY:
            self.sum.join((after or {})["rates_sum"])
        else:
            if before is not None:
                self.sum.take(read(before))
            if after is not None:
                self.sum.add(read(after))


def read(noted: Values) -> Values:
    """A rate as the history tells it, in our types."""
    return {name: _read(name, value) for name, value in noted.items()}


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(_KINDS[name], Price):
        return Decimal(value)
    return datetime.fromisoformat(value) if isinstance(_KINDS[name], UtcDateTime) else value


async def of_rates(session: AsyncSession) -> AsyncIterator[tuple[int, list[str]]]:
    """Rates that were looked at, batch by batch, and what is wrong with them."""
    told = await _told(session)
    there: dict[int, RateSum] = {}
    last = 0
    while True:
        wanted = select(_TABLE).where(Rate.i_rate > last).order_by(Rate.i_rate).limit(BATCH)
        rows = await found_by(session, wanted)
        if not rows:
            break
        for row in rows:
            there.setdefault(row["i_tariff"], RateSum()).add(row)
        last = rows[-1]["i_rate"]
        yield len(rows), []
    tariffs = set((await session.scalars(select(Tariff.i_tariff))).all())
    for i_tariff in sorted(tariffs & (told.keys() | there.keys())):
        said = told.get(i_tariff) or Told()
        if not said.sum.is_that_of(there.get(i_tariff) or RateSum()):
            yield 0, await _wrong(session, i_tariff, said.many)


async def _told(session: AsyncSession) -> dict[int, Told]:
    """What the history tells of each tariff."""
    single = and_(AuditEntry.object_type == RATE.name, AuditEntry.action.in_(SINGLE))
    many = and_(AuditEntry.object_type == Tariff.__tablename__, AuditEntry.action.in_(MANY))
    names = ("i_audit", "object_type", "object_id", "action", "before", "after")
    noted = select(*(AuditEntry.__table__.c[name] for name in names)).where(or_(single, many))
    found: dict[int, Told] = {}
    async for some in await objects.pages(session, noted.order_by(AuditEntry.i_audit)):
        for i_audit, kind, object_id, action, *texts in some:
            before, after = map(_values, texts)
            i_tariff = (after or before)["i_tariff"] if kind == RATE.name else object_id
            found.setdefault(i_tariff, Told()).follow(i_audit, action, before, after)
    return found


async def _wrong(session: AsyncSession, i_tariff: int, many: int) -> list[str]:
    """What is wrong with a tariff's rates, of which one at least is not as the history tells."""
    last = await _last_of_each(session, i_tariff, many)
    found = [f"the rates of tariff {i_tariff} are not those that the change history tells of"]
    named: list[str] = []
    there: set[int] = set()
    wanted = select(_TABLE).where(Rate.i_tariff == i_tariff).order_by(Rate.prefix, Rate.activation_date)
    async for some in await objects.pages(session, wanted):
        for row in some:
            there.add(row.i_rate)
            named += _misfits(row._mapping, last)  # noqa: SLF001 (what SQLAlchemy calls a row by its columns)
    gone = [i_rate for i_rate, after in last.items() if after is not None and i_rate not in there]
    named += [f"rate {i_rate} is gone, but the change history does not say that it was deleted" for i_rate in gone]
    return [*found, *named[:SHOWN]]


async def _last_of_each(session: AsyncSession, i_tariff: int, many: int) -> dict[int, Values | None]:
    """What single changes of a tariff's rates have left, since many were changed; None: the rate is deleted."""
    names = ("object_id", "before", "after")
    noted = select(*(AuditEntry.__table__.c[name] for name in names))
    noted = noted.where(AuditEntry.object_type == RATE.name, AuditEntry.action.in_(SINGLE), AuditEntry.i_audit > many)
    found: dict[int, Values | None] = {}
    async for some in await objects.pages(session, noted.order_by(AuditEntry.i_audit)):
        for i_rate, *texts in some:
            before, after = map(_values, texts)
            if (after or before)["i_tariff"] == i_tariff:
                found[i_rate] = after
    return found


def _misfits(row: Mapping[Any, Any], last: Mapping[int, Values | None]) -> list[str]:
    """What is wrong with a rate, as far as the history tells of it alone."""
    what = f"rate {row['i_rate']}"
    if row["i_rate"] not in last:
        return [] if row["i_upload"] is not None else [f"{what} is not in the change history since many were changed"]
    said = last[row["i_rate"]]
    if said is None:
        return [f"{what} is there, but the change history says that it was deleted"]
    values = {name: row[name] for name in RATE.fields}
    said = read(said)
    return [
        f"{what}: {name} is {_plain(value)}, but the change history says {_plain(said.get(name))}"
        for name, value in values.items()
        if value != said.get(name)
    ]


def _values(text: str | None) -> Any:
    return json.loads(text) if text else None


def _plain(value: Any) -> Any:
    if value is None:
        return "nil"
    return audit.plain(value) if isinstance(value, Decimal | datetime) else value
