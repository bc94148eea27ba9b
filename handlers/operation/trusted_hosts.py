"""Trusted hosts: from where calls need no credentials, beside what the settings say."""

from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services import trusted_hosts
from xmlrpc_api.services.trusted_hosts import HOST

ID = HOST.require("i_trusted_host")
LAST_USED = Field(
    name="last_used",
    wire=Wire.DATETIME,
    nullable=True,
    doc="In which hour a call last came from there; nil: none has.",
)
ROW = (*HOST.some("i_trusted_host", "ip", "description", "added_on"), LAST_USED)


@method(
    "addTrustedHost",
    *HOST.create,
    right=Right.SYSTEM,
    effect=Effect.WRITE,
    scope=None,
    returns=HOST.some("i_trusted_host"),
    raises=(NotPermitted, Conflict),
)
async def add_trusted_host(call: Call, **attributes: Any) -> Answer:
    """
    Trust an address or network: calls from there need no credentials. All servers know it within a second.

    Root alone may, with its credentials. What overlaps the setting trusted_proxies is refused, and would be left out
    later: everybody behind the proxy would be trusted.
    """
    return {"i_trusted_host": await trusted_hosts.create(call, attributes)}


@method("deleteTrustedHost", ID, right=Right.SYSTEM, effect=Effect.WRITE, scope=None, raises=(NotPermitted, NotFound))
async def delete_trusted_host(call: Call, *, i_trusted_host: int) -> Answer:
    """
    Trust a host no more. All servers know it within a second; what is in the settings stays trusted.

    Root alone may, with its credentials.
    """
    await trusted_hosts.remove(call, i_trusted_host)
    return {}


@method(
    "listTrustedHosts",
    right=Right.SYSTEM,
    effect=Effect.READ,
    scope=None,
    returns=(
        Field(name="trusted_hosts", wire=Wire.ARRAY, doc="Those that were added, oldest first.", members=ROW),
        Field(
            name="configured",
            wire=Wire.ARRAY,
            items=Wire.STRING,
            doc="Those of the settings of the server that answers.",
            example=["192.0.2.0/24"],
        ),
    ),
    raises=(NotPermitted,),
)
async def list_trusted_hosts(call: Call) -> Answer:
    """Tell who is trusted without credentials; to root alone."""
    rows = await trusted_hosts.listed(call)
    told = [{field.name: row[field.name] for field in ROW} for row in rows]
    return {"trusted_hosts": told, "configured": [str(host) for host in call.platform.config.trusted_hosts]}
