"""What goes wrong with the database is told in one line that says what to do, whatever the command."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from commandline import CommandLine
from harness import TEST_KEY
from sqlalchemy import make_url, text
from typer.main import get_command

from xmlrpc_api.cli.commands import app
from xmlrpc_api.config import load
from xmlrpc_api.storage.database import Database

COMMANDS = {
    "init": [],
    "migrate": [],
    "serve": ["--port", "0"],
    "verify": [],
    "customers export": ["out.csv"],
    "customers import": ["in.csv"],
    "users import": ["in.csv"],
    "rates import": ["in.csv"],
    "reset-root": [],
    "rotate-key": [],
    "tariffs ask": ["49305550100", "--tariff", "1"],
    "tariffs export": ["out.csv", "--tariff", "1"],
    "tariffs import": ["in.csv", "--tariff", "1"],
    "dids export": ["out.csv"],
    "dids import": ["in.csv"],
    "vouchers generate": ["new.csv", "--series", "s", "--value", "1", "--currency", "USD"],
}
WITHOUT_DATABASE = {"call", "hash-password", "methods"}
TELLS_POINTS = {"check"}  # a table of all that it looked at, not a line
UNREACHABLE = "postgresql://me:s3cret@127.0.0.1:1/x"

Told = Callable[..., str]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Told:
    """What a command says before it ends with this code: to standard output, or else to standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("name,from_currency,to_currency,rate\n")
    keys = f"{'6b' * 32} {TEST_KEY}"  # a new one and the old, as rotate-key wants

    def run(url: str, *arguments: str, code: int = 1) -> str:
        done = CommandLine(tmp_path, url, secret_key=keys).run(*arguments, code=code)
        return done.stderr if code == 2 or not done.stdout else done.stdout

    return run


def words(told: str) -> str:
    """What is told, however wide the table was that tells it."""
    return " ".join(told.split())


def every_command() -> set[str]:
    found = set()
    group: Any = get_command(app)
    for name, command in group.commands.items():
        below = getattr(command, "commands", {})
        found |= {f"{name} {sub}" for sub in below} if below else {name}
    return found


def test_every_command_is_tried_here() -> None:
    assert every_command() == {*COMMANDS, *WITHOUT_DATABASE, *TELLS_POINTS}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_cannot_be_reached_is_told_in_one_line(told: Told, command: str) -> None:
    line = told(UNREACHABLE, *command.split(), *COMMANDS[command])

    assert line.startswith("PostgreSQL at 127.0.0.1:1 does not answer (")
    assert line.endswith("). Correct host and port in database_url, or start it.\n")
    assert line.count("\n") == 1
    assert "s3cret" not in line


def test_check_tells_the_same_as_a_point(told: Told) -> None:
    assert "PostgreSQL at 127.0.0.1:1 does not answer" in words(told(UNREACHABLE, "check"))


def test_a_host_that_nobody_knows_is_told(told: Told) -> None:
    assert "PostgreSQL at db.invalid:5432 does not answer" in told("postgresql://me@db.invalid/x", "migrate")


class TestPostgresql:
    @pytest.fixture
    def url(self, postgres: Any) -> Any:
        return make_url(postgres.get_uri())

    @pytest.mark.parametrize("command", ["migrate", "verify"])
    def test_a_database_that_is_missing(self, told: Told, url: Any, command: str) -> None:
        line = told(url.set(database="nothing").render_as_string(hide_password=False), command)

        assert 'database "nothing" does not exist. Create it (createdb' in line

    def test_a_role_that_is_missing(self, told: Told, url: Any) -> None:
        line = told(url.set(username="nobody_here").render_as_string(), "migrate")

        assert 'role "nobody_here" does not exist. Correct user and password in database_url' in line

    def test_a_wrong_password(self, told: Told, url: Any, postgres: Any) -> None:
        postgres.psql("CREATE ROLE strict LOGIN PASSWORD 'right';")
        rules = Path(url.query["host"]) / "pg_hba.conf"
        rules.write_text("local all strict scram-sha-256\n" + rules.read_text())
        postgres.psql("SELECT pg_reload_conf();")
        wrong = url.set(username="strict", password="wr0ng")
        asyncio.run(self._until_refused(wrong.render_as_string(hide_password=False)))

        line = told(wrong.render_as_string(hide_password=False), "migrate")

        assert 'password authentication failed for user "strict". Correct user and password in database_url' in line
        assert line.count("\n") == 1
        assert "wr0ng" not in line

    async def _until_refused(self, url: str) -> None:
        """The new rules count from a moment on that PostgreSQL chooses."""
        while True:
            try:
                connection = await asyncpg.connect(url)
            except asyncpg.InvalidPasswordError:
                return
            await connection.close()

    @pytest.mark.parametrize("command", ["migrate", "verify", "serve", "vouchers generate"])
    def test_a_role_without_rights(
        self, told: Told, ready: Callable[..., CommandLine], postgres: Any, command: str
    ) -> None:
        url = self._as_poor(ready("postgresql"), postgres, "")

        line = told(url, *command.split(), *COMMANDS[command])

        assert "The database says: permission denied for table" in line
        assert "GRANT USAGE, CREATE ON SCHEMA public" in line

    def test_a_role_that_may_make_no_tables(
        self, told: Told, new_database: Callable[[str], str], postgres: Any
    ) -> None:
        line = told(self._as_poor(new_database("postgresql"), postgres, ""), "init")

        assert "permission denied for schema public. Give it to the role" in line

    @pytest.mark.parametrize("command", ["vouchers generate", "rates import"])
    def test_a_role_that_may_only_read(
        self, told: Told, ready: Callable[..., CommandLine], postgres: Any, command: str
    ) -> None:
        url = self._as_poor(ready("postgresql"), postgres, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor;")
        Path("in.csv").write_text("from_currency,to_currency,rate\nUSD,EUR,1\n")

        line = told(url, *command.split(), *COMMANDS[command])

        assert "The database says: permission denied for" in line
        assert line.count("\n") == 1

    def _as_poor(self, database: CommandLine | str, postgres: Any, grant: str) -> str:
        made = database if isinstance(database, str) else database.environ["XMLRPC_API_DATABASE_URL"]
        url = make_url(made)
        roles = "DO $$ BEGIN CREATE ROLE poor LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        postgres.psql(roles)
        if grant:
            postgres.psql(f"\\connect {url.database}\n{grant}")
        return url.set(username="poor").render_as_string(hide_password=False)

    def test_an_option_that_the_driver_does_not_know(self, told: Told) -> None:
        line = told("postgresql://me@127.0.0.1:1/x?sslmode=require", "migrate", code=2)

        assert line == "database_url: there is no option sslmode; ssl takes the place of sslmode\n"


class TestSqlite:
    def test_a_file_that_is_something_else(self, told: Told) -> None:
        Path("other.db").write_text("this is no database, and long enough to be looked at as one" * 20)

        line = told("sqlite:///other.db", "verify")

        assert line == (
            "The database says: file is not a database. Correct database_url: that file is something else.\n"
        )

    def test_a_folder_in_its_place(self, told: Told) -> None:
        Path("folder.db").mkdir()

        assert "unable to open database file. Correct database_url" in told("sqlite:///folder.db", "init")


class TestRevisions:
    def test_one_that_there_is_not(self, told: Told, cli_on_each: CommandLine) -> None:
        line = told(cli_on_each.environ["XMLRPC_API_DATABASE_URL"], "migrate", "--revision", "nope")

        assert line.startswith("There is no revision nope: they are 0001 to 0")
        assert line.count("\n") == 1

    @pytest.mark.parametrize(("command", "code"), [("migrate", 1), ("serve", 2), ("check", 1)])
    def test_a_database_of_a_newer_version(self, told: Told, cli: CommandLine, command: str, code: int) -> None:
        url = cli.environ["XMLRPC_API_DATABASE_URL"]
        asyncio.run(set_revision(url, "9999"))

        assert "A newer version made the database: it is at revision 9999" in words(told(url, command, code=code))


async def set_revision(url: str, revision: str) -> None:
    database = Database(load(database_url=url))
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
    await database.close()


def test_a_file_that_cannot_be_written_is_named(told: Told, cli: CommandLine) -> None:
    url = cli.environ["XMLRPC_API_DATABASE_URL"]

    assert told(url, "customers", "export", "/proc/out.csv").startswith("/proc/out.csv: ")
