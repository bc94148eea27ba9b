"""`reset-root` and `rotate-key`: a new password for root, a new key for everybody's."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import typer
from sqlalchemy import Column

from models import ROOT_ID
from xmlrpc_api import installation
from xmlrpc_api.call import Call, Origin, Platform, utc_now
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.crypto.vault import KeyRing, Vault, read_key_file, replace_key_file
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services import customers, keys
from xmlrpc_api.services.history import audit
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.errors import ERRORS, is_retryable, is_unavailable

PASSES = 50
PASS_SECONDS = 0.2
MOST_SHOWN = 20
ROTATED, RETIRED = "KEY_ROTATED", "KEY_RETIRED"


def reset_root(context: typer.Context, *, web_password: bool) -> None:
    """Give root new passwords, and print them."""
    config = running.settings(context)
    api_password = secrets.token_urlsafe(installation.PASSWORD_BYTES)
    portal = secrets.token_urlsafe(installation.PASSWORD_BYTES) if web_password else None
    login = running.run(_reset_root(config, api_password, portal))
    console.out.print(f"New passwords of root, user [b]{login}[/b], shown only this once.\n")
    for what, password in (("API password", api_password), ("web password", portal)):
        if password:
            console.out.print(f"  {what}:  {password}\n", style="bold", markup=False)


async def _reset_root(config: Config, api_password: str, web_password: str | None) -> str:
    async with running.open_platform(config) as (platform, database):
        hashed = await platform.hasher.hash(web_password) if web_password else None

        async def work(call: Call) -> str:
            return await customers.reset_root(call, api_password, hashed)

        login: str = await _perform_as_root(platform, database, "reset-root", work)
        return login


async def _perform_as_root(
    platform: Platform, database: Database, name: str, work: Callable[[Call], Awaitable[Any]]
) -> Any:
    caller = await rows.find_owner(database, str(ROOT_ID))
    origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)
    return await Dispatcher(platform, database).perform(origin, name, caller, work)


def rotate_key(context: typer.Context, *, prepare: bool, retire: bool) -> None:
    """Do one of the steps from an old key to a new one."""
    config = running.settings(context)
    if prepare and retire:
        raise typer.BadParameter("--prepare comes first, --retire last")
    if prepare:
        _prepare(config)
        return
    running.run(_retire(config) if retire else _rotate(config))


def _ring(config: Config) -> KeyRing:
    """The keys as they are now; in the environment, nobody but the operator changes them."""
    if config.secret_key is not None:
        return KeyRing.parse(config.secret_key.get_secret_value(), "secret_key")
    return read_key_file(config.secret_key_file)


def _prepare(config: Config) -> None:
    if config.secret_key is not None:
        raise ConfigError("secret_key comes from the environment: add the new key there after the old one")
    ring = _ring(config)
    if ring.coming is None:
        replace_key_file(config.secret_key_file, ring.prepared())
    console.out.print(f"The coming key is in {config.secret_key_file}. Copy the file to all machines, then rotate-key.")


async def _rotate(config: Config) -> None:
    ring = _ring(config)
    is_new = len(ring.keys) == 1 or ring.coming is not None
    if is_new and config.secret_key is not None:
        raise ConfigError(
            "secret_key comes from the environment: put a new key (openssl rand -hex 32) and a space before the old"
            " one there, start the servers anew, then run this again"
        )
    async with running.open_platform(config) as (platform, database):
        vault = platform.vault
        if is_new:
            ring = ring.rotated()
            replace_key_file(config.secret_key_file, ring)
            vault.refresh()
            file = config.secret_key_file
            console.out.print(f"The new key {vault.current} is in {file}. Back it up: nothing opens without it.")
        await _encrypt_all(platform, database)
        await _tell(database, ring)
    console.out.print('When every server has logged "key taken up", run: xmlrpc-api rotate-key --retire')


async def _encrypt_all(platform: Platform, database: Database) -> None:
    """Pass over all that is encrypted until nothing of old keys is left, and note it in the history."""
    vault, done, lost = platform.vault, 0, list[str]()
    with console.progress("values") as progress:
        async with database.read() as session:
            counts = {column: await keys.count_old(session, vault, column) for column in keys.SEALED}
        task = progress.add_task("Encrypting anew", total=sum(counts.values()))
        for column in keys.SEALED:
            changed, lost_here = await _encrypt(database, vault, column, lambda count: progress.advance(task, count))
            done += changed
            lost += lost_here
    if done:
        await _note(platform, database, ROTATED, {"key": vault.current, "encrypted_anew": done})
    console.out.print(f"{done} values were encrypted anew with key {vault.current}.")
    for place in lost[:MOST_SHOWN]:
        console.err.print(f"{place} cannot be decrypted: its key is missing, or it was tampered with.", markup=False)
    if lost:
        raise ConfigError(f"{len(lost)} values cannot be decrypted. Put the missing key back, and run it again.")


async def _encrypt(
    database: Database, vault: Vault, column: Column[Any], advance: Callable[[int], None]
) -> tuple[int, list[str]]:
    """
    Pass over a column until nothing of old keys is left: how many values were encrypted anew, and what was lost.

    Raises:
        ConfigError: Others hold some of its rows all the time.
    """
    done = 0
    for _ in range(PASSES):
        changed, lost, left = await _pass(database, vault, column, advance)
        done += changed
        if not left:
            return done, lost
        await asyncio.sleep(PASS_SECONDS)  # somebody holds those rows, for as long as a call takes
    raise ConfigError(f"Some rows of {column.table.name} are in use all the time. Run it again later.")


async def _pass(
    database: Database, vault: Vault, column: Column[Any], advance: Callable[[int], None]
) -> tuple[int, list[str], int]:
    """One pass over a column: how many values were encrypted anew, what was lost, and how many others hold."""
    done, lost, last = 0, list[str](), None
    while True:
        batch = await _batch(database, vault, column, last)
        done += batch.done
        lost += batch.lost
        advance(batch.done)
        if batch.last is None:
            async with database.read() as session:
                left = await keys.count_old(session, vault, column) - len(lost)
            return done, lost, left
        last = batch.last


async def _batch(database: Database, vault: Vault, column: Column[Any], last: tuple[Any, ...] | None) -> keys.Batch:
    attempt = 0
    while True:
        try:
            async with database.write() as session:
                return await keys.encrypt_anew(session, vault, column, last)
        except ERRORS as error:
            attempt += 1
            if attempt == PASSES or not (is_retryable(error) or is_unavailable(error)):
                raise
            await asyncio.sleep(PASS_SECONDS)


async def _retire(config: Config) -> None:
    ring = _ring(config)
    async with running.open_platform(config) as (platform, database):
        await _encrypt_all(platform, database)
        async with database.read() as session:
            needed = await keys.needed_proofs(session, utc_now())
        rest = ring.retired(keys.FOR_EVER, needed)
        if config.secret_key is None:
            replace_key_file(config.secret_key_file, rest)
            console.out.print(f"{config.secret_key_file} holds key {rest.names[0]}, and what proves older signatures.")
        else:
            console.out.print("Set secret_key in the environment to this, in one line:\n")
            console.out.print("  " + " ".join(rest.as_text().split()), markup=False)
        if len(ring.keys) > 1:
            await _note(platform, database, RETIRED, {"keys": ring.names[1:]})
    console.out.print(
        f"{_listed(ring.names[1:])} may go. Keep it where your backups are: those that were made before need it."
        if len(ring.keys) > 1
        else "There was one key only."
    )


async def _tell(database: Database, ring: KeyRing) -> None:
    """For what the old keys are needed still."""
    async with database.read() as session:
        needed = await keys.needed_proofs(session, utc_now())
    for name in ring.names[1:]:
        uses = Counter({purpose.decode(): count for (key, purpose), count in needed.items() if key == name})
        told = ", ".join(f"{count} times {purpose}" for purpose, count in sorted(uses.items())) or "no signature"
        console.out.print(f"Key {name} decrypts nothing any more; it proves {told}.", markup=False)


def _listed(names: list[str]) -> str:
    return f"Key {names[0]}" if len(names) == 1 else f"Keys {', '.join(names)}"


async def _note(platform: Platform, database: Database, action: str, details: dict[str, Any]) -> None:
    async def work(call: Call) -> None:
        await audit.event(call, action, object_type="customers", object_id=ROOT_ID, i_customer=ROOT_ID, details=details)

    await _perform_as_root(platform, database, "rotate-key", work)
