"""Rows of another table that belong to a row, read with it: one statement tells all, instead of one more for those."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Text, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator

from models import Base


class _Lists(TypeDecorator[list[list[Any]]]):
    """A list of lists, told as JSON."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[list[Any]]:
        return json.loads(value) if value else []


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
