"""Proof, for `verify`, that vouchers are those that the change history says were made, and used."""

import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import AuditEntry, Voucher
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.money import vouchers

BATCH = 1000
COMPARED = ("value", "currency", "expires")
Series = dict[tuple[int, str], list[Mapping[str, Any]]]


async def of_vouchers(session: AsyncSession) -> AsyncIterator[tuple[int, list[str]]]:
    """Vouchers that were looked at, batch by batch, and what is wrong with them."""
    made = await _made(session)
    last = 0
    while True:
        wanted = select(*Voucher.__table__.columns).where(Voucher.i_voucher > last).order_by(Voucher.i_voucher)
        rows = (await session.execute(wanted.limit(BATCH))).mappings().all()
        if not rows:
            break
        last = rows[-1]["i_voucher"]
        used = await vouchers.noted_uses(session, rows[0]["i_voucher"], last)
        void = await vouchers.noted_voids(session, rows[0]["i_voucher"], last)
        wrong = [row["i_voucher"] for row in rows if (row["voided"] is not None) != (row["i_voucher"] in void)]
        found = [f"voucher {key} is void, or is not, against the change history" for key in wrong]
        yield len(rows), found + [sentence for row in rows for sentence in _misfits(row, made, used)]
    yield 0, await _missing(session, made)


async def _made(session: AsyncSession) -> Series:
    """What was made, by owner and series; there are as many as calls that made vouchers."""
    noted = select(AuditEntry.i_customer, AuditEntry.after).where(
        AuditEntry.object_type == Voucher.__tablename__,
        AuditEntry.object_id.is_(None),
        AuditEntry.action == vouchers.MADE,
    )
    found: Series = {}
    for i_customer, after in await session.execute(noted):
        details = json.loads(after or "{}")
        found.setdefault((i_customer, details["series"]), []).append(details)
    return found


def _misfits(row: Mapping[Any, Any], made: Series, used: Mapping[int, int]) -> list[str]:
    what = f"voucher {row['i_voucher']}"
    series = made.get((row["i_customer"], row["series"]), [])
    noted = next((one for one in series if one["first"] <= row["number"] < one["first"] + one["count"]), None)
    if noted is None:
        return [f"{what} is not in the change history"]
    values = json.loads(audit.as_json({name: row[name] for name in COMPARED}))
    noted = {**noted, "value": f"{Decimal(str(noted['value'])).normalize():f}"}
    found = [
        f"{what}: {name} is {values[name]}, but the change history says {noted[name]}"
        for name in COMPARED
        if name in noted and values[name] != noted[name]
    ]
    user = row["i_account"] if row["used"] is not None else None
    if user != used.get(row["i_voucher"]):
        said = f"for account {used[row['i_voucher']]}" if row["i_voucher"] in used else "by nobody"
        is_now = f"for account {user}" if user else "by nobody"
        found.append(f"{what} was used {is_now}, but the change history says {said}")
    return found


async def _missing(session: AsyncSession, made: Series) -> list[str]:
    counts = select(Voucher.i_customer, Voucher.series, func.count()).group_by(Voucher.i_customer, Voucher.series)
    there = {(row[0], row[1]): row[2] for row in await session.execute(counts)}
    expected = {key: sum(one["count"] for one in series) for key, series in made.items()}
    return [
        f"of the {count} vouchers of series {series} of customer {owner} only {there.get((owner, series), 0)} are there"
        for (owner, series), count in expected.items()
        if there.get((owner, series), 0) < count
    ]
