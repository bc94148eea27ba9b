"""The declarative base, the column types, and `field()`, with which every attribute is declared once."""

import enum
import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    FromClause,
    Index,
    MetaData,
    String,
    Table,
    Text,
    text,
    type_coerce,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

SCALE = 6
ASCII_STRING_COLLATION = "C"
SIGNATURE_LENGTH = 73  # name of the key, colon, 64 hexadecimal digits


class Access(enum.Enum):
    """What a client may do with an attribute."""

    REQUIRED = "required at create, optional at update, returned"
    OPTIONAL = "optional at create and update, returned"
    READ_ONLY = "returned, set by the server"
    RECORDED = "part of the history, set by the server"
    HIDDEN = "not part of any API"


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """
    What a column's type does not say about the attribute.

    Attributes:
        doc: One sentence for the API user.
        access: What a client may do with it.
        secret: Never returned, logged or audited.
        hashed: A password that is kept as a hash.
        low: Smallest number accepted.
        high: Largest number accepted.
        limit: Longest text accepted, in characters, when it is not the column's length.
        check: Name of a further rule of `xmlrpc_api.declaration.checks`, such as `email`.
        example: A value for the reference.
    """

    doc: str = ""
    access: Access = Access.HIDDEN
    secret: bool = False
    hashed: bool = False
    low: int | None = None
    high: int | None = None
    limit: int | None = None
    check: str | None = None
    example: Any = None


class Exact(TypeDecorator[Decimal]):
    """
    A decimal with six places, stored as a whole number of millionths on every engine.

    SQLite has no decimal type; integers are exact, sort rightly and add up in SQL on both engines.
    """

    impl = BigInteger
    cache_ok = True
    places = SCALE
    unit = Decimal(1).scaleb(-SCALE)

    class comparator_factory(TypeDecorator.Comparator[Decimal]):  # noqa: N801 (SQLAlchemy's name)
        """Sums and differences of amounts are amounts; without this they would be plain integers."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            """Keep the type through + and -."""
            result = super().operate(op, *other, **kwargs)
            return type_coerce(result, self.type) if op in (operator.add, operator.sub) else result

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Turn a decimal into a whole number; one place too many is a bug of the caller, not rounded."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.places)
        whole = int(scaled)
        if whole != scaled:
            raise ValueError(f"more than {self.places} decimals")
        return whole

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        """Turn it into a decimal again. (What a decorator is usually given for this would be called by two others.)"""
        unit = self.unit
        return lambda value: None if value is None else value * unit


class Money(Exact):
    """An amount of money, exact to the millionth."""

    cache_ok = True


class Factor(Exact):
    """A factor between two currencies, with twelve places."""

    cache_ok = True
    places = 12
    unit = Decimal(1).scaleb(-12)


class Price(Exact):
    """A price of a minute, or of a call, with ten places."""

    cache_ok = True
    places = 10
    unit = Decimal(1).scaleb(-10)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, always aware and in UTC; SQLite, which keeps no zone, included."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Accept aware times only and store them as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite dropped."""
        return value and value.replace(tzinfo=UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """What makes it of what the driver answers: nothing, where that is aware and in UTC already, as asyncpg's."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)


class ChangeTime(UtcDateTime):
    """When a row was changed last; whoever changes it through `services.records` need not think of it."""

    cache_ok = True


class StringList(TypeDecorator[list[str]]):
    """A short list of words, stored as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> str | None:
        """Write it down."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[str] | None:
        """Read it."""
        return None if value is None else list(json.loads(value))


class Sealed(Text):
    """
    A text that is kept encrypted; declared by `field(sealed=True)`.

    Nothing is encrypted for a column of another type, so that all can be found.
    """


class Signature(String):
    """
    What proves a text that is kept nowhere, or the row itself.

    Args:
        purpose: What it is for; each has a key of its own.
    """

    def __init__(self, purpose: str) -> None:
        super().__init__(SIGNATURE_LENGTH)
        self.purpose = purpose


def columns_of(kind: type[TypeEngine[Any]]) -> list[Column[Any]]:
    """All columns of a type of ours, whatever the table."""
    return [c for table in Base.metadata.sorted_tables for c in table.columns if isinstance(c.type, kind)]


def place_of(column: InstrumentedAttribute[Any] | Column[Any], *key: object) -> str:
    """Where an encrypted text belongs, and nowhere else: its column and row, such as `customers.api_password:29`."""
    return f"{_full_name(column)}:{':'.join(map(str, key))}"


@cache
def _full_name(column: InstrumentedAttribute[Any] | Column[Any]) -> str:
    return f"{column.table.name}.{column.key}"


def purpose_of(column: InstrumentedAttribute[Any] | Column[Any]) -> bytes:
    """What a signature is for, by the column that keeps it."""
    kind: Any = column.type
    purpose: str = kind.purpose
    return purpose.encode()


def ascii_string(length: int) -> TypeEngine[str]:
    """A string compared byte by byte on both engines, so that a prefix is one index range."""
    return String(length).with_variant(String(length, collation=ASCII_STRING_COLLATION), "postgresql")


class Base(DeclarativeBase):
    """
    Base of all entities: constraint names follow one convention, ids are never used twice.

    Attributes:
        thing: What people call one of them; the words of the class name, unless it says otherwise.
    """

    thing: ClassVar[str]

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    __table_args__: Any = {"sqlite_autoincrement": True}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let the database hold the bounds that the attributes declare."""
        if "thing" not in vars(cls):
            cls.thing = re.sub("(?<=[a-z])(?=[A-Z])", " ", cls.__name__).capitalize()
        super().__init_subclass__(**kwargs)
        table = getattr(cls, "__table__", None)
        if isinstance(table, Table):
            for column in table.columns:
                _hold_bounds(table, column.name, column.type, column.info.get("field"))
                if column.info.get("is_owner"):
                    Index(None, column, *table.primary_key)


def _hold_bounds(table: Table, name: str, kind: TypeEngine[Any], info: FieldInfo | None) -> None:
    if info is None or (info.low is None and info.high is None):
        return
    unit = 10**kind.places if isinstance(kind, Exact) else 1
    low = [f"{name} >= {info.low * unit}"] if info.low is not None else []
    high = [f"{name} <= {info.high * unit}"] if info.high is not None else []
    table.append_constraint(CheckConstraint(" AND ".join(low + high), name=name))


def model_of(table: FromClause) -> type[Base]:
    """The model whose rows a table holds."""
    return next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)


def one_default_per_customer(table: str) -> Index:
    """An index that allows one row marked `is_default` for each `i_customer`."""
    name, default = f"uq_{table}_default", text("is_default")
    as_asked = text("is_default = 1")  # SQLite takes an index for what is written in the same letters
    return Index(name, "i_customer", unique=True, sqlite_where=as_asked, postgresql_where=default)


def field(
    *args: Any, doc: str, access: Access = Access.OPTIONAL, sealed: bool = False, **kwargs: Any
) -> MappedColumn[Any]:
    """
    Declare a column together with what the API says about it.

    Keywords that `FieldInfo` knows go there, all others to `mapped_column`. Type, nullability, length
    and default come from the column itself. A sealed text is kept encrypted for its row; what is sealed or hashed is
    secret.
    """
    if sealed:
        args = (Sealed, *args)
    if sealed or kwargs.get("hashed"):
        kwargs["secret"] = True
    own = {name: kwargs.pop(name) for name in FieldInfo.__slots__ if name in kwargs}
    return mapped_column(*args, doc=doc, info={"field": FieldInfo(doc=doc, access=access, **own)}, **kwargs)


def customer_of(doc: str, *, is_pointed_at: bool = False) -> MappedColumn[Any]:
    """
    Declare the customer to whom a row belongs, and with whom it goes; lists of its rows have an index.

    `is_pointed_at` says that customers point at such rows, too: neither table can be made first.
    """
    owner = ForeignKey("customers.i_customer", ondelete="CASCADE", use_alter=is_pointed_at)
    declared = field(owner, access=Access.READ_ONLY, doc=doc, example=29)
    declared.column.info["is_owner"] = True
    return declared


def account_of(doc: str) -> MappedColumn[Any]:
    """Declare the account to which a row belongs, and with which it goes; it has an `i_customer`, too."""
    holder = ForeignKey("accounts.i_account", ondelete="CASCADE")
    declared = field(holder, access=Access.READ_ONLY, doc=doc, example=11)
    declared.column.info["is_owner"] = True
    return declared


def through(relation: str, attribute: str, **overrides: Any) -> AssociationProxy[Any]:
    """
    Offer an attribute of a one-to-one relation as if it stood here, at this place of the order.

    `overrides` replace members of the target's `FieldInfo`.
    """
    proxy: AssociationProxy[Any] = association_proxy(relation, attribute, info={"overrides": overrides})
    return proxy


def field_info(entity: type[Base], name: str) -> FieldInfo:
    """What `entity` says about its attribute `name`, a proxied one included."""
    own: Any = entity.__mapper__.all_orm_descriptors[name]
    info: FieldInfo = proxied_column(entity, name).info.get("field", FieldInfo())
    return replace(info, **own.info.get("overrides", {}))


def proxied_column(entity: type[Base], name: str) -> Any:
    """The table column behind an attribute, whether it is the entity's own or reached by `through`."""
    columns = entity.__mapper__.columns
    if name in columns:
        return columns[name]
    proxy: Any = entity.__mapper__.all_orm_descriptors[name]
    relation = entity.__mapper__.relationships[proxy.target_collection]
    return relation.mapper.columns[proxy.value_attr]
