"""
What is there, and what the change history says is there.

All objects, of the tables and of the history alone, are looked at in batches of their ids; rows of the history are
replayed, oldest first. Of secrets they tell that they are there. What is read must be one snapshot.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, null, select, true, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    SCALE,
    Account,
    AccountGroup,
    AuditEntry,
    Balance,
    Base,
    Customer,
    CustomerProperty,
    Exact,
    SipAlias,
    SipDomain,
    UtcDateTime,
    subtree,
)
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT
from xmlrpc_api.services.customers import CUSTOMER
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins.web_users import WEB_USER
from xmlrpc_api.services.money.payments import BALANCE
from xmlrpc_api.services.sip.aliases import ALIAS
from xmlrpc_api.services.sip.domains import DOMAIN
from xmlrpc_api.storage.fast_path import found_by
from xmlrpc_api.storage.rows import Once, Process, Rows

BATCH, PAGE = 2000, 2000
QUOTA, QUOTA_BY = "quota", "quota by"  # the group, and what the history calls who put an account there
BLOCKED = "blocked"  # of the groups of an account the one that is an attribute
STATES = (audit.ADDED, audit.BASELINE, audit.UPDATED, audit.DELETED)
MONEY = frozenset({"balance"})  # follows from the ledger, each row of which is compared
OF_BALANCE = MONEY | {"currency", "credit_limit"}
OF_DEFAULT_USER = frozenset({"i_web_user", "i_customer", "is_default", "web_login", "web_password", "i_access_level"})

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Present:
    """
    An object as it is in the tables.

    Attributes:
        values: Its attributes as the history would tell them, those that are nil left out.
        owner: Whom its rows of the history concern.
        is_part: Whether its creation is told with that of another object: it began with its defaults.
        scope: Where it is in the tree; None if that is told by its owner.
    """

    values: Values
    owner: int
    is_part: bool = False
    scope: str | None = None


@dataclass(slots=True)
class Known:
    """An object as the history tells it."""

    values: dict[str, Any] = field(default_factory=dict)
    is_begun: bool = False
    is_deleted: bool = False
    owner: int = 0
    scope: str = ""

    def replay(self, action: str, i_customer: int, actor: int, scope: str, text: str | None) -> None:
        """Take a row of the history into account."""
        after = json.loads(text) if text else {}
        self.owner, self.scope = i_customer, scope
        if action in (audit.ADDED, audit.BASELINE):
            self.values, self.is_begun, self.is_deleted = after, True, False
        elif action == audit.DELETED:
            self.is_deleted = True
        else:
            added = set(after.get("groups", ())) - set(self.values.get("groups", ()))
            if QUOTA in added:  # whoever puts somebody there lifts it
                self.values[QUOTA_BY] = actor
            self.values |= after


@dataclass(frozen=True, kw_only=True)
class Kind:
    """
    One kind of objects of the history.

    Attributes:
        name: What the history calls it: its table.
        noun: What people call one of them.
        key: The column of its id.
        entity: Its attributes.
        omitted: Attributes that are not compared, since they are by other objects' rows.
        goes_along: With what it goes, without a row of its own: the keys of that, by its own attributes.
        in_history: The condition for rows of its table that the history tells of.
    """

    name: str
    noun: str
    key: Any
    entity: Entity | None = None
    omitted: frozenset[str] = frozenset()
    goes_along: Mapping[str, Any] = field(default_factory=dict)
    in_history: ColumnElement[bool] = field(default_factory=true)

    def names(self, present: Present) -> set[str]:
        """The attributes that are compared; of properties all that there are."""
        if self.entity is None:
            return set(present.values)
        extra = {"groups", "acl"} if self.entity is ACCOUNT else set()
        extra |= {QUOTA_BY} & present.values.keys()
        return (set(self.entity.fields) | extra) - self.hidden(present)

    def hidden(self, present: Present) -> frozenset[str]:
        """The attributes that are not."""
        return OF_DEFAULT_USER if present.is_part and self.entity is WEB_USER else self.omitted

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What attributes began with that are younger than the row of the object's creation."""
        if self.entity is None:
            return {}
        found: dict[str, Any] = {}
        for name in self.entity.fields:
            default = getattr(self.entity.column(name), "default", None)
            if default is not None and (default.is_scalar or default.is_callable):
                found[name] = default.arg(None) if default.is_callable else default.arg
        return audit.plain_values(self.entity, found)

    @cached_property
    def statement(self) -> Any:
        """Reads id, owner, what is kept beside, and all attributes."""
        assert self.entity is not None  # noqa: S101 (properties are read otherwise)
        entity = self.entity
        table = entity.model.__table__.c
        statement = entity.select(entity.fields.values())
        owner: Any = table.get("i_customer")
        if entity is ALIAS:
            domains = SipDomain.__table__
            statement, owner = statement.join(domains), domains.c.i_customer
        aside: Any = {CUSTOMER: table.get("path"), ACCOUNT: table.get("acl")}.get(entity, null())
        columns = (stored(entity.column(name)).label(name) for name in entity.fields)
        return statement.with_only_columns(
            table[entity.key_name].label("_key"),
            owner.label("_owner"),
            aside.label("_aside"),
            *columns,
            maintain_column_froms=True,
        )

    @cached_property
    def tellers(self) -> dict[str, Process]:
        """How attributes are told that the history says otherwise than they are."""
        assert self.entity is not None  # noqa: S101 (properties are texts)
        found = ((name, _teller(self.entity, name)) for name in self.entity.fields)
        return {name: tell for name, tell in found if tell is not None}


def _usual(entity: Entity) -> Kind:
    """The kind of what belongs to a customer, and has nothing special about it."""
    columns = entity.model.__table__.columns
    along = {c.name: key.column for c in columns for key in c.foreign_keys if key.ondelete == "CASCADE"}
    noun, key = entity.model.thing.lower(), entity.column(entity.key_name)
    in_history: ColumnElement[bool] = true()
    if columns["i_customer"].nullable:  # what is everybody's came with a migration
        in_history = columns["i_customer"].is_not(None)
    return Kind(name=entity.name, noun=noun, key=key, entity=entity, goes_along=along, in_history=in_history)


CUSTOMERS = Kind(name=CUSTOMER.name, noun="customer", key=Customer.i_customer, entity=CUSTOMER, omitted=MONEY)
ACCOUNTS = Kind(name=ACCOUNT.name, noun="account", key=Account.i_account, entity=ACCOUNT, omitted=MONEY)
KNOWN = (
    CUSTOMERS,
    _usual(WEB_USER),
    ACCOUNTS,
    Kind(name=DOMAIN.name, noun="SIP domain", key=SipDomain.i_domain, entity=DOMAIN),
    Kind(name=ALIAS.name, noun="SIP alias", key=SipAlias.i_alias, entity=ALIAS),
    Kind(name=BALANCE.name, noun="balance", key=Balance.i_balance, entity=BALANCE, omitted=OF_BALANCE),
    Kind(
        name=CustomerProperty.__tablename__,
        noun="properties of customer",
        key=CustomerProperty.i_customer,
        goes_along={"i_customer": Customer.i_customer},
    ),
)
_MODELS: list[type[Base]] = [mapper.class_ for mapper in Base.registry.mappers if "i_customer" in mapper.columns]
_OTHERS = [one for one in map(entity_of, _MODELS) if one.writable and one.name not in {kind.name for kind in KNOWN}]
KINDS = (*KNOWN, *map(_usual, _OTHERS))


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Objects of a kind whose ids follow each other.

    Attributes:
        present: Those that are in the tables.
        known: Those that are in the history.
        rows: How many rows of the history were read.
    """

    first: int
    last: int
    present: dict[int, Present]
    known: dict[int, Known]
    rows: int


async def batches(session: AsyncSession, kind: Kind) -> AsyncIterator[Batch]:
    """All objects of a kind."""
    batch = await batch_after(session, kind, 0)
    while batch is not None:
        yield batch
        batch = await batch_after(session, kind, batch.last)


async def batch_after(session: AsyncSession, kind: Kind, last: int, size: int = BATCH) -> Batch | None:
    """The objects with the next ids behind `last`, be they in the tables or in the history; None if there are none."""
    ids: set[int] = set()
    for column, condition in _where_ids_are(kind):
        statement = select(column).where(condition, column > last).distinct().order_by(column).limit(size)
        ids.update((await session.execute(statement)).scalars())
    if not ids:
        return None
    chosen = sorted(ids)[:size]
    first, last = chosen[0], chosen[-1]
    known: dict[int, Known] = {}
    rows = 0
    names = ("object_id", "action", "i_customer", "i_customer_actor", "scope", "after")
    columns = [AuditEntry.__table__.c[name] for name in names]
    noted = select(*columns).where(is_noted(kind), AuditEntry.action.in_(STATES))
    noted = noted.where(AuditEntry.object_id.between(first, last)).order_by(AuditEntry.object_id, AuditEntry.i_audit)
    async for some in await pages(session, noted):
        for key, *row in some:
            if key not in known:
                known[key] = Known()
            known[key].replay(*row)
        rows += len(some)
    return Batch(first, last, await _present(session, kind, first, last), known, rows)


async def pages(session: AsyncSession, statement: Any) -> AsyncIterator[Sequence[Any]]:
    """What a statement finds, as many rows at a time as are held at once."""
    connection = await session.connection()
    return (await connection.stream(statement, execution_options={"yield_per": PAGE})).partitions()


async def among(session: AsyncSession, key: Any, ids: Iterable[int]) -> set[int]:
    """Which of these ids are there."""
    return set((await session.execute(select(key).where(key.in_(set(ids))))).scalars())


def _where_ids_are(kind: Kind) -> list[tuple[Any, ColumnElement[bool]]]:
    """Columns that hold ids of a kind, each with a condition for its rows."""
    found = [(kind.key, and_(kind.key.is_not(None), kind.in_history)), (AuditEntry.object_id, is_noted(kind))]
    return [*found, *([holder_of(kind)] if kind in (CUSTOMERS, ACCOUNTS) else [])]


def is_noted(kind: Kind) -> ColumnElement[bool]:
    """The condition for rows of the history that tell of such objects."""
    return AuditEntry.object_type == kind.name


def holder_of(kind: Kind) -> tuple[Any, ColumnElement[bool]]:
    """The column that tells whose a balance is, and the condition for those of this kind."""
    columns = Balance.__table__.c
    if kind is ACCOUNTS:
        return columns.i_account, columns.i_account.is_not(None)
    return columns.i_customer, columns.i_account.is_(None)


async def _present(session: AsyncSession, kind: Kind, first: int, last: int) -> dict[int, Present]:
    """The objects of a kind that are in the tables."""
    within = and_(kind.key.between(first, last), kind.in_history)
    if kind.entity is None:
        statement = select(CustomerProperty.i_customer, CustomerProperty.name, CustomerProperty.value).where(within)
        found: dict[int, dict[str, str]] = {}
        for row in await session.execute(statement):
            found.setdefault(row.i_customer, {})[row.name] = row.value
        return {key: Present(values, key, is_part=True) for key, values in found.items()}
    rows = await found_by(session, kind.statement.where(within))
    groups = await _groups(session, first, last) if kind.entity is ACCOUNT else {}
    return {row[0]: _as_present(kind.entity, row, groups.get(row[0], {})) for row in _told(kind, rows)}


def _told(kind: Kind, rows: Rows) -> Iterator[Sequence[Any]]:
    """Rows as the history would tell their values, column by column."""
    pairs = zip(rows.kinds, rows.columns(), strict=True)
    return zip(*(_told_column(column, one.read, kind.tellers.get(one.name)) for one, column in pairs), strict=True)


def _told_column(column: Iterable[Any], read: Process | None, tell: Process | None) -> Iterable[Any]:
    if read is None and tell is None:
        return column
    once = Once(read, tell or (lambda value: value))
    once[None] = None
    return map(once.__getitem__, column)


async def _groups(session: AsyncSession, first: int, last: int) -> dict[int, dict[str, int | None]]:
    """Who put each account into each of its groups."""
    wanted = select(AccountGroup).where(AccountGroup.i_account.between(first, last)).order_by(AccountGroup.name)
    found: dict[int, dict[str, int | None]] = {}
    for row in await session.scalars(wanted):
        found.setdefault(row.i_account, {})[row.name] = row.put_by
    return found


def _as_present(entity: Entity, row: Sequence[Any], groups: Mapping[str, int | None]) -> Present:
    key, owner, aside, *found = row
    values = {name: value for name, value in zip(entity.fields, found, strict=True) if value is not None}
    if entity is ACCOUNT:
        values |= {"groups": list(groups), "acl": json.loads(aside or "[]")}
        values |= {QUOTA_BY: groups[QUOTA]} if QUOTA in groups else {}
    is_part = entity is BALANCE or (entity is WEB_USER and values["is_default"])
    scope = subtree(aside, key)[0] if entity is CUSTOMER else None
    return Present(values, owner, is_part, scope)


def stored(column: Any) -> Any:
    """A column as the database holds it, if that is a whole number of millionths: many are told at once."""
    kind = column.type
    return type_coerce(column, BigInteger) if isinstance(kind, Exact) and kind.places == SCALE else column


@lru_cache(maxsize=10_000)
def plain_amount(millionths: int | None) -> str | None:
    """What the history says for a number of millionths."""
    return None if millionths is None else audit.plain(millionths * Exact.unit)


def _teller(entity: Entity, name: str) -> Process | None:
    """What makes of an attribute that is not nil what the history says; None: it says the same."""
    column = entity.column(name)
    if name in entity.secrets:
        return lambda _: audit.CHANGED
    if stored(column) is not column:
        return plain_amount
    return audit.plain if isinstance(column.type, Exact | UtcDateTime) else None
