"""Rows of CSV or JSON lines: what the commands that move things in and out share."""

import asyncio
import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from models import Customer, login_key
from xmlrpc_api.cli import console
from xmlrpc_api.cli.commands.options import Format
from xmlrpc_api.config import ConfigError
from xmlrpc_api.crypto.passwords import PasswordHasher
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import plain_json

NIL = r"\N"
CHUNK = 100
Note = Callable[..., None]


def format_of(file: Path) -> Format:
    """
    The format that a file's name ends with.

    Raises:
        ConfigError: It ends otherwise.
    """
    if file.suffix in (".jsonl", ".ndjson", ".json"):
        return Format.JSONL
    if file.suffix == ".csv":
        return Format.CSV
    raise ConfigError(f"{file}: name the format, --format csv or --format jsonl")


async def find_owner(database: Database, owner: str) -> Caller:
    """
    The customer with this id or name, as caller.

    Raises:
        ConfigError: There is none, or it is blocked.
    """
    wanted = int(owner) if owner.isdecimal() and len(owner) < 10 else owner  # noqa: PLR2004
    async with database.read() as session:
        found = (await session.execute(select(Customer.i_customer).where(ownership.named(wanted)))).scalar()
    caller = await ownership.load_caller(database, found) if found else None
    if caller is None:
        raise ConfigError(f"There is no customer {owner}, or he is blocked")
    return caller


@dataclass(slots=True)
class Row:
    """One row of the input: what it says, or why it cannot be read."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


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
            (value,) = plain_json.loads(line)
        except (Fault, ValueError):
            value = None
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            yield Row(number, problem="The line is not a JSON object")


@contextmanager
def progress(file: Path, form: Format) -> Iterator[Iterator[Row]]:
    """The rows of a file, with a progress bar that follows them."""
    with console.progress("bytes") as bar:
        task = bar.add_task("Importing", total=file.stat().st_size if file.is_file() else None)
        yield _read(file, form, lambda position: bar.update(task, completed=position))


def summary(counts: dict[str, int]) -> str:
    """How often there was which result."""
    return ", ".join(f"{count} {result}" for result, count in sorted(counts.items())) or "no rows"


def chunks(lines: Iterable[Row], name: str) -> Iterator[list[Row]]:
    """The rows in portions for one transaction each; no two in one have the same name in the column `name`."""
    chunk: list[Row] = []
    seen: set[Any] = set()
    for row in lines:
        value = login_key(str(row.values.get(name)))
        if len(chunk) == CHUNK or (value in seen and not row.problem):
            yield chunk
            chunk, seen = [], set()
        chunk.append(row)
        seen.add(value)
    if chunk:
        yield chunk


async def hash_all(hasher: PasswordHasher, passwords: Iterable[str], caller: Caller) -> dict[str, str]:
    """The hash of each password, made on all cores."""
    turns = asyncio.Semaphore(os.cpu_count() or 1)

    async def run(password: str) -> str:
        async with turns:
            return await hasher.hash(password, caller.i_customer)

    plain = list(passwords)
    return dict(zip(plain, await asyncio.gather(*map(run, plain)), strict=True))


def results_file(given: Path | None, file: Path, without_name: str) -> Path:
    """Where the results of this run go: each has a file of its own, since it may hold the only copy of passwords."""
    if given is not None:
        return given
    base = without_name if str(file) == "-" else str(file)
    names = (f"{base}.results{f'.{number}' if number > 1 else ''}.csv" for number in count(1))
    return next(path for path in map(Path, names) if not path.exists())


@contextmanager
def results(target: Path, columns: tuple[str, ...]) -> Iterator[Note]:
    """
    Writes results to a new file that nobody else can read: it may hold passwords.

    Raises:
        ConfigError: The file is there already.
    """
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"The file {target} is there already, and may hold passwords: name another") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()

        def note(row: Row, result: str, fault: Fault | None, **cells: Any) -> None:
            told = {"code": fault.code, "text": fault.text} if fault else {}
            writer.writerow({"line": row.line, "result": result, **told, **cells})
            stream.flush()

        yield note


@contextmanager
def writing(file: Path) -> Iterator[IO[str]]:
    """A file to write, or standard output."""
    if str(file) == "-":
        yield sys.stdout
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        yield stream
