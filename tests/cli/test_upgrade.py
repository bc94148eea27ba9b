"""`migrate`: what it does with rows, and that nothing keeps it from doing so once."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import upgrading
from commandline import CommandLine
from harness import test_config
from sqlalchemy import text

from models import STEP_NAME_LENGTH
from xmlrpc_api.services.upgrade import steps
from xmlrpc_api.storage.database import Database

CUSTOMERS = 7
NAMES = [f"customer-{number}" for number in range(CUSTOMERS)]


def sql(cli: CommandLine, statement: str) -> list[Any]:
    async def work() -> list[Any]:
        database = Database(test_config(cli.environ["XMLRPC_API_DATABASE_URL"]))
        try:
            async with database.write() as session:
                result = await session.execute(text(statement))
                return list(result.all()) if result.returns_rows else []
        finally:
            await database.close()

    return asyncio.run(work())


def descriptions(cli: CommandLine) -> list[str | None]:
    return [row[0] for row in sql(cli, "SELECT description FROM customers ORDER BY i_customer")]


@pytest.fixture
def old(cli_on_each: CommandLine) -> CommandLine:
    """An installation with customers, of a version before the steps in upgrading.py."""
    file = cli_on_each.folder / "customers.csv"
    file.write_text("name,web_password\n" + "".join(f"{name},s3cret-Web\n" for name in NAMES))
    cli_on_each.run("customers", "import", str(file))
    return cli_on_each


@pytest.fixture
def new(old: CommandLine, new_version: Callable[[CommandLine], CommandLine]) -> CommandLine:
    """The same installation, seen by a version that has these steps."""
    return new_version(old)


@pytest.fixture
def new_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[CommandLine], CommandLine]:
    """From now on the program has these steps, here and in processes of its own."""

    def see(cli: CommandLine) -> CommandLine:
        monkeypatch.setattr(steps, "STEPS", upgrading.STEPS)
        cli.program = [sys.executable, upgrading.__file__]
        return cli

    return see


class TestSteps:
    def test_have_names_that_fit(self):
        names = [step.name for step in steps.STEPS]

        assert len(set(names)) == len(names)
        assert all(len(name) <= STEP_NAME_LENGTH for name in names)

    def test_run_in_their_order_and_are_told(self, new):
        done = new.run("migrate")

        assert set(descriptions(new)) == {"ab"}
        assert "things could not be mended. They keep working" in done.stderr
        assert "Customer 1 is odd" in done.stderr

    def test_are_run_by_init_too(self, new):
        new.run("init")

        assert set(descriptions(new)) == {"ab"}

    def test_run_once(self, new):
        new.run("migrate")
        again = new.run("migrate")

        assert set(descriptions(new)) == {"ab"}
        assert "is odd" not in again.stderr

    def test_sign_what_they_do_as_root_under_their_name(self, new):
        new.run("migrate")

        columns = "method, dialect, i_customer_actor, trusted, count(*)"
        found = sql(new, f"SELECT {columns} FROM audit_log WHERE dialect = 'upgrade' GROUP BY 1, 2, 3, 4 ORDER BY 1")
        every = CUSTOMERS + 1
        assert [tuple(row) for row in found] == [
            ("upgrade a", "upgrade", 1, False, every),
            ("upgrade b", "upgrade", 1, False, every),
        ]
        assert "is as it should be" in new.run("verify").stdout or new.run("verify", code=0)

    @pytest.mark.parametrize("command", ["serve", "verify"])
    def test_are_demanded(self, new, command):
        assert "not upgraded to this version yet. Run: xmlrpc-api migrate" in new.run(command, code=2).stderr

    def test_are_missed_by_check(self, new):
        assert "Marking with a, Marking with b). Run: xmlrpc-api migrate" in new.run("check", code=1).stdout
        new.run("migrate")
        new.run("check")

    def test_a_new_installation_needs_none(self, new_installation, new_version, engine):
        cli = new_version(new_installation(engine))
        cli.init()

        cli.run("check")
        assert descriptions(cli) == [None]

    def test_tables_alone_need_none(self, new_installation, new_version, engine):
        cli = new_version(new_installation(engine))

        cli.run("migrate")
        cli.init()
        assert "is odd" not in cli.run("migrate").stderr


class TestInterruption:
    @pytest.mark.parametrize("dies_at", ["a:0", "a:2", "b:4", "b:8"])
    def test_what_was_killed_goes_on_where_it_was(self, new, dies_at):
        new.run_apart("migrate", code=-9, DIES_AT=dies_at)

        told = new.run("migrate").stderr

        assert set(descriptions(new)) == {"ab"}
        assert sql(new, "SELECT count(*) FROM audit_log WHERE dialect = 'upgrade'") == [(2 * (CUSTOMERS + 1),)]
        assert told.count("Customer 7 is odd") == (2 if dies_at[0] == "a" else 1)
        new.run("verify")

    def test_two_at_once_do_each_row_once(self, new: CommandLine):
        command = new.command("migrate")
        both = [subprocess.Popen(command, cwd=new.folder, env=new.environ, stderr=subprocess.PIPE) for _ in range(2)]
        told = [process.communicate(timeout=60)[1] for process in both]

        assert [process.returncode for process in both] == [0, 0], told
        assert set(descriptions(new)) == {"ab"}
        assert sql(new, "SELECT count(*) FROM audit_log WHERE dialect = 'upgrade'") == [(2 * (CUSTOMERS + 1),)]

    def test_two_first_migrations_at_once_make_the_tables_once(
        self, new_installation: Callable[..., CommandLine], engine: str
    ):
        cli = new_installation(engine)
        command = cli.command("migrate")
        both = [subprocess.Popen(command, cwd=cli.folder, env=cli.environ, stderr=subprocess.PIPE) for _ in range(2)]
        told = [process.communicate(timeout=120)[1] for process in both]

        assert [process.returncode for process in both] == [0, 0], told
