"""The rate of a number: that of the longest prefix which has a rate that is valid."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, or_, select, true

from models import Rate, Tariff, UtcDateTime
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.services.catalogue import pricing
from xmlrpc_api.services.catalogue.rate_sums import RATE
from xmlrpc_api.services.catalogue.tariffs import TARIFF
from xmlrpc_api.services.tree.ownership import HasRows
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.nested import Texts
from xmlrpc_api.storage.rows import Row

_RATES: Any = Rate.__table__
_TARIFF, _AT = bindparam("i_tariff", type_=Integer), bindparam("at", type_=UtcDateTime)
_PREFIXES = bindparam("prefixes", type_=Texts())
_TERMS = Query(TARIFF.select(TARIFF.read).where(Tariff.i_tariff == _TARIFF), is_short=True)


def _newest(prefix: Any, *columns: Any) -> Statement:
    """Reads the rate of a prefix that has begun last, be it expired or not: the unique key leads to it at once."""
    begun = (_RATES.c.i_tariff == _TARIFF, _RATES.c.prefix == prefix, _RATES.c.activation_date <= _AT)
    return select(*columns).where(*begun).order_by(_RATES.c.activation_date.desc()).limit(1)


def _longest(statement: Statement, rate: Any) -> Statement:
    alive = or_(rate.c.expiration_date.is_(None), rate.c.expiration_date > _AT)
    return statement.where(alive).order_by(func.length(rate.c.prefix).desc()).limit(1)


def _on_sqlite() -> Statement:
    prefix = func.json_each(_PREFIXES).table_valued("value", name="prefix")
    newest = _newest(prefix.c.value, _RATES.c.i_rate).correlate(prefix).scalar_subquery()
    told = (_RATES.c[field.name] for field in RATE.read)
    return _longest(select(*told).select_from(prefix.join(_RATES, _RATES.c.i_rate == newest)), _RATES)


def _on_postgresql() -> Statement:
    prefix = func.unnest(_PREFIXES).table_valued("value", name="prefix").render_derived()
    newest = _newest(prefix.c.value, *(_RATES.c[field.name] for field in RATE.read)).lateral("newest")
    return _longest(select(*newest.c).select_from(prefix.join(newest, true())), newest)


_FOUND = Query(_on_sqlite(), is_short=True, on={"postgresql": _on_postgresql()})


async def rate_of(store: HasRows, i_tariff: int, number: str, at: datetime) -> Row | None:
    """
    The rate of a number by a tariff at a time, in one statement, with a look into the index for each digit at most.

    A prefix whose newest rate has expired has none, and a shorter one counts; one that is forbidden counts.
    """
    wanted = pricing.prefixes(number)
    rows = await store.rows(_FOUND, i_tariff=i_tariff, at=at, prefixes=wanted) if wanted else []
    return rows[0] if rows else None


async def tariff_of(store: HasRows, i_tariff: int) -> Mapping[str, Any]:
    """A tariff that is there."""
    (row,) = await store.rows(_TERMS, i_tariff=i_tariff)
    return row
