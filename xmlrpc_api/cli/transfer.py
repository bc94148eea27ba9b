"""`customers export` and `customers import`: CSV or JSON lines, through the same rules as calls."""

import csv
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from models import ROOT_ID, login_key
from xmlrpc_api.call import Origin
from xmlrpc_api.cli import console, rows
from xmlrpc_api.config import Config
from xmlrpc_api.database import Database
from xmlrpc_api.dispatch import Dispatcher
from xmlrpc_api.faults import Conflict, Fault, NotFound, WrongType
from xmlrpc_api.rights import Caller
from xmlrpc_api.services.customers import CUSTOMER, children_after
from xmlrpc_api.transport import rest
from xmlrpc_api.transport.xml import plain_decimal

PAGE = 500
PASSWORD_BYTES = 12
COLUMNS = ("line", "name", "result", "i_customer", "code", "text", "web_password")

app = typer.Typer(help="Move customers in and out as CSV or JSON lines.", no_args_is_help=True)


Owner = Annotated[str, typer.Option(help="Whose sub-customers: an i_customer or a name.")]


@app.command("export")
def export_customers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write; - is standard output.")],
    owner: Owner = str(ROOT_ID),
    form: rows.FormatOption = None,
) -> None:
    r"""
    Write all direct sub-customers of one customer, with every readable attribute.

    In CSV an empty cell is an empty text and \N is nil.
    """
    config = console.settings(context)
    count = console.run(_export(config, file, owner, form or rows.format_of(file)))
    console.err.print(f"{count} customers written.")


async def _export(config: Config, file: Path, owner: str, form: rows.Format) -> int:
    count = 0
    names = [known.name for known in CUSTOMER.read]
    async with console.open_platform(config) as (_, database):
        caller = await rows.find_owner(database, owner)
        with _writing(file) as stream, console.progress("customers") as progress:
            task = progress.add_task("Exporting", total=None)
            writer = csv.DictWriter(stream, names, lineterminator="\n")
            if form is rows.Format.CSV:
                writer.writeheader()
            async for row in _all_children(database, caller.i_customer):
                if form is rows.Format.CSV:
                    writer.writerow({name: _cell(value) for name, value in row.items()})
                else:
                    stream.write(rest.dumps(row) + "\n")
                count += 1
                progress.update(task, completed=count)
    return count


async def _all_children(database: Database, owner: int) -> AsyncIterator[dict[str, Any]]:
    last = 0
    while True:
        async with database.read() as session:
            rows = await children_after(session, owner, last, PAGE)
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        last = rows[-1]["i_customer"]


def _cell(value: Any) -> str:
    if value is None:
        return rows.NIL
    if isinstance(value, bool):
        return f"{value:d}"
    return plain_decimal(value) if isinstance(value, Decimal) else str(value)


@contextmanager
def _writing(file: Path) -> Iterator[IO[str]]:
    if str(file) == "-":
        yield sys.stdout
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        yield stream


@dataclass(slots=True)
class Outcome:
    """What became of a row."""

    result: str
    i_customer: int | None = None
    fault: Fault | None = None


@app.command("import")
def import_customers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to read; - is standard input.")],
    owner: Owner = str(ROOT_ID),
    form: rows.FormatOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try every row, change nothing.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Update customers that exist already.")] = False,
    results: Annotated[
        Path | None, typer.Option(help="CSV file for the result of each row; FILE.results.csv if left out.")
    ] = None,
) -> None:
    r"""
    Create a sub-customer for every row; columns are named as the parameters of createCustomer.

    Rows whose name is there already are skipped, so an interrupted import can simply be run again. Where
    web_password is missing one is made up and written to the results file, which only its owner can
    read. In CSV an empty cell is left out and \N is nil. Columns that are not parameters are ignored.
    """
    config = console.settings(context)
    target = results or Path(f"{'import' if str(file) == '-' else file}.results.csv")
    counts = console.run(_import(config, file, form or rows.format_of(file), owner, target, dry_run, update))
    console.err.print(f"{'Tried: ' if dry_run else ''}{rows.summary(counts)}. Results: {target}")
    if counts.get("failed"):
        raise typer.Exit(1)


async def _import(
    config: Config, file: Path, form: rows.Format, owner: str, target: Path, dry_run: bool, update: bool
) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with console.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        importer = _Importer(Dispatcher(platform, database, keep=not dry_run), caller, update, dry_run)
        with rows.results(target, COLUMNS) as note, rows.progress(file, form) as lines:
            for row in lines:
                made_up = _complete(row)
                name = row.values.get("name", "")
                if made_up:  # it must not be lost if we end here
                    note(row, "pending", None, name=name, web_password=made_up)
                outcome = await importer.take(row)
                password = made_up if outcome.result == "created" else ""
                told = {"name": name, "i_customer": outcome.i_customer, "web_password": password}
                note(row, outcome.result, outcome.fault, **told)
                counts[outcome.result] = counts.get(outcome.result, 0) + 1
    return counts


def _complete(row: rows.Row) -> str:
    """Fill in what createCustomer demands and the row leaves out; the password that was made up."""
    row.values.setdefault("i_tariff", None)
    if row.problem or row.values.get("web_password"):
        return ""
    row.values["web_password"] = secrets.token_urlsafe(PASSWORD_BYTES)
    return str(row.values["web_password"])


class _Importer:
    """Runs the calls of an import."""

    def __init__(self, dispatcher: Dispatcher, caller: Caller, update: bool, dry_run: bool) -> None:
        self._dispatcher = dispatcher
        self._origin = Origin(request_id=secrets.token_hex(8), dialect="cli", address="local", login=caller)
        self._update = update
        self._tried: set[tuple[str, str]] | None = set() if dry_run else None

    async def take(self, row: rows.Row) -> Outcome:
        """Create, update or skip the customer of a row."""
        if row.problem:
            return Outcome("failed", fault=WrongType(row.problem))
        try:
            existing = await self._find(row.values.get("name"))
            if existing is None:
                return Outcome("created", await self._create(row.values))
            if not self._update:
                return Outcome("exists", existing)
            await self._call("updateCustomer", row.values, i_customer=existing)
            return Outcome("updated", existing)
        except Fault as fault:
            return Outcome("failed", fault=fault)

    async def _find(self, name: Any) -> int | None:
        if not isinstance(name, str) or not name:
            return None
        try:
            customer = (await self._call("getCustomerInfo", {"name": name}))["customer"]
        except NotFound:
            return None
        return int(customer["i_customer"])

    async def _create(self, values: dict[str, Any]) -> int | None:
        if self._tried is None:
            return int((await self._call("createCustomer", values))["i_customer"])
        await self._call("createCustomer", values)
        login = values.get("web_login") or values["name"]
        for name, text in (("name", values["name"]), ("web_login", login)):
            key = login_key(str(text))
            if (name, key) in self._tried:  # nothing is kept, so the database cannot know
                raise Conflict.taken(name)
            self._tried.add((name, key))
        return None

    async def _call(self, method: str, values: dict[str, Any], **key: int) -> Any:
        known = {name: value for name, value in values.items() if name in WRITABLE}
        return await self._dispatcher.call(self._origin, method, [{**known, **key}])


WRITABLE = {known.name for known in CUSTOMER.create}
