"""What calls find things in: queries on the driver keep the promises that statements keep."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Customers
from harness import Server, unique
from sqlalchemy import bindparam, insert, select, text

from models import ROOT_ID, Base, CustomerProperty, ExportType, Voucher
from xmlrpc_api.call import Call, Origin, utc_now
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Fault, InternalError
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading
from xmlrpc_api.storage.fast_path import Query, SqliteDriver
from xmlrpc_api.transport import http, pages

MISSING = 2_000_000_000
EXPORT_TYPE = {"i_export_type": MISSING, "name": "CSV"}
PROPERTY = {"i_customer": MISSING, "name": "n", "value": "v", "category": "", "permission": "customer"}
VOUCHER = {"i_customer": ROOT_ID, "series": "s", "number": 1, "pin": "p", "value": -1, "currency": "USD"}


def inserting(model: type[Base], values: dict[str, Any]) -> Query:
    columns = model.__table__.columns
    return Query(
        insert(model.__table__).values({name: bindparam(name, type_=columns[name].type) for name in values}).inline()
    )


def perform(server: Server, work: Callable[[Call], Awaitable[Any]]) -> Any:
    """Do something in a call by root."""

    async def all_of_it(database: Database) -> Any:
        root = await ownership.load_caller(database, ROOT_ID)
        assert root is not None
        origin = Origin(request_id="0", face=Face.XMLRPC, address="", login=root)
        return await server.app[http.GATE].dispatcher.perform(origin, "test", root, work)

    return server.run(all_of_it)


class TestRefusals:
    @pytest.mark.parametrize(
        ("model", "values", "fault", "told"),
        [
            (ExportType, EXPORT_TYPE, Conflict, "Parameter name is already taken"),
            (CustomerProperty, PROPERTY, Conflict, "The object is still in use, or what it points at is gone"),
            (Voucher, {**VOUCHER, "created": utc_now()}, BadParameter, "Parameter value is out of range"),
            (ExportType, {**EXPORT_TYPE, "name": None}, InternalError, "Internal error, request 0"),
        ],
        ids=["unique", "foreign key", "check", "not null"],
    )
    def test_of_the_database_are_told_alike_by_driver_and_statement(
        self, server: Server, model: type[Base], values: dict[str, Any], fault: type[Fault], told: str
    ) -> None:
        query = inserting(model, values)

        async def by_driver(call: Call) -> None:
            await call.store.rows(query, **values)

        async def by_statement(call: Call) -> None:
            await call.session.execute(query.statement, values)

        for work in (by_driver, by_statement):
            with pytest.raises(fault) as caught:
                perform(server, work)
            assert caught.value.text == told

    def test_of_a_trigger_is_a_bug_of_ours(self, server: Server, customers: Customers) -> None:
        customers.make(server.api(), balance=1)

        async def work(call: Call) -> None:
            await call.session.execute(text("UPDATE ledger SET notes = 'changed'"))

        with pytest.raises(InternalError):
            perform(server, work)


class TestTransaction:
    def test_a_query_finds_what_was_changed_before_in_the_session(self, server: Server) -> None:
        name = unique("type")
        query = Query(select(ExportType.name).where(ExportType.i_export_type == bindparam("wanted")))

        async def work(call: Call) -> list[Any]:
            call.session.add(ExportType(i_export_type=MISSING, name=name))
            found = await call.store.rows(query, wanted=MISSING)
            await call.session.rollback()
            return list(found)

        assert perform(server, work) == [{"name": name}]


class TestStatements:
    """Those of one shape are written once; each is asked with its own values."""

    @pytest.mark.parametrize("in_transaction", [False, True])
    def test_find_the_same_on_the_driver_as_in_a_session(self, server: Server, in_transaction: bool) -> None:
        statements = [
            select(ExportType.name).where(ExportType.i_export_type.in_(wanted), ExportType.name != but).order_by("name")
            for wanted, but in (((1,), ""), ((1, 2), ""), ((2, 3, 4), "none"), ((), ""), ((1, 2), "none"))
        ]

        async def work(call: Call) -> None:
            store = call.store if in_transaction else Reading(server.app[pages.DATABASE])
            for statement in statements:
                expected = [dict(row) for row in (await call.session.execute(statement)).mappings()]
                assert await store.select(statement) == expected

        perform(server, work)


class TestSqliteDriver:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        with sqlite3.connect(tmp_path / "driver.db") as connection:
            connection.execute("CREATE TABLE things (name TEXT)")
            connection.execute("INSERT INTO things VALUES ('one')")
        connection.close()
        return tmp_path / "driver.db"

    def test_what_cannot_be_run_is_not_run_again_in_a_thread(self, file: Path) -> None:
        async def work() -> tuple[str, int]:
            driver = SqliteDriver(str(file), 1, lambda _connection, _record: None)
            try:
                with pytest.raises(sqlite3.OperationalError, match="no such table") as caught:
                    await driver.fetch("SELECT * FROM missing", [], is_short=True)
                return str(caught.value), len(driver._open)
            finally:
                await driver.close()

        assert asyncio.run(work()) == ("no such table: missing", 1)

    def test_what_is_locked_waits_in_a_thread(self, file: Path) -> None:
        async def work() -> Any:
            driver = SqliteDriver(str(file), 1, lambda _connection, _record: None)
            other = sqlite3.connect(file, isolation_level=None)
            try:
                other.execute("BEGIN EXCLUSIVE")
                waiting = asyncio.create_task(driver.fetch("SELECT name FROM things", [], is_short=True))
                while not driver.in_use:  # noqa: ASYNC110 (it is the loop's next turn that is waited for)
                    await asyncio.sleep(0)
                other.execute("ROLLBACK")
                return await waiting
            finally:
                other.close()
                await driver.close()

        assert asyncio.run(work()) == [("one",)]
