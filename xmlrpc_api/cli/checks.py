"""`check`: does this installation work, and what is to be done where it does not."""

import enum
import os
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import func, select, text

from models import ROOT_ID, Currency, Customer, Language, TimeZone, place_of
from xmlrpc_api import installation
from xmlrpc_api.addresses import Network
from xmlrpc_api.cli import console, running
from xmlrpc_api.config import ENV_PREFIX, Config, ConfigError, is_loopback
from xmlrpc_api.crypto.vault import VaultError, open_vault
from xmlrpc_api.services import trusted_hosts
from xmlrpc_api.services.tree import names
from xmlrpc_api.storage.database import Database, UnusableError

OLDEST_POSTGRESQL = 140000
SHOWN = 20  # of each kind
OTHER_VARIABLES = {f"{ENV_PREFIX}CONFIG", f"{ENV_PREFIX}PASSWORD"}


class Verdict(enum.Enum):
    """How a point came out; the value is its colour."""

    OK = "green"
    WARNING = "yellow"
    FAILED = "red"


@dataclass(frozen=True, slots=True)
class Finding:
    """One point: what was looked at, how it came out, and what to do."""

    what: str
    verdict: Verdict
    advice: str = ""


def check(context: typer.Context, *, as_json: bool) -> None:
    """Look at all points, and tell how they came out."""
    try:
        config = running.settings(context)
    except ConfigError as error:
        findings = [Finding("configuration", Verdict.FAILED, str(error))]
    else:
        findings = [_settings(), *_network(config), _key(config), *running.run(_database(config))]
    if as_json:
        console.print_json([_as_data(finding) for finding in findings])
    else:
        _show(findings)
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        raise typer.Exit(1)


def _as_data(finding: Finding) -> dict[str, str]:
    return {"what": finding.what, "verdict": finding.verdict.name.lower(), "advice": finding.advice}


def _show(findings: list[Finding]) -> None:
    table = Table("What", "", "What to do", box=None, pad_edge=False)
    for finding in findings:
        verdict = finding.verdict
        table.add_row(finding.what, f"[{verdict.value}]{verdict.name.lower()}[/]", escape(finding.advice))
    console.out.print(table)


def _settings() -> Finding:
    known = {f"{ENV_PREFIX}{name}".upper() for name in Config.model_fields} | OTHER_VARIABLES
    unknown = sorted(name for name in os.environ if name.startswith(ENV_PREFIX) and name not in known)
    if unknown:
        return Finding("configuration", Verdict.WARNING, f"No setting has this name: {', '.join(unknown)}.")
    return Finding("configuration", Verdict.OK)


def _network(config: Config) -> list[Finding]:
    findings = [_tls(config)] if config.tls_certificate else []
    if config.socket is None and not config.tls_certificate and not is_loopback(config.host):
        advice = f"Calls to {config.host} travel in clear. Set tls_certificate, or listen on 127.0.0.1 behind a proxy."
        findings.append(Finding("encryption", Verdict.WARNING, advice))
    return [*findings, *_trust(config.trusted_hosts)]


def _trust(networks: Iterable[Network]) -> list[Finding]:
    public = [str(network) for network in networks if network.is_global]
    if not public:
        return []
    advice = f"Everybody at {', '.join(public[:SHOWN])} may do everything without credentials. Are you sure?"
    return [Finding("trusted hosts", Verdict.WARNING, advice)]


def _tls(config: Config) -> Finding:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(str(config.tls_certificate), config.tls_key)
    except (OSError, ssl.SSLError) as error:
        return Finding("TLS", Verdict.FAILED, f"tls_certificate and tls_key cannot be used: {error}")
    return Finding("TLS", Verdict.OK)


def _key(config: Config) -> Finding:
    try:
        open_vault(config)
    except ConfigError as error:
        return Finding("key", Verdict.FAILED, str(error))
    return Finding("key", Verdict.OK)


async def _database(config: Config) -> list[Finding]:
    try:
        async with running.open_database(config) as database:
            return [finding async for finding in _points(config, database)]
    except (ConfigError, UnusableError) as error:
        return [Finding("database", Verdict.FAILED, str(error))]


async def _points(config: Config, database: Database) -> AsyncIterator[Finding]:
    yield await (_sqlite(config, database) if database.is_sqlite else _postgresql(database))
    current, newest = await installation.revisions(database)
    if current != newest:
        yield Finding("tables", Verdict.FAILED, installation.advice(current, newest))
        return
    yield Finding("tables", Verdict.OK)
    steps = await installation.missing_steps(database)
    if steps:
        titles = ", ".join(step.title for step in steps)
        yield Finding("data", Verdict.FAILED, f"Not upgraded to this version yet ({titles}). Run: xmlrpc-api migrate")
    yield await _reference_rows(database)
    yield await _root(config, database)
    yield await shared_names(database)
    for finding in _trust(await trusted_hosts.known(database, config)):
        yield finding


async def shared_names(database: Database) -> Finding:
    """Names that are one with those of older rows, in another form: each is found by its own form alone."""
    shared: list[str] = []
    async with database.read() as session:
        for keyed in names.KEYED:
            rows = await session.execute(names.sharing(keyed).limit(SHOWN))
            shared += [f"{keyed.what} {row[0]} {row[2]!r}" for row in rows]
    if not shared:
        return Finding("names", Verdict.OK)
    advice = f"One with an older one's, and found by exactly their own form alone: {', '.join(shared)}. Rename them."
    return Finding("names", Verdict.WARNING, advice)


async def _sqlite(config: Config, database: Database) -> Finding:
    path = Path(config.database_url.partition(":///")[2])
    if path.exists() and not os.access(path, os.W_OK):
        return Finding("database", Verdict.FAILED, f"{path} cannot be written: check its owner and mode.")
    async with database.read() as session:
        healthy = (await session.execute(text("PRAGMA quick_check"))).scalar()
    if healthy != "ok":
        return Finding("database", Verdict.FAILED, "The file is damaged. Restore a backup.")
    return Finding("database", Verdict.OK)


async def _postgresql(database: Database) -> Finding:
    async with database.read() as session:
        names = ("server_version_num", "fsync", "synchronous_commit", "full_page_writes")
        values = {name: (await session.execute(text(f"SHOW {name}"))).scalar_one() for name in names}
    if int(values.pop("server_version_num")) < OLDEST_POSTGRESQL:
        return Finding("database", Verdict.FAILED, "PostgreSQL 14 or newer is needed.")
    off = [name for name, value in values.items() if value == "off"]
    if off:
        advice = f"{', '.join(off)} is off: acknowledged changes can be lost. Switch it on."
        return Finding("database", Verdict.WARNING, advice)
    return Finding("database", Verdict.OK)


async def _reference_rows(database: Database) -> Finding:
    empty = []
    async with database.read() as session:
        for model in (TimeZone, Currency, Language):
            table = model.__table__
            if not (await session.execute(select(func.count()).select_from(table))).scalar():
                empty.append(model.__tablename__)
    if empty:
        return Finding("reference tables", Verdict.FAILED, f"Empty: {', '.join(empty)}. Restore a backup.")
    return Finding("reference tables", Verdict.OK)


async def _root(config: Config, database: Database) -> Finding:
    async with database.read() as session:
        statement = select(Customer.api_password).where(Customer.i_customer == ROOT_ID)
        row = (await session.execute(statement)).one_or_none()
    if row is None:
        return Finding("root", Verdict.FAILED, "There is no root customer. Run: xmlrpc-api init")
    try:
        open_vault(config).decrypt(row.api_password or "", place_of(Customer.api_password, ROOT_ID))
    except ConfigError:
        return Finding("root", Verdict.WARNING, "His API password cannot be tested without the key.")
    except VaultError as error:
        wrong = f"Key {error.missing} is missing" if error.missing else "The key does not open his API password"
        advice = f"{wrong}: put the key back that this database was made with."
        return Finding("root", Verdict.FAILED, advice)
    return Finding("root", Verdict.OK)
