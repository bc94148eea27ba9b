"""`customers export` and `customers import`: CSV or JSON lines, through the same rules as calls."""

import csv
import io
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import typer

from models import Customer, login_key
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.cli.commands.options import Format
from xmlrpc_api.config import Config
from xmlrpc_api.crypto.passwords import NOBODYS_HASH, UNKNOWN_HASH, Password, is_known_hash
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Fault, WrongType
from xmlrpc_api.declaration.fields import Field, Params, Wire
from xmlrpc_api.declaration.rights import Caller, Right
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services import customers
from xmlrpc_api.services.customers import CUSTOMER, WHOLE_CHILDREN
from xmlrpc_api.services.logins import takeover
from xmlrpc_api.services.logins.takeover import Brought
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.rows import Once, Rows
from xmlrpc_api.transport import plain_json
from xmlrpc_api.transport.xml_writer import plain_decimal

PAGE = 1000
I_CUSTOMER = CUSTOMER.read.index(CUSTOMER["i_customer"])
PASSWORD_BYTES = 12
_IS_BARE = re.compile(r"[^\",\r\n]*").fullmatch
COLUMNS = ("line", "name", "result", "i_customer", "code", "text", "web_password")


def export_customers(context: typer.Context, file: Path, owner: str, form: Format | None) -> None:
    """Write the sub-customers of the owner."""
    config = running.settings(context)
    count = running.run(_export(config, file, owner, form or rows.format_of(file)))
    console.err.print(f"{count} customers written.")


async def _export(config: Config, file: Path, owner: str, form: Format) -> int:
    count = 0
    names = [known.name for known in CUSTOMER.read]
    async with running.open_platform(config) as (_, database):
        caller = await rows.find_owner(database, owner)
        with rows.writing(file) as stream, console.progress("customers") as progress:
            task = progress.add_task("Exporting", total=None)
            write = _csv(stream, names) if form is Format.CSV else _json_lines(stream, names)
            async for page in _all_children(database, caller.i_customer):
                write(page)
                count += len(page)
                progress.update(task, completed=count)
    return count


async def _all_children(database: Database, owner: int) -> AsyncIterator[Rows]:
    last, is_more = 0, True
    while is_more:
        page = await database.rows(WHOLE_CHILDREN.query, caller=owner, after=last, offset=0, limit=PAGE)
        is_more = len(page) == PAGE
        if page:
            yield page
            last = page.found[-1][I_CUSTOMER]


def _csv(stream: IO[str], names: list[str]) -> Callable[[Rows], None]:
    csv.writer(stream, lineterminator="\n").writerow(names)
    return lambda page: stream.writelines(",".join(texts) + "\n" for texts in _texts(page, _cell))


def _json_lines(stream: IO[str], names: list[str]) -> Callable[[Rows], None]:
    line = ", ".join(f"{plain_json.dumps(name)}: %s" for name in names).join(("{", "}\n"))
    return lambda page: stream.writelines(line % texts for texts in _texts(page, plain_json.dumps))


def _texts(page: Rows, write: Callable[[Any], str]) -> Iterator[tuple[str, ...]]:
    """Rows as texts, column by column: what comes again and again in one is written once."""
    columns = page.columns()
    return zip(*(map(Once(kind.read, write).__getitem__, next(columns)) for kind in page.kinds), strict=True)


def _cell(value: Any) -> str:
    if value is None:
        return rows.NIL
    if isinstance(value, bool):
        return f"{value:d}"
    text = plain_decimal(value) if isinstance(value, Decimal) else str(value)
    return text if _IS_BARE(text) else _quoted(text)


def _quoted(text: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow((text, ""))
    return line.getvalue()[: -len(",\n")]


@dataclass(slots=True)
class Item:
    """
    A row on its way, and what became of it.

    Attributes:
        i_customer: Who has the row's name, before or after.
        made_up: The web password of a new customer whose row has none.
        foreign: Its password as another system hashed it.
        takes: What nobody else may have: names of attributes and values.
    """

    row: rows.Row
    result: str = ""
    i_customer: int | None = None
    fault: Fault | None = None
    made_up: str = ""
    foreign: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    takes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> Any:
        """Whom the row is about."""
        return self.row.values.get("name", "")

    def fail(self, fault: Fault) -> None:
        """It cannot be taken over."""
        self.result, self.fault = "failed", fault


def import_customers(
    context: typer.Context,
    file: Path,
    owner: str,
    form: Format | None,
    results: Path | None,
    *,
    dry_run: bool,
    update: bool,
) -> None:
    """Take customers over from a file, and tell how often there was which result."""
    config = running.settings(context)
    target = rows.results_file(results, file, "import")
    counts = running.run(_import(config, file, form or rows.format_of(file), owner, target, dry_run, update))
    console.err.print(f"{'Tried: ' if dry_run else ''}{rows.summary(counts)}. Results: {target}")
    if counts.get("failed"):
        raise typer.Exit(1)


async def _import(
    config: Config, file: Path, form: Format, owner: str, target: Path, dry_run: bool, update: bool
) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with running.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        importer = _Importer(platform, database, caller, update=update, dry_run=dry_run)
        with rows.progress(file, form) as lines, rows.results(target, COLUMNS) as note:
            for chunk in rows.chunks(lines, "name"):
                items = await importer.prepare(chunk)
                for item in items:
                    if item.made_up:  # it must not be lost if we end here
                        note(item.row, "pending", None, name=item.name, web_password=item.made_up)
                await importer.take(items)
                for item in items:
                    password = item.made_up if item.result == "created" else ""
                    told = {"name": item.name, "i_customer": item.i_customer, "web_password": password}
                    note(item.row, item.result, item.fault, **told)
                    counts[item.result] = counts.get(item.result, 0) + 1
    return counts


class _Importer:
    """Takes rows over, as calls of createCustomer and updateCustomer would, but many in one transaction."""

    def __init__(self, platform: Platform, database: Database, caller: Caller, *, update: bool, dry_run: bool) -> None:
        self._dispatcher = Dispatcher(platform, database, keep=not dry_run)
        self._origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)
        self._caller = caller
        self._update = update
        self._dry_run = dry_run
        self._tried: set[tuple[str, str]] = set()

    async def prepare(self, chunk: list[rows.Row]) -> list[Item]:
        """See what is to be done with each row, and whether its values are right."""
        items = [Item(row) for row in chunk]
        names = [item.name for item in items if _is_name(item.name)]
        async with self._dispatcher.database.read() as session:
            known = await customers.ids_by_name(session, self._caller, names)
        for item in items:
            item.i_customer = known.get(item.name) if _is_name(item.name) else None
            try:
                self._load(item)
            except Fault as fault:
                item.fail(fault)
        return items

    def _load(self, item: Item) -> None:
        if item.row.problem:
            raise WrongType(item.row.problem)
        if item.i_customer is not None and not self._update:
            item.result = "exists"
            return
        is_new = item.i_customer is None
        sent = {"i_tariff": None, **item.row.values} if is_new else item.row.values
        values = (CREATE if is_new else UPDATE).load(sent)
        item.foreign = values.pop(HASH.name, None)
        password = values.get("web_password")
        if item.foreign is not None and password is not None:
            raise BadParameter(HASH.name, "and web_password exclude each other")
        if item.foreign is not None and not is_known_hash(item.foreign):
            raise BadParameter(HASH.name, UNKNOWN_HASH)
        if is_new and item.foreign is None and password is None:
            item.made_up = values["web_password"] = secrets.token_urlsafe(PASSWORD_BYTES)
        item.values = values

    async def take(self, items: list[Item]) -> None:
        """Create and update, each row for itself, all in one transaction."""
        waiting = [item for item in items if not item.result]
        await self._hash(waiting)
        works = [self._work(item) for item in waiting]
        outcomes = await self._dispatcher.perform_each(self._origin, "customers import", self._caller, works)
        for item, outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, Fault):
                item.fail(outcome)
            else:
                item.result = "created" if item.i_customer is None else "updated"
                item.i_customer = item.i_customer if self._dry_run else outcome
                self._tried |= set(item.takes if self._dry_run else ())

    async def _hash(self, items: list[Item]) -> None:
        """Hash the passwords of all rows ahead; what is only tried needs no hash."""
        plain = {item.values["web_password"] for item in items if "web_password" in item.values}
        hashed = dict.fromkeys(plain, NOBODYS_HASH)
        if not self._dry_run:
            hashed = await rows.hash_all(self._dispatcher.platform.hasher, plain, self._caller)
        for item in items:
            if "web_password" in item.values:
                password = item.values["web_password"]
                item.values["web_password"] = Password(password, hashed[password])

    def _work(self, item: Item) -> Callable[[Call], Awaitable[int]]:
        async def create(call: Call) -> int:
            call.caller.demand(Right.CUSTOMERS_ADD)
            customer = await customers.create(call, {**item.values, "foreign_password": item.foreign})
            item.takes = [("name", customer.name_key), ("web_login", login_key(customer.web_login))]
            for name, key in item.takes:
                if (name, key) in self._tried:  # nothing is kept of a dry run, so the database cannot know
                    raise Conflict.taken(Customer, name)
            return customer.i_customer

        async def update(call: Call) -> int:
            call.caller.demand(Right.CUSTOMERS_EDIT)
            assert item.i_customer is not None  # noqa: S101 (that is why it is an update)
            await customers.change(call, item.i_customer, item.values)
            if item.foreign is not None:
                await takeover.of_customer(call, item.i_customer, Brought(foreign=item.foreign))
            return item.i_customer

        return create if item.i_customer is None else update


def _is_name(value: Any) -> bool:
    """Whether somebody may have this name: what is none cannot even be looked up on every engine."""
    try:
        NAME.load({"name": value})
    except Fault:
        return False
    return isinstance(value, str)


NAME = Params("customers import", [CUSTOMER.require("name")])
HASH = Field(name="web_password_hash", wire=Wire.STRING, limit=255, secret=True, doc="As another system has it.")
_NEW = [replace(known, required=False) if known.name == "web_password" else known for known in CUSTOMER.create]
CREATE = Params("customers import", [*_NEW, HASH])
UPDATE = Params("customers import", [*CUSTOMER.update, HASH])
