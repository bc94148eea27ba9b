"""Transactions: three ways lead to one connection, and whichever is taken, the order is that of the program."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import pytest
from harness import Server, unique
from sqlalchemy import Integer, String, bindparam, select, update

from models import ROOT_ID, Account, Balance, Customer, CustomerProperty, ExportType
from xmlrpc_api.dispatch.transactions import savepoint
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.fast_path import Query, inserting
from xmlrpc_api.storage.transaction import Transaction

TABLE = ExportType.__table__
WANTED = bindparam("wanted", type_=Integer)
NEW = Query(inserting(TABLE, ("i_export_type", "name")))  # type: ignore[arg-type]
PROPERTY = Query(inserting(CustomerProperty.__table__, CustomerProperty.__table__.columns.keys()))  # type: ignore[arg-type]
NAME = Query(select(ExportType.name).where(ExportType.i_export_type == WANTED))
RENAMED = Query(
    update(ExportType)
    .where(ExportType.i_export_type == WANTED)
    .values(name=ExportType.name + bindparam("more", type_=String))
    .returning(ExportType.i_export_type),
    row="wanted",
)
Work = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
def new() -> dict[str, Any]:
    """A row that is not there yet."""
    return {"i_export_type": 1_000_000 + int(unique("type").rpartition("-")[2]), "name": unique("type")}


def within(server: Server, work: Work) -> Any:
    """Do something in a transaction."""

    async def begin(database: Database) -> Any:
        async with database.transaction() as transaction:
            return await work(transaction)

    return server.run(begin)


def kept(server: Server, wanted: dict[str, Any]) -> list[str]:
    return [
        row[0] for row in server.sql("SELECT name FROM export_types WHERE i_export_type = :i_export_type", **wanted)
    ]


@contextmanager
def sent() -> Iterator[list[str]]:
    """The statements that transactions run on the driver meanwhile."""
    run, statements = Transaction._run, []

    async def noted(transaction: Transaction, sql: str, values: list[Any]) -> list[Any]:
        statements.append(sql)
        return await run(transaction, sql, values)

    with patch.object(Transaction, "_run", noted):
        yield statements


class TestOrder:
    def test_what_waits_is_there_for_a_query(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> Any:
            await transaction.write(NEW, **new)
            return list(await transaction.rows(NAME, wanted=new["i_export_type"]))

        assert within(spoilt, work) == [{"name": new["name"]}]

    def test_what_waits_is_there_for_a_statement_of_the_session(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> Any:
            await transaction.rows(NAME, wanted=0)
            await transaction.write(NEW, **new)
            wanted = select(ExportType.name).where(ExportType.i_export_type == new["i_export_type"])
            return (await transaction.session.execute(wanted)).scalars().all()

        assert within(spoilt, work) == [new["name"]]

    def test_what_the_session_has_changed_goes_before_a_write(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            transaction.session.add(ExportType(**new))
            await transaction.write(RENAMED, wanted=new["i_export_type"], more=" renamed")

        within(spoilt, work)

        assert kept(spoilt, new) == [f"{new['name']} renamed"]

    def test_what_waits_at_the_end_is_kept(self, spoilt: Server, new: dict[str, Any]) -> None:
        within(spoilt, lambda transaction: transaction.write(NEW, **new))

        assert kept(spoilt, new) == [new["name"]]


class TestBatch:
    def test_writes_are_one_statement_on_postgresql(self, spoilt: Server, engine: str, new: dict[str, Any]) -> None:
        of_root = {"i_customer": ROOT_ID, "value": "v", "category": "", "permission": "admin"}

        async def work(transaction: Transaction) -> list[str]:
            await transaction.rows(NAME, wanted=0)
            await transaction.write(NEW, **new)
            await transaction.flush()
            with sent() as statements:
                await transaction.write(RENAMED, wanted=new["i_export_type"], more=" once")
                for name in ("first", "second"):
                    await transaction.write(PROPERTY, **{**of_root, "name": unique(name)})
                await transaction.flush()
            return statements

        assert len(within(spoilt, work)) == {"postgresql": 1, "sqlite": 2}[engine]
        assert kept(spoilt, new) == [f"{new['name']} once"]

    def test_two_changes_of_one_row_are_both_made(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.write(NEW, **new)
            for more in (" once", " twice"):
                await transaction.write(RENAMED, wanted=new["i_export_type"], more=more)

        within(spoilt, work)

        assert kept(spoilt, new) == [f"{new['name']} once twice"]

    def test_a_change_that_finds_no_row_undoes_all(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.write(NEW, **new)
            await transaction.flush()
            await transaction.write(RENAMED, wanted=0, more=" lost")

        with pytest.raises(LookupError):
            within(spoilt, work)

        assert kept(spoilt, new) == []


class TestSavepoint:
    def test_what_waits_when_it_begins_outlives_it(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.write(NEW, **new)
            await fail_in_savepoint(transaction)

        within(spoilt, work)

        assert kept(spoilt, new) == [new["name"]]

    @pytest.mark.parametrize("is_sent", [False, True])
    def test_what_was_written_in_it_goes_with_it(self, spoilt: Server, new: dict[str, Any], is_sent: bool) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.rows(NAME, wanted=0)
            await fail_in_savepoint(transaction, new, is_sent=is_sent)

        within(spoilt, work)

        assert kept(spoilt, new) == []

    def test_what_waits_is_not_even_tried_when_it_is_undone(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.write(NEW, **new)
            await fail_in_savepoint(transaction, new)  # which the database would refuse: it is there

        within(spoilt, work)

        assert kept(spoilt, new) == [new["name"]]

    def test_what_was_written_in_it_is_kept_with_it(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            async with savepoint(transaction):
                await transaction.write(NEW, **new)

        within(spoilt, work)

        assert kept(spoilt, new) == [new["name"]]


class TestEnd:
    def test_an_error_undoes_what_ran_and_what_waits(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.write(NEW, **new)
            await transaction.flush()
            await transaction.write(RENAMED, wanted=new["i_export_type"], more=" lost")
            raise KeyError

        with pytest.raises(KeyError):
            within(spoilt, work)

        assert kept(spoilt, new) == []

    def test_a_connection_is_given_back_whatever_happened(self, spoilt: Server) -> None:
        async def use_all(database: Database) -> int:
            before = database.pool_in_use()
            for _ in range(spoilt.config.pool_size + 1):
                with suppress(KeyError):
                    async with database.transaction() as transaction:
                        await transaction.rows(NAME, wanted=0)
                        raise KeyError
            return database.pool_in_use() - before

        assert spoilt.run(use_all) == 0


class TestTogether:
    def test_each_query_has_its_own_answer(self, spoilt: Server, new: dict[str, Any]) -> None:
        async def work(transaction: Transaction) -> Any:
            await transaction.write(NEW, **new)
            found = (NAME, {"wanted": new["i_export_type"]})
            return await transaction.together((NAME, {"wanted": 0}), found, found)

        row = {"name": new["name"]}
        assert within(spoilt, work) == [None, row, row]


class TestIds:
    def test_are_above_all_that_there_are_and_never_the_same(self, spoilt: Server) -> None:
        wanted: Any = {Customer: 2, Account: 0, Balance: 1}

        async def work(transaction: Transaction) -> Any:
            return [await transaction.draw(wanted) for _ in range(2)]

        newest = spoilt.sql("SELECT max(i_customer) FROM customers")[0][0]
        first, second = within(spoilt, work)
        drawn = [*first[Customer], *second[Customer]]
        assert len(set(drawn)) == 4
        assert min(drawn) > newest
        assert drawn == sorted(drawn)
        assert first[Account] == []
        assert second[Balance] > first[Balance]


async def fail_in_savepoint(
    transaction: Transaction, new: dict[str, Any] | None = None, *, is_sent: bool = False
) -> None:
    with suppress(KeyError):
        async with savepoint(transaction):
            if new is not None:
                await transaction.write(NEW, **new)
            if is_sent:
                await transaction.flush()
            raise KeyError
