"""`vouchers generate`: makes a series of vouchers, and the file that goes to the printer."""

import csv
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import typer

from models import LARGEST_AMOUNT
from xmlrpc_api.call import Call, Origin, utc_now
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.fields import Field, Params, Wire
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.money import vouchers
from xmlrpc_api.services.money.vouchers import Made, Series

BATCH = 500
COLUMNS = ("id", "series", "number", "pin", "value", "currency", "expires")
PARAMS = Params(
    "vouchers generate",
    [
        Field(name="series", wire=Wire.STRING, required=True, limit=64, check="not_empty", doc="Name."),
        Field(name="value", wire=Wire.DOUBLE, required=True, high=LARGEST_AMOUNT, check="positive", doc="Worth."),
        Field(name="currency", wire=Wire.STRING, required=True, check="currency", doc="Currency."),
    ],
)


def generate(
    context: typer.Context,
    file: Path,
    series: str,
    value: str,
    currency: str,
    count: int,
    expires: datetime | None,
    owner: str,
) -> None:
    """Make vouchers, and tell where they are."""
    config = running.settings(context)
    end = expires.replace(hour=23, minute=59, second=59, tzinfo=UTC) if expires else None
    if end is not None and end < utc_now():
        raise typer.BadParameter(f"{end:%Y-%m-%d} is in the past", param_hint="--expires")
    try:
        values = PARAMS.load({"series": series, "value": value, "currency": currency})
        wanted = Series(name=values["series"], value=values["value"], currency=values["currency"], expires=end)
        made = running.run(_generate(config, file, wanted, count, owner))
    except Fault as fault:
        raise ConfigError(fault.text) from None
    console.err.print(f"{made} vouchers made. They are in {file}: keep it as you keep money.")


async def _generate(config: Config, file: Path, series: Series, count: int, owner: str) -> int:
    async with running.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        dispatcher = Dispatcher(platform, database)
        origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)

        async def make(size: int) -> list[Made]:
            async def work(call: Call) -> list[Made]:
                return await vouchers.make(call, series, size)

            made: list[Made] = await dispatcher.perform(origin, "vouchers generate", caller, work)
            return made

        return await _write(file, series, count, make)


async def _write(file: Path, series: Series, count: int, make: Callable[[int], Awaitable[list[Made]]]) -> int:
    """Make so many vouchers, and write each batch as soon as it is there; how many there are in the end."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"The file {file} is there already") from None
    done = 0
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream, console.progress("vouchers") as bar:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            task = bar.add_task("Making", total=count)
            while done < count:
                made = await make(min(BATCH, count - done))
                value = (series.value, series.currency, series.expires or "")
                writer.writerows((one.i_voucher, series.name, one.number, one.pin, *value) for one in made)
                stream.flush()
                done += len(made)
                bar.update(task, completed=done)
    finally:
        if not done:  # nothing is lost, and it can be tried again
            file.unlink()
    return done
