"""
Taking a price list over: all of it in one transaction, or nothing.

The tariff is held meanwhile, as everybody does who changes its rates: two lists for one tariff are taken over one after
the other. What takes long, and asks nothing of the database, is done in a thread: other calls go on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

from sqlalchemy import delete, func, or_, select

from models import Rate, Tariff
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import table_of
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.services.catalogue import rates
from xmlrpc_api.services.catalogue.bulk.merging import ATTRIBUTES, Known, Merged, Merging
from xmlrpc_api.services.catalogue.rate_sums import RateSum
from xmlrpc_api.storage.rows import Once
from xmlrpc_api.tabular.sheet import Table

SECONDS = 60  # that a statement, or what is done between two of them, may take on a busy machine
REMOVED = 5_000  # rows that one statement removes
_TABLE = table_of(Rate.__mapper__.columns["i_rate"])
_NEXT = func.lead(Rate.activation_date).over(partition_by=Rate.prefix, order_by=Rate.activation_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What is to be done with a file.

    Attributes:
        i_upload: The upload with which it came.
        effective: When lines without a date begin, and what is closed ends; None: now.
        close_missing: Whether rates of the tariff that it does not have end then.
        dry_run: Whether nothing is written.
        details: What the history tells of it besides.
    """

    i_tariff: int
    i_upload: int
    effective: datetime | None = None
    close_missing: bool = False
    dry_run: bool = False
    details: dict[str, Any]


async def take(call: Call, wanted: Wanted, table: Table) -> Merged:
    """
    Take a file over; if one of its lines is wrong, or on trial, nothing happens.

    Raises:
        NotFound: The tariff is not there for the caller.
        NotPermitted: The caller may not change rates, or is not active.
    """
    call.caller.demand(Right.TARIFFS_EDIT)
    call.caller.demand_active()
    tariff = await rates.hold(call, wanted.i_tariff)
    await call.transaction.take_time(SECONDS)
    effective = wanted.effective or call.now.replace(microsecond=0)
    first = min((date for date in table.columns["activation_date"] if date), default=effective)
    known = await _known(call, wanted.i_tariff, min(first, effective))
    merging = Merging(known, effective, wanted.i_upload)
    merged = await asyncio.to_thread(merging.merge, table, close_missing=wanted.close_missing)
    if not (merged.wrong or table.wrong or wanted.dry_run):
        await _write(call, tariff, merged)
        changed = await asyncio.to_thread(_sum, merged, tariff.i_tariff)
        details = {"i_upload": wanted.i_upload, "effective_date": effective, **merged.counts, **wanted.details}
        await rates.note_many(call, tariff, changed, details)
    return merged


async def _known(call: Call, i_tariff: int, first: datetime) -> dict[str, list[Known]]:
    """The rates that are valid at this moment or begin later, by prefix, in the order in which they begin."""
    wanted = [*(getattr(Rate, name) for name in ATTRIBUTES), Rate.i_rate]
    every = select(*wanted, _NEXT.label("next")).where(Rate.i_tariff == i_tariff).subquery()
    relevant = select(*(every.c[column.key] for column in wanted)).where(
        or_(every.c.next.is_(None), every.c.next > first)
    )
    rows = await call.transaction.select(relevant.order_by(every.c.prefix, every.c.activation_date))
    kinds = [kind.read for kind in rows.kinds]
    columns = zip(kinds, rows.columns(), strict=True)
    read = [column if kind is None else map(Once(None, kind).__getitem__, column) for kind, column in columns]
    known: dict[str, list[Known]] = {}
    for rate in map(Known, *read):
        known.setdefault(rate.prefix, []).append(rate)
    return known


async def _write(call: Call, tariff: Tariff, merged: Merged) -> None:
    gone = [rate.i_rate for rate, _ in merged.replaced] + [rate.i_rate for rate in merged.removed]
    for begin in range(0, len(gone), REMOVED):
        some = delete(Rate).where(Rate.i_rate.in_(gone[begin : begin + REMOVED]))
        await call.session.execute(some.execution_options(synchronize_session=False))
    await _load(call, tariff, merged.new, ATTRIBUTES)
    await _load(call, tariff, [rate for _, rate in merged.replaced], Known._fields)


async def _load(call: Call, tariff: Tariff, found: Sequence[Known], names: Sequence[str]) -> None:
    if found:
        columns = dict(zip(names, zip(*found, strict=True), strict=False))
        await call.transaction.load(_TABLE, {**columns, "i_tariff": list(repeat(tariff.i_tariff, len(found)))})


def _sum(merged: Merged, i_tariff: int) -> RateSum:
    """What has come and gone, for the proof of the tariff's rates."""
    changed = RateSum()
    for rate in [*merged.new, *(after for _, after in merged.replaced)]:
        changed.add({**rate._asdict(), "i_tariff": i_tariff})
    for rate in [*merged.removed, *(before for before, _ in merged.replaced)]:
        changed.take({**rate._asdict(), "i_tariff": i_tariff})
    return changed
