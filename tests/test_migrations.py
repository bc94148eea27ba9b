"""Migrations: they keep every row, number themselves, and are refused whole where they would leave rows behind."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from check_migrations import Filler, Walk, check
from harness import test_config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from xmlrpc_api.config import ConfigError
from xmlrpc_api.installation import newest_revision
from xmlrpc_api.storage.database import Database

ROOT = Path(__file__).parents[1]
PARTS = ("alembic", "xmlrpc_api", "models", "pyproject.toml", "Makefile")
NEWEST = newest_revision()
NEXT = f"{int(NEWEST) + 1:04}"
MIGRATION = '''"""A migration of a test."""

import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{newest}"


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
AGAIN = (  # SQLite changes a constraint by making the table again
    'with op.batch_alter_table("{table}", recreate="auto", table_kwargs={{"sqlite_autoincrement": {kept}}}) as batch:\n'
    '        batch.drop_constraint(op.f("ck_{table}_{check}"), type_="check")\n'
    '        batch.create_check_constraint(op.f("ck_{table}_{check}"), "{check} >= 0")'
)
BARE = 'with op.batch_alter_table("{table}", recreate="always"):\n        pass'
CUSTOMERS_AGAIN = AGAIN.format(table="customers", check="max_depth", kept=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what migrations need."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    return tmp_path


@pytest.fixture
def with_migration(copy: Path) -> Callable[[str, str], Config]:
    """Adds a migration to the copy; the configuration that knows it."""

    def add(up: str, down: str = "pass") -> Config:
        values = {"next": NEXT, "newest": NEWEST, "up": up, "down": down}
        (copy / "alembic" / "versions" / f"{NEXT}-test.py").write_text(MIGRATION.format(**values))
        config = Config()
        config.set_main_option("script_location", str(copy / "alembic"))
        return config

    return add


@pytest.fixture
def on(new_database: Callable[[str], str]) -> Callable[..., Any]:
    """Awaits `work(database)` on a new database of an engine."""

    def run(engine: str, work: Callable[[Database], Any]) -> Any:
        async def all_of_it() -> Any:
            database = Database(test_config(new_database(engine), statement_seconds=120))
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(all_of_it())

    return run


async def go(database: Database, config: Config, revision: str) -> None:
    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    await database.run(upgrade)


async def sql(database: Database, statement: str) -> Any:
    async with database.write() as session:
        result = await session.execute(text(statement))
        return result.all() if result.returns_rows else None


async def fill(database: Database) -> None:
    def work(connection: Connection) -> None:
        Filler().fill(connection)
        connection.commit()

    await database.run(work)


class TestRows:
    async def walk(self, database: Database, config: Config) -> None:
        await Walk(database, config, since=NEWEST).all_the_way()

    def test_no_migration_loses_one_there_or_back(self, new_database, engine):
        assert "ledger" in asyncio.run(check(new_database(engine)))["0001"]

    def test_a_table_that_is_made_again_keeps_what_points_at_it(self, on, with_migration, engine):
        config = with_migration(CUSTOMERS_AGAIN, CUSTOMERS_AGAIN)

        async def work(database: Database) -> tuple[int, int]:
            await go(database, config, NEWEST)
            await fill(database)
            before = await sql(database, "SELECT count(*) FROM customer_properties")
            await go(database, config, NEXT)
            return before, await sql(database, "SELECT count(*) FROM customer_properties")

        before, after = on(engine, work)
        assert before == after != [(0,)]

    @pytest.mark.parametrize(
        ("up", "down", "told"),
        [
            ('op.execute("DELETE FROM customer_properties")', "pass", f"the way up to {NEXT} loses rows: .*properties"),
            ("pass", 'op.execute("DELETE FROM throttles")', f"the way down to {NEWEST} loses rows: .*throttles"),
            ('op.execute("UPDATE vouchers SET value = value + 1")', "pass", "loses rows: .*vouchers"),
            (BARE.format(table="ledger"), "pass", "changes the schema: .*ledger, triggers"),
            (BARE.format(table="customers"), "pass", "customers, ids are never used twice: True is now None"),
            ('op.drop_index("ix_customers_path", "customers")', "pass", "changes the schema: .*customers, indexes"),
        ],
    )
    def test_the_check_notices_what_is_lost(self, on, with_migration, up, down, told):
        config = with_migration(up, down)

        with pytest.raises(AssertionError, match=told):
            on("sqlite", lambda database: self.walk(database, config))

    def test_payments_that_are_older_tell_whose_they_are_and_stay_as_they_were(self, on, with_migration, engine):
        """0014 writes to the ledger, which refuses that before and afterwards."""
        config = with_migration("pass", "pass")

        async def work(database: Database) -> tuple[Any, Any]:
            await go(database, config, "0013")
            await fill(database)
            theirs = "i_balance = (SELECT min(i_balance) FROM ledger)"
            await sql(
                database, f"UPDATE balances SET i_customer = (SELECT max(i_customer) FROM customers) WHERE {theirs}"
            )
            for kind in ("funds", "set"):
                columns = "i_balance, amount, balance_after, payment_time, created"
                await sql(database, f"INSERT INTO ledger (kind, {columns}) SELECT '{kind}', {columns} FROM ledger")
            await go(database, config, NEWEST)
            with pytest.raises((IntegrityError, DBAPIError), match="append-only"):
                await sql(database, "UPDATE ledger SET i_payee = 1")
            of = "FROM ledger JOIN balances USING (i_balance) JOIN customers USING (i_customer)"
            told = await sql(database, f"SELECT kind, i_payee, i_payer {of} WHERE kind IN ('funds', 'set')")
            known = await sql(database, f"SELECT kind, i_customer, i_wholesaler {of} WHERE kind IN ('funds', 'set')")
            return told, known

        told, known = on(engine, work)
        assert sorted(told, key=str) == sorted(
            [row if row[0] == "funds" else ("set", None, None) for row in known], key=str
        )
        assert {row[0] for row in told} == {"funds", "set"}

    def test_an_id_is_not_given_again_after_its_table_was_made_again(self, on, with_migration):
        config = with_migration(AGAIN.format(table="vouchers", check="value", kept=True))

        async def work(database: Database) -> Any:
            await go(database, config, NEWEST)
            await fill(database)
            ((newest,),) = await sql(database, "SELECT max(i_voucher) FROM vouchers")
            await sql(database, f"DELETE FROM vouchers WHERE i_voucher = {newest}")
            await go(database, config, NEXT)
            ((given,),) = await sql(database, "SELECT seq FROM sqlite_sequence WHERE name = 'vouchers'")
            return newest, given

        newest, given = on("sqlite", work)
        assert given == newest


class TestForeignKeys:
    def test_a_migration_that_leaves_rows_pointing_at_nothing_is_undone(self, on, with_migration, engine):
        config = with_migration('op.execute("DELETE FROM currencies")')

        async def work(database: Database) -> Any:
            await go(database, config, NEWEST)
            await fill(database)
            with pytest.raises((ConfigError, IntegrityError), match=r"would point at nothing|violates foreign key"):
                await go(database, config, NEXT)
            return (
                await sql(database, "SELECT count(*) FROM currencies WHERE code = 'USD'"),
                await sql(database, "SELECT version_num FROM alembic_version"),
            )

        assert on(engine, work) == ([(1,)], [(NEWEST,)])

    @pytest.mark.parametrize(
        ("up", "outcome"),
        [
            ("pass", nullcontext()),
            ('op.execute("DELETE FROM missing")', pytest.raises(OperationalError, match="no such table: missing")),
        ],
        ids=["done", "failed"],
    )
    def test_they_are_on_again_after_a_migration(self, on, with_migration, up, outcome):
        config = with_migration(up)

        async def work(database: Database) -> None:
            await go(database, config, NEWEST)
            with outcome:
                await go(database, config, NEXT)
            with pytest.raises(IntegrityError, match="FOREIGN KEY"):
                await sql(database, "INSERT INTO billing_plans (name, i_customer) VALUES ('lost', 1)")

        on("sqlite", work)

    def test_all_migrations_of_one_run_are_undone_when_one_fails(self, on, with_migration, engine):
        config = with_migration('op.execute("DELETE FROM missing")')

        async def work(database: Database) -> Any:
            with pytest.raises(Exception, match="missing"):
                await go(database, config, "head")
            await go(database, config, NEWEST)
            return await sql(database, "SELECT version_num FROM alembic_version")

        assert on(engine, work) == [(NEWEST,)]


class TestNumbers:
    def run(self, copy: Path, *arguments: str) -> str:
        environ = {**os.environ, "XMLRPC_API_DATABASE_URL": f"sqlite:///{copy}/scratch.db", "PYTHONPATH": str(copy)}
        done = subprocess.run(arguments, cwd=copy, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def newest(self, copy: Path) -> str:
        code = "from xmlrpc_api.installation import newest_revision; print(newest_revision())"
        return self.run(copy, sys.executable, "-c", code).strip()

    def test_alembic_makes_the_next_one_which_the_server_sees(self, copy):
        self.run(copy, sys.executable, "-m", "alembic", "revision", "-m", "Add a thing")

        assert (copy / "alembic" / "versions" / f"{NEXT}-add_a_thing.py").exists()
        assert self.newest(copy) == NEXT

    def test_make_writes_one_from_what_has_changed_in_the_models(self, copy):
        tariff = copy / "models" / "tariff.py"
        more = (
            "from datetime import datetime\nfrom sqlalchemy.orm import mapped_column\n"
            "from models.base import Sealed, Signature, UtcDateTime\n" + tariff.read_text().partition('"""\n')[2]
        )
        tariff.write_text(
            more + "\n    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)\n"
            "    note: Mapped[str | None] = mapped_column(Sealed)\n"
            '    proof: Mapped[str | None] = mapped_column(Signature("proof"))\n'
        )
        binaries = f"BIN={Path(sys.executable).parent}"

        self.run(copy, "make", "-o", ".venv/dev.stamp", binaries, "migration", "NAME=add ends")

        made = (copy / "alembic" / "versions" / f"{NEXT}-add_ends.py").read_text()
        assert f'revision = "{NEXT}"\ndown_revision = "{NEWEST}"\n' in made
        columns = {
            "sa.Column('ended', sa.DateTime(timezone=True), nullable=True)",
            "sa.Column('note', sa.Text(), nullable=True)",
            "sa.Column('proof', sa.String(length=73), nullable=True)",
        }
        assert {column for column in columns if column in made.replace('"', "'")} == columns
        assert self.newest(copy) == NEXT
        self.run(copy, sys.executable, "-m", "alembic", "upgrade", "head")
