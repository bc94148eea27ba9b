"""
The change history: who did what to which object, when and from where, in the transaction of the change.

Every row is signed when it is written, so that a row from elsewhere is noticed; a short background step
seals new rows into one chain, so that a missing one is noticed. Neither makes writers wait for another.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from models import AuditEntry, AuditHead, Base, Customer, purpose_of, subtree
from models.audit import HEAD
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.vault import Vault
from xmlrpc_api.declaration.entity import Entity, Values, table_of
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.storage.database import Store
from xmlrpc_api.storage.fast_path import Query, inserting
from xmlrpc_api.storage.rows import Kind, Once, Row, Rows

ADDED, UPDATED, DELETED, FUNDS = "A", "U", "D", "FUNDS"
PASSWORD_READ = "PASSWORD_READ"  # noqa: S105 (what the change history calls it)
BASELINE = "BASELINE"  # an object as it was found, whose creation is older than the history
CHANGED = "changed"
SEAL_BATCH = 500
_TABLE = table_of(AuditEntry.__mapper__.columns["i_audit"])
_NOTED = [column.name for column in _TABLE.columns if column.name not in ("i_audit", "seq", "hash")]
_NOTE = Query(inserting(_TABLE, _NOTED))
_SEAL = (
    update(_TABLE).where(_TABLE.c.i_audit == bindparam("sealed")).values(seq=bindparam("seq"), hash=bindparam("hash"))
)
_PATH = Query(select(Customer.path).where(Customer.i_customer == bindparam("i_customer", type_=Integer)))
PURPOSE_ROW, PURPOSE_CHAIN = purpose_of(AuditEntry.mac), purpose_of(AuditEntry.hash)
SIGNED = (
    "uid",
    "created",
    "i_customer",
    "scope",
    "i_customer_actor",
    "trusted",
    "address",
    "dialect",
    "request_id",
    "method",
    "action",
    "object_type",
    "object_id",
    "before",
    "after",
)
LINKED = ("i_audit", "mac", "seq", "hash")
_SINGULAR = ("uid", "request_id", "object_id", "after")  # what is told once in a column is not kept
_LINE = ",".join(["%s"] * len(SIGNED)).join("[]").__mod__

Snapshot = dict[str, Any]


def snapshot(entity: Entity, row: Base) -> Snapshot:
    """All attributes of a row as they are now, secrets included: for comparing, not for keeping."""
    known = row.__dict__  # where SQLAlchemy keeps what is loaded or set; to ask each attribute costs thrice as much
    return {name: known[name] if name in known else getattr(row, name) for name in entity.fields}


@dataclass(frozen=True, slots=True)
class Subject:
    """
    What a row of the history is about.

    Attributes:
        type: Table of the object.
        id: Its id, if it has one.
        i_customer: Whom it concerns; it and everybody above may read of it.
        scope: Ids from the root down to i_customer, each followed by a dot.
    """

    type: str
    id: int | None
    i_customer: int
    scope: str


async def added(call: Call, entity: Entity, row: Base, i_customer: int) -> None:
    """Note that a row was created; i_customer is whom it concerns."""
    after = {name: value for name, value in snapshot(entity, row).items() if value is not None}
    subject = await _subject(call, entity, row, i_customer)
    await note(call, [entry(call, ADDED, subject, after=_shown(entity, after))])


async def updated(call: Call, entity: Entity, row: Base, i_customer: int, before: Snapshot) -> None:
    """Note what has changed since `before`; nothing if nothing did."""
    now = snapshot(entity, row)
    names = [name for name in now if now[name] != before[name]]
    if not names:
        return
    old, new = (_shown(entity, {name: values[name] for name in names}) for values in (before, now))
    subject = await _subject(call, entity, row, i_customer)
    await note(call, [entry(call, UPDATED, subject, before=old, after=new)])


async def removed(call: Call, entity: Entity, row: Base, i_customer: int) -> None:
    """Note that a row is about to be removed, and all it held."""
    subject = await _subject(call, entity, row, i_customer)
    await note(call, [entry(call, DELETED, subject, before=_shown(entity, snapshot(entity, row)))])


async def event(
    call: Call,
    action: str,
    *,
    object_type: str,
    object_id: int | None,
    i_customer: int,
    details: Values | None = None,
) -> None:
    """
    Note something that is not a change of attributes, such as a login.

    Args:
        call: Tells who, when and from where.
        action: What happened, in a few words or by one of the codes above.
        object_type: Table of the object it happened to.
        object_id: Its id, if there is one.
        i_customer: Whom it concerns; it and everybody above may read of it.
        details: What else to know; never a secret.
    """
    subject = Subject(object_type, object_id, i_customer, await scope_of(call.store, i_customer))
    await note(call, [entry(call, action, subject, after=details)])


async def changed(call: Call, kind: str, object_id: int, i_customer: int, *, before: Values, after: Values) -> None:
    """Note a change of what is kept with an object of this table and is none of its attributes."""
    subject = Subject(kind, object_id, i_customer, await scope_of(call.store, i_customer))
    await note(call, [entry(call, UPDATED, subject, before=before, after=after)])


async def told(call: Call, object_type: str, objects: Mapping[int, int]) -> None:
    """
    Note that passwords of these objects are about to be told; it is kept before they are, also by a call that reads.

    Args:
        call: Tells who, when and from where.
        object_type: Table of the objects.
        objects: Whom each concerns, by its id.
    """

    async def write(own: Call) -> None:
        for object_id, i_customer in objects.items():
            await event(own, PASSWORD_READ, object_type=object_type, object_id=object_id, i_customer=i_customer)

    if objects:
        await call.keep(write)


async def _subject(call: Call, entity: Entity, row: Base, i_customer: int) -> Subject:
    if isinstance(row, Customer):
        call.store.scopes[i_customer] = subtree(row.path, i_customer)[0]
    scope = await scope_of(call.store, i_customer)
    return Subject(entity.name, getattr(row, entity.key_name), i_customer, scope)


def entry(
    call: Call,
    action: str,
    subject: Subject,
    *,
    before: Values | None = None,
    after: Values | None = None,
) -> Row:
    """A signed row, ready for `note`."""
    values = {
        "uid": secrets.token_hex(16),
        "created": call.now,
        "i_customer": subject.i_customer,
        "scope": subject.scope,
        "i_customer_actor": call.actor.i_customer,
        "trusted": call.origin.login is None,
        "address": call.origin.address,
        "dialect": call.origin.face.value,
        "request_id": call.origin.request_id,
        "method": call.method,
        "action": action,
        "object_type": subject.type,
        "object_id": subject.id,
        "before": None if before is None else as_json(before),
        "after": None if after is None else as_json(after),
    }
    return {**values, "mac": call.platform.vault.sign(PURPOSE_ROW, content(values))}


async def note(call: Call, entries: list[Row]) -> None:
    """Write rows of the history, in the call's transaction."""
    for row in entries:
        await call.transaction.write(_NOTE, **row)


async def scope_of(store: Store, i_customer: int) -> str:
    """Ids from the root down to a customer, each followed by a dot: what `AuditEntry.scope` holds."""
    if i_customer not in store.scopes:
        (row,) = await store.rows(_PATH, i_customer=i_customer)
        store.scopes[i_customer] = subtree(row["path"], i_customer)[0]
    return store.scopes[i_customer]


def seen_by(caller: Caller, scope: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition for rows that concern the caller or anybody below it: of the root, for all."""
    first, end = subtree(caller.path, caller.i_customer)
    return and_(scope >= first, scope < end) if caller.path else true()


def content(values: Values) -> bytes:
    """What is signed of a row."""
    signed = [values[name] for name in SIGNED]
    signed[SIGNED.index("created")] = values["created"].astimezone(UTC).isoformat(timespec="microseconds")
    return _COMPACT.encode(signed).encode()


def contents(rows: Rows) -> Iterator[bytes]:
    """What is signed of each row, as `content` tells it; column by column: what comes again and again is told once."""
    columns = {kind.name: _told(kind, column) for kind, column in zip(rows.kinds, rows.columns(), strict=True)}
    return (line.encode() for line in map(_LINE, zip(*(columns[name] for name in SIGNED), strict=True)))


def _told(kind: Kind, column: Sequence[Any]) -> Iterable[str]:
    """A column as JSON."""
    if kind.read is None and kind.name in _SINGULAR:
        return map(_json, column)
    write = _created if kind.name == "created" else _json
    return map(Once(kind.read, write).__getitem__, column)


def _json(value: object) -> str:
    """What _COMPACT writes, which takes as long to begin as it takes to write a dozen of these."""
    if type(value) is str:
        return _quoted(value)
    return repr(value) if type(value) is int else _COMPACT.encode(value)


def _created(value: datetime) -> str:
    return f'"{value.astimezone(UTC).isoformat(timespec="microseconds")}"'


def link(seq: int, previous: str, mac: str) -> bytes:
    """What is signed of a place in the chain."""
    return f"{seq}|{previous}|{mac}".encode()


async def any_unsealed(session: AsyncSession) -> bool:
    """Whether there are rows to seal."""
    statement = select(AuditEntry.i_audit).where(AuditEntry.seq.is_(None)).limit(1)
    return (await session.execute(statement)).first() is not None


async def seal(session: AsyncSession, vault: Vault) -> tuple[int, str, int]:
    """
    Add new rows to the chain, oldest first, as many as one short transaction may hold.

    Returns:
        Place and hash of the newest link, and how many were added: none if another process is at it.
    """
    head = (
        await session.execute(select(AuditHead).where(AuditHead.i_audit_head == HEAD).with_for_update(skip_locked=True))
    ).scalar_one_or_none()
    if head is None:
        return 0, "", 0
    wanted = select(AuditEntry.i_audit, AuditEntry.mac).where(AuditEntry.seq.is_(None))
    rows = (await session.execute(wanted.order_by(AuditEntry.i_audit).limit(SEAL_BATCH))).all()
    links = []
    for row in rows:
        head.seq += 1
        head.hash = vault.sign(PURPOSE_CHAIN, link(head.seq, head.hash, row.mac))
        links.append({"sealed": row.i_audit, "seq": head.seq, "hash": head.hash})
    if links:
        await (await session.connection()).execute(_SEAL, links)
    return head.seq, head.hash, len(rows)


class Proof:
    """
    Looks at rows of the history; keys that are not there are counted apart from what is wrong.

    Attributes:
        missing: How many signatures cannot be proved, by the name of the key that they need.
    """

    def __init__(self, vault: Vault) -> None:
        self._proves_row, self._proves_link = vault.proving(PURPOSE_ROW), vault.proving(PURPOSE_CHAIN)
        self.missing: Counter[str] = Counter()

    def breaks(self, rows: Rows, seq: int, previous: str) -> Iterator[str]:
        """
        What is wrong with sealed rows that follow the link (seq, previous), in the order of `seq`.

        Yields:
            A sentence for each row that was changed, inserted, or that follows one that was removed.
        """
        places = {kind.name: place for place, kind in enumerate(rows.kinds)}
        links = map(itemgetter(*(places[name] for name in LINKED)), rows.found)
        for (i_audit, mac, place, digest), signed in zip(links, contents(rows), strict=True):
            if not self._proves_row(signed, mac) and self._is_wrong(self._proves_row, signed, mac):
                yield _changed(i_audit)
            joined = link(place, previous, mac)
            if place != seq + 1:
                yield f"audit rows are missing before row {i_audit}: link {seq + 1} of the chain"
            elif not self._proves_link(joined, digest) and self._is_wrong(self._proves_link, joined, digest):
                yield f"audit row {i_audit} does not fit link {place} of the chain"
            seq, previous = place, digest

    def changes(self, row: Mapping[Any, Any]) -> Iterator[str]:
        """A sentence if a row is not as it was written here."""
        if self._is_wrong(self._proves_row, content(row), row["mac"]):
            yield _changed(row["i_audit"])

    def _is_wrong(self, proves: Callable[[bytes, str], bool | None], data: bytes, signature: str) -> bool:
        is_right = proves(data, signature)
        if is_right is None:
            self.missing[signature.partition(":")[0]] += 1
        return is_right is False


def _changed(i_audit: int) -> str:
    return f"audit row {i_audit} was changed, or did not come from this server"


def _shown(entity: Entity, values: Values) -> Snapshot:
    """The values as they may be kept: of a secret, only that it is there or has changed."""
    secret = set(entity.secrets)
    return {name: CHANGED if name in secret and value is not None else value for name, value in values.items()}


def plain_values(entity: Entity, values: Values) -> Snapshot:
    """The values as rows of the history hold them when they are read; what is nil is left out."""
    kept: Snapshot = json.loads(as_json(_shown(entity, values)))
    return {name: value for name, value in kept.items() if value is not None}


def as_json(values: Values) -> str:
    """Values as text: amounts as plain decimals in strings, times in ISO 8601."""
    return _PLAIN.encode(dict(values))


def plain(value: object) -> str:
    """A value that JSON does not know, as the history says it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the history")


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain)
