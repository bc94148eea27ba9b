"""
Many values in one: rows of another table that belong to a row, read with it, and ids that are asked for at once.

One statement tells all, instead of one more for what belongs; and its text is the same for however many ids.
"""

import json
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, Integer, String, Text, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator, TypeEngine

from models import Base


class _Lists(TypeDecorator[list[list[Any]]]):
    """A list of lists, told as JSON."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[list[Any]]:
        return json.loads(value) if value else []


class _Ids(TypeDecorator[list[int]]):
    """Ids: an array, or a list as JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Integer) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class Texts(TypeDecorator[list[str]]):
    """Short texts: an array, or a list as JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the engine takes."""
        return dialect.type_descriptor(ARRAY(String) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        """Write it down as it takes it."""
        return value if dialect.name == "postgresql" else json.dumps(value)


class _among(GenericFunction[bool]):  # noqa: N801
    type = Boolean()
    inherit_cache = True


@compiles(_among, "sqlite")
def _among_by_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 (both are SQL already)


@compiles(_among, "postgresql")
def _among_by_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({ids})"


def among(column: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The condition that an id is one of the parameter `ids`."""
    return _among(column, bindparam("ids", type_=_Ids()))


class _gathered(GenericFunction[list[list[Any]]]):  # noqa: N801 (functions of SQL are called so)
    type = _Lists()
    inherit_cache = True


class _together(GenericFunction[Any]):  # noqa: N801
    inherit_cache = True


@compiles(_gathered, "sqlite")
def _gathered_by_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(_gathered, "postgresql")
def _gathered_by_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(json_agg({compiler.process(element.clauses, **options)}) AS TEXT)"


@compiles(_together, "sqlite")
def _together_by_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(_together, "postgresql")
def _together_by_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **options)})"


def nested(
    whose: type[Base], belongs: ColumnElement[bool], *columns: InstrumentedAttribute[Any]
) -> ColumnElement[list[list[Any]]]:
    """
    A column that holds texts and numbers of the rows which belong to a row of `whose`, ordered by the first of them.

    Args:
        whose: To what they belong.
        belongs: The condition for those that do.
        columns: What of each is told.
    """
    rows = select(*columns).where(belongs).order_by(columns[0]).correlate(whose).subquery()
    return select(_gathered(_together(*rows.columns))).scalar_subquery()
