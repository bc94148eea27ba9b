"""
Takes a price list over, and prints how many seconds it took: as this server does, or in the obvious loop.

The loop is what one writes first with SQLAlchemy: a reader of dictionaries, an object for each line, one commit. It
checks nothing, compares nothing and tells nobody.
"""

import asyncio
import csv
import gc
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from benchmarks.databases import driver_url
from models import Rate, Tariff
from xmlrpc_api.call import Call, Origin, new_platform
from xmlrpc_api.config import load
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.catalogue.bulk import importing
from xmlrpc_api.services.catalogue.bulk.columns import SHEET
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database

OURS, LOOP = "ours", "loop"
READ_BYTES = 1_048_576
GARBAGE_THRESHOLD = 20_000  # both have it, as our server does
NAMES = ("prefix", "price_1", "price_n", "interval_1", "interval_n", "area_name")


async def in_a_loop(url: str, i_tariff: int, file: Path) -> None:
    """The obvious way."""
    engine = create_async_engine(driver_url(url))
    async with AsyncSession(engine) as session:
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter=";"):
                price_1, price_n = Decimal(row["price_1"]), Decimal(row["price_n"])
                intervals = {name: int(row[name]) for name in ("interval_1", "interval_n")}
                begins = datetime.fromisoformat(row["activation_date"]).replace(tzinfo=UTC)
                session.add(
                    Rate(
                        i_tariff=i_tariff,
                        prefix=row["prefix"],
                        price_1=price_1,
                        price_n=price_n,
                        activation_date=begins,
                        area_name=row["area_name"],
                        **intervals,
                    )
                )
        await session.commit()
    await engine.dispose()


async def as_we_do(_url: str, i_tariff: int, file: Path) -> None:
    """Our way: checked, compared, proved, noted."""
    config = load()
    database = Database(config)
    caller = await ownership.load_caller(database, 1)
    assert caller is not None
    with file.open("rb") as stream:
        table = SHEET.read(iter(lambda: stream.read(READ_BYTES), b""))
    wanted = importing.Wanted(i_tariff=i_tariff, i_upload=1, details={})

    async def work(call: Call) -> Any:
        return await importing.take(call, wanted, table)

    origin = Origin(request_id="bench", face=Face.CLI, address="local", login=caller)
    await Dispatcher(new_platform(config), database).perform(origin, "tariffs import", caller, work)
    await database.close()


async def new_tariff(url: str) -> int:
    """A tariff without rates."""
    engine = create_async_engine(driver_url(url))
    async with AsyncSession(engine, expire_on_commit=False) as session:
        tariff = Tariff(i_customer=1, name=f"bench {time.time_ns()}", currency="USD")
        session.add(tariff)
        await session.commit()
        made = tariff.i_tariff
    await engine.dispose()
    return made


def main() -> None:
    """Take a file over, and print the seconds."""
    url, way, file = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    i_tariff = asyncio.run(new_tariff(url))
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    started = time.perf_counter()
    asyncio.run({OURS: as_we_do, LOOP: in_a_loop}[way](url, i_tariff, file))
    print(f"seconds {time.perf_counter() - started}")


if __name__ == "__main__":
    main()
