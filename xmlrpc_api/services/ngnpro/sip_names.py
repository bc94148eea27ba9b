"""What can be asked of the lists of SIP domains and aliases."""

from sqlalchemy import select

from models import Customer, SipAlias, SipDomain
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.sip.aliases import ALIAS
from xmlrpc_api.services.sip.domains import DOMAIN
from xmlrpc_api.services.tree import names
from xmlrpc_api.services.tree.lists import List

DOMAINS = queries.belonging(
    DOMAIN,
    SipDomain.changed,
    texts={"domain": SipDomain.domain},
    orders={"changeDate": SipDomain.changed, "domain": SipDomain.domain},
)
ALIAS_TEXTS = {
    "aliasUsername": SipAlias.username,
    "aliasDomain": SipDomain.domain,
    "targetUsername": SipAlias.target_username,
    "targetDomain": SipAlias.target_domain,
}
_ALIASES = ALIAS.select(ALIAS.fields.values()).join(SipDomain, SipDomain.i_domain == SipAlias.i_domain)
ALIASES = List(
    queries.with_owner(
        _ALIASES.add_columns(SipAlias.changed, SipDomain.domain, SipDomain.i_customer), SipDomain.i_customer
    ),
    SipAlias.i_alias,
    {**queries.by_text(ALIAS_TEXTS), **queries.OF_CUSTOMERS, "owner": lambda owner: SipAlias.owner == owner},
    {"changeDate": SipAlias.changed, **ALIAS_TEXTS},
    lean=select(SipAlias.i_alias)
    .join(SipDomain, SipDomain.i_domain == SipAlias.i_domain)
    .join(Customer, Customer.i_customer == SipDomain.i_customer),
)
ALIAS_BY_ID = queries.finding(ALIASES, names.has_key(SipAlias.alias_key, SipAlias.alias_key))
