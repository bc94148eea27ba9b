"""What the errors of both databases and their drivers mean."""

import sqlite3
from typing import Any, cast

import asyncpg
from sqlalchemy import Constraint, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models import Base
from xmlrpc_api.storage.fast_path import DRIVER_ERRORS

RETRYABLE_STATES = {"40001", "40P01"}
# as they begin; 25006: it has become a read-only standby, 42501: a right is missing
UNAVAILABLE_STATES = ("08", "25006", "42501", "53", "55", "57", "58")
SQLITE_UNAVAILABLE = (
    "database is locked",
    "disk I/O error",
    "database or disk is full",
    "unable to open",
    "readonly",
)
ERRORS: tuple[type[Exception], ...] = (DBAPIError, *DRIVER_ERRORS)
_REFUSALS = (IntegrityError, asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError)
NOT_NULL, FOREIGN_KEY = "23502", "23503"
SQLITE_BUGS = {"SQLITE_CONSTRAINT_NOTNULL", "SQLITE_CONSTRAINT_TRIGGER"}


def sqlstate(error: Exception) -> str:
    """The SQLSTATE of an error, or an empty string."""
    return str(getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", "") or "")


def is_retryable(error: Exception) -> bool:
    """Whether the transaction lost a race and may simply be run again."""
    return sqlstate(error) in RETRYABLE_STATES


def is_unavailable(error: Exception) -> bool:
    """Whether the database cannot serve now: down, full, frozen or overloaded."""
    if isinstance(error, PoolTimeout | TimeoutError | OSError):
        return True
    if isinstance(error, _REFUSALS) or not isinstance(error, ERRORS):
        return False
    if sqlstate(error):
        return sqlstate(error).startswith(UNAVAILABLE_STATES)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error)  # closed, or closing
    text = str(error.orig if isinstance(error, DBAPIError) else error)
    return isinstance(error, OperationalError | InterfaceError) or any(part in text for part in SQLITE_UNAVAILABLE)


def is_refusal(error: Exception) -> bool:
    """
    Whether a constraint refused what a client asked for, whichever way the statement went.

    A value that a column misses, and what a trigger refuses, are bugs of ours, whatever the client sent.
    """
    if not isinstance(error, _REFUSALS):
        return False
    if sqlstate(error) == NOT_NULL:
        return False
    return getattr(_cause(error), "sqlite_errorname", "") not in SQLITE_BUGS


def is_duplicate(error: Exception) -> bool:
    """Whether what must be there once would be there twice."""
    return is_refusal(error) and isinstance(violated_constraint(error), UniqueConstraint)


def is_foreign_key(error: Exception) -> bool:
    """Whether a row is pointed at, or would point at nothing."""
    return sqlstate(error) == FOREIGN_KEY or "FOREIGN KEY constraint failed" in str(_cause(error))


def _cause(error: Exception) -> Any:
    """What the driver itself said."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return getattr(said, "__cause__", None) or said


def violated_constraint(error: Exception) -> Constraint | Index | None:
    """The constraint that refused a change; None for a foreign key on SQLite, which does not name it."""
    said = _cause(error)
    name = getattr(said, "constraint_name", None)
    detail = str(said).partition(" constraint failed: ")[2].removeprefix("index ").strip("'")
    for table in Base.metadata.tables.values():
        found: list[Any] = [*table.constraints, *table.indexes]
        for constraint in found:
            columns = ", ".join(f"{table.name}.{column.name}" for column in constraint.columns)
            unique = isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint)
            if constraint.name in (name, detail) or (unique and columns == detail):
                return cast("Constraint | Index", constraint)
    return None
