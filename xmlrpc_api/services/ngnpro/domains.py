"""SIP domains as NGNPro lists them."""

from collections.abc import Mapping
from typing import Any

from models import SipDomain
from xmlrpc_api.call import Call
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.sip.domains import DOMAIN
from xmlrpc_api.services.tree.lists import Found, List

DOMAINS = List(
    queries.with_owner(
        DOMAIN.select(field for field in DOMAIN.fields.values() if not field.secret).add_columns(SipDomain.changed),
        SipDomain.i_customer,
    ),
    SipDomain.i_domain,
    {**queries.by_text({"domain": SipDomain.domain}), **queries.OF_CUSTOMERS},
    {"changeDate": SipDomain.changed, "domain": SipDomain.domain},
)


async def search(call: Call, query: Mapping[str, Any]) -> Found:
    """
    The domains that a query asks for, as far as the caller may see them.

    Raises:
        BadParameter: The query cannot be answered.
    """
    return await queries.page(call, DOMAINS, queries.asked(query))
