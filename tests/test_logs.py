"""What the process logs: a call's own line is that which structlog would write."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from harness import test_config as new_config

from xmlrpc_api import logs

CALL = {
    "method": 'get"Info"\\\n\u2028\U0001f600\ud800',
    "caller": 29,
    "login": None,
    "address": "::1",
    "fault": -32601,
    "text": "Method not found <&>",
    "ms": 0.1,
}


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The logging of the other tests comes back."""
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    monkeypatch.setattr(logs.Calls, "is_json", logs.Calls.is_json)
    yield
    structlog.configure(**before)
    logging.root.handlers[:] = handlers


def written(capsys: pytest.CaptureFixture[str], **settings: Any) -> tuple[str, str]:
    """A call as it is logged, and as structlog logs the same."""
    logs.configure(new_config("sqlite://", **settings))
    logs.Calls.write(**CALL)
    ours = capsys.readouterr().err
    structlog.get_logger().info("call", **CALL)
    return ours, capsys.readouterr().err


def timeless(line: str) -> str:
    return line.rpartition('"timestamp"')[0]


def test_a_call_is_written_as_structlog_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = written(capsys, log_format="json", log_level="INFO")

    assert timeless(ours) == timeless(theirs)
    assert list(json.loads(ours)) == list(json.loads(theirs))
    assert ours.endswith('Z"}\n')


def test_readable_lines_are_structlogs(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = written(capsys, log_format="console", log_level="INFO")

    assert ours.partition("call")[2] == theirs.partition("call")[2] != ""


def test_a_call_is_not_written_where_warnings_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert written(capsys, log_format="json", log_level="WARNING") == ("", "")
