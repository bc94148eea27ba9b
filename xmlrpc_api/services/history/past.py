"""Reading the change history: who changed what, and how something was at an earlier time."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from models import AuditEntry, Base, Customer, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Entity, Values
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import lists
from xmlrpc_api.services.tree.stretches import Key, Of
from xmlrpc_api.storage.rows import Row

MOST = 100
MEMBERS = (
    Field(name="i_audit", wire=Wire.INT, doc="Id of the row.", example=12),
    Field(name="created", wire=Wire.DATETIME, doc="When it happened."),
    Field(name="i_customer", wire=Wire.INT, doc="Whom it concerns.", example=29),
    Field(name="i_customer_actor", wire=Wire.INT, doc="On whose behalf it was done.", example=1),
    Field(name="trusted", wire=Wire.BOOLEAN, doc="Whether a trusted host did it, without credentials.", example=False),
    Field(name="address", wire=Wire.STRING, doc="From which address.", example="192.0.2.7"),
    Field(name="dialect", wire=Wire.STRING, doc="Through which interface.", example="xmlrpc"),
    Field(name="request_id", wire=Wire.STRING, doc="Id of the request, as in the logs.", example="9f86d081884c7d65"),
    Field(name="method", wire=Wire.STRING, doc="By which method.", example="updateCustomer"),
    Field(
        name="action",
        wire=Wire.STRING,
        doc="A added, U updated, D deleted, BASELINE found as it is, FUNDS booked, LOGIN, LOGIN_FAILED, THROTTLED,"
        " FLOOD (of failed logins), OTP_ISSUED, OTP_USED, VOUCHER_USED, API_PASSWORD_REFUSED.",
        example="U",
    ),
    Field(name="resource", wire=Wire.STRING, doc="The object it was done to.", example="customers:i_customer=29"),
    Field(name="before", wire=Wire.STRUCT, doc="What changed, as it was. Passwords are shown as changed, only."),
    Field(name="after", wire=Wire.STRUCT, doc="What changed, as it became.", example={"city": "Berlin"}),
)

SELECTED = [*(field.name for field in MEMBERS if field.name != "resource"), "object_type", "object_id"]


def _of_resource(resource: str) -> Of:
    """An object as a row shows it, or all of a kind, the part before the colon."""
    kind, _, key = resource.partition(":")
    number = key.rpartition("=")[2]
    one = {AuditEntry.object_id: int(number) if number.isdecimal() else -1} if key else {}
    return Of({AuditEntry.object_type: kind, **one})


HISTORY = lists.List(
    select(*(getattr(AuditEntry, name) for name in SELECTED)),
    AuditEntry.i_audit.desc(),
    {
        **lists.times(AuditEntry.created),
        "resource": lambda resource: and_(*_of_resource(resource).equal()),
        "action": lambda action: AuditEntry.action == action,
        "i_customer_actor": lambda i_customer: AuditEntry.i_customer_actor == i_customer,
    },
)


async def logs(call: Call, filters: Values) -> Row:
    """
    Rows that concern the caller or anybody below it, newest first, as `records`.

    Args:
        call: The call.
        filters: Each optional: resource (as a row shows it, or the part before the colon), action,
            i_customer_actor, start_date, end_date, after, offset, limit, with_total.
    """
    seen, resource = audit.seen_by(call.caller, AuditEntry.scope), filters.get("resource")
    of = _of_resource(resource) if resource is not None else None
    if of is None or AuditEntry.object_id not in of.values:
        return await _page(call, filters, seen)
    return await _page(call, {**filters, "resource": None}, seen, of=of)


async def of_customer(call: Call, i_customer: int, page: Values) -> Row:
    """
    All that happened to a customer at any depth below the caller, or to the caller itself, as `logs` tells it.

    Raises:
        NotFound: Nothing is known of it, or it is not the caller's.
    """
    of_it = Of({AuditEntry.object_type: Customer.__tablename__, AuditEntry.object_id: i_customer})
    newest = of_it.stretch(select(AuditEntry.scope), Key.of(HISTORY.key), None).limit(1)
    rows = await call.store.select(newest, is_short=True)
    first, end = subtree(call.caller.path, call.caller.i_customer)
    if not rows or not first <= rows[0]["scope"] < end:
        raise NotFound(Customer)
    return await _page(call, page, of=Of({AuditEntry.scope: rows[0]["scope"]}))


async def rewound(call: Call, entity: Entity, i_row: int, present: Values, time: datetime) -> dict[str, Any] | None:
    """
    How an object was, as far as the caller may know: from how it is, backwards.

    Args:
        call: The call.
        entity: What it is.
        i_row: Its id.
        present: Its attributes as they are; none if it has been deleted.
        time: When.

    Returns:
        Its attributes, those included that the history knows nothing of; None: it was not there yet.
    """
    state = dict(present)
    statement = select(AuditEntry.action, AuditEntry.before).where(
        AuditEntry.object_type == entity.name,
        AuditEntry.object_id == i_row,
        AuditEntry.created > time,
        AuditEntry.action.in_((audit.ADDED, audit.UPDATED, audit.DELETED)),
        audit.seen_by(call.caller, AuditEntry.scope),
    )
    for row in await call.session.execute(statement.order_by(AuditEntry.i_audit.desc())):
        if row.action == audit.ADDED:
            return None
        state |= _loaded(entity, json.loads(row.before))
    return {field.name: state.get(field.name, _default(entity, field)) for field in entity.read}


def _default(entity: Entity, field: Field) -> Any:
    """What an attribute is that the history does not know: it was deleted before there was such a thing."""
    default = entity.column(field.name).default
    return default.arg if default is not None and default.is_scalar else None


def _loaded(entity: Entity, values: Values) -> dict[str, Any]:
    """Attributes from their text in the history."""
    fields = {name: entity[name] for name in values if name in entity.fields and not entity[name].secret}
    return {
        name: Decimal(values[name]) if field.wire is Wire.DOUBLE and values[name] is not None else values[name]
        for name, field in fields.items()
    }


async def _page(call: Call, filters: Values, *conditions: ColumnElement[bool], of: Of | None = None) -> Row:
    found = await HISTORY.told(call, {"limit": MOST, **filters}, "records", *conditions, of=of, most=MOST)
    return {**found, "records": [_shown(row) for row in found["records"]]}


def _shown(row: Row) -> Row:
    kind, key = row.pop("object_type"), row.pop("object_id")
    before, after = row.pop("before"), row.pop("after")
    return {
        **row,
        "resource": f"{kind}:{_KEYS.get(kind, 'id')}={key}" if key is not None else kind,
        "before": json.loads(before) if before else {},
        "after": json.loads(after) if after else {},
    }


_KEYS = {mapper.class_.__tablename__: mapper.primary_key[0].name for mapper in Base.registry.mappers}
