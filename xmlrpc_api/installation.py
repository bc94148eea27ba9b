"""
What a new installation needs: the tables, and the root of the customer tree.

Alembic is imported to migrate only: a server that just asks whether it has to would carry its 10 MB along.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text

from models import ROOT_DEPTH, ROOT_ID, Balance, Currency, Customer, WebUser, place_of
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.config import ConfigError
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.rights import BITMASKS, FLAGS
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.customers import CUSTOMER
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.upgrade import steps
from xmlrpc_api.storage.database import Database, UnusableError
from xmlrpc_api.storage.transaction import Transaction

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

VERSION_TABLE = "alembic_version"
NUMBERED = "[0-9][0-9][0-9][0-9]-*.py"
ROOT_LOGIN = "ssp-root"
ROOT_CURRENCY = "USD"
PASSWORD_BYTES = 18
ROOT = select(Customer.i_customer).where(Customer.i_customer == ROOT_ID)


def _folder() -> Path:
    """Where the migrations are installed."""
    here = Path(__file__).parent
    folder = here / "data" / "alembic"
    return folder if folder.is_dir() else here.parent / "alembic"


def migrations() -> "AlembicConfig":
    """Alembic's configuration."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_folder()))
    return config


async def migrate(database: Database, revision: str = "head") -> None:
    """
    Bring the tables to `revision`; nothing happens if they are there already.

    Raises:
        UnusableError: There is no such revision, or the tables are at one that this version does not know.
    """
    from alembic import command
    from alembic.util import CommandError

    def advance(connection: Connection) -> None:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    try:
        await database.run(advance)
    except CommandError:
        current, newest = await revisions(database)
        if current is not None and current > newest:
            raise UnusableError(advice(current, newest)) from None
        raise UnusableError(f"There is no revision {revision}: they are 0001 to {newest}, and head") from None


async def revisions(database: Database) -> tuple[str | None, str]:
    """The revision the tables are at, and the newest there is."""

    def current(connection: Connection) -> str | None:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
        return found

    return await database.run(current), newest_revision()


def newest_revision() -> str:
    """The newest revision there is: the files are numbered, and named by their numbers."""
    return max(file.name[:4] for file in (_folder() / "versions").glob(NUMBERED))


def next_revision() -> str:
    """The number of a revision that is about to be made."""
    return f"{int(newest_revision()) + 1:04}"


def advice(current: str | None, newest: str) -> str:
    """What to do with tables that are at another revision than the newest."""
    if current is None:
        return "The database is empty. Run: xmlrpc-api init"
    if current > newest:
        return f"A newer version made the database: it is at revision {current}, not {newest}. Install that version."
    return f"The database is at revision {current}, not {newest}. Run: xmlrpc-api migrate"


async def has_root(database: Database) -> bool:
    """Whether the root customer is there."""
    async with database.read() as session:
        return (await session.execute(ROOT)).first() is not None


async def missing_steps(database: Database) -> list[steps.Step]:
    """What `migrate` has to do yet after the tables: nothing where there is no root, thus no data."""
    if not await has_root(database):
        return []
    async with database.read() as session:
        return await steps.missing(session)


async def upgrade_data(platform: Platform, database: Database, advance: Callable[[steps.Step, int], None]) -> list[str]:
    """
    Run the steps of the data's upgrade that are missing.

    Args:
        platform: Signs what is done.
        database: Its tables are at the newest revision.
        advance: Is told of each batch: its step, and how many rows it looked at.

    Returns:
        What could not be mended.

    Raises:
        ConfigError: A step fails. What was committed before stays, and the next run goes on from there.
    """
    told = []
    for step in await missing_steps(database):
        try:
            await _run(step, platform, database, advance)
        except Fault as fault:
            raise ConfigError(f"{step.title}: {fault.text}. Nothing is lost: run xmlrpc-api migrate again") from None
        async with database.read() as session:
            findings, count = await steps.found(session, step)
        told += findings
        if count > len(findings):
            told.append(f"{step.title}: {count - len(findings)} more like these")
    return told


async def _run(
    step: steps.Step, platform: Platform, database: Database, advance: Callable[[steps.Step, int], None]
) -> None:
    root = await ownership.load_caller(database, ROOT_ID)
    dispatcher = Dispatcher(platform, database)
    origin = Origin(request_id=secrets.token_hex(8), face=Face.UPGRADE, address="local", login=root)
    batch = steps.Batch(0, 0)
    while root is not None and batch.last is not None:
        batch = await dispatcher.perform(origin, step.method, root, lambda call: steps.take(call, step))
        advance(step, batch.rows)


async def create_root(platform: Platform, database: Database, currency: str = ROOT_CURRENCY) -> str | None:
    """
    Create the root customer if there is none.

    Returns:
        Its API password, which is shown nowhere else; None if root was there.

    Raises:
        ConfigError: The currency does not exist.
    """
    api_password, web_password = secrets.token_urlsafe(PASSWORD_BYTES), secrets.token_urlsafe(PASSWORD_BYTES)
    rights = {**dict.fromkeys(BITMASKS, 7), **dict.fromkeys(FLAGS, 1)}
    hashed = await platform.hasher.hash(web_password)
    async with database.transaction() as transaction:
        session = transaction.session
        if (await session.execute(ROOT)).first():
            return None
        if not (await session.execute(select(Currency.code).where(Currency.code == currency))).first():
            raise ConfigError(f"There is no currency {currency}: give a code of ISO 4217, such as USD")
        root = Customer(
            i_customer=ROOT_ID,
            path="",
            name=ROOT_LOGIN,
            api_access=1,
            api_password=platform.vault.encrypt(api_password, place_of(Customer.api_password, ROOT_ID)),
            max_depth=ROOT_DEPTH,
            money=Balance(is_default=True, currency=currency),
            default_user=WebUser(is_default=True, web_login=ROOT_LOGIN, web_password=hashed),
            **rights,
        )
        session.add(root)
        steps.note_done(session, platform.clock())
        await session.flush()
        if not database.is_sqlite:  # root's id was given, not drawn: tell the sequence
            await session.execute(
                text("SELECT setval(pg_get_serial_sequence('customers', 'i_customer'), :root)"),
                {"root": ROOT_ID},
            )
        await audit.added(_call_by_root(platform, database, transaction, root), CUSTOMER, root, ROOT_ID)
    return api_password


def _call_by_root(platform: Platform, database: Database, transaction: Transaction, root: Customer) -> Call:
    """A call by which it is noted as its own creator: nobody else is there."""
    caller = ownership.caller_from({column.key: getattr(root, column.key) for column in ownership.CALLER_COLUMNS})

    return Call(
        method="init",
        store=transaction,
        caller=caller,
        actor=caller,
        platform=platform,
        origin=Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller),
        now=platform.clock(),
        way=Dispatcher(platform, database),
    )
