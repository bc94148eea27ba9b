"""What a command imports: no more than it needs, for that is most of the time that a short one takes."""

import json
import subprocess
import sys

import pytest
from commandline import CommandLine

from models import ROOT_ID
from xmlrpc_api.cli.commands import options
from xmlrpc_api.installation import ROOT_LOGIN

SERVER = {"aiohttp", "alembic", "asyncpg", "cryptography", "handlers", "models", "sqlalchemy", "structlog"}
OTHERS = {"lxml", "pydantic_settings", "xmlrpc_api.config"}  # a call reads settings, and an answer
PROGRAM = """
import json, sys
from xmlrpc_api.__main__ import main
sys.argv[0] = "xmlrpc-api"
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported(cli: CommandLine, *arguments: str, code: int = 0, **environ: str) -> set[str]:
    """The modules that a process knows when it has run a command."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=cli.folder,
        env={**cli.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.fixture
def nowhere(tmp_path):
    """An installation without a database."""
    return CommandLine(tmp_path, "sqlite:///nothing.db")


@pytest.mark.parametrize("words", [[], ["serve"], ["call"], ["customers", "import"]], ids=" ".join)
def test_help_imports_nothing_of_what_a_command_does(nowhere, words):
    modules = imported(nowhere, *words, "--help")

    assert "xmlrpc_api.cli.commands" in modules
    assert not modules & (SERVER | OTHERS)


def test_the_version_imports_nothing_of_what_commands_do(nowhere):
    assert not imported(nowhere, "--version") & (SERVER | OTHERS | {"rich"})


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://me:s3cret@127.0.0.1:5432/x"])
def test_a_call_imports_nothing_of_the_server(cli, url):
    with cli.serving_here():
        modules = imported(cli, "call", "listCustomers", XMLRPC_API_DATABASE_URL=url)

    assert "xmlrpc_api.transport.client" in modules
    assert not modules & (SERVER | {"rich"})


def test_what_is_told_of_a_refused_call_imports_nothing_of_the_server(cli):
    with cli.serving_here():
        assert not imported(cli, "call", "getCustomerInfo", "i_customer:=99999", code=1) & SERVER


def test_what_the_help_tells_of_root_is_root():
    assert (str(ROOT_ID), ROOT_LOGIN) == (options.ROOT_ID, options.ROOT_LOGIN)
