"""What is signed of rows of the history is the same, be it told of one row or of a page that the driver answered."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg

from models import AuditEntry
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.verification import proof
from xmlrpc_api.storage.fast_path import Form

LITE = sqlite.dialect()
NUMBERS, FLAGS = st.integers(-(2**63), 2**63 - 1), st.booleans()
TEXTS = (
    st.text() | st.text(st.characters(max_codepoint=127)) | st.sampled_from(['"', "\\", "\x00", "\x7f", "\u2028", "ü"])
)
MOMENTS = st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (the strategy adds the zone)
OF_TYPE = {int: NUMBERS, str: TEXTS, bool: FLAGS, datetime: MOMENTS}


def value_of(column: Any) -> st.SearchStrategy[Any]:
    """What may stand in a column."""
    some = OF_TYPE[getattr(column.type, "impl", column.type).python_type]
    return some | st.none() if column.nullable else some


ROWS = st.lists(st.tuples(*map(value_of, AuditEntry.__table__.columns)), max_size=5)


@pytest.mark.parametrize("dialect", [LITE, asyncpg.dialect()], ids=lambda dialect: dialect.name)
@settings(deadline=None)
@given(found=ROWS, twice=FLAGS)
def test_what_is_signed_is_told_of_many_rows_as_of_each(dialect: Any, found: list[Any], twice: bool) -> None:
    kinds = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in AuditEntry.__table__.columns]
    if dialect is LITE:  # which keeps times and truths as texts and numbers
        found = [
            tuple(value if keep is None else keep(value) for keep, value in zip(kinds, row, strict=True))
            for row in found
        ]
    form = Form(select(*proof.AUDIT_COLUMNS), dialect)
    page = form.rows(found * 2 if twice else found)

    assert list(audit.contents(page)) == [audit.content(row) for row in page]
