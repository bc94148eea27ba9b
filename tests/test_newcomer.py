"""
CONTRIBUTING.md, tried as it stands: its recipes are done in a copy of the tree, and what it promises is counted.

A block below the name of a file is that file, or what to change in it (at its end, where no line tells the place); a
block of commands is run. What is written by hand is counted: tests, CHANGELOG and what a command writes are not.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import contract
import pytest

GUIDE = (contract.ROOT / "CONTRIBUTING.md").read_text()
BLOCK = re.compile(
    r"^(?:`(?P<file>[\w/.]+)`:\n\n)?```(?P<kind>python|diff|sh)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE
)
RECIPES = ("An attribute", "A method", "A noun")
BIN = Path(sys.executable).parent
MIGRATIONS = """
from alembic import command
from alembic.config import Config
config = Config(toml_file="pyproject.toml")
command.upgrade(config, "head")
command.check(config)
command.downgrade(config, "-1")
command.upgrade(config, "head")
"""
PROOFS = (
    ("ruff", "check", "--quiet"),
    ("ruff", "format", "--check", "--quiet"),
    ("lint-imports",),
    ("python", "-c", MIGRATIONS),
    ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not postgresql", "tests/test_contract.py"),
)


@dataclass(frozen=True)
class Recipe:
    """A section of the guide: its blocks, in order, and what it promises."""

    title: str

    @property
    def blocks(self) -> list[re.Match[str]]:
        text = GUIDE.partition(f"\n## {self.title}\n")[2].partition("\n## ")[0]
        return list(BLOCK.finditer(text))

    @property
    def files(self) -> dict[str, list[re.Match[str]]]:
        found: dict[str, list[re.Match[str]]] = {}
        for block in self.blocks:
            if block["file"]:
                found.setdefault(block["file"], []).append(block)
        return found

    @property
    def own_tests(self) -> list[str]:
        return [file for file in self.files if file.startswith("tests/")]

    @property
    def cost(self) -> tuple[int, int]:
        """How many files and lines are written by hand."""
        counted = {file: blocks for file, blocks in self.files.items() if file not in self.own_tests}
        return len(counted), sum(lines(block) for blocks in counted.values() for block in blocks)

    @property
    def promise(self) -> tuple[int, int]:
        row = re.search(rf"^\| {self.title.lower()} \| (\d+) \| (\d+) \|$", GUIDE, re.MULTILINE)
        assert row is not None, f"what {self.title.lower()} costs is not promised"
        return int(row[1]), int(row[2])


def lines(block: re.Match[str]) -> int:
    told = block["text"].splitlines()
    return len(told) if block["kind"] == "python" else sum(line.startswith("+") for line in told)


class Newcomer:
    """Somebody who has the tree, an environment and the guide."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=contract.ROOT, capture_output=True, check=True
        )
        for name in map(os.fsdecode, listed.stdout.splitlines()):
            if (contract.ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(contract.ROOT / name, folder / name)

    def follow(self, recipe: Recipe) -> None:
        for block in recipe.blocks:
            if block["file"]:
                self.write(self.folder / block["file"], block)
            else:
                for command in block["text"].splitlines():
                    self.run("sh", "-ec", command.replace("make ", f"make -o .venv/dev.stamp BIN={BIN} ", 1))

    def write(self, file: Path, block: re.Match[str]) -> None:
        if block["kind"] == "python":
            assert not file.exists(), f"{file} is there already"
            file.write_text(block["text"])
            return
        text = file.read_text()
        for hunk in block["text"].split("@@\n"):
            told = hunk.splitlines(keepends=True)
            old, new = ("".join(line[1:] or "\n" for line in told if line[0] != sign) for sign in "+-")
            assert not old or text.count(old) == 1, f"{file.name} has this {text.count(old)} times:\n{old}"
            text = text.replace(old, new) if old else text + new
        file.write_text(text)

    def run(self, *command: str) -> None:
        url = f"sqlite:///{self.folder}/rehearsal.db"
        environ = {**os.environ, "PYTHONPATH": str(self.folder), "XMLRPC_API_DATABASE_URL": url}
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def test_the_recipes_work(tmp_path: Path) -> None:
    """One after the other in one copy; with the tests that come with them, contract, style, layers and migrations."""
    newcomer = Newcomer(tmp_path)
    recipes = [Recipe(title) for title in RECIPES]

    for recipe in recipes:
        newcomer.follow(recipe)

    tests = [test for recipe in recipes for test in recipe.own_tests]
    for program, *arguments in PROOFS:
        newcomer.run(str(BIN / program), *arguments, *(tests if "pytest" in arguments else ()))
    assert tests


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_costs_no_more_than_it_promises(title: str) -> None:
    recipe = Recipe(title)

    files, written = recipe.cost
    assert 0 < files <= recipe.promise[0]
    assert 0 < written <= recipe.promise[1]
