"""All rates of a tariff as a price list, which can be read again."""

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from models import Rate
from xmlrpc_api.services.catalogue.bulk.merging import ATTRIBUTES
from xmlrpc_api.storage.database import Store
from xmlrpc_api.tabular import writing

PAGE = 5_000
NAMES = tuple(name for name in ATTRIBUTES if name != "i_upload")


async def price_list(store: Store, i_tariff: int, since: datetime | None = None) -> AsyncIterator[str]:
    """
    The rates of a tariff, in pieces.

    Args:
        store: Where they stand.
        i_tariff: Its id; whether it is the caller's was asked before.
        since: Only those that are valid at this moment or later, as far as they say so themselves; all if None.
    """
    columns = [getattr(Rate, name) for name in NAMES]
    last: tuple[str, datetime] | None = None
    yield writing.lines([NAMES])
    while True:
        wanted: list[ColumnElement[bool]] = [Rate.i_tariff == i_tariff]
        if since is not None:
            wanted.append(or_(Rate.expiration_date.is_(None), Rate.expiration_date > since))
        if last is not None:
            wanted.append(or_(Rate.prefix > last[0], and_(Rate.prefix == last[0], Rate.activation_date > last[1])))
        ordered = select(*columns).where(*wanted).order_by(Rate.prefix, Rate.activation_date).limit(PAGE)
        rows = await store.select(ordered)
        yield writing.lines(row.values() for row in rows)
        if len(rows) < PAGE:
            return
        last = (rows[-1]["prefix"], rows[-1]["activation_date"])
