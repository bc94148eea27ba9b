"""Events: what happened that a billing system may want to act on."""

import json
from collections.abc import Mapping
from typing import Any

from models import Event
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values, table_of
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import lists
from xmlrpc_api.storage.fast_path import Query, inserting
from xmlrpc_api.storage.rows import Row

EVENT = entity_of(Event)
DETAILS = Field(
    name="details",
    wire=Wire.STRUCT,
    doc="What else there is to know. Of low_balance: balance, threshold, currency, and what was asked for; of "
    "plan_suspended and plan_resumed: i_account, i_billing_plan and what the account must have.",
    example={"balance": "4.5", "threshold": "5", "currency": "USD"},
)
MEMBERS = (*EVENT.read, DETAILS)
_TABLE = table_of(Event.__mapper__.columns["i_event"])
_EVENT = Query(inserting(_TABLE, (column.name for column in _TABLE.columns if not column.primary_key)))
EVENTS = lists.List(EVENT.select(EVENT.read).add_columns(Event.details), Event.i_event)


async def write(call: Call, kind: str, i_customer: int, details: Mapping[str, Any]) -> None:
    """Write an event that concerns a customer, in the call's transaction."""
    row = {"i_customer": i_customer, "scope": await audit.scope_of(call.store, i_customer), "kind": kind}
    await call.transaction.write(_EVENT, **row, created=call.now, details=audit.as_json(details))


async def page(call: Call, params: Values) -> Row:
    """Events of the caller and of everybody below it, oldest first, as `events`."""
    found = await EVENTS.told(call, params, "events", audit.seen_by(call.caller, Event.scope))
    return {**found, "events": [{**row, "details": json.loads(row["details"])} for row in found["events"]]}
