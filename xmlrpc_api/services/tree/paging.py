"""Pages of long lists: never a silently shortened answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam
from sqlalchemy.orm import InstrumentedAttribute

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.storage.fast_path import Query

NEAR = 2000  # rows from the first that are found in no time


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
    window = _Window(call, page, most)
    statement = statement.offset(window.offset).limit(window.fetched)
    return window.whole([dict(row) for row in (await call.session.execute(statement)).mappings()])


class Pages:
    """
    A list that is a query: what `rows` does, faster.

    Args:
        statement: What to read, in a stable order.
    """

    def __init__(self, statement: Statement) -> None:
        offset, limit = bindparam("offset", type_=Integer), bindparam("limit", type_=Integer)
        page = statement.offset(offset).limit(limit)
        self._near, self._far = Query(page, is_short=True), Query(page)

    async def rows(self, call: Call, page: Mapping[str, Any], **values: Any) -> list[dict[str, Any]]:
        """
        The rows from `offset` on, `limit` of them.

        Raises:
            BadParameter: More rows were asked for, or exist, than one answer may hold.
        """
        window = _Window(call, page, None)
        query = self._near if window.offset + window.fetched <= NEAR else self._far
        return window.whole(await call.store.rows(query, offset=window.offset, limit=window.fetched, **values))


class _Window:
    """Which rows a call asks for."""

    def __init__(self, call: Call, page: Mapping[str, Any], most: int | None) -> None:
        self._most = most or call.platform.config.list_limit
        self._limit: int | None = page.get("limit")
        self.offset: int = page.get("offset") or 0
        most = self._most + 1
        self.fetched = most if self._limit is None else min(self._limit, most)

    def whole(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """These rows, unless they are not all that was asked for. More may be asked for than there are."""
        if len(found) <= self._most:
            return found
        if self._limit is None:
            raise BadParameter("limit", f"is required: there are more than {self._most} rows")
        raise BadParameter("limit", f"must not be greater than {self._most}")


def between(statement: Statement, time: InstrumentedAttribute[datetime], page: Mapping[str, Any]) -> Statement:
    """Only rows from `start_date` on, up to but without `end_date`; each is optional."""
    if (start := page.get("start_date")) is not None:
        statement = statement.where(time >= start)
    if (end := page.get("end_date")) is not None:
        statement = statement.where(time < end)
    return statement
