"""
SIP accounts as NGNPro sees them: by user name and domain, in groups, with what front ends keep with them.

They are the accounts of `services.accounts`. The username of one is `user@domain`; one without @ is shown below the
domain of the settings. The group `blocked` is the attribute of that name.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, exists, or_, select

from models import ROOT_ID, Account, Customer, SipAlias, SipDomain, TimeZone
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import NotFound
from xmlrpc_api.dialects import ngnpro
from xmlrpc_api.services import records
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.ngnpro import groups, properties, queries
from xmlrpc_api.services.ngnpro.groups import BLOCKED, PSTN
from xmlrpc_api.services.sip import aliases, domains
from xmlrpc_api.services.sip.ids import SipId
from xmlrpc_api.services.tree import names, ownership, resellers
from xmlrpc_api.services.tree.lists import Found, List
from xmlrpc_api.storage.rows import Row

AUTOINCREMENT = "<autoincrement>"
PREPAID_CHANGES = "prepaid_changes"
TEXTS = queries.columns(ACCOUNT, "first_name", "last_name", "email")
KEYS = ("i_account", "i_customer", "username", "balance", "created_on", "updated_on")
SHOWN = tuple(name for name in ngnpro.NAMES[Account] if name not in ACCOUNT.secrets)
ACCOUNTS = List(
    queries.with_owner(
        ACCOUNT.select(ACCOUNT[name] for name in (*KEYS, *SHOWN)).add_columns(
            TimeZone.name.label("timezone"),
            Account.blocked.label("is_blocked"),
            Account.voip_password,
            Account.username_key,
            Account.ha1,
            Account.acl,
            Account.properties,
            groups.OF_ACCOUNT.label("groups"),
        ),
        Account.i_customer,
    ).join(TimeZone, TimeZone.i_time_zone == Account.i_time_zone),
    Account.i_account,
    {
        **queries.by_text(TEXTS),
        **queries.OF_CUSTOMERS,
        "owner": lambda owner: Account.owner == owner,
        "groups": groups.is_in_all,
    },
    {"changeDate": Account.updated_on, "username": Account.username, "domain": Account.i_domain},
    lean=select(Account.i_account).join(Customer, Customer.i_customer == Account.i_customer),
)
_BY_ID = queries.finding(ACCOUNTS, names.IS_ACCOUNT)


def id_of(call: Call, username: str, key: str) -> dict[str, str]:
    """The SIP id of an account; the domain of a username without @ stands in its key."""
    user, separator, _domain = username.rpartition("@")
    return {"username": user if separator else username, "domain": sip_accounts.domain_of(call, username, key)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What front ends keep with an account beside its attributes, each as a whole; None: what there is stays."""

    groups: Collection[str] | None = None
    acl: list[Row] | None = None
    properties: list[Row] | None = None


async def create(call: Call, sip_id: SipId, attributes: Values, extras: Extras) -> Row:
    """
    Add an account to the customer of its domain.

    For the user name `<autoincrement>` a free number is taken.

    Raises:
        NotFound: The domain or the owner is not there for the caller.
        NotEnoughCredit: A credit is used up.
        NotPermitted: It may not be given access to the PSTN.
        Conflict: It is there already.
    """
    domain = await domains.find(call, sip_id.domain)
    owner = await ownership.load_caller(call.store, domain.i_customer)
    if owner is None:
        raise NotFound(SipDomain)
    owner = await ownership.lock_caller(call.store, owner)
    user = await _free_number(call, domain) if sip_id.username == AUTOINCREMENT else sip_id.username
    made = SipId(user, domain.domain)
    await aliases.demand_free(call, made)
    values = {**attributes, "username": str(made), "authname": str(made)}
    if not await properties.is_granted(call, PREPAID_CHANGES, owner.i_customer, owner.path):
        values["prepaid"] = True
    wanted = set(extras.groups or ()) - {""}
    await sip_accounts.create(call, {**values, "blocked": int(BLOCKED in wanted)}, owner)
    account = await sip_accounts.lock(call, made.address)
    if PSTN in wanted:  # asked late: clients go on with an update where they are told that it is there already
        await groups.demand_pstn(call, account)
    await _keep(call, account, replace(extras, groups=wanted))
    return await info(call, made)


async def _free_number(call: Call, domain: SipDomain) -> str:
    """A user name that nobody in a locked domain has."""
    while True:
        number = str(domain.next_number)
        domain.next_number += 1
        name = f"{number}@{domain.domain}"
        taken = select(or_(exists().where(Account.username_key == name), exists().where(SipAlias.alias_key == name)))
        if not (await call.session.execute(taken)).scalar_one():
            await call.session.flush()
            return number


async def change(call: Call, sip_id: SipId, attributes: Values, extras: Extras) -> None:
    """
    Change an account: what is left out stays; groups, acl and properties are replaced as a whole.

    Groups into which somebody above the caller has put it to limit it stay: whoever sends a whole record need not
    know of them.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It may not be given access to the PSTN, the way of paying may not be changed, or a quota was set
            by somebody above the caller.
    """
    account = await sip_accounts.lock(call, sip_id.address)
    values = dict(attributes)
    if values.get("prepaid", account.prepaid) != account.prepaid:
        path = await ownership.path_of(call, account.i_customer)
        await properties.demand_granted(call, PREPAID_CHANGES, account.i_customer, path)
    if extras.groups is not None:
        present = await groups.of(call, account)
        wanted = set(extras.groups) - {""} | await groups.held(call, account, present)
        if PSTN in wanted - present:
            await groups.demand_pstn(call, account)
        if (BLOCKED in wanted) is not (BLOCKED in present):
            values["blocked"] = int(BLOCKED in wanted)
        extras = replace(extras, groups=wanted)
    await sip_accounts.change(call, account, values)
    await _keep(call, account, extras)


async def info(call: Call, sip_id: SipId, *, tells: bool = True) -> Row:
    """
    An account.

    Args:
        call: The call.
        sip_id: Which.
        tells: Whether what opens it is told to those who may know it.

    Raises:
        NotFound: It is not there for the caller.
    """
    row = await queries.one(call, _BY_ID, Account, **names.account_forms(call, sip_id.address))
    return (await _shown(call, [row], tells=tells))[0]


async def search(call: Call, query: Values) -> Found:
    """
    The accounts that a query asks for, as far as the caller may see them.

    Raises:
        BadParameter: The query cannot be answered.
    """
    asked = queries.asked(query)
    found = await queries.search(
        call, ACCOUNTS, asked, *_of_name(asked.filters.get("username"), asked.filters.get("domain"))
    )
    return Found(found.total, await _shown(call, found.rows))


def _of_name(user: str | None, domain: str | None) -> list[ColumnElement[bool]]:
    """The conditions for user name and domain, each with wild cards."""
    if user is None and domain is None:
        return []
    pattern = f"{user or '%'}@{domain or '%'}"
    return [or_(*(queries.matches(column, pattern) for column in (Account.username_key, Account.username)))]


async def _keep(call: Call, account: Account, extras: Extras) -> None:
    """Replace what front ends keep with an account, as far as it is given."""
    if extras.groups is not None:
        await groups.put(call, account, await groups.of(call, account), set(extras.groups))
    if extras.acl is not None:
        account.acl = json.dumps(extras.acl)
        await groups.note(call, account, {}, {"acl": extras.acl})
    if extras.properties is not None:
        records.assign(call, account, {"properties": json.dumps(extras.properties)})
        names = sorted(entry["name"] for entry in extras.properties)  # alone, since front ends keep passwords there
        await groups.note(call, account, {}, {"properties": names})
    await call.session.flush()


async def _shown(call: Call, rows: Sequence[Row], *, tells: bool = True) -> Sequence[Row]:
    """Rows with all that is computed. What opens an account is told to the administrator alone."""
    told: dict[int, int] = {}
    for row in rows:
        i_account, kept = row["i_account"], row.pop("properties")
        blocked = [BLOCKED] if row.pop("is_blocked") else []
        row["id"] = id_of(call, row["username"], row.pop("username_key"))
        row["owner"] = row["owner"] or 0
        row["groups"] = sorted([*(name for (name,) in row["groups"]), *blocked])
        row["acl"] = json.loads(row["acl"] or "[]")
        row["properties"] = json.loads(_open(call, kept, "properties", i_account) or "[]")
        row.update(_opening(call, row, tells=tells and resellers.is_admin(call)))
        if row["voip_password"]:
            told[i_account] = row["i_customer"] or ROOT_ID
    await audit.told(call, ACCOUNT.name, told)
    return rows


def _opening(call: Call, row: Row, *, tells: bool) -> dict[str, str]:
    """What opens an account, as far as it is told."""
    is_told = {"ha1": tells, "voip_password": tells and call.platform.config.sip_passwords == "clear"}
    found = {name: _open(call, row[name], name, row["i_account"]) if is_told[name] else "" for name in is_told}
    return {**found, "ha1": found["ha1"].partition(":")[0]}


def _open(call: Call, sealed: str | None, name: str, i_account: int) -> str:
    return records.opened(call, getattr(Account, name), sealed, i_account) or ""
