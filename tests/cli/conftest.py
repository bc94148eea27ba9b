"""Installations to run commands in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from harness import Installed


@pytest.fixture
def new_installation(tmp_path: Path, new_database: Callable[[str], str]) -> Callable[..., CommandLine]:
    """Makes an installation with an empty database of an engine."""

    def make(engine: str = "sqlite", **settings: Any) -> CommandLine:
        return CommandLine(tmp_path, **{"database_url": new_database(engine), **settings})

    return make


@pytest.fixture
def ready(tmp_path: Path, installed: Callable[[str], Installed]) -> Callable[..., CommandLine]:
    """Makes an installation with tables and root."""

    def make(engine: str = "sqlite", **settings: Any) -> CommandLine:
        made = installed(engine)
        return CommandLine(tmp_path, **{"database_url": made.url, "password": made.root_password, **settings})

    return make


@pytest.fixture
def cli(ready: Callable[..., CommandLine]) -> CommandLine:
    """An installation with tables and root."""
    return ready()


@pytest.fixture
def cli_on_each(ready: Callable[..., CommandLine], engine: str) -> CommandLine:
    """The same, on each engine."""
    return ready(engine)
