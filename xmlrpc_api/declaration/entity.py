"""A model as the API sees it: its attributes, and what clients may do with them."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Select, String, Table, select
from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.types import TypeEngine

from models import SCALE, Access, Base, ChangeTime, Exact, Sealed, StringList, UtcDateTime, field_info, proxied_column
from xmlrpc_api.declaration.fields import Field, Wire

Statement = Select[*tuple[Any, ...]]
Values = Mapping[str, Any]  # attributes by their names, as their declarations have read them

WIRES: tuple[tuple[type[TypeEngine[Any]], Wire], ...] = (
    (Boolean, Wire.BOOLEAN),
    (Exact, Wire.DOUBLE),
    (Integer, Wire.INT),
    (StringList, Wire.ARRAY),
    (String, Wire.STRING),
    (UtcDateTime, Wire.DATETIME),
    (LargeBinary, Wire.ANY),  # files: part of no API as they are
    (Date, Wire.STRING),
)


def _column_field(entity: type[Base], name: str) -> tuple[Access, Field]:
    info = field_info(entity, name)
    column: Column[Any] = proxied_column(entity, name)
    wire = next(wire for kind, wire in WIRES if isinstance(column.type, kind))
    return info.access, Field(
        name=name,
        wire=wire,
        doc=info.doc,
        nullable=bool(column.nullable),
        secret=info.secret,
        hashed=info.hashed,
        low=info.low,
        high=info.high,
        limit=info.limit or getattr(column.type, "length", None),
        check=info.check,
        places=getattr(column.type, "places", SCALE),
        reference=next((key.column for key in column.foreign_keys), None),
        items=Wire.STRING if wire is Wire.ARRAY else None,
        read_only=info.access is Access.READ_ONLY,
        example=info.example,
    )


class Entity:
    """
    A model as the API sees it. All lists are computed from the columns, in the order of the class.

    Args:
        model: The model.
        elsewhere: Attributes that only dialects with other names have: no part of `create`, `update` and `read`.

    Attributes:
        name: Its table, which is what the change history calls its objects.
        key_name: The attribute that holds the id.
        create: Parameters of its create method.
        update: Parameters of its update method, all optional.
        read: What its info method answers.
        writable: The attributes that clients may set, in whatever dialect.
        references: Those of them that point at a row; and the column they point at.
        sealed: The columns that are kept encrypted, those that are part of no API included.
        stamp: The attribute that tells when it was changed last, if there is one.
        counter: The attribute that counts its changes, if there is one.
    """

    def __init__(self, model: type[Base], elsewhere: Container[str] = ()) -> None:
        self.model = model
        self.name = model.__tablename__
        self.key_name = model.__mapper__.primary_key[0].name
        declared = [_column_field(model, name) for name in model.__annotations__ if _is_attribute(model, name)]
        self.fields = {field.name: field for access, field in declared if access is not Access.HIDDEN}
        self.writable = {field.name for access, field in declared if access in (Access.REQUIRED, Access.OPTIONAL)}
        here = [(access, field) for access, field in declared if field.name not in elsewhere]
        writable = [(access, field) for access, field in here if field.name in self.writable]
        self.create = tuple(replace(field, required=access is Access.REQUIRED) for access, field in writable)
        self.update = tuple(replace(field, nil_refused=not field.nullable) for _, field in writable)
        unread = (Access.HIDDEN, Access.RECORDED)
        self.read = tuple(field for access, field in here if access not in unread and not field.secret)
        columns = [column for column in model.__table__.columns if isinstance(column, Column)]
        self.sealed = {column.name: column for column in columns if isinstance(column.type, Sealed)}
        self.stamp = next((column.name for column in columns if isinstance(column.type, ChangeTime)), None)
        self.counter = "version" if "version" in model.__table__.columns else None
        self.secrets = tuple(field.name for field in self.fields.values() if field.secret)
        self.references = {
            field.name: field.reference
            for _, field in declared
            if field.reference is not None and field.name in self.writable
        }

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    def require(self, name: str) -> Field:
        """The field of this name, for methods that cannot do without it."""
        return self.fields[name].require()

    def some(self, *names: str) -> tuple[Field, ...]:
        """The fields of these names, in this order."""
        return tuple(self.fields[name] for name in names)

    def select(self, fields: Iterable[Field]) -> Statement:
        """A Core statement that reads these fields of all rows, each under its own name."""
        fields = tuple(fields)
        table: Any = self.model.__table__
        for to in self.relations(fields):
            table = table.join(to.target, to.primaryjoin)
        return select(*(self.column(field.name).label(field.name) for field in fields)).select_from(table)

    def relations(self, fields: Iterable[Field]) -> list[RelationshipProperty[Any]]:
        """What leads to the other tables in which these fields stand."""
        names = dict.fromkeys(self._relation(field.name) for field in fields)
        return [self.model.__mapper__.relationships[name] for name in names if name is not None]

    def column(self, name: str) -> Any:
        """The column behind an attribute, be it of another table."""
        return proxied_column(self.model, name)

    def _relation(self, name: str) -> str | None:
        proxy: Any = self.model.__mapper__.all_orm_descriptors[name]
        return getattr(proxy, "target_collection", None)


def _is_attribute(model: type[Base], name: str) -> bool:
    return name in model.__mapper__.columns or "overrides" in getattr(
        model.__mapper__.all_orm_descriptors.get(name), "info", {}
    )


def table_of(column: Column[Any]) -> Table:
    """The table a column belongs to."""
    assert isinstance(column.table, Table)  # noqa: S101
    return column.table
