"""`init`, `migrate` and `serve`: from nothing to a running server."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from xmlrpc_api import installation
from xmlrpc_api.call import new_platform
from xmlrpc_api.cli import calls, console, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.crypto.passwords import PasswordHasher
from xmlrpc_api.crypto.vault import create_key_file
from xmlrpc_api.transport import xml, xml_writer

PLACEHOLDER = "THE-API-PASSWORD"


def init(context: typer.Context, currency: str) -> None:
    """Make what is missing, and show how to call."""
    config = running.settings(context)
    if config.secret_key is None and create_key_file(config.secret_key_file):
        console.out.print(f"Made the key file {config.secret_key_file}. Back it up: nothing opens without it.")
    password = running.run(_init(config, currency))
    if password is None:
        console.out.print("All is there: tables are up to date, and root exists.")
    else:
        console.out.print(f"Created root. User [b]{installation.ROOT_LOGIN}[/b], API password, shown only this once:\n")
        console.out.print(f"  {password}\n", style="bold", markup=False)
    shown = password or (os.environ.get("XMLRPC_API_PASSWORD") and "$XMLRPC_API_PASSWORD") or PLACEHOLDER
    console.out.print("Two calls to try while the server runs:\n")
    for line in example_calls(config, shown):
        console.out.print(f"{escape(line)}\n")


async def _init(config: Config, currency: str) -> str | None:
    platform = new_platform(config)
    async with running.open_database(running.patient(config)) as database:
        try:
            await installation.migrate(database)
            running.tell_findings(await running.upgrade_data(config, database))
            return await installation.create_root(platform, database, currency.upper())
        finally:
            platform.hasher.close()


def hash_password(context: typer.Context) -> None:
    """Hash a password that is asked for, or read from a pipe."""
    config = running.settings(context)
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise ConfigError("The password is empty")
    console.out.print(running.run(_hash(config, password)), markup=False)


async def _hash(config: Config, password: str) -> str:
    hasher = PasswordHasher(config.bcrypt_cost, config.bcrypt_queue)
    try:
        return await hasher.hash(password)
    finally:
        hasher.close()


def example_calls(config: Config, password: str) -> list[str]:
    """Two calls to paste into a shell: one with curl, one with our own client."""
    quoted = '"$XMLRPC_API_PASSWORD"' if password.startswith("$") else shlex.quote(password)
    user = f'{installation.ROOT_LOGIN}:"$XMLRPC_API_PASSWORD"' if password.startswith("$") else None
    user = user or shlex.quote(f"{installation.ROOT_LOGIN}:{password}")
    body = xml_writer.dumps_call("listCustomers", [{"limit": 10}]).decode().partition("\n")[2].replace("\n", "")
    at = f" --unix-socket {shlex.quote(str(config.socket))}" if config.socket else ""
    insecure = " --insecure" if config.tls_certificate else ""
    curl = (
        f"curl --digest --user {user}{at}{insecure} --header 'Content-Type: text/xml' "
        f"--data {shlex.quote(body)} {calls.endpoint(config)}"
    )
    call = (
        f"XMLRPC_API_PASSWORD={quoted} {_program()} call --url {calls.endpoint(config)}{insecure} "
        f"--user {installation.ROOT_LOGIN} listCustomers limit:=10"
    )
    return [curl, call]


def _program() -> str:
    """How this program is called from here."""
    if shutil.which("xmlrpc-api"):
        return "xmlrpc-api"
    script = Path(sys.executable).parent / "xmlrpc-api"
    try:
        return str(script.relative_to(Path.cwd()))
    except ValueError:
        return str(script)


def migrate(context: typer.Context, revision: str) -> None:
    """Bring tables and rows up to date."""
    config = running.settings(context)

    async def work() -> tuple[str | None, str | None, list[str]]:
        async with running.open_database(running.patient(config)) as database:
            before, _ = await installation.revisions(database)
            await installation.migrate(database, revision)
            after, newest = await installation.revisions(database)
            return before, after, await running.upgrade_data(config, database) if after == newest else []

    before, after, findings = running.run(work())
    console.out.print(
        f"The tables are at revision {after}." if before == after else f"Migrated: {before or 'empty'} → {after}."
    )
    running.tell_findings(findings)


def serve(context: typer.Context, **given: Any) -> None:
    """Serve, with the settings that were given in place of those configured."""
    from xmlrpc_api import server

    config = running.settings(context, **given)

    async def check() -> None:
        async with running.open_database(config) as database:
            await running.demand_ready(database)

    running.run(check())
    server.serve(config, _announce)


def _announce(address: str) -> None:
    where = address if address.startswith("unix:") else f"{address}{xml.PATH} (reference: {address}/docs)"
    console.err.print(f"Serving on {where}. Ctrl-C ends it.")
