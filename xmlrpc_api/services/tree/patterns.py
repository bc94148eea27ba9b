"""Patterns of names, as SQL has them."""

from typing import Any

from sqlalchemy import ColumnElement

ESCAPE = "\\"


def like(column: Any, pattern: str) -> ColumnElement[bool]:
    r"""
    The condition that a text fits a pattern, whatever the case of its letters, on both engines alike.

    % stands for any characters, _ for one; \ takes both by their word, and itself. One that ends a pattern, which
    PostgreSQL refuses, is meant by its word.
    """
    rest = len(pattern) - len(pattern.rstrip(ESCAPE))
    condition: ColumnElement[bool] = column.ilike(pattern + ESCAPE * (rest % 2), escape=ESCAPE)
    return condition
