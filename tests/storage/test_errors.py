"""What errors of the databases mean, as the drivers raise them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from xmlrpc_api.storage.errors import (
    is_foreign_key,
    is_refusal,
    is_retryable,
    is_unavailable,
    violated_constraint,
)

TABLES = """
PRAGMA foreign_keys = ON;
CREATE TABLE export_types (
    i_export_type INTEGER PRIMARY KEY, name TEXT NOT NULL CONSTRAINT uq_export_types_name UNIQUE
);
CREATE TABLE customers (i_customer INTEGER PRIMARY KEY, i_export_type INTEGER REFERENCES export_types);
CREATE TRIGGER kept BEFORE DELETE ON customers BEGIN SELECT RAISE(ABORT, 'kept'); END;
INSERT INTO export_types VALUES (1, 'CSV');
INSERT INTO customers VALUES (1, 1);
"""
Raised = Callable[[str], sqlite3.Error]


@pytest.fixture
def raised() -> Iterator[Raised]:
    """What SQLite raises at a statement."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)

        def run(statement: str) -> sqlite3.Error:
            with pytest.raises(sqlite3.Error) as caught:
                connection.execute(statement)
            return caught.value

        yield run


def wrapped(error: Exception, kind: type[DBAPIError] = IntegrityError) -> DBAPIError:
    """The same, as SQLAlchemy raises it."""
    return kind("statement", {}, error)


TWICE = "INSERT INTO export_types VALUES (2, 'CSV')"
LOST = "INSERT INTO customers VALUES (2, 9)"
MISSING = "INSERT INTO export_types VALUES (2, NULL)"
KEPT = "DELETE FROM customers"


class TestSqlite:
    @pytest.mark.parametrize(("statement", "expected"), [(TWICE, True), (LOST, True), (MISSING, False), (KEPT, False)])
    def test_a_client_is_refused_what_he_asked_for_and_not_for_our_bugs(
        self, raised: Raised, statement: str, expected: bool
    ) -> None:
        error = raised(statement)

        assert is_refusal(error) is expected
        assert is_refusal(wrapped(error)) is expected

    @pytest.mark.parametrize(("statement", "expected"), [(TWICE, False), (LOST, True)])
    def test_a_foreign_key_is_told_from_others(self, raised: Raised, statement: str, expected: bool) -> None:
        assert is_foreign_key(raised(statement)) is expected

    def test_the_constraint_is_found_by_its_columns(self, raised: Raised) -> None:
        constraint = violated_constraint(wrapped(raised(TWICE)))

        assert constraint is not None
        assert [column.name for column in constraint.columns] == ["name"]

    def test_the_one_of_a_foreign_key_is_not_known(self, raised: Raised) -> None:
        assert violated_constraint(raised(LOST)) is None

    @pytest.mark.parametrize("told", ["database is locked", "disk I/O error", "attempt to write a readonly database"])
    def test_what_cannot_be_written_now_is_unavailable(self, told: str) -> None:
        assert is_unavailable(sqlite3.OperationalError(told))

    def test_a_statement_that_is_wrong_is_not(self, raised: Raised) -> None:
        assert not is_unavailable(raised("SELECT nothing"))


class TestPostgresql:
    @pytest.mark.parametrize("kind", [asyncpg.SerializationError, asyncpg.DeadlockDetectedError])
    def test_who_lost_a_race_may_try_again(self, kind: type[Exception]) -> None:
        assert is_retryable(kind("lost"))
        assert not is_unavailable(kind("lost"))

    @pytest.mark.parametrize(
        "kind",
        [
            asyncpg.ConnectionDoesNotExistError,
            asyncpg.ReadOnlySQLTransactionError,
            asyncpg.InsufficientPrivilegeError,
            asyncpg.TooManyConnectionsError,
            asyncpg.DiskFullError,
            asyncpg.LockNotAvailableError,
            asyncpg.QueryCanceledError,
            asyncpg.AdminShutdownError,
            ConnectionRefusedError,
            TimeoutError,
            PoolTimeout,
        ],
    )
    def test_what_may_work_later_is_unavailable(self, kind: type[Exception]) -> None:
        assert is_unavailable(kind("later"))
        assert not is_retryable(kind("later"))

    @pytest.mark.parametrize("kind", [asyncpg.UniqueViolationError, asyncpg.UndefinedTableError, ValueError])
    def test_what_never_works_is_not(self, kind: type[Exception]) -> None:
        assert not is_unavailable(kind("never"))

    def test_a_connection_that_broke_is_unavailable_whatever_it_said(self) -> None:
        assert is_unavailable(DBAPIError("statement", {}, OSError("gone"), connection_invalidated=True))
        assert is_unavailable(wrapped(sqlite3.OperationalError("whatever"), OperationalError))

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (asyncpg.UniqueViolationError, True),
            (asyncpg.CheckViolationError, True),
            (asyncpg.NotNullViolationError, False),
            (asyncpg.RaiseError, False),
        ],
    )
    def test_a_client_is_refused_what_he_asked_for_and_not_for_our_bugs(
        self, kind: type[Exception], expected: bool
    ) -> None:
        assert is_refusal(kind("refused")) is expected

    def test_the_constraint_is_found_by_its_name(self) -> None:
        error = asyncpg.UniqueViolationError("refused")
        error.constraint_name = "uq_export_types_name"

        constraint = violated_constraint(error)

        assert constraint is not None
        assert constraint.name == "uq_export_types_name"
