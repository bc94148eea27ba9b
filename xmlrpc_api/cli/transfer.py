"""`customers export` and `customers import`: CSV or JSON lines, through the same rules as calls."""

import csv
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from sqlalchemy import select

from models import ROOT_ID, Customer, login_key
from xmlrpc_api.call import Origin
from xmlrpc_api.cli import console
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.database import Database
from xmlrpc_api.dispatch import Dispatcher
from xmlrpc_api.faults import Conflict, Fault, NotFound, WrongType
from xmlrpc_api.rights import Caller
from xmlrpc_api.services import ownership
from xmlrpc_api.services.customers import CUSTOMER, children_after
from xmlrpc_api.transport import rest
from xmlrpc_api.transport.xml import plain_decimal

PAGE = 500
NIL = r"\N"
PASSWORD_BYTES = 12
COLUMNS = ("line", "name", "result", "i_customer", "code", "text", "web_password")

app = typer.Typer(help="Move customers in and out as CSV or JSON lines.", no_args_is_help=True)


class Format(StrEnum):
    """How rows are written down."""

    CSV = "csv"
    JSONL = "jsonl"


Owner = Annotated[str, typer.Option(help="Whose sub-customers: an i_customer or a name.")]
FormatOption = Annotated[Format | None, typer.Option("--format", help="By the file's ending if left out.")]


@app.command("export")
def export_customers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write; - is standard output.")],
    owner: Owner = str(ROOT_ID),
    form: FormatOption = None,
) -> None:
    r"""
    Write all direct sub-customers of one customer, with every readable attribute.

    In CSV an empty cell is an empty text and \N is nil.
    """
    config = console.settings(context)
    count = console.run(_export(config, file, owner, form or _format_of(file)))
    console.err.print(f"{count} customers written.")


async def _export(config: Config, file: Path, owner: str, form: Format) -> int:
    count = 0
    names = [known.name for known in CUSTOMER.read]
    async with console.open_platform(config) as (_, database):
        caller = await _find_owner(database, owner)
        with _writing(file) as stream, console.progress("customers") as progress:
            task = progress.add_task("Exporting", total=None)
            writer = csv.DictWriter(stream, names, lineterminator="\n")
            if form is Format.CSV:
                writer.writeheader()
            async for row in _all_children(database, caller.i_customer):
                if form is Format.CSV:
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
        return NIL
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


def _format_of(file: Path) -> Format:
    if file.suffix in (".jsonl", ".ndjson", ".json"):
        return Format.JSONL
    if file.suffix == ".csv":
        return Format.CSV
    raise ConfigError(f"{file}: name the format, --format csv or --format jsonl")


async def _find_owner(database: Database, owner: str) -> Caller:
    wanted = int(owner) if owner.isdecimal() and len(owner) < 10 else owner  # noqa: PLR2004
    async with database.read() as session:
        found = (await session.execute(select(Customer.i_customer).where(ownership.named(wanted)))).scalar()
        caller = await ownership.load_caller(session, found) if found else None
    if caller is None:
        raise ConfigError(f"There is no customer {owner}, or he is blocked")
    return caller


@dataclass(slots=True)
class Row:
    """One row of the input: what it says, or why it cannot be read."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


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
    form: FormatOption = None,
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
    counts = console.run(_import(config, file, form or _format_of(file), owner, target, dry_run, update))
    summary = ", ".join(f"{count} {result}" for result, count in sorted(counts.items())) or "no rows"
    console.err.print(f"{'Tried: ' if dry_run else ''}{summary}. Results: {target}")
    if counts.get("failed"):
        raise typer.Exit(1)


async def _import(
    config: Config, file: Path, form: Format, owner: str, target: Path, dry_run: bool, update: bool
) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with console.open_platform(config) as (platform, database):
        caller = await _find_owner(database, owner)
        importer = _Importer(Dispatcher(platform, database, keep=not dry_run), caller, update, dry_run)
        with _results(target) as note, console.progress("bytes") as progress:
            total = file.stat().st_size if file.is_file() else None
            task = progress.add_task("Importing", total=total)
            for row in _read(file, form, lambda position: progress.update(task, completed=position)):
                made_up = _complete(row)
                if made_up:
                    note(row, Outcome("pending"), made_up)  # it must not be lost if we end here
                outcome = await importer.take(row)
                note(row, outcome, made_up if outcome.result == "created" else "")
                counts[outcome.result] = counts.get(outcome.result, 0) + 1
    return counts


def _complete(row: Row) -> str:
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

    async def take(self, row: Row) -> Outcome:
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
        for name, key in (("name", values["name"]), ("web_login", login_key(str(login)))):
            if (name, key) in self._tried:  # nothing is kept, so the database cannot know
                raise Conflict.taken(name)
            self._tried.add((name, key))
        return None

    async def _call(self, method: str, values: dict[str, Any], **key: int) -> Any:
        known = {name: value for name, value in values.items() if name in WRITABLE}
        return await self._dispatcher.call(self._origin, method, [{**known, **key}])


WRITABLE = {known.name for known in CUSTOMER.create}


def _read(file: Path, form: Format, advance: console.Advance) -> Iterator[Row]:
    """The rows of a file, one at a time; what cannot be read is told by line and does not end it."""
    if str(file) != "-" and not file.is_file():
        raise ConfigError(f"There is no file {file}")
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
        lines = _lines(stream, advance)
        yield from _read_csv(lines) if form is Format.CSV else _read_jsonl(lines)


def _lines(stream: IO[bytes], advance: console.Advance) -> Iterator[str]:
    position = 0
    for number, line in enumerate(stream):
        position += len(line)
        advance(position)
        text = line.decode("utf-8", "surrogateescape")  # a bad byte fails its own row, by name
        yield text.removeprefix("\ufeff") if number == 0 else text


def _read_csv(lines: Iterator[str]) -> Iterator[Row]:
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, problem=f"The row is not CSV: {error}")
            continue
        if header is None:
            header = [name.strip() for name in cells]
        elif len(cells) > len(header):
            yield Row(reader.line_num, problem="The row has more cells than the header")
        elif cells:
            named = zip(header, cells, strict=False)
            yield Row(reader.line_num, {name: None if cell == NIL else cell for name, cell in named if cell})


def _read_jsonl(lines: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            (value,) = rest.loads(line)
        except (Fault, ValueError):
            value = None
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            yield Row(number, problem="The line is not a JSON object")


@contextmanager
def _results(target: Path) -> Iterator[Any]:
    """Appends results to a file that nobody else can read: it may hold passwords."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if not stream.tell():
            writer.writerow(COLUMNS)

        def note(row: Row, outcome: Outcome, password: str) -> None:
            fault = outcome.fault
            writer.writerow(
                [
                    row.line,
                    row.values.get("name", ""),
                    outcome.result,
                    outcome.i_customer or "",
                    fault.code if fault else "",
                    fault.text if fault else "",
                    password,
                ]
            )
            stream.flush()

        yield note
