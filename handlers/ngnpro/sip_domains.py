"""SipPort: domains in NGNPro's dialect."""

from dataclasses import replace

from handlers.ngnpro.vocabulary import CHANGE_DATE, CUSTOMER, DOMAIN_LIMIT, FAULTS, RESELLER, Noun, Struct
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import attributes, operation
from xmlrpc_api.services.ngnpro import queries, sip_names
from xmlrpc_api.services.sip import domains

ATTRIBUTES = {**attributes(domains.DOMAIN), "customer": replace(CUSTOMER, attribute="i_customer")}
COMPUTED = (RESELLER, CHANGE_DATE)
OURS = {"changeDate": "changed"}
DOMAIN = Noun("SipDomain", "domain", "domains", attributes=ATTRIBUTES, computed=COMPUTED, ours=OURS)
DOMAIN_NAME = Field(
    name="domain", wire=Wire.STRING, required=True, limit=DOMAIN_LIMIT, doc="Name of the domain.", example="example.com"
)
DOMAIN_QUERY = queries.query("SipDomainQuery", (*queries.texts(["domain"]), *queries.OWNERS))


def _name_of(domain: Struct) -> str:
    if not domain.get("domain"):
        raise BadParameter.required("domain")
    return str(domain["domain"])


@operation("SipPort.addDomain", DOMAIN.sent, right=Right.ACCOUNTS_ADD, effect=Effect.WRITE, raises=FAULTS)
async def add_domain(call: Call, *, domain: Struct) -> Struct:
    """Add a domain, to the caller or to one of its customers; what hangs below it belongs to the same."""
    _name_of(domain)
    attributes = DOMAIN.ours(domain)
    if not attributes.get("i_customer") and domain.get("reseller"):
        attributes["i_customer"] = domain["reseller"]
    await domains.create(call, attributes)
    return {}


@operation("SipPort.updateDomain", DOMAIN.sent, right=Right.ACCOUNTS_EDIT, effect=Effect.WRITE, raises=FAULTS)
async def update_domain(call: Call, *, domain: Struct) -> Struct:
    """Change a domain: what is left out stays."""
    name = _name_of(domain)
    attributes = DOMAIN.ours(domain)
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
    returns=(DOMAIN.page,),
)
async def get_domains(call: Call, *, query: Struct) -> Struct:
    """List domains, as far as the caller may see them. Private keys are never told."""
    return DOMAIN.some(await queries.search(call, sip_names.DOMAINS, queries.asked(query)))
