"""
Proof, for `verify`, that the tables are what the change history says.

The history is signed, the tables are not: whoever edits them, however coherently, cannot write the rows that would
explain it. All objects, of the tables and of the history alone, are looked at in batches of their ids; rows of the
history are replayed, oldest first. Of secrets they tell that they are there. What is read must be one snapshot.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    Account,
    AccountGroup,
    AuditEntry,
    Balance,
    Base,
    Customer,
    CustomerProperty,
    LedgerEntry,
    SipAlias,
    SipDomain,
    subtree,
)
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.accounts import ACCOUNT
from xmlrpc_api.services.customers import CUSTOMER
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins.web_users import WEB_USER
from xmlrpc_api.services.money.payments import BALANCE
from xmlrpc_api.services.sip.aliases import ALIAS
from xmlrpc_api.services.sip.domains import DOMAIN

BATCH, PAGE, SHOWN = 500, 1000, 60
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

    def replay(self, row: Any) -> None:
        """Take a row of the history into account."""
        after = json.loads(row.after) if row.after else {}
        self.owner, self.scope = row.i_customer, row.scope
        if row.action in (audit.ADDED, audit.BASELINE):
            self.values, self.is_begun, self.is_deleted = after, True, False
        elif row.action == audit.DELETED:
            self.is_deleted = True
        else:
            added = set(after.get("groups", ())) - set(self.values.get("groups", ()))
            if QUOTA in added:  # whoever puts somebody there lifts it
                self.values[QUOTA_BY] = row.i_customer_actor
            self.values |= after


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """
    One kind of objects of the history.

    Attributes:
        name: What the history calls it: its table.
        noun: What people call one of them.
        key: The column of its id.
        entity: Its attributes.
        omitted: Attributes that are not compared, since they are by other objects' rows.
        goes_along: Whether it goes with its owner, without a row of its own.
    """

    name: str
    noun: str
    key: Any
    entity: Entity | None = None
    omitted: frozenset[str] = frozenset()
    goes_along: bool = False

    def names(self, present: Present) -> set[str]:
        """The attributes that are compared; of properties all that there are."""
        if self.entity is None:
            return set(present.values)
        hidden = OF_DEFAULT_USER if present.is_part and self.entity is WEB_USER else self.omitted
        extra = {"groups", "acl"} if self.entity is ACCOUNT else set()
        extra |= {QUOTA_BY} & present.values.keys()
        return (set(self.entity.fields) | extra) - hidden

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


def _usual(entity: Entity) -> Kind:
    """The kind of what belongs to a customer, and has nothing special about it."""
    (owner,) = entity.model.__table__.columns["i_customer"].foreign_keys
    noun, along = entity.model.thing.lower(), owner.ondelete == "CASCADE"
    return Kind(name=entity.name, noun=noun, key=entity.column(entity.key_name), entity=entity, goes_along=along)


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
        goes_along=True,
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
        incomplete: Ids of those that lack a part which every one has; that is a finding of its own.
        rows: How many rows of the history were read.
    """

    first: int
    last: int
    present: dict[int, Present]
    known: dict[int, Known]
    incomplete: set[int]
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
    columns = [getattr(AuditEntry, name) for name in names]
    noted = select(*columns).where(_is_noted(kind), AuditEntry.action.in_(STATES))
    noted = noted.where(AuditEntry.object_id.between(first, last)).order_by(AuditEntry.object_id, AuditEntry.i_audit)
    async for row in await session.stream(noted, execution_options={"yield_per": PAGE}):
        known.setdefault(row.object_id, Known()).replay(row)
        rows += 1
    present = await _present(session, kind, first, last)
    there = set((await session.execute(select(kind.key).where(kind.key.between(first, last)))).scalars())
    return Batch(first, last, present, known, there - present.keys(), rows)


def _where_ids_are(kind: Kind) -> list[tuple[Any, ColumnElement[bool]]]:
    """Columns that hold ids of a kind, each with a condition for its rows."""
    found = [(kind.key, kind.key.is_not(None)), (AuditEntry.object_id, _is_noted(kind))]
    return [*found, *([_holder(kind)] if kind in (CUSTOMERS, ACCOUNTS) else [])]


def _is_noted(kind: Kind) -> ColumnElement[bool]:
    return AuditEntry.object_type == kind.name


def _holder(kind: Kind) -> tuple[Any, ColumnElement[bool]]:
    """The column that tells whose a balance is, and the condition for those of this kind."""
    if kind is ACCOUNTS:
        return Balance.i_account, Balance.i_account.is_not(None)
    return Balance.i_customer, Balance.i_account.is_(None)


async def _present(session: AsyncSession, kind: Kind, first: int, last: int) -> dict[int, Present]:
    """The objects of a kind that are in the tables."""
    within = kind.key.between(first, last)
    if kind.entity is None:
        statement = select(CustomerProperty.i_customer, CustomerProperty.name, CustomerProperty.value).where(within)
        found: dict[int, dict[str, str]] = {}
        for row in await session.execute(statement):
            found.setdefault(row.i_customer, {})[row.name] = row.value
        return {key: Present(values, key, is_part=True) for key, values in found.items()}
    entity = kind.entity
    statement = entity.select(entity.fields.values()).add_columns(kind.key.label("_key"))
    if entity is ALIAS:
        statement = statement.join(SipDomain, SipDomain.i_domain == SipAlias.i_domain)
        statement = statement.add_columns(SipDomain.i_customer.label("_owner"))
    else:
        statement = statement.add_columns(entity.model.__table__.c.i_customer.label("_owner"))
    if entity is CUSTOMER:
        statement = statement.add_columns(Customer.path.label("_path"))
    if entity is ACCOUNT:
        statement = statement.add_columns(Account.acl.label("_acl"))
    rows = (await session.execute(statement.where(within))).mappings()
    groups = await _groups(session, first, last) if entity is ACCOUNT else {}
    return {row["_key"]: _as_present(entity, row, groups.get(row["_key"], {})) for row in rows}


async def _groups(session: AsyncSession, first: int, last: int) -> dict[int, dict[str, int | None]]:
    """Who put each account into each of its groups."""
    wanted = select(AccountGroup).where(AccountGroup.i_account.between(first, last)).order_by(AccountGroup.name)
    found: dict[int, dict[str, int | None]] = {}
    for row in await session.scalars(wanted):
        found.setdefault(row.i_account, {})[row.name] = row.put_by
    return found


def _as_present(entity: Entity, row: Mapping[Any, Any], groups: Mapping[str, int | None]) -> Present:
    values = audit.plain_values(entity, {name: row[name] for name in entity.fields})
    if entity is ACCOUNT:
        values |= {"groups": list(groups), "acl": json.loads(row["_acl"] or "[]")}
        values |= {QUOTA_BY: groups[QUOTA]} if QUOTA in groups else {}
    is_part = entity is BALANCE or (entity is WEB_USER and row["is_default"])
    scope = subtree(row["_path"], row["_key"])[0] if entity is CUSTOMER else None
    return Present(values, row["_owner"], is_part, scope)


def differences(kind: Kind, present: Present, known: Known) -> dict[str, tuple[Any, Any]]:
    """Attributes that are not what the history says: each with what it is, and what it says."""
    said = {**kind.defaults(), **({"groups": [], "acl": []} if kind is ACCOUNTS else {}), **known.values}
    if kind is ACCOUNTS:
        said["groups"] = sorted(set(said["groups"]) - {BLOCKED})
    names = kind.names(present) | (said.keys() if kind.entity is None else set())
    pairs = {name: (present.values.get(name), said.get(name)) for name in sorted(names)}
    return {name: (is_now, was_said) for name, (is_now, was_said) in pairs.items() if is_now != was_said}


async def of_objects(session: AsyncSession) -> AsyncIterator[tuple[int, list[str]]]:
    """Rows of the history that were replayed, batch by batch, and what is wrong with the objects that they tell of."""
    for kind in KINDS:
        async for batch in batches(session, kind):
            found = [sentence for key in sorted(batch.present) for sentence in _misfits(kind, key, batch)]
            found += await _gone(session, kind, batch)
            if kind in (CUSTOMERS, ACCOUNTS):
                found += await _bookings(session, kind, batch)
            yield batch.rows, found


def _misfits(kind: Kind, key: int, batch: Batch) -> list[str]:
    """What is wrong with an object that is in the tables."""
    present, known = batch.present[key], batch.known.get(key)
    what = f"{kind.noun} {key}"
    if known is None and present.is_part:
        known = Known(owner=present.owner)
    if known is None or not (known.is_begun or present.is_part):
        return [f"{what} is not in the change history"]
    if known.is_deleted:
        return [f"{what} is there, but the change history says that it was deleted"]
    found = [
        f"{what}: {name} is {_short(is_now)}, but the change history says {_short(was_said)}"
        for name, (is_now, was_said) in differences(kind, present, known).items()
    ]
    if present.scope not in (None, known.scope):
        found.append(f"{what}: the path is {present.scope}, but the change history says {known.scope}")
    if present.owner != known.owner:
        found.append(f"{what} is customer {present.owner}'s, but the change history says customer {known.owner}'s")
    return found


def _short(value: Any) -> str:
    text = "nil" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


async def _gone(session: AsyncSession, kind: Kind, batch: Batch) -> list[str]:
    """Objects that the history knows and that are not there, although it does not say that they were deleted."""
    gone = {
        key: known.owner
        for key, known in batch.known.items()
        if not known.is_deleted and key not in batch.present and key not in batch.incomplete
    }
    if kind.goes_along and gone:
        wanted = select(Customer.i_customer).where(Customer.i_customer.in_(set(gone.values())))
        owners = set((await session.execute(wanted)).scalars())
        gone = {key: owner for key, owner in gone.items() if owner in owners}
    return [f"{kind.noun} {key} is gone, but the change history does not say that it was deleted" for key in gone]


async def _bookings(session: AsyncSession, kind: Kind, batch: Batch) -> list[str]:
    """Each booking has its row in the history, and each of those its booking; they are read side by side."""
    holder, is_held = _holder(kind)
    names = ("i_ledger", "kind", "amount", "balance_after", "funded_change", "i_ledger_source", "i_customer_actor")
    booked = (
        select(holder.label("holder"), Balance.currency, *(getattr(LedgerEntry, name) for name in names))
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .where(is_held, holder.between(batch.first, batch.last))
        .order_by(holder, LedgerEntry.i_ledger)
    )
    columns = [column["name"] for column in booked.column_descriptions]
    noted = (
        select(AuditEntry.object_id, AuditEntry.i_customer_actor, AuditEntry.after)
        .where(_is_noted(kind), AuditEntry.action == audit.FUNDS)
        .where(AuditEntry.object_id.between(batch.first, batch.last))
        .order_by(AuditEntry.object_id, AuditEntry.i_audit)
    )
    options = {"yield_per": PAGE}
    bookings = aiter(await session.stream(booked, execution_options=options))
    notes = aiter(await session.stream(noted, execution_options=options))
    sides = Sides()
    booking, note = await anext(bookings, None), await anext(notes, None)
    while booking is not None or note is not None:
        if booking is not None:
            sides.booked[booking.i_ledger] = _of_booking(dict(zip(columns, booking, strict=True)))
        if note is not None:
            values = _of_note(note)
            sides.noted[values["i_ledger"]] = values
        sides.compare()
        booking, note = await anext(bookings, None), await anext(notes, None)
    return [*sides.found, *sides.alone(kind)]


@dataclass(slots=True)
class Sides:
    """Bookings and what the history says of them, as far as one is without the other: few, read in the same order."""

    booked: dict[int, Values] = field(default_factory=dict)
    noted: dict[int, Values] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def compare(self) -> None:
        """Look at those that are there on both sides, and forget them."""
        for key in self.booked.keys() & self.noted.keys():
            self.found += _contradictions(self.booked.pop(key), self.noted.pop(key))

    def alone(self, kind: Kind) -> Iterator[str]:
        """What is wrong with those that are there on one side, in the end."""
        for key, values in self.booked.items():
            yield f"booking {key} of {kind.noun} {values['holder']} is not in the change history"
        for key, values in self.noted.items():
            yield f"booking {key} of {kind.noun} {values['holder']} is gone, but the change history tells of it"


def _of_booking(values: dict[str, Any]) -> Values:
    """A booking, as the history would tell it."""
    values["balance"] = values.pop("balance_after")
    plain: Values = json.loads(audit.as_json(values))
    return plain


def _of_note(row: Any) -> Values:
    return {**json.loads(row.after), "holder": row.object_id, "i_customer_actor": row.i_customer_actor}


def _contradictions(booking: Values, note: Values) -> list[str]:
    what = f"booking {booking['i_ledger']}"
    return [
        f"{what}: {name} is {_short(value)}, but the change history says {_short(note.get(name))}"
        for name, value in booking.items()
        if value != note.get(name)
    ]
