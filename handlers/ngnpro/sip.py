"""SipPort: domains, accounts and their groups in NGNPro's dialect."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from models import LARGEST_AMOUNT
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    Fault,
    NotEnoughCredit,
    NotFound,
    NotPermitted,
    TooManyAttempts,
    WrongReference,
)
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Access, operation
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.services import accounts
from xmlrpc_api.services.money import vouchers
from xmlrpc_api.services.ngnpro import accounts as sip_accounts
from xmlrpc_api.services.ngnpro import customers as ngnpro_customers
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.sip import aliases, domains
from xmlrpc_api.turns import Key

DATE = "%Y-%m-%d %H:%M:%S"
DOMAIN_LIMIT = 253
CHANGE_DATE = Field(name="changeDate", wire=Wire.STRING, doc="When it was changed last.", example="2026-11-21 05:00:00")
RESELLER = Field(
    name="reseller", wire=Wire.INT, low=0, doc="The reseller to whom it belongs; 0: the platform.", example=7
)
CUSTOMER = Field(
    name="customer", wire=Wire.INT, low=0, doc="The customer to whom it belongs; 0: the platform.", example=7
)
DOMAIN_ATTRIBUTES = {**domains.DOMAIN.ngnpro, "customer": replace(CUSTOMER, attribute="i_customer")}
DOMAIN_MEMBERS = (*DOMAIN_ATTRIBUTES.values(), RESELLER, CHANGE_DATE)
DOMAIN = Field(
    name="domain", wire=Wire.STRUCT, type="SipDomain", required=True, doc="The domain.", members=DOMAIN_MEMBERS
)
DOMAIN_NAME = Field(
    name="domain", wire=Wire.STRING, required=True, limit=DOMAIN_LIMIT, doc="Name of the domain.", example="example.com"
)
DOMAIN_QUERY = queries.query("SipDomainQuery", (*queries.texts(["domain"]), *queries.OWNERS))


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
        *queries.texts(("username", "domain", *sip_accounts.FILTERS)),
        queries.OWNER,
        *queries.OWNERS,
        Field(name="groups", wire=Wire.ARRAY, items=Wire.STRING, limit=64, doc="Only those in all of these groups."),
    ),
)
GROUP = Field(
    name="group", wire=Wire.STRING, required=True, limit=64, check="not_empty", doc="Group.", example="free-pstn"
)
FAULTS = (NotFound, NotPermitted, WrongReference, Conflict)


def _by_our_names(known: Mapping[str, Field], sent: Mapping[str, Any]) -> dict[str, Any]:
    return {known[name].attribute or name: value for name, value in sent.items() if name in known}


def _name_of(domain: Mapping[str, Any]) -> str:
    if not domain.get("domain"):
        raise BadParameter.required("domain")
    return str(domain["domain"])


@operation(
    "SipPort.addDomain",
    DOMAIN,
    right=Right.ACCOUNTS_ADD,
    access=Access.WRITE,
    raises=FAULTS,
)
async def add_domain(call: Call, *, domain: dict[str, Any]) -> dict[str, Any]:
    """Add a domain, to the caller or to one of his customers; what hangs below it belongs to the same."""
    _name_of(domain)
    attributes = _by_our_names(DOMAIN_ATTRIBUTES, domain)
    if not attributes.get("i_customer") and domain.get("reseller"):
        attributes["i_customer"] = domain["reseller"]
    await domains.create(call, attributes)
    return {}


@operation("SipPort.updateDomain", DOMAIN, right=Right.ACCOUNTS_EDIT, access=Access.WRITE, raises=FAULTS)
async def update_domain(call: Call, *, domain: dict[str, Any]) -> dict[str, Any]:
    """Change a domain: what is left out stays."""
    name = _name_of(domain)
    attributes = _by_our_names(DOMAIN_ATTRIBUTES, domain)
    await domains.change(call, name, {known: value for known, value in attributes.items() if known != "domain"})
    return {}


@operation("SipPort.deleteDomain", DOMAIN_NAME, right=Right.ACCOUNTS_DELETE, access=Access.WRITE, raises=FAULTS)
async def delete_domain(call: Call, *, domain: str) -> dict[str, Any]:
    """Delete a domain that has no accounts any more."""
    await domains.remove(call, domain)
    return {}


@operation(
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
)
async def get_domains(call: Call, *, query: dict[str, Any]) -> dict[str, Any]:
    """List domains, as far as the caller may see them. Private keys are never told."""
    found = await domains.search(call, query)
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


async def _balance_of_id(call: Call, params: Mapping[str, Any]) -> set[Key]:
    return await sip_accounts.balance_key(call, params["sipId"])


async def _balance_of_account(call: Call, params: Mapping[str, Any]) -> set[Key]:
    return await sip_accounts.balance_key(call, params["account"].get("id", {}))


def _kept(account: Mapping[str, Any]) -> dict[str, Any]:
    return {name: account[name] for name in KEPT if name in account}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An account by NGNPro's names."""
    named = {name: row[field.attribute or name] for name, field in ATTRIBUTES.items()}
    computed = {name: row[name] for name in ("id", "ha1", "timezone", "reseller", *KEPT)}
    dates = {"createDate": f"{row['created_on']:{DATE}}", "changeDate": f"{row['updated_on']:{DATE}}"}
    return {**named, **computed, **dates, "customer": row["i_customer"]}


@operation(
    "SipPort.addAccount",
    ACCOUNT,
    right=Right.ACCOUNTS_ADD,
    access=Access.WRITE,
    returns=(_account(),),
    raises=(*FAULTS, NotEnoughCredit),
)
async def add_account(call: Call, *, account: dict[str, Any]) -> dict[str, Any]:
    """
    Add an account below a domain, to whose customer it belongs; for the user name <autoincrement> a free one is taken.

    Without a password it cannot register.
    """
    sip_id = _whole(account.get("id", {}))
    made = await sip_accounts.create(call, sip_id, await _attributes(call, account), _kept(account))
    return {"account": _shown(made)}


@operation(
    "SipPort.updateAccount",
    ACCOUNT,
    right=Right.ACCOUNTS_EDIT,
    access=Access.WRITE,
    balances=(_balance_of_account,),
    raises=FAULTS,
)
async def update_account(call: Call, *, account: dict[str, Any]) -> dict[str, Any]:
    """
    Change an account: what is left out stays; groups, acl and properties are replaced as a whole.

    The groups blocked and quota stay where somebody above the caller has put it there; a quota that was set by
    somebody above him is made tighter only.
    """
    sip_id = _whole(account.get("id", {}))
    await sip_accounts.change(call, sip_id, await _attributes(call, account), _kept(account))
    return {}


@operation(
    "SipPort.deleteAccount",
    SIP_ID,
    right=Right.ACCOUNTS_DELETE,
    access=Access.WRITE,
    balances=(_balance_of_id,),
    raises=FAULTS,
)
async def delete_account(call: Call, *, sipId: dict[str, Any]) -> dict[str, Any]:
    """Delete an account whose balance is zero, and that nobody above the caller has blocked or put into group quota."""
    await sip_accounts.remove(call, _whole(sipId))
    return {}


@operation(
    "SipPort.getAccount",
    SIP_ID,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(_account(),),
    raises=(NotFound,),
)
async def get_account(call: Call, *, sipId: dict[str, Any]) -> dict[str, Any]:
    """Tell an account. HA1, and where the settings allow it the password, are told to the administrator alone."""
    return {"account": _shown(await sip_accounts.info(call, _whole(sipId)))}


@operation(
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
)
async def get_accounts(call: Call, *, query: dict[str, Any]) -> dict[str, Any]:
    """List accounts, as far as the caller may see them: filtered, ordered, a page of them."""
    found = await sip_accounts.search(call, query)
    return {"accounts": {"total": found.total, "accounts": [_shown(row) for row in found.rows]}}


@operation(
    "SipPort.addToGroup",
    SIP_ID,
    GROUP,
    right=Right.ACCOUNTS_EDIT,
    access=Access.WRITE,
    balances=(_balance_of_id,),
    raises=FAULTS,
)
async def add_to_group(call: Call, *, sipId: dict[str, Any], group: str) -> dict[str, Any]:
    """
    Put an account into a group: free-pstn, quota, blocked, anonymous, or any other.

    Where somebody below the caller has put it into blocked or quota already, it is the caller's limit from now on.
    """
    await sip_accounts.add_to_group(call, _whole(sipId), group)
    return {}


@operation(
    "SipPort.removeFromGroup",
    SIP_ID,
    GROUP,
    right=Right.ACCOUNTS_EDIT,
    access=Access.WRITE,
    balances=(_balance_of_id,),
    raises=FAULTS,
)
async def remove_from_group(call: Call, *, sipId: dict[str, Any], group: str) -> dict[str, Any]:
    """Take an account out of a group; of blocked and quota not below whoever has put it there."""
    await sip_accounts.remove_from_group(call, _whole(sipId), group)
    return {}


@operation(
    "SipPort.getGroups",
    SIP_ID,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(GROUPS,),
    raises=(NotFound,),
)
async def get_groups(call: Call, *, sipId: dict[str, Any]) -> dict[str, Any]:
    """Tell the groups of an account."""
    return {"groups": (await sip_accounts.info(call, _whole(sipId), tells=False))["groups"]}


ALIAS_MEMBERS = (
    _sip_id("id"),
    _sip_id("target"),
    Field(name="owner", wire=Wire.INT, low=0, doc="A customer to whom front ends assign it; 0: none.", example=0),
    CUSTOMER,
    RESELLER,
    CHANGE_DATE,
)


def _alias(*, required: bool = False) -> Field:
    return Field(
        name="alias", wire=Wire.STRUCT, type="SipAlias", required=required, doc="The alias.", members=ALIAS_MEMBERS
    )


ALIAS = _alias(required=True)
ALIAS_ID = _sip_id("id", required=True)
ALIAS_QUERY = queries.query("AliasQuery", (*queries.texts(aliases.FILTERS), queries.OWNER, *queries.OWNERS))


def _shown_alias(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "changeDate": f"{row['changed']:{DATE}}"}


@operation(
    "SipPort.addAlias",
    ALIAS,
    right=Right.ACCOUNTS_ADD,
    access=Access.WRITE,
    raises=(*FAULTS, NotEnoughCredit),
)
async def add_alias(call: Call, *, alias: dict[str, Any]) -> dict[str, Any]:
    """Add an alias below a domain, to whose customer it belongs; its target may be anywhere."""
    sip_id, target = (_whole(alias.get(name, {})) for name in ("id", "target"))
    await aliases.create(call, sip_id, target, alias.get("owner") or None)
    return {}


@operation("SipPort.updateAlias", ALIAS, right=Right.ACCOUNTS_EDIT, access=Access.WRITE, raises=FAULTS)
async def update_alias(call: Call, *, alias: dict[str, Any]) -> dict[str, Any]:
    """Change where an alias leads to, or its owner."""
    target = _whole(alias["target"]) if alias.get("target") else None
    changes = {"owner": alias["owner"] or None} if "owner" in alias else {}
    await aliases.change(call, _whole(alias.get("id", {})), target, changes)
    return {}


@operation("SipPort.deleteAlias", ALIAS_ID, right=Right.ACCOUNTS_DELETE, access=Access.WRITE, raises=FAULTS)
async def delete_alias(call: Call, *, id: dict[str, Any]) -> dict[str, Any]:
    """Delete an alias."""
    await aliases.remove(call, _whole(id))
    return {}


@operation(
    "SipPort.getAlias",
    ALIAS_ID,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(_alias(),),
    raises=(NotFound,),
)
async def get_alias(call: Call, *, id: dict[str, Any]) -> dict[str, Any]:
    """Tell an alias."""
    return {"alias": _shown_alias(await aliases.info(call, _whole(id)))}


@operation(
    "SipPort.getAliases",
    ALIAS_QUERY,
    right=Right.ANYONE,
    access=Access.READ,
    returns=(
        Field(
            name="aliases",
            wire=Wire.STRUCT,
            type="SipAliasList",
            doc="A page of the matches.",
            members=(
                queries.TOTAL,
                Field(name="aliases", wire=Wire.ARRAY, type="SipAlias", doc="The aliases.", members=ALIAS_MEMBERS),
            ),
        ),
    ),
)
async def get_aliases(call: Call, *, query: dict[str, Any]) -> dict[str, Any]:
    """List aliases, as far as the caller may see them; by their target, all of an account."""
    found = await aliases.search(call, query)
    return {"aliases": {"total": found.total, "aliases": [_shown_alias(row) for row in found.rows]}}


BALANCES = Field(
    name="balances",
    wire=Wire.STRUCT,
    type="BalanceChange",
    doc="What there was, and what there is.",
    members=(
        Field(name="old_balance", wire=Wire.DOUBLE, doc="Balance before.", example=Decimal(5)),
        Field(name="new_balance", wire=Wire.DOUBLE, doc="Balance after.", example=Decimal(15)),
    ),
)
PREPAID = (Field(name="balance", wire=Wire.DOUBLE, doc="Money on the account.", example=Decimal(5)),)
ENTRY = (
    Field(name="date", wire=Wire.STRING, doc="When it was booked.", example="2026-11-21 05:00:00"),
    Field(name="action", wire=Wire.STRING, doc="Kind of the booking.", example="funds"),
    Field(name="description", wire=Wire.STRING, doc="Notes.", example="CC transaction 7"),
    Field(name="value", wire=Wire.DOUBLE, doc="What was added; negative: taken.", example=Decimal(10)),
    Field(name="balance", wire=Wire.DOUBLE, doc="Balance after it.", example=Decimal(15)),
    Field(name="session", wire=Wire.STRING, doc="The call it was for; empty: none.", example=""),
)


@operation(
    "SipPort.addBalance",
    SIP_ID,
    Field(
        name="value",
        wire=Wire.DOUBLE,
        required=True,
        low=-LARGEST_AMOUNT,
        high=LARGEST_AMOUNT,
        check="not_zero",
        doc="What to add, in the currency of the account; negative: to take.",
        example=Decimal(10),
    ),
    Field(name="description", wire=Wire.STRING, limit=1024, doc="Notes to keep.", example="CC transaction 7"),
    right=Right.ACCOUNTS_EDIT,
    access=Access.WRITE,
    balances=(_balance_of_id,),
    returns=(BALANCES,),
    raises=(NotFound, NotPermitted, NotEnoughCredit),
)
async def add_balance(
    call: Call,
    *,
    sipId: dict[str, Any],
    value: Decimal,
    description: str = "",
) -> dict[str, Any]:
    """Add money to an account, or take it. Administrator and resellers may; customers use vouchers."""
    old, new = await sip_accounts.add_balance(call, _whole(sipId), value, description)
    return {"balances": {"old_balance": old, "new_balance": new}}


@operation(
    "SipPort.addBalanceFromVoucher",
    SIP_ID,
    Field(
        name="card",
        wire=Wire.STRUCT,
        type="PrepaidCard",
        required=True,
        doc="The voucher.",
        members=(
            Field(name="id", wire=Wire.INT, required=True, low=1, doc="Id of the voucher.", example=7),
            Field(name="number", wire=Wire.STRING, required=True, limit=32, secret=True, doc="Its PIN."),
        ),
    ),
    right=Right.ANYONE,
    access=Access.WRITE,
    balances=(_balance_of_id,),
    returns=(BALANCES,),
    raises=(NotFound, TooManyAttempts, WrongReference),
)
async def add_balance_from_voucher(
    call: Call,
    *,
    sipId: dict[str, Any],
    card: dict[str, Any],
) -> dict[str, Any] | Fault:
    """Add the value of a voucher to an account; it is good once. Whatever is wrong with it is one fault."""
    account = await sip_accounts.find(call, _whole(sipId))
    before = account.balance
    refusal = await vouchers.use(call, account, card["id"], card["number"])
    if refusal is not None:
        return refusal
    return {"balances": {"old_balance": before, "new_balance": account.balance}}


@operation(
    "SipPort.getPrepaidStatus",
    Field(
        name="sipIds",
        wire=Wire.ARRAY,
        type="SipId",
        required=True,
        doc="The accounts.",
        members=_sip_id("sipId").members,
    ),
    right=Right.ANYONE,
    access=Access.READ,
    returns=(
        Field(name="accounts", wire=Wire.ARRAY, type="PrepaidAccount", doc="In the same order.", members=PREPAID),
    ),
    raises=(NotFound,),
)
async def get_prepaid_status(call: Call, *, sipIds: list[dict[str, Any]]) -> dict[str, Any]:
    """Tell the balances of accounts."""
    rows = [await sip_accounts.info(call, _whole(sip_id), tells=False) for sip_id in sipIds]
    return {"accounts": [{"balance": row["balance"]} for row in rows]}


@operation(
    "SipPort.getCreditHistory",
    SIP_ID,
    Field(name="count", wire=Wire.INT, required=True, low=0, doc="How many at most.", example=200),
    right=Right.ANYONE,
    access=Access.READ,
    returns=(
        Field(
            name="history",
            wire=Wire.STRUCT,
            type="CreditHistory",
            doc="The bookings.",
            members=(
                queries.TOTAL,
                Field(name="entries", wire=Wire.ARRAY, type="CreditEntry", doc="Newest first.", members=ENTRY),
            ),
        ),
    ),
    raises=(NotFound,),
)
async def get_credit_history(call: Call, *, sipId: dict[str, Any], count: int) -> dict[str, Any]:
    """Tell the bookings of an account, newest first."""
    found = await sip_accounts.history(call, _whole(sipId), count)
    entries = [
        {
            "date": f"{row['created']:{DATE}}",
            "action": row["kind"],
            "description": row["notes"] or "",
            "value": row["amount"],
            "balance": row["balance_after"],
            "session": "",
        }
        for row in found.rows
    ]
    return {"history": {"total": found.total, "entries": entries}}
