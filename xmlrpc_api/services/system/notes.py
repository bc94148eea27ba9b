"""Notes: what root's own systems write into the change history beside what the server itself does."""

from models import ROOT_ID
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.system.live_settings import demand_root

NOTE = "notes"  # what the history calls what they are about: no table, so that none can be taken for a change of one
NOTE_LIMIT = 16384  # characters


async def write(call: Call, action: str, resource: str, info: Values) -> None:
    """
    Write a note into the change history.

    Raises:
        NotPermitted: The caller is not root.
        BadParameter: It is too long, or holds what cannot be kept.
    """
    demand_root(call)
    details = {"resource": resource, "audit_info": dict(info)}
    try:
        length = len(audit.as_json(details))
    except TypeError:
        raise BadParameter("audit_info", "must hold texts, numbers, dates, structs and arrays only") from None
    if length > NOTE_LIMIT:
        raise BadParameter("audit_info", f"is longer than {NOTE_LIMIT} characters")
    await audit.event(call, action, object_type=NOTE, object_id=None, i_customer=ROOT_ID, details=details)
