"""Reading the change history: who changed what, and how a customer was at an earlier time."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from models import AuditEntry, Balance, Base, Customer, LedgerEntry, proxied_column
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.customers import CUSTOMER, SELECT_INFO
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import lists, ownership
from xmlrpc_api.services.tree.ownership import Reach

MOST = 100
COLUMNS = (
    AuditEntry.i_audit,
    AuditEntry.created,
    AuditEntry.i_customer,
    AuditEntry.i_customer_actor,
    AuditEntry.trusted,
    AuditEntry.address,
    AuditEntry.dialect,
    AuditEntry.request_id,
    AuditEntry.method,
    AuditEntry.action,
    AuditEntry.object_type,
    AuditEntry.object_id,
    AuditEntry.before,
    AuditEntry.after,
)
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


def _of_resource(resource: str) -> ColumnElement[bool]:
    """The condition for an object as a row shows it, or for all of a kind, the part before the colon."""
    kind, _, key = resource.partition(":")
    number = key.rpartition("=")[2]
    one = [AuditEntry.object_id == (int(number) if number.isdecimal() else -1)] if key else []
    return and_(AuditEntry.object_type == kind, *one)


HISTORY = lists.List(
    select(*COLUMNS),
    AuditEntry.i_audit.desc(),
    {
        **lists.times(AuditEntry.created),
        "resource": _of_resource,
        "action": lambda action: AuditEntry.action == action,
        "i_customer_actor": lambda i_customer: AuditEntry.i_customer_actor == i_customer,
    },
)


async def logs(call: Call, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Rows that concern the caller or anybody below him, newest first.

    Args:
        call: The call.
        filters: Each optional: resource (as a row shows it, or the part before the colon), action,
            i_customer_actor, start_date, end_date, offset, limit.
    """
    return await _page(call, filters)


async def of_customer(call: Call, i_customer: int, page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    All that happened to a customer at any depth below the caller, or to the caller himself, newest first.

    Raises:
        NotFound: Nothing is known of him, or he is not the caller's.
    """
    his = AuditEntry.i_customer == i_customer
    rows = await _page(call, page, his)
    if not rows and not await _page(call, {"limit": 1}, his):
        raise NotFound(Customer)
    return rows


async def customer_as_of(call: Call, i_customer: int, time: datetime) -> dict[str, Any]:
    """
    A direct sub-customer, or the caller himself, as he was; also one who has been deleted since.

    Raises:
        NotFound: He did not exist then, or was not the caller's.
    """
    within = ownership.within(call.caller, Reach.CHILDREN_AND_SELF)
    present = (await call.session.execute(SELECT_INFO.where(within, Customer.i_customer == i_customer))).mappings()
    state: dict[str, Any] = dict(present.one_or_none() or {})
    statement = select(AuditEntry.action, AuditEntry.before).where(
        AuditEntry.object_type == CUSTOMER.name,
        AuditEntry.object_id == i_customer,
        AuditEntry.created > time,
        AuditEntry.action.in_((audit.ADDED, audit.UPDATED, audit.DELETED)),
        audit.seen_by(call.caller, AuditEntry.scope),
    )
    for row in await call.session.execute(statement.order_by(AuditEntry.i_audit.desc())):
        if row.action == audit.ADDED:
            raise NotFound(Customer)
        state |= _loaded(json.loads(row.before))
    if state.get("i_wholesaler") != call.caller.i_customer and i_customer != call.caller.i_customer:
        raise NotFound(Customer)
    state["balance"] = await _balance_as_of(call, i_customer, time)
    return {field.name: state[field.name] if field.name in state else _default(field) for field in CUSTOMER.read}


def _default(field: Field) -> Any:
    """What an attribute is that the history does not know: he was deleted before there was such a thing."""
    default = proxied_column(Customer, field.name).default
    return default.arg if default is not None and default.is_scalar else None


async def _balance_as_of(call: Call, i_customer: int, time: datetime) -> Decimal:
    statement = (
        select(LedgerEntry.balance_after)
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .where(Balance.i_customer == i_customer, Balance.is_default, LedgerEntry.created <= time)
        .order_by(LedgerEntry.i_ledger.desc())
        .limit(1)
    )
    return (await call.session.execute(statement)).scalar_one_or_none() or Decimal(0)


def _loaded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes from their text in the history."""
    known = {name: value for name, value in values.items() if name in CUSTOMER.fields}
    return {
        name: Decimal(value) if CUSTOMER[name].wire is Wire.DOUBLE and value is not None else value
        for name, value in known.items()
        if not CUSTOMER[name].secret
    }


async def _page(call: Call, filters: Mapping[str, Any], *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    seen = audit.seen_by(call.caller, AuditEntry.scope)
    rows = await HISTORY.rows(call, lists.asked({"limit": MOST, **filters}, MOST), seen, *conditions)
    return [_shown(row) for row in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    kind, key = row.pop("object_type"), row.pop("object_id")
    before, after = row.pop("before"), row.pop("after")
    return {
        **row,
        "resource": f"{kind}:{_KEYS.get(kind, 'id')}={key}" if key is not None else kind,
        "before": json.loads(before) if before else {},
        "after": json.loads(after) if after else {},
    }


_KEYS = {mapper.class_.__tablename__: mapper.primary_key[0].name for mapper in Base.registry.mappers}
