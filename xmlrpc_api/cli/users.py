"""`users import`: takes over the logins of another system, with the passwords that people have there."""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import typer

from xmlrpc_api.call import Call, Origin
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.cli.commands.options import Format
from xmlrpc_api.config import Config
from xmlrpc_api.crypto.passwords import NOBODYS_HASH, UNKNOWN_HASH, is_known_hash
from xmlrpc_api.declaration.faults import BadParameter, Fault, NotFound, WrongType
from xmlrpc_api.declaration.fields import Field, Params, Wire
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.logins import takeover
from xmlrpc_api.services.logins.takeover import Brought
from xmlrpc_api.services.logins.web_users import WEB_USER

NAME = "users import"
COLUMNS = ("line", "web_login", "result", "i_web_user", "code", "text")
HASH = Field(name="password_hash", wire=Wire.STRING, limit=255, secret=True, doc="As the other system has it.")
PLAIN = Field(name="web_password", wire=Wire.STRING, limit=256, secret=True, doc="As the person types it.")
CUSTOMER = Field(name="customer", wire=Wire.ID_OR_NAME, doc="Whose web user a new one is.")
OTHERS = WEB_USER.some("i_access_level", "email", "description")
PARAMS = Params(NAME, [WEB_USER.require("web_login"), HASH, PLAIN, CUSTOMER, *OTHERS])


def import_users(
    context: typer.Context,
    file: Path,
    owner: str,
    form: Format | None,
    results: Path | None,
    *,
    dry_run: bool,
) -> None:
    """Take logins over from a file, and tell how often there was which result."""
    config = running.settings(context)
    target = rows.results_file(results, file, "users")
    counts = running.run(_import(config, file, form or rows.format_of(file), owner, target, dry_run))
    console.err.print(f"{'Tried: ' if dry_run else ''}{rows.summary(counts)}. Results: {target}")
    if counts.get("failed"):
        raise typer.Exit(1)


async def _import(config: Config, file: Path, form: Format, owner: str, target: Path, dry_run: bool) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with running.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        dispatcher = Dispatcher(platform, database, keep=not dry_run)
        with rows.progress(file, form) as lines, rows.results(target, COLUMNS) as note:
            for chunk in rows.chunks(lines, "web_login"):
                outcomes = await _take(dispatcher, caller, chunk, dry_run)
                for row, outcome in zip(chunk, outcomes, strict=True):
                    fault = outcome if isinstance(outcome, Fault) else None
                    result, i_web_user = ("failed", None) if isinstance(outcome, Fault) else outcome
                    note(row, result, fault, web_login=row.values.get("web_login", ""), i_web_user=i_web_user)
                    counts[result] = counts.get(result, 0) + 1
    return counts


async def _take(
    dispatcher: Dispatcher, caller: Caller, chunk: list[rows.Row], dry_run: bool
) -> list[tuple[str, int] | Fault]:
    """Take rows over in one transaction: what was done, and to which web user, or why a row cannot be taken over."""
    loaded = [_load(row) for row in chunk]
    good = [values for values in loaded if not isinstance(values, Fault)]
    plain = {values[PLAIN.name] for values in good if PLAIN.name in values}
    hashed = dict.fromkeys(plain, NOBODYS_HASH)
    if not dry_run:
        hashed = await rows.hash_all(dispatcher.platform.hasher, plain, caller)
    origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)
    done = iter(await dispatcher.perform_each(origin, NAME, caller, [_work(values, hashed) for values in good]))
    return [values if isinstance(values, Fault) else next(done) for values in loaded]


def _load(row: rows.Row) -> dict[str, Any] | Fault:
    try:
        if row.problem:
            raise WrongType(row.problem)
        values = PARAMS.load(row.values)
        hashed, plain = values.get(HASH.name), values.get(PLAIN.name)
        if (hashed is None) is (plain is None):
            raise BadParameter(HASH.name, f"or {PLAIN.name} is required, and not both")
        if hashed is not None and not is_known_hash(hashed):
            raise BadParameter(HASH.name, UNKNOWN_HASH)
    except Fault as fault:
        return fault
    return values


def _work(given: dict[str, Any], hashed: dict[str, str]) -> Callable[[Call], Awaitable[tuple[str, int]]]:
    values = {name: value for name, value in given.items() if name not in (HASH.name, PLAIN.name, CUSTOMER.name)}
    customer = given.get(CUSTOMER.name)
    plain = given.get(PLAIN.name)
    brought = Brought(foreign=given[HASH.name]) if plain is None else Brought(hashed=hashed[plain])

    async def work(call: Call) -> tuple[str, int]:
        try:
            return "taken over", await takeover.by_login(call, values["web_login"], brought)
        except NotFound:
            if customer is None:
                raise
        return "created", await takeover.add(call, customer, values, brought)

    return work
