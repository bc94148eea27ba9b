"""What the commands share: where they print, their settings, their database."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from xmlrpc_api import bootstrap, logs
from xmlrpc_api.app import new_platform
from xmlrpc_api.call import Platform
from xmlrpc_api.cli.troubles import TROUBLES, explained
from xmlrpc_api.config import Config, ConfigError, load
from xmlrpc_api.database import Database, UnusableError

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(value: Any) -> None:
    """For programs: one document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


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
    platform = new_platform(config)
    async with open_database(config) as database:
        try:
            await demand_ready(database)
            yield platform, database
        finally:
            platform.hasher.close()


async def demand_ready(database: Database) -> None:
    """
    Refuse to work on a database without tables or root.

    Raises:
        ConfigError: It is not ready; the text says which command makes it so.
    """
    current, newest = await bootstrap.revisions(database)
    if current != newest:
        raise ConfigError(bootstrap.advice(current, newest))
    if not await bootstrap.has_root(database):
        raise ConfigError("There is no root customer. Run: xmlrpc-api init")


def progress(unit: str) -> Progress:
    """A progress bar on standard error, shown at a terminal alone."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )


Advance = Callable[[float], None]
