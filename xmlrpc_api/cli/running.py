"""What the commands run on: their settings, their database, all that calls need."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.progress import TaskID

from xmlrpc_api import installation, logs
from xmlrpc_api.call import Platform, new_platform
from xmlrpc_api.cli import console
from xmlrpc_api.cli.troubles import TROUBLES, explained
from xmlrpc_api.config import Config, ConfigError, load
from xmlrpc_api.services.upgrade.steps import Step
from xmlrpc_api.storage.database import Database, UnusableError

T = TypeVar("T")
MIGRATION_SECONDS = 24 * 3600
MIGRATION_LOCK_SECONDS = 30  # while a change of a table waits, all others who want that table wait behind it


def settings(context: typer.Context, **overrides: Any) -> Config:
    """The settings, with what the command line says about them."""
    file: Path | None = context.find_root().params.get("config")
    config = load(file, **overrides)
    logs.configure(config, quiet=True)
    return config


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(work)


@asynccontextmanager
async def open_database(config: Config) -> AsyncIterator[Database]:
    """
    The configured database, closed at the end.

    Raises:
        UnusableError: It cannot be used; the text says why, and what to do.
    """
    database = Database(config)
    try:
        yield database
    except TROUBLES as error:
        advice = explained(error, config)
        if advice is None:
            raise
        raise UnusableError(advice) from None
    finally:
        await database.close()


@asynccontextmanager
async def open_platform(config: Config) -> AsyncIterator[tuple[Platform, Database]]:
    """All that calls need, on a database that is ready for them."""
    platform = new_platform(config.model_copy(update={"workers": 1}))  # all cores: a command is one process
    async with open_database(config) as database:
        try:
            await demand_ready(database)
            yield platform, database
        finally:
            platform.hasher.close()


def patient(config: Config) -> Config:
    """The settings for changes of the whole database: no client waits, so they take the time they need."""
    return config.model_copy(update={"statement_seconds": MIGRATION_SECONDS, "lock_seconds": MIGRATION_LOCK_SECONDS})


async def upgrade_data(config: Config, database: Database) -> list[str]:
    """Bring the rows to this version, once the tables are; what could not be mended."""
    if not await installation.missing_steps(database):  # then the key is not needed, either
        return []
    platform = new_platform(config)
    tasks: dict[str, TaskID] = {}
    try:
        with console.progress("rows") as shown:

            def advance(step: Step, rows: int) -> None:
                if step.name not in tasks:
                    tasks[step.name] = shown.add_task(step.title, total=None)
                shown.advance(tasks[step.name], rows)

            return await installation.upgrade_data(platform, database, advance)
    finally:
        platform.hasher.close()


def tell_findings(findings: list[str]) -> None:
    """Print what an upgrade could not mend."""
    if findings:
        console.err.print(f"Upgraded, but {len(findings)} things could not be mended. They keep working as they are:")
    for finding in findings:
        console.err.print(f"  {finding}", markup=False)


async def demand_ready(database: Database) -> None:
    """
    Refuse to work on a database without tables or root.

    Raises:
        ConfigError: It is not ready; the text says which command makes it so.
    """
    current, newest = await installation.revisions(database)
    if current != newest:
        raise ConfigError(installation.advice(current, newest))
    if not await installation.has_root(database):
        raise ConfigError("There is no root customer. Run: xmlrpc-api init")
    if await installation.missing_steps(database):
        raise ConfigError("The data is not upgraded to this version yet. Run: xmlrpc-api migrate")
