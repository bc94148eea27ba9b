"""Lists that are asked for most: their pages are queries that are made once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, FromClause, Integer, any_, bindparam, cast, func, select
from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.sql.visitors import replacement_traverse

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Entity, Statement
from xmlrpc_api.declaration.fields import Field
from xmlrpc_api.services.tree.lists import Asked
from xmlrpc_api.services.tree.stretches import Key, Of
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Rows

NEAR = 2000  # rows from the first that are found in no time


class Pages:
    """
    A list that is a query, in the order of its ids: what `List.rows` does, faster.

    Args:
        entity: Of what.
        fields: What is told of each row.
        of: Whose rows, by `bindparam`s.

    Attributes:
        query: Reads a page of any size: `limit` rows from `offset` on behind the id `after`.
    """

    def __init__(self, entity: Entity, fields: Sequence[Field], of: Of) -> None:
        offset, limit, after = (bindparam(name, type_=Integer) for name in ("offset", "limit", "after"))
        self._key = Key.of(getattr(entity.model, entity.key_name))

        def page(statement: Statement) -> Statement:
            return of.stretch(statement, self._key, after).offset(offset).limit(limit)

        row_by_row, at_once = page(entity.select(fields)), _at_once(entity, fields, page)
        self._near, self.query = (
            Query(row_by_row, is_short=is_short, on={"postgresql": at_once}) for is_short in (True, False)
        )

    async def rows(self, call: Call, asked: Asked, **values: Any) -> Rows:
        """
        The rows that are asked for.

        Raises:
            BadParameter: More rows were asked for, or exist, than one answer may hold.
        """
        fetched = asked.fetched(call)
        query = self._near if asked.start + fetched <= NEAR else self.query
        after = self._key.first if asked.after is None else asked.after
        found = await call.store.rows(query, after=after, offset=asked.start, limit=fetched, **values)
        asked.demand_whole(call, len(found))
        return found


def _at_once(entity: Entity, fields: Sequence[Field], page: Callable[[Statement], Statement]) -> Statement:
    """
    Finds the ids of a page in the index, and then reads of each table what belongs to them at once.

    PostgreSQL cannot tell how many rows a stretch has, takes it for one, and would look into each table once for every
    row of a page, which takes it twice as long. A full join is never done so. Each row has its rows there, and no
    others are read: it finds what any join does.
    """
    columns = {field.name: entity.column(field.name) for field in fields}
    key: Any = entity.column(entity.key_name)
    found = select(func.array(page(select(key)).scalar_subquery()).label("ids")).cte("page")
    ids = any_(cast(select(found.c.ids).scalar_subquery(), ARRAY(key.type)))
    rows = _some_of(key.table, key, columns).where(key == ids).subquery()
    sources: dict[Any, FromClause] = {key.table: rows}
    joined: FromClause = rows
    for relation in entity.relations(fields):
        here, there = _ends(relation)
        theirs = _some_of(there.table, there, columns).where(_any_of(relation, here, ids)).subquery()
        sources[there.table] = theirs
        joined = joined.join(theirs, theirs.c[there.key] == rows.c[here.key], full=True)
    told = (sources[column.table].c[column.key].label(name) for name, column in columns.items())
    return select(*told).select_from(joined).order_by(rows.c[key.key])


def _some_of(table: Any, key: Any, columns: Mapping[str, Any]) -> Statement:
    """Reads a key, and those of the columns that are of its table."""
    return select(*dict.fromkeys([key, *(column for column in columns.values() if column.table is table)]))


def _ends(relation: RelationshipProperty[Any]) -> tuple[Any, Any]:
    """The column of a relation that is here, and the one that is there."""
    (ends,) = relation.local_remote_pairs or ()
    return ends


def _any_of(relation: RelationshipProperty[Any], here: Any, ids: Any) -> ColumnElement[bool]:
    """The condition of a relation for all rows with these ids."""

    def replaced(element: Any, **_: Any) -> Any:
        return ids if isinstance(element, ColumnElement) and element.shares_lineage(here) else None

    return replacement_traverse(relation.primaryjoin, {}, replaced)
