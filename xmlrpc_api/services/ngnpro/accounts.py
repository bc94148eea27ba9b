"""
SIP accounts as NGNPro sees them: by user name and domain, in groups, with what front ends keep with them.

They are the accounts of `services.accounts`. The username of one is `user@domain`; one without @ is shown below the
domain of the settings. The group `blocked` is the attribute of that name.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from models import Account, AccountGroup, Balance, Customer, LedgerEntry, SipAlias, SipDomain, TimeZone, login_key
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted
from xmlrpc_api.services import accounts
from xmlrpc_api.services.accounts import ACCOUNT, QUOTA
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.money import ledger
from xmlrpc_api.services.money.ledger import Booking, Paid
from xmlrpc_api.services.ngnpro import properties, queries
from xmlrpc_api.services.ngnpro.queries import Found
from xmlrpc_api.services.sip import domains
from xmlrpc_api.services.tree import names, ownership, paging, resellers
from xmlrpc_api.services.tree.resellers import Level
from xmlrpc_api.turns import ACCOUNT as OF_ACCOUNT
from xmlrpc_api.turns import Key

WHAT = "SIP account"
AUTOINCREMENT = "<autoincrement>"
BLOCKED, PSTN = "blocked", "free-pstn"
PSTN_ACCESS, PREPAID_CHANGES = "pstn_access", "prepaid_changes"
ORDERS: dict[str, Any] = {"changeDate": Account.updated_on, "username": Account.username, "domain": Account.i_domain}
FILTERS = {"firstName": Account.first_name, "lastName": Account.last_name, "email": Account.email}
KEYS = ("i_account", "i_customer", "username", "balance", "created_on", "updated_on")
SHOWN = tuple(field.attribute or field.name for field in ACCOUNT.ngnpro.values() if not field.secret)
SELECT = (
    ACCOUNT.select(ACCOUNT[name] for name in (*KEYS, *SHOWN))
    .add_columns(
        Customer.path,
        TimeZone.name.label("timezone"),
        Account.blocked.label("is_blocked"),
        Account.voip_password,
        Account.username_key,
        Account.ha1,
        Account.acl,
        Account.properties,
    )
    .join(Customer, Customer.i_customer == Account.i_customer)
    .join(TimeZone, TimeZone.i_time_zone == Account.i_time_zone)
)
SipId = Mapping[str, str]


def username_of(sip_id: SipId) -> str:
    """The whole username behind a SIP id."""
    return f"{sip_id['username']}@{sip_id['domain'].lower()}"


def id_of(call: Call, username: str, key: str) -> dict[str, str]:
    """The SIP id of an account; the domain of a username without @ stands in its key."""
    user, separator, _domain = username.rpartition("@")
    return {"username": user if separator else username, "domain": accounts.domain_of(call, username, key)}


async def create(call: Call, sip_id: SipId, attributes: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """
    Add an account to the customer of its domain.

    Args:
        call: The call.
        sip_id: User name and domain; for the user name `<autoincrement>` a free number is taken.
        attributes: Those of accounts.
        kept: groups, acl and properties, each optional.

    Raises:
        NotFound: The domain or the owner is not there for the caller.
        NotEnoughCredit: A credit is used up.
        NotPermitted: It may not be given access to the PSTN.
        Conflict: It is there already.
    """
    domain = await domains.find(call, sip_id["domain"], for_update=True)
    owner = await ownership.load_caller(call.store, domain.i_customer)
    if owner is None:
        raise NotFound(domains.WHAT)
    owner = await ownership.lock_caller(call.store, owner)
    user = sip_id["username"]
    if user == AUTOINCREMENT:
        user = await _free_number(call, domain)
    groups = set(kept.get("groups", [])) - {""}
    values = dict(attributes)
    if not await _is_allowed(call, owner.i_customer, owner.path, PREPAID_CHANGES):
        values["prepaid"] = True
    username = f"{user}@{domain.domain}"
    alias = select(exists().where(SipAlias.alias_key == login_key(username)))
    if (await call.session.execute(alias)).scalar_one():
        raise Conflict.taken("alias")
    names = {"username": username, "authname": username, "blocked": int(BLOCKED in groups)}
    account = await accounts.create(call, {**values, **names}, owner)
    if PSTN in groups:  # asked late: clients go on with an update where they are told that it is there already
        await _demand_allowed(call, owner.i_customer, owner.path, PSTN_ACCESS)
    await _keep(call, account, {**kept, "groups": groups})
    return await info(call, {"username": user, "domain": domain.domain})


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


async def change(call: Call, sip_id: SipId, attributes: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """
    Change an account: what is left out stays; groups, acl and properties are replaced as a whole.

    Groups into which somebody above the caller has put it to limit it stay: whoever sends a whole record need not
    know of them.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It may not be given access to the PSTN, the way of paying may not be changed, or a quota was set
            by somebody above the caller.
    """
    account = await find(call, sip_id)
    path = await _path(call, account)
    values = dict(attributes)
    if values.get("prepaid", account.prepaid) != account.prepaid:
        await _demand_allowed(call, account.i_customer, path, PREPAID_CHANGES)
    if "groups" in kept:
        present = await groups_of(call, account)
        groups = set(kept["groups"]) - {""} | await _held(call, account, present)
        if PSTN in groups - present:
            await _demand_allowed(call, account.i_customer, path, PSTN_ACCESS)
        if (BLOCKED in groups) is not (BLOCKED in present):
            values["blocked"] = int(BLOCKED in groups)
        kept = {**kept, "groups": groups}
    await accounts.change_locked(call, account, values)
    await _keep(call, account, kept)


async def remove(call: Call, sip_id: SipId) -> None:
    """
    Remove an account.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: It still has money.
    """
    await accounts.remove_locked(call, await find(call, sip_id))


async def info(call: Call, sip_id: SipId, *, tells: bool = True) -> dict[str, Any]:
    """
    An account.

    Args:
        call: The call.
        sip_id: Which.
        tells: Whether what opens it is told to those who may know it.

    Raises:
        NotFound: It is not there for the caller.
    """
    wanted = names.is_account(call, username_of(sip_id))
    statement = SELECT.where(wanted, ownership.within(call.caller, accounts.REACH))
    row = (await call.session.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound(WHAT)
    return (await _shown(call, [dict(row)], tells=tells))[0]


async def search(call: Call, query: Mapping[str, Any]) -> Found:
    """
    The accounts that a query asks for, as far as the caller may see them.

    Raises:
        BadParameter: The query cannot be answered.
    """
    chosen = {name: value for name, value in (query.get("filter") or {}).items() if value not in ("", 0)}
    conditions: list[ColumnElement[bool]] = [ownership.within(call.caller, accounts.REACH)]
    conditions += [queries.matches(FILTERS[name], value) for name, value in chosen.items() if name in FILTERS]
    conditions += queries.of_customers(chosen)
    conditions += _of_name(chosen.get("username"), chosen.get("domain"))
    if "owner" in chosen:
        conditions.append(Account.owner == chosen["owner"])
    for group in set(chosen.get("groups", [])) - {""}:
        conditions.append(_is_in(group))
    found = await queries.page(call, SELECT.where(*conditions), query, ORDERS, Account.i_account)
    return Found(found.total, await _shown(call, found.rows))


def _of_name(user: str | None, domain: str | None) -> list[ColumnElement[bool]]:
    """The conditions for user name and domain, each with wild cards."""
    if user is None and domain is None:
        return []
    pattern = f"{user or '%'}@{domain or '%'}"
    return [or_(*(queries.matches(column, pattern) for column in (Account.username_key, Account.username)))]


def _is_in(group: str) -> ColumnElement[bool]:
    if group == BLOCKED:
        return Account.blocked == 1
    return exists().where(AccountGroup.i_account == Account.i_account, AccountGroup.name == group)


async def find(call: Call, sip_id: SipId) -> Account:
    """
    Lock an account.

    Raises:
        NotFound: It is not there for the caller.
    """
    try:
        return await accounts.by_username(call, username_of(sip_id))
    except NotFound:
        raise NotFound(WHAT) from None


async def balance_key(call: Call, sip_id: SipId) -> set[Key]:
    """Whose balance an account's bookings are on, looked up before they wait for it; nobody's if it is not there."""
    if not sip_id.get("username") or not sip_id.get("domain"):
        return set()
    wanted = select(Account.i_account).where(names.is_account(call, username_of(sip_id)))
    return {(OF_ACCOUNT, i_account) for i_account in (await call.session.execute(wanted)).scalars()}


async def groups_of(call: Call, account: Account) -> set[str]:
    """The groups of a locked account."""
    names = select(AccountGroup.name).where(AccountGroup.i_account == account.i_account)
    found = set((await call.session.execute(names)).scalars())
    return found | {BLOCKED} if account.blocked else found


async def add_to_group(call: Call, sip_id: SipId, group: str) -> None:
    """
    Put an account into a group.

    Where somebody below the caller has put it there already to limit it, it is the caller's limit from now on.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It may not be given access to the PSTN.
        Conflict: It is in that group.
    """
    account = await find(call, sip_id)
    groups = await groups_of(call, account)
    if group in groups:
        if await _raise(call, account, group):
            return
        raise Conflict.taken("group")
    if group == PSTN:
        await _demand_allowed(call, account.i_customer, await _path(call, account), PSTN_ACCESS)
    await _set_groups(call, account, groups, groups | {group})


async def remove_from_group(call: Call, sip_id: SipId, group: str) -> None:
    """
    Take an account out of a group.

    Raises:
        NotFound: It is not there for the caller, or not in that group.
        NotPermitted: Somebody above the caller has put it there to limit it.
    """
    account = await find(call, sip_id)
    groups = await groups_of(call, account)
    if group not in groups:
        raise NotFound("Group")
    if group == QUOTA:
        line = await accounts.line_of(call, account)
        line.demand_hand(call.caller, await _put_by(call, account, group), f"the group {group}")
    await _set_groups(call, account, groups, groups - {group})


async def _set_groups(call: Call, account: Account, old: set[str], new: set[str]) -> None:
    if old == new:
        return
    if (BLOCKED in old) is not (BLOCKED in new):
        await accounts.change_locked(call, account, {"blocked": int(BLOCKED in new)})
    mine = AccountGroup.i_account == account.i_account
    gone, come = sorted(old - new - {BLOCKED}), sorted(new - old - {BLOCKED})
    if gone:
        await call.session.execute(delete(AccountGroup).where(mine, AccountGroup.name.in_(gone)))
    if come:
        rows = [{"i_account": account.i_account, "name": name, "put_by": call.caller.i_customer} for name in come]
        await call.session.execute(insert(AccountGroup), rows)
    if gone or come:
        await _note(call, account, {"groups": sorted(old)}, {"groups": sorted(new)})


async def _put_by(call: Call, account: Account, group: str) -> int | None:
    """Who has put an account into a group that limits it."""
    if group == BLOCKED:
        return account.blocked_by
    wanted = (AccountGroup.i_account == account.i_account, AccountGroup.name == group)
    found: int | None = (await call.session.execute(select(AccountGroup.put_by).where(*wanted))).scalar_one()
    return found


async def _held(call: Call, account: Account, present: set[str]) -> set[str]:
    """The groups of an account that limit it, and that the caller cannot lift."""
    line = await accounts.line_of(call, account)
    limiting = present & {BLOCKED, QUOTA}
    return {name for name in limiting if not line.is_in_hand_of(call.caller, await _put_by(call, account, name))}


async def _raise(call: Call, account: Account, group: str) -> bool:
    """Make a limit the caller's where it is that of somebody below him. Whether it was."""
    if group not in (BLOCKED, QUOTA):
        return False
    line, setter = await accounts.line_of(call, account), await _put_by(call, account, group)
    highest = line.higher(call.caller.i_customer, setter)
    if highest == setter:
        return False
    if group == BLOCKED:
        await accounts.change_locked(call, account, {"blocked": 1})
        return True
    wanted = (AccountGroup.i_account == account.i_account, AccountGroup.name == group)
    raised = update(AccountGroup).where(*wanted).values(put_by=highest)
    await call.session.execute(raised.execution_options(synchronize_session=False))
    await _note(call, account, {f"{group} by": setter}, {f"{group} by": highest})
    return True


async def _keep(call: Call, account: Account, kept: Mapping[str, Any]) -> None:
    """Replace groups, acl and properties, as far as they are given."""
    if "groups" in kept:
        old = await groups_of(call, account)
        await _set_groups(call, account, old, set(kept["groups"]))
    if "acl" in kept:
        account.acl = json.dumps(list(kept["acl"]))
        await _note(call, account, {}, {"acl": list(kept["acl"])})
    if "properties" in kept:
        text = json.dumps(list(kept["properties"]))
        account.properties = call.platform.vault.encrypt(text, accounts.place("properties", account.i_account))
        await _note(call, account, {}, {"properties": sorted(entry["name"] for entry in kept["properties"])})
    await call.session.flush()


async def _note(call: Call, account: Account, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write into the change history; of properties the names alone, since front ends keep passwords there."""
    scope = await audit.scope_of(call.store, account.i_customer)
    subject = audit.Subject(ACCOUNT.name, account.i_account, account.i_customer, scope)
    await audit.note(call, [audit.entry(call, audit.UPDATED, subject, before=before, after=after)])


async def _path(call: Call, account: Account) -> str:
    return await ownership.path_of(call, account.i_customer)


async def _is_allowed(call: Call, i_customer: int, path: str, name: str) -> bool:
    """Whether the reseller of a customer, and where a customer calls he himself, has a property set to 1."""
    level = resellers.level_of(call, path, i_customer)
    if level is Level.ADMIN:
        return True
    holders = {resellers.reseller_of(path, i_customer)}
    if level is Level.CUSTOMER:
        holders.add(i_customer)
    known = await properties.read(call, holders)
    return all(any(entry["name"] == name and entry["value"] == "1" for entry in known.get(h, [])) for h in holders)


async def _demand_allowed(call: Call, i_customer: int, path: str, name: str) -> None:
    if not await _is_allowed(call, i_customer, path, name):
        raise NotPermitted(f"{name} is not 1 for the reseller, or not for the customer")


async def _shown(call: Call, rows: list[dict[str, Any]], *, tells: bool = True) -> list[dict[str, Any]]:
    """Rows with all that is computed. What opens an account is told to the administrator alone."""
    keys = [row["i_account"] for row in rows]
    members = select(AccountGroup.i_account, AccountGroup.name).where(AccountGroup.i_account.in_(keys))
    groups: dict[int, list[str]] = {}
    for member in await call.session.execute(members.order_by(AccountGroup.name)):
        groups.setdefault(member.i_account, []).append(member.name)
    is_admin, is_clear = tells and resellers.is_admin(call), call.platform.config.sip_passwords == "clear"
    told: dict[int, int] = {}
    for row in rows:
        key = row["i_account"]
        blocked = [BLOCKED] if row.pop("is_blocked") else []
        row["id"] = id_of(call, row["username"], row.pop("username_key"))
        row["reseller"] = resellers.shown(resellers.reseller_of(row.pop("path"), row["i_customer"]))
        owner = row["i_customer"]
        row["i_customer"] = resellers.shown(owner)
        row["owner"] = row["owner"] or 0
        row["groups"] = sorted([*groups.get(key, []), *blocked])
        row["acl"] = json.loads(row["acl"] or "[]")
        row["properties"] = json.loads(_open(call, row["properties"], "properties", key) or "[]")
        hashes = _open(call, row["ha1"], "ha1", key) if is_admin else ""
        password = _open(call, row["voip_password"], "voip_password", key) if is_admin and is_clear else ""
        row |= {"ha1": hashes.partition(":")[0], "voip_password": password}
        if password:
            told[key] = owner
    await audit.told(call, ACCOUNT.name, told)
    return rows


def _open(call: Call, sealed: str | None, name: str, i_account: int) -> str:
    return call.platform.vault.decrypt(sealed, accounts.place(name, i_account)) if sealed else ""


async def add_balance(call: Call, sip_id: SipId, value: Decimal, description: str) -> tuple[Decimal, Decimal]:
    """
    Add money to an account, or take it (a negative value).

    Returns:
        The balance before and after.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: The caller is neither administrator nor reseller: customers use vouchers.
        NotEnoughCredit: What is taken is not there.
    """
    account = await find(call, sip_id)
    if resellers.level_of(call, await _path(call, account), account.i_customer) is Level.CUSTOMER:
        raise NotPermitted("balances are changed by the reseller only")
    kind = ledger.FUNDS if value > 0 else ledger.DEBIT
    paid = Paid(amount=abs(value), currency=account.base_currency, rate=Decimal(1))
    before = account.balance
    await ledger.book(call, account.money, Booking(amount=value, kind=kind, notes=description or None, paid=paid))
    return before, account.balance


async def history(call: Call, sip_id: SipId, count: int) -> Found:
    """
    The bookings of an account, newest first.

    Raises:
        NotFound: It is not there for the caller.
    """
    account = await info(call, sip_id, tells=False)
    booked = (
        select(LedgerEntry.created, LedgerEntry.kind, LedgerEntry.notes, LedgerEntry.amount, LedgerEntry.balance_after)
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .where(Balance.i_account == account["i_account"])
    )
    total = (await call.session.execute(select(func.count()).select_from(booked.subquery()))).scalar_one()
    return Found(total, await paging.rows(call, booked.order_by(LedgerEntry.i_ledger.desc()), {"limit": count}))
