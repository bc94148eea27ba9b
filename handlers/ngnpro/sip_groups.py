"""SipPort: the groups that an account is in."""

from handlers.ngnpro.vocabulary import FAULTS, GROUPS, SIP_ID, Struct, balance_of_id, whole
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import operation
from xmlrpc_api.services.ngnpro import accounts, groups

GROUP = Field(
    name="group", wire=Wire.STRING, required=True, limit=64, check="not_empty", doc="Group.", example="free-pstn"
)


@operation(
    "SipPort.addToGroup",
    SIP_ID,
    GROUP,
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    balances=balance_of_id,
    raises=FAULTS,
)
async def add_to_group(call: Call, *, sipId: Struct, group: str) -> Struct:
    """
    Put an account into a group: free-pstn, quota, blocked, anonymous, or any other.

    Where somebody below the caller has put it into blocked or quota already, it is the caller's limit from now on.
    """
    await groups.add(call, whole(sipId), group)
    return {}


@operation(
    "SipPort.removeFromGroup",
    SIP_ID,
    GROUP,
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    balances=balance_of_id,
    raises=FAULTS,
)
async def remove_from_group(call: Call, *, sipId: Struct, group: str) -> Struct:
    """Take an account out of a group; of blocked and quota not below whoever has put it there."""
    await groups.remove(call, whole(sipId), group)
    return {}


@operation("SipPort.getGroups", SIP_ID, right=Right.ANYONE, effect=Effect.READ, returns=(GROUPS,), raises=(NotFound,))
async def get_groups(call: Call, *, sipId: Struct) -> Struct:
    """Tell the groups of an account."""
    return {"groups": (await accounts.info(call, whole(sipId), tells=False))["groups"]}
