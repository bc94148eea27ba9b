"""`users import`: takes over the logins of another system, with the passwords that people have there."""

import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from models import ROOT_ID
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.cli import console, rows
from xmlrpc_api.config import Config
from xmlrpc_api.dispatch import Dispatcher
from xmlrpc_api.faults import BadParameter, Fault, NotFound, WrongType
from xmlrpc_api.fields import Field, Params, Wire
from xmlrpc_api.hashing import is_known_hash
from xmlrpc_api.rights import Caller
from xmlrpc_api.services import web_users
from xmlrpc_api.services.web_users import WEB_USER, Brought

NAME = "users import"
COLUMNS = ("line", "web_login", "result", "i_web_user", "code", "text")
HASH = Field(name="password_hash", wire=Wire.STRING, limit=255, secret=True, doc="As the other system has it.")
PLAIN = Field(name="web_password", wire=Wire.STRING, limit=256, secret=True, doc="As the person types it.")
CUSTOMER = Field(name="customer", wire=Wire.ID_OR_NAME, doc="Whose web user a new one is.")
OTHERS = WEB_USER.some("i_access_level", "email", "description")
PARAMS = Params(NAME, [WEB_USER.require("web_login"), HASH, PLAIN, CUSTOMER, *OTHERS])

app = typer.Typer(help="Move the logins to the self-care portal.", no_args_is_help=True)


@app.callback()
def users() -> None:
    """Move the logins to the self-care portal."""


@app.command("import")
def import_users(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to read; - is standard input.")],
    owner: Annotated[str, typer.Option(help="On whose behalf: an i_customer or a name.")] = str(ROOT_ID),
    form: rows.FormatOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try every row, change nothing.")] = False,
    results: Annotated[
        Path | None, typer.Option(help="CSV file for the result of each row; FILE.results.csv if left out.")
    ] = None,
) -> None:
    r"""
    Take over logins and passwords; every row names a web_login and its password_hash.

    Known are bcrypt ($2a$, $2b$, $2y$), SHA-crypt ($5$, $6$) and MD5-crypt ($1$, $apr1$); at the first login each
    becomes a hash of our own. Instead of a hash there may be the password itself, in web_password. A login that is
    not there yet is created where the row names its customer (id or name), with i_access_level, email and
    description if they are given. No password policy is asked: people keep what they have.
    """
    config = console.settings(context)
    target = results or Path(f"{'users' if str(file) == '-' else file}.results.csv")
    counts = console.run(_import(config, file, form or rows.format_of(file), owner, target, dry_run))
    console.err.print(f"{'Tried: ' if dry_run else ''}{rows.summary(counts)}. Results: {target}")
    if counts.get("failed"):
        raise typer.Exit(1)


async def _import(
    config: Config, file: Path, form: rows.Format, owner: str, target: Path, dry_run: bool
) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with console.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        dispatcher = Dispatcher(platform, database, keep=not dry_run)
        with rows.results(target, COLUMNS) as note, rows.progress(file, form) as lines:
            for row in lines:
                i_web_user, fault = None, None
                try:
                    result, i_web_user = await _take(platform, dispatcher, caller, row)
                except Fault as refused:
                    result, fault = "failed", refused
                note(row, result, fault, web_login=row.values.get("web_login", ""), i_web_user=i_web_user)
                counts[result] = counts.get(result, 0) + 1
    return counts


async def _take(platform: Platform, dispatcher: Dispatcher, caller: Caller, row: rows.Row) -> tuple[str, int]:
    """
    Take one row over: what was done, and to which web user.

    Raises:
        Fault: It cannot be taken over.
    """
    if row.problem:
        raise WrongType(row.problem)
    values = PARAMS.load(row.values)
    brought = await _password(platform, values.pop(HASH.name, None), values.pop(PLAIN.name, None))
    customer = values.pop(CUSTOMER.name, None)

    async def work(call: Call) -> tuple[str, int]:
        try:
            return "taken over", await web_users.take_over(call, values["web_login"], brought)
        except NotFound:
            if customer is None:
                raise
        return "created", await web_users.bring(call, customer, values, brought)

    origin = Origin(request_id=secrets.token_hex(8), dialect="cli", address="local", login=caller)
    done: tuple[str, int] = await dispatcher.perform(origin, NAME, caller, work)
    return done


async def _password(platform: Platform, hashed: Any, plain: Any) -> Brought:
    if (hashed is None) is (plain is None):
        raise BadParameter(HASH.name, f"or {PLAIN.name} is required, and not both")
    if plain is not None:
        return Brought(hashed=await platform.hasher.hash(plain))
    if not is_known_hash(hashed):
        raise BadParameter(HASH.name, "is no bcrypt, SHA-crypt or MD5-crypt hash, or one of a cost beyond all bounds")
    return Brought(foreign=hashed)
