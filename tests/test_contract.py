"""What clients, operators and readers rely on: the public API, the configuration, and what is said of them."""

import re
from pathlib import Path

import contract
import pytest

from xmlrpc_api import config
from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS

LONGEST_README = 120


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_help_without_gaps(name: str) -> None:
    method = METHODS[name]

    assert method.documentation.endswith(".") or "\n" in method.documentation
    assert all(field.doc.endswith(".") for field in method.documented_params)
    assert manual.example_params(method) is not None


def test_what_ngnpro_only_reads_takes_no_turn_to_write() -> None:
    operations = {name.partition(".")[2]: method for name, method in OPERATIONS.items()}
    reading = {name for name in operations if name.startswith("get")}

    assert {name for name, method in operations.items() if method.effect is Effect.READ} == reading


PARTS = ("access", "call.py", "crypto", "declaration", "dispatch", "services", "storage")
CORE = "models", *(f"xmlrpc_api/{name}" for name in PARTS)
DIALECTS = re.compile(r"ngnpro|sippy|\brator\b|portaswitch|flysip|soap", re.IGNORECASE)


def dialects_named(file: Path) -> set[str]:
    """Dialects of which a file speaks; settings keep their names."""
    text = re.sub(r"\b(" + "|".join(config.Config.model_fields) + r")\b", "", file.read_text())
    return set(DIALECTS.findall(text))


def test_the_core_knows_no_dialect_by_name() -> None:
    """What one calls things, and what it has, stands in xmlrpc_api/dialects; rules of its own in services/ngnpro."""
    parts = [contract.ROOT / part for part in CORE]
    files = {file for part in parts for file in ([part] if part.is_file() else part.rglob("*.py"))}
    core = files - set((contract.ROOT / "xmlrpc_api/services/ngnpro").rglob("*.py"))

    assert {str(file): named for file in core if (named := dialects_named(file))} == {}
    assert len(core) > len(CORE)


def test_fault_codes_are_those_of_the_interface() -> None:
    codes = set(contract.api()["faults"].values())

    assert codes <= {-32700, -32701, -32702, -32600, -32601, -32602, -32603, -32400, *range(400, 411), 429}


@pytest.mark.parametrize("page", contract.written(), ids=lambda page: page.name)
def test_what_is_written_from_the_declarations_is_up_to_date(page: Path) -> None:
    """`make reference` writes it; of the public API that is a change, with a line in CHANGELOG.md."""
    assert page.read_text() == contract.written()[page]


def test_every_setting_is_told() -> None:
    told = (contract.DOCS / "settings.md").read_text()

    assert [name for name in config.Config.model_fields if f"| `{name}` |" not in told] == []


def test_every_file_that_a_page_names_is_there() -> None:
    assert [(page.name, name) for page, name in contract.links() if not (page.parent / name).exists()] == []


def test_every_source_that_a_page_names_is_there() -> None:
    assert [(page.name, name) for page, name in contract.sources() if not (contract.ROOT / name).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    named: dict[Path, set[Path]] = {page: set() for page in contract.PAGES}
    for page, name in contract.links():
        named[page].add((page.parent / name).resolve())
    reached, new = set(), {contract.README}
    while new:
        reached |= new
        new = {page for known in new for page in named[known]} & set(contract.PAGES) - reached

    assert set(contract.PAGES) - reached == set()


def test_the_readme_is_short() -> None:
    assert len(contract.README.read_text().splitlines()) <= LONGEST_README


def test_the_readme_has_every_folder_on_its_map() -> None:
    shown = contract.README.read_text()
    top = {file.parent.name for file in contract.ROOT.glob("*/*.*")} - {"xmlrpc_api", "var", "dist"}
    folders = {name for name in top if not name.startswith(".")}
    folders |= {file.parent.name for file in contract.ROOT.glob("xmlrpc_api/*/*.py")}

    assert {name for name in folders if f"{name}/`" not in shown} == set()


@pytest.mark.parametrize("file", sorted(contract.DECISIONS.glob("[0-9]*.md")), ids=lambda file: file.name[:4])
def test_a_decision_has_its_three_parts_and_a_date(file: Path) -> None:
    text = file.read_text()

    assert re.match(rf"# {int(file.name[:4])}\. .+\n\n\d{{4}}-\d\d-\d\d\n", text)
    assert re.findall("^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(file.name[:4]) for file in contract.DECISIONS.glob("[0-9]*.md"))

    assert numbers == list(range(1, len(numbers) + 1))
