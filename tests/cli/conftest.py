"""Installations to run commands in."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from harness import unique
from sqlalchemy import make_url


@pytest.fixture
def new_installation(tmp_path: Path, new_database: Callable[[str], str]) -> Callable[..., CommandLine]:
    """Makes an installation with an empty database of an engine."""

    def make(engine: str = "sqlite", **settings: Any) -> CommandLine:
        return CommandLine(tmp_path, **{"database_url": new_database(engine), **settings})

    return make


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[str], str]) -> dict[str, CommandLine]:
    """An installation of each engine that is only copied; `init` takes a second."""
    made = {}
    for engine in ("sqlite", "postgresql"):
        made[engine] = CommandLine(tmp_path_factory.mktemp("template"), new_database(engine))
        made[engine].init()
    return made


@pytest.fixture
def ready(templates: dict[str, CommandLine], tmp_path: Path, postgres: Any) -> Callable[..., CommandLine]:
    """Makes an installation with tables and root."""

    def make(engine: str = "sqlite", **settings: Any) -> CommandLine:
        template = templates[engine]
        url = template.environ["XMLRPC_API_DATABASE_URL"]
        if engine == "sqlite":
            copy = tmp_path / "copy.db"
            shutil.copy(url.removeprefix("sqlite:///"), copy)
            url = f"sqlite:///{copy}"
        else:
            name = unique("copy").replace("-", "_")
            postgres.psql(f"CREATE DATABASE {name} TEMPLATE {make_url(url).database};")
            url = postgres.get_uri(database=name)
        password = template.environ["XMLRPC_API_PASSWORD"]
        return CommandLine(tmp_path, **{"database_url": url, "password": password, **settings})

    return make


@pytest.fixture
def cli(ready: Callable[..., CommandLine]) -> CommandLine:
    """An installation with tables and root."""
    return ready()


@pytest.fixture
def cli_on_each(ready: Callable[..., CommandLine], engine: str) -> CommandLine:
    """The same, on each engine."""
    return ready(engine)
