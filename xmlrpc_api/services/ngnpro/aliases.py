"""SIP aliases as NGNPro shows and lists them."""

from collections.abc import Mapping
from typing import Any

from models import SipAlias, SipDomain
from xmlrpc_api.call import Call
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.sip import aliases
from xmlrpc_api.services.sip.aliases import ALIAS
from xmlrpc_api.services.sip.ids import SipId
from xmlrpc_api.services.tree.lists import Found, List

TEXTS = {
    "aliasUsername": SipAlias.username,
    "aliasDomain": SipDomain.domain,
    "targetUsername": SipAlias.target_username,
    "targetDomain": SipAlias.target_domain,
}
ALIASES = List(
    queries.with_owner(
        ALIAS.select(ALIAS.fields.values())
        .add_columns(SipAlias.changed, SipDomain.domain, SipDomain.i_customer)
        .join(SipDomain, SipDomain.i_domain == SipAlias.i_domain),
        SipDomain.i_customer,
    ),
    SipAlias.i_alias,
    {**queries.by_text(TEXTS), **queries.OF_CUSTOMERS, "owner": lambda owner: SipAlias.owner == owner},
    {"changeDate": SipAlias.changed, **TEXTS},
)


async def info(call: Call, sip_id: SipId) -> dict[str, Any]:
    """
    An alias.

    Raises:
        NotFound: It is not there for the caller.
    """
    return _shown(await queries.one(call, ALIASES, aliases.WHAT, aliases.is_called(sip_id)))


async def search(call: Call, query: Mapping[str, Any]) -> Found:
    """
    The aliases that a query asks for, as far as the caller may see them.

    Raises:
        BadParameter: The query cannot be answered.
    """
    found = await queries.page(call, ALIASES, queries.asked(query))
    return Found(found.total, [_shown(row) for row in found.rows])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": {"username": row["username"], "domain": row["domain"]},
        "target": {"username": row["target_username"], "domain": row["target_domain"]},
        "owner": row["owner"] or 0,
        "customer": row["i_customer"],
        "reseller": row["reseller"],
        "changed": row["changed"],
    }
