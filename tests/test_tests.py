"""What is true of all tests: each asserts something."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
HELPERS = {"raises", "refused", "fault_of", "run_state_machine_as_test", "settle"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def called(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def asserts(function: Function, helpers: set[str]) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or not helpers.isdisjoint(called(function))


@pytest.mark.parametrize("file", sorted(TESTS.rglob("test_*.py")), ids=lambda file: file.stem)
def test_each_says_what_must_be(file: Path) -> None:
    """That nothing is raised is easily true of a test that has lost its point: say what has come of it."""
    tree = ast.parse(file.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    helpers = HELPERS
    while grown := {one.name for one in functions if "test" not in one.name and asserts(one, helpers)} - helpers:
        helpers = helpers | grown
    tests = [one for one in functions if one.name.startswith("test")]

    assert [one.name for one in tests if not asserts(one, helpers)] == []
