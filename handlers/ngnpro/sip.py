"""SipPort: domains, accounts and their groups in NGNPro's dialect."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.faults import BadParameter, Conflict, NotEnoughCredit, NotFound, NotPermitted, WrongReference
from xmlrpc_api.fields import Field, Wire
from xmlrpc_api.registry import Access, Family, method
from xmlrpc_api.rights import Right
from xmlrpc_api.services import accounts, ngnpro_customers, queries, sip_accounts, sip_domains

DATE = "%Y-%m-%d %H:%M:%S"
DOMAIN_LIMIT = 253
CHANGE_DATE = Field(name="changeDate", wire=Wire.STRING, doc="When it was changed last.", example="2026-11-21 05:00:00")
RESELLER = Field(
    name="reseller", wire=Wire.INT, low=0, doc="The reseller to whom it belongs; 0: the platform.", example=7
)
CUSTOMER = Field(
    name="customer", wire=Wire.INT, low=0, doc="The customer to whom it belongs; 0: the platform.", example=7
)
OWNERS = (
    Field(name="customer", wire=Wire.INT, low=0, doc="By customer.", example=7),
    Field(name="reseller", wire=Wire.INT, low=0, doc="By reseller.", example=7),
)

DOMAIN_ATTRIBUTES = {**sip_domains.DOMAIN.ngnpro, "customer": replace(CUSTOMER, attribute="i_customer")}
DOMAIN_MEMBERS = (*DOMAIN_ATTRIBUTES.values(), RESELLER, CHANGE_DATE)
DOMAIN = Field(
    name="domain", wire=Wire.STRUCT, type="SipDomain", required=True, doc="The domain.", members=DOMAIN_MEMBERS
)
DOMAIN_NAME = Field(
    name="domain", wire=Wire.STRING, required=True, limit=DOMAIN_LIMIT, doc="Name of the domain.", example="example.com"
)
DOMAIN_QUERY = queries.query(
    "SipDomainQuery",
    (
        Field(
            name="domain", wire=Wire.STRING, limit=DOMAIN_LIMIT, doc="By name; % and _ are wild cards.", example="%.com"
        ),
        *OWNERS,
    ),
)


def _sip_id(name: str, *, required: bool = False) -> Field:
    return Field(
        name=name,
        wire=Wire.STRUCT,
        type="SipId",
        required=required,
        doc="User name and domain.",
        members=(
            Field(name="username", wire=Wire.STRING, limit=128, doc="User name.", example="alice"),
            Field(name="domain", wire=Wire.STRING, limit=DOMAIN_LIMIT, doc="Domain.", example="example.com"),
        ),
    )


SIP_ID = _sip_id("sipId", required=True)
GROUPS = Field(name="groups", wire=Wire.ARRAY, items=Wire.STRING, limit=64, doc="Groups it is in; replaced as a whole.")
KEPT = {
    "groups": GROUPS,
    "acl": Field(
        name="acl",
        wire=Wire.ARRAY,
        type="SipACL",
        doc="Networks from which it may register; replaced as a whole.",
        members=(
            Field(name="ip", wire=Wire.STRING, limit=45, required=True, doc="Address.", example="192.0.2.0"),
            Field(name="mask", wire=Wire.INT, low=0, high=128, required=True, doc="Bits of the network.", example=24),
            Field(name="tag", wire=Wire.STRING, limit=64, doc="Name for it.", example="office"),
        ),
    ),
    "properties": Field(
        name="properties",
        wire=Wire.ARRAY,
        type="SipProperty",
        doc="What front ends keep with it; replaced as a whole.",
        members=(
            Field(name="name", wire=Wire.STRING, limit=128, required=True, doc="Name.", example="language"),
            Field(name="value", wire=Wire.STRING, limit=4096, doc="Value.", example="en"),
        ),
    ),
}
ATTRIBUTES = accounts.ACCOUNT.ngnpro
COMPUTED = {
    "id": _sip_id("id"),
    "ha1": Field(name="ha1", wire=Wire.STRING, doc="HA1 of the password; told to the administrator.", example=""),
    "timezone": Field(
        name="timezone", wire=Wire.STRING, limit=64, doc="Time zone, by its IANA name.", example="Europe/Amsterdam"
    ),
    "customer": CUSTOMER,
    "reseller": RESELLER,
    **KEPT,
    "createDate": Field(name="createDate", wire=Wire.STRING, doc="When it was created.", example="2026-11-21 05:00:00"),
    "changeDate": CHANGE_DATE,
}
MEMBERS = tuple({**ATTRIBUTES, **COMPUTED}.values())


def _account(*, required: bool = False) -> Field:
    return Field(
        name="account", wire=Wire.STRUCT, type="SipAccount", required=required, doc="The account.", members=MEMBERS
    )


ACCOUNT = _account(required=True)
ACCOUNT_QUERY = queries.query(
    "SipQuery",
    (
        *(
            Field(name=name, wire=Wire.STRING, limit=255, doc=f"By {name}; % and _ are wild cards.", example="%a%")
            for name in ("username", "domain", *sip_accounts.FILTERS)
        ),
        Field(name="owner", wire=Wire.INT, low=0, doc="By owner.", example=7),
        *OWNERS,
        Field(name="groups", wire=Wire.ARRAY, items=Wire.STRING, limit=64, doc="Only those in all of these groups."),
    ),
)
GROUP = Field(
    name="group", wire=Wire.STRING, required=True, limit=64, check="not_empty", doc="Group.", example="free-pstn"
)
FAULTS = (NotFound, NotPermitted, WrongReference, Conflict)
COMMON: dict[str, Any] = {"family": Family.NGNPRO, "scope": None}


def _by_our_names(known: Mapping[str, Field], sent: Mapping[str, Any]) -> dict[str, Any]:
    return {known[name].attribute or name: value for name, value in sent.items() if name in known}


def _name_of(domain: Mapping[str, Any]) -> str:
    if not domain.get("domain"):
        raise BadParameter.required("domain")
    return str(domain["domain"])


@method(
    "SipPort.addDomain",
    DOMAIN,
    right=Right.ACCOUNTS_ADD,
    access=Access.WRITE,
    raises=FAULTS,
    **COMMON,
)
async def add_domain(call: Call, *, domain: dict[str, Any]) -> dict[str, Any]:
    """Add a domain, to the caller or to one of his customers; what hangs below it belongs to the same."""
    _name_of(domain)
    attributes = _by_our_names(DOMAIN_ATTRIBUTES, domain)
    if not attributes.get("i_customer") and domain.get("reseller"):
        attributes["i_customer"] = domain["reseller"]
    await sip_domains.create(call, attributes)
    return {}


@method("SipPort.updateDomain", DOMAIN, right=Right.ACCOUNTS_EDIT, access=Access.WRITE, raises=FAULTS, **COMMON)
async def update_domain(call: Call, *, domain: dict[str, Any]) -> dict[str, Any]:
    """Change a domain: what is left out stays."""
    name = _name_of(domain)
    attributes = _by_our_names(DOMAIN_ATTRIBUTES, domain)
    await sip_domains.change(call, name, {known: value for known, value in attributes.items() if known != "domain"})
    return {}


@method("SipPort.deleteDomain", DOMAIN_NAME, right=Right.ACCOUNTS_DELETE, access=Access.WRITE, raises=FAULTS, **COMMON)
async def delete_domain(call: Call, *, domain: str) -> dict[str, Any]:
    """Delete a domain that has no accounts any more."""
    await sip_domains.remove(call, domain)
    return {}


@method(
    "SipPort.getDomains",
    DOMAIN_QUERY,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(
        Field(
            name="domains",
            wire=Wire.STRUCT,
            type="SipDomainList",
            doc="A page of the matches.",
            members=(
                queries.TOTAL,
                Field(name="domains", wire=Wire.ARRAY, type="SipDomain", doc="The domains.", members=DOMAIN_MEMBERS),
            ),
        ),
    ),
    **COMMON,
)
async def get_domains(call: Call, *, query: dict[str, Any]) -> dict[str, Any]:
    """List domains, as far as the caller may see them. Private keys are never told."""
    found = await sip_domains.search(call, query)
    rows = [
        {
            **{name: row.get(field.attribute or name) for name, field in DOMAIN_ATTRIBUTES.items()},
            "reseller": row["reseller"],
            "changeDate": f"{row['changed']:{DATE}}",
        }
        for row in found.rows
    ]
    return {"domains": {"total": found.total, "domains": rows}}


def _whole(sip_id: Mapping[str, Any]) -> dict[str, str]:
    """
    A SIP id with both of its parts.

    Raises:
        BadParameter: One of them is missing.
    """
    for name in ("username", "domain"):
        if not sip_id.get(name):
            raise BadParameter.required(name)
    return dict(sip_id)


async def _attributes(call: Call, account: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes by our names; an empty password is one that was not filled in."""
    values = _by_our_names(ATTRIBUTES, account)
    if "owner" in values:
        values["owner"] = values["owner"] or None
    if not values.get("voip_password", "-"):
        del values["voip_password"]
    if account.get("timezone"):
        values["i_time_zone"] = await ngnpro_customers.zone(call, account["timezone"])
    return values


def _kept(account: Mapping[str, Any]) -> dict[str, Any]:
    return {name: account[name] for name in KEPT if name in account}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An account by NGNPro's names."""
    named = {name: row[field.attribute or name] for name, field in ATTRIBUTES.items()}
    computed = {name: row[name] for name in ("id", "ha1", "timezone", "reseller", *KEPT)}
    dates = {"createDate": f"{row['created_on']:{DATE}}", "changeDate": f"{row['updated_on']:{DATE}}"}
    return {**named, **computed, **dates, "customer": row["i_customer"]}


@method(
    "SipPort.addAccount",
    ACCOUNT,
    right=Right.ACCOUNTS_ADD,
    access=Access.WRITE,
    returns=(_account(),),
    raises=(*FAULTS, NotEnoughCredit),
    **COMMON,
)
async def add_account(call: Call, *, account: dict[str, Any]) -> dict[str, Any]:
    """
    Add an account below a domain, to whose customer it belongs; for the user name <autoincrement> a free one is taken.

    Without a password it cannot register.
    """
    sip_id = _whole(account.get("id", {}))
    made = await sip_accounts.create(call, sip_id, await _attributes(call, account), _kept(account))
    return {"account": _shown(made)}


@method("SipPort.updateAccount", ACCOUNT, right=Right.ACCOUNTS_EDIT, access=Access.WRITE, raises=FAULTS, **COMMON)
async def update_account(call: Call, *, account: dict[str, Any]) -> dict[str, Any]:
    """Change an account: what is left out stays; groups, acl and properties are replaced as a whole."""
    sip_id = _whole(account.get("id", {}))
    await sip_accounts.change(call, sip_id, await _attributes(call, account), _kept(account))
    return {}


@method("SipPort.deleteAccount", SIP_ID, right=Right.ACCOUNTS_DELETE, access=Access.WRITE, raises=FAULTS, **COMMON)
async def delete_account(call: Call, *, sipId: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (the dialect's name)
    """Delete an account whose balance is zero."""
    await sip_accounts.remove(call, _whole(sipId))
    return {}


@method(
    "SipPort.getAccount",
    SIP_ID,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(_account(),),
    raises=(NotFound,),
    **COMMON,
)
async def get_account(call: Call, *, sipId: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (the dialect's name)
    """Tell an account. HA1, and where the settings allow it the password, are told to the administrator alone."""
    return {"account": _shown(await sip_accounts.info(call, _whole(sipId)))}


@method(
    "SipPort.getAccounts",
    ACCOUNT_QUERY,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(
        Field(
            name="accounts",
            wire=Wire.STRUCT,
            type="SipAccountList",
            doc="A page of the matches.",
            members=(
                queries.TOTAL,
                Field(name="accounts", wire=Wire.ARRAY, type="SipAccount", doc="The accounts.", members=MEMBERS),
            ),
        ),
    ),
    **COMMON,
)
async def get_accounts(call: Call, *, query: dict[str, Any]) -> dict[str, Any]:
    """List accounts, as far as the caller may see them: filtered, ordered, a page of them."""
    found = await sip_accounts.search(call, query)
    return {"accounts": {"total": found.total, "accounts": [_shown(row) for row in found.rows]}}


@method("SipPort.addToGroup", SIP_ID, GROUP, right=Right.ACCOUNTS_EDIT, access=Access.WRITE, raises=FAULTS, **COMMON)
async def add_to_group(call: Call, *, sipId: dict[str, Any], group: str) -> dict[str, Any]:  # noqa: N803
    """Put an account into a group: free-pstn, quota, blocked, anonymous, or any other."""
    await sip_accounts.add_to_group(call, _whole(sipId), group)
    return {}


@method(
    "SipPort.removeFromGroup", SIP_ID, GROUP, right=Right.ACCOUNTS_EDIT, access=Access.WRITE, raises=FAULTS, **COMMON
)
async def remove_from_group(call: Call, *, sipId: dict[str, Any], group: str) -> dict[str, Any]:  # noqa: N803
    """Take an account out of a group."""
    await sip_accounts.remove_from_group(call, _whole(sipId), group)
    return {}


@method(
    "SipPort.getGroups",
    SIP_ID,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(GROUPS,),
    raises=(NotFound,),
    **COMMON,
)
async def get_groups(call: Call, *, sipId: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (the dialect's name)
    """Tell the groups of an account."""
    return {"groups": (await sip_accounts.info(call, _whole(sipId)))["groups"]}
