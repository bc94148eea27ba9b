"""`dids import` and `dids export`: numbers as CSV, through the same rules as calls."""

import secrets
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import typer

from xmlrpc_api.call import Call, Origin
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.declaration.faults import Conflict, Fault
from xmlrpc_api.declaration.fields import Field, Params
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.numbers import stock, views
from xmlrpc_api.services.numbers.stock import DID
from xmlrpc_api.services.numbers.uses import USE
from xmlrpc_api.storage.rows import Row
from xmlrpc_api.tabular import writing
from xmlrpc_api.tabular.cells import unguarded
from xmlrpc_api.tabular.sheet import Column, Sheet, Table, Wrong

MOST_ROWS = 500_000
PAGE = 1000
READ_BYTES = 65_536
FIELDS = (*DID.create, *USE.create)
NAMES = [field.name for field in FIELDS]
CALLED = {"did": ("number", "phone number"), "did_range_end": ("range end",), "description": ("comment",)}


def _read(field: Field) -> Callable[[str], Any]:
    """Reads a cell as the parameter is read."""
    params = Params(field.name, [field])

    def read(cell: str) -> Any:
        try:
            return params.load({field.name: unguarded(cell)})[field.name]
        except Fault as fault:
            raise ValueError(fault.text.removeprefix(f"Parameter {field.name} ")) from None

    return read


SHEET = Sheet(
    [
        Column(name=one.name, read=_read(one), called=CALLED.get(one.name, ()), required=one.name == "did")
        for one in FIELDS
    ],
    most_rows=MOST_ROWS,
)


def import_dids(context: typer.Context, file: Path, owner: str, *, dry_run: bool) -> None:
    """Add the numbers of a file, or tell every line that is wrong."""
    config = running.patient(running.settings(context))
    table = _table(file)
    for name in table.ignored:
        console.err.print(f"The column {name!r} means nothing here, and was not read.", markup=False)
    wrong = [*table.wrong, *running.run(_import(config, table, owner, is_trial=dry_run or bool(table.wrong)))]
    for one in sorted(wrong, key=lambda one: one.line):
        console.out.print(str(one), markup=False)
    if wrong:
        console.err.print(f"{len(wrong)} wrong. Nothing was changed.")
        raise typer.Exit(1)
    console.err.print(f"{'Tried: ' if dry_run else ''}{len(table.lines)} DIDs added.")


def _table(file: Path) -> Table:
    if str(file) == "-":
        return SHEET.read(_pieces(sys.stdin.buffer))
    if not file.is_file():
        raise ConfigError(f"There is no file {file}")
    with file.open("rb") as stream:
        return SHEET.read(_pieces(stream))


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(READ_BYTES), b"")


async def _import(config: Config, table: Table, owner: str, *, is_trial: bool) -> list[Wrong]:
    """Add all rows in one transaction, which is undone where one is wrong, or it is a trial; what is wrong."""
    wrong: list[Wrong] = []

    async def add(call: Call) -> None:
        call.caller.demand(Right.ACCOUNTS_ADD)
        wrong.clear()
        with console.progress("DIDs") as progress:
            for line, row in progress.track(table.rows(), total=len(table.lines), description="Adding"):
                try:
                    await stock.add(call, _given(row))
                except Fault as fault:
                    wrong.append(Wrong(line, fault.text))
        if wrong or is_trial:
            raise _Undone

    try:
        await _perform(config, "dids import", owner, add)
    except _Undone:
        pass
    except Fault as fault:
        raise ConfigError(fault.text) from None
    return wrong


class _Undone(Conflict):
    """Nothing is kept of an import; no client is told."""


def _given(row: dict[str, Any]) -> dict[str, Any]:
    return {"incoming_did": row["did"], **{name: value for name, value in row.items() if value is not None}}


async def _perform(config: Config, name: str, owner: str, work: Callable[[Call], Awaitable[None]]) -> None:
    async with running.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)
        await Dispatcher(platform, database).perform(origin, name, caller, work)


def export_dids(context: typer.Context, file: Path, owner: str) -> None:
    """Write the DIDs of a customer."""
    config = running.settings(context)
    found: list[Row] = []

    async def look(call: Call) -> None:
        after = None
        while page := (await views.page(call, {"limit": PAGE, "after": after}))["dids"]:
            found.extend(page)
            after = page[-1]["i_did"]

    running.run(_perform(config, "dids export", owner, look))
    _write(file, ([row[name] for name in NAMES] for row in found))
    console.err.print(f"{len(found)} DIDs written.")


def _write(file: Path, lines: Iterable[list[Any]]) -> None:
    pieces = writing.document(NAMES, lines)
    if str(file) == "-":
        sys.stdout.writelines(pieces)
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(pieces)
