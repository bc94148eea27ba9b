"""SipPort: domains in NGNPro's dialect."""

from dataclasses import replace

from handlers.ngnpro.vocabulary import (
    CHANGE_DATE,
    CUSTOMER,
    DOMAIN_LIMIT,
    FAULTS,
    RESELLER,
    Struct,
    by_our_names,
    by_their_names,
    date,
    listed,
    page_of,
    struct,
)
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import attributes, operation
from xmlrpc_api.services.ngnpro import queries, sip_names
from xmlrpc_api.services.sip import domains

DOMAIN_ATTRIBUTES = {**attributes(domains.DOMAIN), "customer": replace(CUSTOMER, attribute="i_customer")}
DOMAIN_MEMBERS = (*DOMAIN_ATTRIBUTES.values(), RESELLER, CHANGE_DATE)
DOMAIN = struct("domain", "SipDomain", "The domain.", DOMAIN_MEMBERS, required=True)
DOMAIN_NAME = Field(
    name="domain", wire=Wire.STRING, required=True, limit=DOMAIN_LIMIT, doc="Name of the domain.", example="example.com"
)
DOMAIN_QUERY = queries.query("SipDomainQuery", (*queries.texts(["domain"]), *queries.OWNERS))


def _name_of(domain: Struct) -> str:
    if not domain.get("domain"):
        raise BadParameter.required("domain")
    return str(domain["domain"])


def _shown(row: Struct) -> Struct:
    computed = {"reseller": row["reseller"], "changeDate": date(row["changed"])}
    return {**by_their_names(DOMAIN_ATTRIBUTES, row), **computed}


@operation("SipPort.addDomain", DOMAIN, right=Right.ACCOUNTS_ADD, effect=Effect.WRITE, raises=FAULTS)
async def add_domain(call: Call, *, domain: Struct) -> Struct:
    """Add a domain, to the caller or to one of his customers; what hangs below it belongs to the same."""
    _name_of(domain)
    attributes = by_our_names(DOMAIN_ATTRIBUTES, domain)
    if not attributes.get("i_customer") and domain.get("reseller"):
        attributes["i_customer"] = domain["reseller"]
    await domains.create(call, attributes)
    return {}


@operation("SipPort.updateDomain", DOMAIN, right=Right.ACCOUNTS_EDIT, effect=Effect.WRITE, raises=FAULTS)
async def update_domain(call: Call, *, domain: Struct) -> Struct:
    """Change a domain: what is left out stays."""
    name = _name_of(domain)
    attributes = by_our_names(DOMAIN_ATTRIBUTES, domain)
    await domains.change(call, name, {known: value for known, value in attributes.items() if known != "domain"})
    return {}


@operation("SipPort.deleteDomain", DOMAIN_NAME, right=Right.ACCOUNTS_DELETE, effect=Effect.WRITE, raises=FAULTS)
async def delete_domain(call: Call, *, domain: str) -> Struct:
    """Delete a domain that has no accounts any more."""
    await domains.remove(call, domain)
    return {}


@operation(
    "SipPort.getDomains",
    DOMAIN_QUERY,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(page_of("domains", "SipDomain", DOMAIN_MEMBERS),),
)
async def get_domains(call: Call, *, query: Struct) -> Struct:
    """List domains, as far as the caller may see them. Private keys are never told."""
    return listed(await queries.search(call, sip_names.DOMAINS, queries.asked(query)), _shown, "domains")
