"""Pages of long lists: never a silently shortened answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from xmlrpc_api.call import Call
from xmlrpc_api.faults import BadParameter
from xmlrpc_api.fields import Statement


async def rows(
    call: Call, statement: Statement, page: Mapping[str, Any], most: int | None = None
) -> list[dict[str, Any]]:
    """
    The rows from `offset` on, `limit` of them.

    Args:
        call: The call.
        statement: What to read, in a stable order.
        page: Parameters of the call: offset and limit, each optional.
        most: How many rows an answer may hold; the setting `list_limit` if left out.

    Raises:
        BadParameter: More rows were asked for, or exist, than one answer may hold.
    """
    most = most or call.platform.config.list_limit
    limit: int | None = page.get("limit")
    if limit is not None and limit > most:
        raise BadParameter("limit", f"must not be greater than {most}")
    statement = statement.offset(page.get("offset") or 0).limit(limit if limit is not None else most + 1)
    found = [dict(row) for row in (await call.session.execute(statement)).mappings()]
    if limit is None and len(found) > most:
        raise BadParameter("limit", f"is required: there are more than {most} rows")
    return found


def between(statement: Statement, time: InstrumentedAttribute[datetime], page: Mapping[str, Any]) -> Statement:
    """Only rows from `start_date` on, up to but without `end_date`; each is optional."""
    if (start := page.get("start_date")) is not None:
        statement = statement.where(time >= start)
    if (end := page.get("end_date")) is not None:
        statement = statement.where(time < end)
    return statement
