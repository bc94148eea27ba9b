"""What clients, operators and readers rely on: the public API, the configuration, and what is said of them."""

import json
import re

import contract
import pytest

from xmlrpc_api import config
from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.registry import METHODS, TABLES, Effect, Family

README = contract.README.read_text()


def test_the_public_api_is_the_one_written_down() -> None:
    """On purpose? `make reference`, and a line in CHANGELOG.md."""
    assert json.loads(json.dumps(contract.api())) == json.loads(contract.LOCK.read_text())


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_help_without_gaps(name: str) -> None:
    method = METHODS[name]

    assert method.documentation.endswith(".") or "\n" in method.documentation
    assert all(field.doc.endswith(".") for field in method.documented_params)
    assert manual.example_params(method) is not None


def test_what_ngnpro_only_reads_takes_no_turn_to_write() -> None:
    operations = {name.partition(".")[2]: method for name, method in TABLES[Family.NGNPRO].items()}
    reading = {name for name in operations if name.startswith("get")}

    assert {name for name, method in operations.items() if method.effect is Effect.READ} == reading


def test_fault_codes_are_those_of_the_interface() -> None:
    codes = set(contract.api()["faults"].values())

    assert codes <= {-32700, -32701, -32702, -32600, -32601, -32602, -32603, -32400, *range(400, 411), 429}


def test_the_configuration_file_shows_every_setting() -> None:
    """`make reference` writes it."""
    assert contract.SETTINGS.read_text() == config.as_toml()


def test_the_readme_shows_every_setting() -> None:
    """`make reference` writes it."""
    assert config.as_markdown().strip() in README


def test_every_file_that_the_readme_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)

    assert [name for name in named if not (contract.ROOT / name).exists()] == []
