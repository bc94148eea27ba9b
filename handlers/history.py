"""The change history, for those whom it concerns."""

from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.declaration.fields import I_CUSTOMER, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import BETWEEN, rows_of
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.history import past

RECORDS = rows_of("records", "The rows, newest first.", past.MEMBERS)


@method(
    "getAuditLogs",
    Field(
        name="resource",
        wire=Wire.STRING,
        limit=64,
        doc="Only of this object, such as customers:i_customer=29, or of this kind, such as customers.",
        example="customers:i_customer=29",
    ),
    Field(name="action", wire=Wire.STRING, limit=64, doc="Only this action.", example="U"),
    Field(
        name="i_customer_actor", wire=Wire.INT, low=1, doc="Only what was done on this customer's behalf.", example=1
    ),
    *BETWEEN,
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=RECORDS,
)
async def get_audit_logs(call: Call, **filters: Any) -> Answer:
    """
    Tell what was changed at the caller and at everybody below it, by whom and from where.

    At most 100 rows are answered at once; read on with after.
    """
    return await past.logs(call, filters)


@method(
    "getCustomerHistory",
    I_CUSTOMER,
    *BETWEEN,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=RECORDS,
    raises=(NotFound,),
)
async def get_customer_history(call: Call, *, i_customer: int, **page: Any) -> Answer:
    """
    Tell all that happened to a customer at any depth below the caller, even if it is deleted by now.

    At most 100 rows are answered at once; read on with after.
    """
    return await past.of_customer(call, i_customer, page)
