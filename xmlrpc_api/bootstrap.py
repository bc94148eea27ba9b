"""What a new installation needs: the tables, and the root of the customer tree."""

import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text

from models import ROOT_DEPTH, ROOT_ID, Balance, Currency, Customer, WebUser
from xmlrpc_api.call import Platform
from xmlrpc_api.config import ConfigError
from xmlrpc_api.database import Database
from xmlrpc_api.rights import BITMASKS, FLAGS
from xmlrpc_api.services.customers import api_password_place

ROOT_LOGIN = "ssp-root"
ROOT_CURRENCY = "USD"
PASSWORD_BYTES = 18
ROOT = select(Customer.i_customer).where(Customer.i_customer == ROOT_ID)


def migrations() -> AlembicConfig:
    """Alembic's configuration, wherever the migrations are installed."""
    here = Path(__file__).parent
    folder = here / "data" / "alembic"
    config = AlembicConfig()
    config.set_main_option("script_location", str(folder if folder.is_dir() else here.parent / "alembic"))
    return config


async def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to `revision`; nothing happens if they are there already."""

    def upgrade(connection: Connection) -> None:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    await database.run(upgrade)


async def revisions(database: Database) -> tuple[str | None, str | None]:
    """The revision the tables are at, and the newest there is."""

    def current(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    return await database.run(current), ScriptDirectory.from_config(migrations()).get_current_head()


async def has_root(database: Database) -> bool:
    """Whether the root customer is there."""
    async with database.read() as session:
        return (await session.execute(ROOT)).first() is not None


async def create_root(platform: Platform, database: Database, currency: str = ROOT_CURRENCY) -> str | None:
    """
    Create the root customer if there is none.

    Returns:
        His API password, which is shown nowhere else; None if root was there.

    Raises:
        ConfigError: The currency does not exist.
    """
    api_password, web_password = secrets.token_urlsafe(PASSWORD_BYTES), secrets.token_urlsafe(PASSWORD_BYTES)
    rights = {**dict.fromkeys(BITMASKS, 7), **dict.fromkeys(FLAGS, 1)}
    hashed = await platform.hasher.hash(web_password)
    async with database.write() as session:
        if (await session.execute(ROOT)).first():
            return None
        if not (await session.execute(select(Currency.code).where(Currency.code == currency))).first():
            raise ConfigError(f"There is no currency {currency}: give a code of ISO 4217, such as USD")
        session.add(
            Customer(
                i_customer=ROOT_ID,
                path="",
                name=ROOT_LOGIN,
                api_access=1,
                api_password=platform.vault.encrypt(api_password, api_password_place(ROOT_ID)),
                max_depth=ROOT_DEPTH,
                money=Balance(is_default=True, currency=currency),
                default_user=WebUser(is_default=True, web_login=ROOT_LOGIN, web_password=hashed),
                **rights,
            )
        )
        await session.flush()
        if not database.is_sqlite:  # root's id was given, not drawn: tell the sequence
            await session.execute(
                text("SELECT setval(pg_get_serial_sequence('customers', 'i_customer'), :root)"),
                {"root": ROOT_ID},
            )
    return api_password
