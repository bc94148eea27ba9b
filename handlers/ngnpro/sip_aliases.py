"""SipPort: aliases in NGNPro's dialect."""

from handlers.ngnpro.vocabulary import CHANGE_DATE, CUSTOMER, FAULTS, RESELLER, Noun, Struct, sip_id, whole
from models import SipAlias
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotEnoughCredit, NotFound
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import operation
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.ngnpro.sip_names import ALIAS_BY_ID, ALIAS_TEXTS, ALIASES
from xmlrpc_api.services.sip import aliases
from xmlrpc_api.services.tree.lists import Found

OWNER = Field(name="owner", wire=Wire.INT, low=0, doc="A customer to whom front ends assign it; 0: none.", example=0)
COMPUTED = (sip_id("id"), sip_id("target"), OWNER, CUSTOMER, RESELLER, CHANGE_DATE)
OURS = {"customer": "i_customer", "changeDate": "changed"}
ALIAS = Noun("SipAlias", "alias", "aliases", attributes={}, computed=COMPUTED, ours=OURS)
ALIAS_ID = sip_id("id").require()
ALIAS_QUERY = queries.query("AliasQuery", (*queries.texts(ALIAS_TEXTS), queries.OWNER, *queries.OWNERS))


def _whole(row: Struct) -> Struct:
    ids = {
        "id": {"username": row["username"], "domain": row["domain"]},
        "target": {"username": row["target_username"], "domain": row["target_domain"]},
    }
    return {**row, **ids, "owner": row["owner"] or 0}


@operation(
    "SipPort.addAlias", ALIAS.sent, right=Right.ACCOUNTS_ADD, effect=Effect.WRITE, raises=(*FAULTS, NotEnoughCredit)
)
async def add_alias(call: Call, *, alias: Struct) -> Struct:
    """Add an alias below a domain, to whose customer it belongs; its target may be anywhere."""
    sip_id, target = (whole(alias.get(name, {})) for name in ("id", "target"))
    await aliases.create(call, sip_id, target, alias.get("owner") or None)
    return {}


@operation("SipPort.updateAlias", ALIAS.sent, right=Right.ACCOUNTS_EDIT, effect=Effect.WRITE, raises=FAULTS)
async def update_alias(call: Call, *, alias: Struct) -> Struct:
    """Change where an alias leads to, or its owner."""
    target = whole(alias["target"]) if alias.get("target") else None
    changes = {"owner": alias["owner"] or None} if "owner" in alias else {}
    await aliases.change(call, whole(alias.get("id", {})), target, changes)
    return {}


@operation("SipPort.deleteAlias", ALIAS_ID, right=Right.ACCOUNTS_DELETE, effect=Effect.WRITE, raises=FAULTS)
async def delete_alias(call: Call, *, id: Struct) -> Struct:
    """Delete an alias."""
    await aliases.remove(call, whole(id))
    return {}


@operation(
    "SipPort.getAlias", ALIAS_ID, right=Right.ANYONE, effect=Effect.READ, returns=(ALIAS.told,), raises=(NotFound,)
)
async def get_alias(call: Call, *, id: Struct) -> Struct:
    """Tell an alias."""
    found = await queries.one(call, ALIAS_BY_ID, SipAlias, **aliases.forms(whole(id)))
    return ALIAS.one(_whole(found))


@operation(
    "SipPort.getAliases",
    ALIAS_QUERY,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(ALIAS.page,),
)
async def get_aliases(call: Call, *, query: Struct) -> Struct:
    """List aliases, as far as the caller may see them; by their target, all of an account."""
    found = await queries.search(call, ALIASES, queries.asked(query))
    return ALIAS.some(Found(found.total, [_whole(row) for row in found.rows]))
