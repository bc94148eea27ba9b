"""Lists of the rates of a tariff, by prefix."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, tuple_
from sqlalchemy.orm import aliased

from models import Balance, Rate
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.services.catalogue import pricing, quotes, rate_search
from xmlrpc_api.services.catalogue.rate_sums import RATE
from xmlrpc_api.services.catalogue.tariffs import TARIFFS
from xmlrpc_api.services.tree.lists import Asked
from xmlrpc_api.storage.rows import Row, Rows

USUAL, MOST = 50, 1000
LISTED = tuple(field for field in RATE.read if field.name != "i_tariff")


async def page(call: Call, i_tariff: int, params: Values) -> Row:
    """
    The rates of a tariff that are asked for, by prefix and beginning, and how many there are if that is asked for.

    Raises:
        NotFound: The tariff is not there for the caller.
        BadParameter: `after` is none of its rates.
    """
    await TARIFFS.info(call, i_tariff)
    conditions = [*begins_with(params.get("prefix")), *(valid_at(params["at"]) if "at" in params else ())]
    wanted = and_(Rate.i_tariff == i_tariff, *conditions)
    rows = await _rows(call, i_tariff, wanted, params)
    if not params.get("with_total"):
        return {"rates": rows}
    return {"rates": rows, "total": await _count(call, wanted)}


async def _count(call: Call, *wanted: ColumnElement[bool]) -> int:
    (counted,) = await call.store.select(select(func.count().label("total")).select_from(Rate).where(*wanted))
    total: int = counted["total"]
    return total


async def _rows(call: Call, i_tariff: int, wanted: ColumnElement[bool], params: Values) -> Rows:
    if params.get("after") is not None:
        place = select(Rate.prefix, Rate.activation_date).where(
            Rate.i_tariff == i_tariff, Rate.i_rate == params["after"]
        )
        found = await call.store.select(place, is_short=True)
        if not found:
            raise BadParameter("after", "must be a rate of this tariff")
        behind = tuple_(Rate.prefix, Rate.activation_date) > tuple_(*found[0].values())
        wanted = and_(wanted, behind)
    asked = Asked(start=params.get("offset") or 0, count=params.get("limit", USUAL), most=MOST)
    rows = RATE.select(LISTED).where(wanted).order_by(Rate.i_tariff, Rate.prefix, Rate.activation_date)
    return await call.store.select(rows.offset(asked.start).limit(asked.fetched(call)))


def begins_with(prefix: str | None) -> list[ColumnElement[bool]]:
    """The condition for prefixes that begin with these digits."""
    if not prefix:
        return []
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)  # ":" comes behind "9"
    return [Rate.prefix >= prefix, Rate.prefix < end]


def valid_at(time: datetime) -> list[ColumnElement[bool]]:
    """The condition for rates that are valid at a time: begun, not expired, and none of the prefix has begun since."""
    next_one = aliased(Rate)
    superseded = exists().where(
        next_one.i_tariff == Rate.i_tariff,
        next_one.prefix == Rate.prefix,
        next_one.activation_date > Rate.activation_date,
        next_one.activation_date <= time,
    )
    alive = or_(Rate.expiration_date.is_(None), Rate.expiration_date > time)
    return [Rate.activation_date <= time, alive, not_(superseded)]


async def of_account(call: Call, i_account: int, params: Values) -> Row:
    """
    The rates by which an account pays now, one for each prefix that it may call, in the order of these.

    Raises:
        NotFound: The account is not there for the caller.
        BadParameter: More rows were asked for, or exist, than one answer may hold.
    """
    i_tariff = await quotes.tariff_of_account(call, i_account)
    is_counted = params.get("with_total")
    if i_tariff is None:
        currency = select(Balance.currency).where(Balance.i_account == i_account)
        (row,) = await call.store.select(currency)
        return {**row, "rates": [], **({"total": 0} if is_counted else {})}
    tariff = await rate_search.tariff_of(call.store, i_tariff)
    wanted = [Rate.i_tariff == i_tariff, not_(Rate.forbidden), *valid_at(call.now), *begins_with(params.get("prefix"))]
    total = {"total": await _count(call, *wanted)} if is_counted else {}
    if params.get("after"):
        wanted.append(Rate.prefix > params["after"])
    asked = Asked(start=params.get("offset") or 0, count=params.get("limit"))
    rows = RATE.select(RATE.read).where(*wanted).order_by(Rate.i_tariff, Rate.prefix)
    found = await call.store.select(rows.offset(asked.start).limit(asked.fetched(call)))
    asked.demand_whole(call, len(found))
    return {"currency": tariff["currency"], "rates": [_as_listed(row, tariff) for row in found], **total}


def _as_listed(row: Row, tariff: Mapping[str, Any]) -> Row:
    steps = pricing.steps_of(row, is_local=bool(tariff["local_calling"]))
    told = {"prefix": row["prefix"], "country": "", "description": row["area_name"]}
    return {**told, "rate": row["price_n"], "local_rate": steps.price_n}
