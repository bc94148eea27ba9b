"""`tariffs import` and `tariffs export`: price lists, through the same rules as uploads."""

import gc
import hashlib
import secrets
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import typer
from sqlalchemy import and_, select

from models import Customer, Tariff
from models.upload import DONE
from xmlrpc_api.call import Call, Origin
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.catalogue.bulk import exporting, importing, notice, processing, uploads
from xmlrpc_api.services.catalogue.bulk.columns import SHEET
from xmlrpc_api.services.catalogue.bulk.merging import Merged
from xmlrpc_api.services.catalogue.rates import REACH
from xmlrpc_api.services.mail import outbox
from xmlrpc_api.services.mail.letters import Attachment, Letter, LetterError
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading
from xmlrpc_api.tabular.sheet import Table, Wrong

GARBAGE_THRESHOLD = 20_000
READ_BYTES = 1_048_576
LARGEST_ID = 10  # digits


def import_rates(
    context: typer.Context,
    file: Path,
    tariff: str,
    owner: str,
    effective: datetime | None,
    target: Path | None,
    mail: str | None,
    *,
    close_missing: bool,
    dry_run: bool,
) -> None:
    """Take a price list over, and tell what has changed, or every line that is wrong."""
    config = running.settings(context)
    if target is not None and target.exists():
        raise ConfigError(f"The file {target} is there already")
    about = {
        "effective_date": effective.replace(tzinfo=UTC) if effective else None,
        "close_missing": close_missing,
        "dry_run": dry_run,
    }
    try:
        table, merged = running.run(_import(config, file, tariff, owner, about, mail))
    except Fault as fault:
        raise ConfigError(fault.text) from None
    except LetterError as error:
        raise ConfigError(f"The notice cannot be mailed: {error.part} {error}. Nothing was changed") from None
    for name in table.ignored:
        console.err.print(f"The column {name!r} means nothing here, and was not read.", markup=False)
    wrong = sorted([*table.wrong, *merged.wrong], key=lambda one: one.line)
    if wrong:
        _end(wrong)
    if target is not None:
        with target.open("x", encoding="utf-8", newline="") as stream:
            stream.writelines(notice.of_changes(merged.changes))
    told = ", ".join(f"{count} {kind}" for kind, count in merged.counts.items() if count) or "no rates"
    console.err.print(f"{'Tried: ' if dry_run else ''}{told}.")


def _end(wrong: Iterable[Wrong]) -> None:
    count = 0
    for one in wrong:
        console.out.print(str(one), markup=False)
        count += 1
    console.err.print(f"{count} wrong. Nothing was changed.")
    raise typer.Exit(1)


async def _import(
    config: Config, file: Path, tariff: str, owner: str, about: dict[str, Any], mail: str | None
) -> tuple[Table, Merged]:
    async with running.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        i_tariff = await _find(database, caller, tariff)
        _spare_garbage_collection()
        table, read = _read(file)
        origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)

        async def work(call: Call) -> Merged:
            """Take it over; what is tried has no upload."""
            given = {**about, "i_tariff": i_tariff}
            upload = uploads.new(call, given, status=DONE, lines=len(table.lines), **read)
            if not about["dry_run"] and not table.wrong:
                call.session.add(upload)
                await call.session.flush()
            wanted = importing.Wanted(
                i_tariff=i_tariff,
                i_upload=upload.i_upload or 0,
                effective=about["effective_date"],
                close_missing=about["close_missing"],
                dry_run=about["dry_run"],
                details=read,
            )
            merged = await importing.take(call, wanted, table)
            upload.result = processing.told(merged, merged.wrong)
            if merged.wrong:
                await call.transaction.rollback()
            elif mail is not None and not table.wrong and not about["dry_run"]:
                await _mail(call, mail, tariff, merged)
            return merged

        return table, await Dispatcher(platform, database).perform(origin, "tariffs import", caller, work)


async def _mail(call: Call, to: str, tariff: str, merged: Merged) -> None:
    """Have the notice sent with the import, or not at all."""
    sender = await outbox.sender_of(call, call.caller.i_customer)
    if sender is None:
        raise LetterError("sender", "is missing: there is no mail_from")
    text = "".join(notice.of_changes(merged.changes))
    letter = Letter(
        sender=sender,
        to=to,
        subject=f"Changes of the tariff {tariff}",
        body="\n".join(f"{count} {kind}" for kind, count in merged.counts.items() if count) + "\n",
        attachment=Attachment("notice.csv", "text/csv", text.encode()),
    )
    await outbox.put(call, call.caller.i_customer, letter, kind="notice")


def _spare_garbage_collection() -> None:
    """Hundreds of thousands of rates are none; to look for it among them took half of the time."""
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


async def _find(database: Database, caller: Caller, tariff: str) -> int:
    """
    The id of a tariff in reach, by its id or its name.

    Raises:
        ConfigError: There is none.
    """
    is_id = tariff.isdecimal() and len(tariff) < LARGEST_ID
    mine = and_(Tariff.i_customer == caller.i_customer, Tariff.name == tariff)
    wanted = select(Tariff.i_tariff).join(Customer, Customer.i_customer == Tariff.i_customer)
    wanted = wanted.where(ownership.within(caller, REACH), Tariff.i_tariff == int(tariff) if is_id else mine)
    async with database.read() as session:
        found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise ConfigError(f"There is no tariff {tariff}")
    return found


def _read(file: Path) -> tuple[Table, dict[str, Any]]:
    """What a file says; its size and its SHA-256."""
    if str(file) != "-" and not file.is_file():
        raise ConfigError(f"There is no file {file}")
    digest, size = hashlib.sha256(), 0

    def pieces(stream: IO[bytes]) -> Iterator[bytes]:
        nonlocal size
        while piece := stream.read(READ_BYTES):
            digest.update(piece)
            size += len(piece)
            yield piece

    with console.progress("lines") as bar:
        task = bar.add_task("Reading", total=None)
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            table = SHEET.read(pieces(stream), lambda lines: bar.update(task, completed=lines))
    return table, {"size": size, "sha256": digest.hexdigest()}


def export_rates(context: typer.Context, file: Path, tariff: str, owner: str, since: datetime | None) -> None:
    """Write the rates of a tariff."""
    config = running.settings(context)
    running.run(_export(config, file, tariff, owner, since.replace(tzinfo=UTC) if since else None))


async def _export(config: Config, file: Path, tariff: str, owner: str, since: datetime | None) -> None:
    async with running.open_platform(config) as (_, database), Reading(database) as store:
        caller = await rows.find_owner(database, owner)
        i_tariff = await _find(database, caller, tariff)
        with rows.writing(file) as stream:
            async for text in exporting.price_list(store, i_tariff, since):
                stream.write(text)
