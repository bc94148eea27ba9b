"""SIP accounts: the rules of creating, changing and removing them, the same for every dialect."""

import hashlib
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, select
from sqlalchemy.orm import contains_eager

from models import DEFAULT_PASSWORD_POLICY, Account, AccountGroup, Balance, Customer, LedgerEntry, PlanSpan, account_key
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import NOBODYS_HASH
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NothingToChange
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.catalogue import plan_spans
from xmlrpc_api.services.logins import password_policies
from xmlrpc_api.services.money import ledger
from xmlrpc_api.services.numbers import uses
from xmlrpc_api.services.sip import domains
from xmlrpc_api.services.tree import limits, lists, names, ownership, patterns, quotas, references
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.references import Pointer
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row

ACCOUNT = entity_of(Account)
REACH = Reach.SUBTREE_AND_SELF
LITERAL = ("username", "authname", "voip_password", "vm_password")
PATTERN = "${"
QUOTA = "quota"  # the group of those over their quota
HASHED = re.compile("[0-9a-f]{32}:[0-9a-f]{32}")
LISTED = ACCOUNT.some(
    "i_account",
    "username",
    "description",
    "balance",
    "credit_limit",
    "base_currency",
    "blocked",
    "lifetime",
    "first_use",
)
NEEDED = records.needed(Account, Balance, LedgerEntry)
_CURRENCY = Query(
    select(Balance.currency).where(Balance.i_customer == bindparam("i_customer", type_=Integer), Balance.is_default)
)  # that of a customer, which is that of its accounts
_REACHED = (
    ACCOUNT.select(ACCOUNT.read)
    .join(Customer, Customer.i_customer == Account.i_customer)
    .outerjoin(PlanSpan, (PlanSpan.i_account == Account.i_account) & PlanSpan.ended.is_(None))
    .add_columns(PlanSpan.due.label("next_billing_time"), PlanSpan.suspended.label("billing_plan_suspended"))
    .where(ownership.reached(REACH))
)
_BY_ID = Query(_REACHED.where(Account.i_account == bindparam("i_account", type_=Integer)), is_short=True)
_BY_NAME = Query(_REACHED.where(names.IS_ACCOUNT), is_short=True)
OWN = lists.List(
    ACCOUNT.select(LISTED),
    Account.i_account,
    filters={"name_pattern": lambda pattern: patterns.like(Account.username, pattern)},
    orders={"username": Account.username},
)


async def create(call: Call, attributes: Values, owner: Caller | None = None) -> Account:
    """
    Add an account to the caller, or to a customer for whom the caller acts.

    Raises:
        NotEnoughCredit: There is no credit for one more, or the initial balance is below the credit limit.
        WrongReference: Something pointed at is not there for the owner.
        BadParameter: A password is not allowed, or a value is a pattern.
        Conflict: username or authname is taken.
    """
    owner = owner or call.caller
    i_customer, username = owner.i_customer, attributes["username"]
    _demand_names(attributes)
    await references.check(call, ACCOUNT, attributes, Pointer(owner=i_customer, customer=i_customer))
    await domains.demand_usable(call, username, i_customer)
    ids = call.transaction.ids
    policy, own, drawn = await call.transaction.together(
        password_policies.asking(attributes.get("i_password_policy", DEFAULT_PASSWORD_POLICY)),
        (_CURRENCY, {"i_customer": i_customer}),
        ids.drawing(NEEDED),
    )
    assert own is not None  # noqa: S101 (the owner is held)
    assert drawn is not None  # noqa: S101
    await password_policies.demand_by(policy, _policed(attributes), attributes, username)
    values = {"payment_currency": own["currency"], **attributes}
    unnoted = {"balance": values.pop("balance", Decimal(0))}
    new = ids.drawn(NEEDED, drawn)
    key = account_key(username, call.platform.config.sip_domain)
    account = Account(
        i_customer=i_customer,
        i_domain=await domains.id_of(call, username, i_customer),
        username_key=key,
        created_on=call.now,
        web_password=NOBODYS_HASH,
        money=Balance(i_customer=i_customer, currency=own["currency"]),
        quota_by=call.caller.i_customer if values.get("quota") else None,
        **limits.begun(call, values),
    )
    values |= _of_phone(call, username, key, values.get("voip_password", ""))
    await records.add(call, account, values, ids=new, unnoted=unnoted)
    await ledger.open_with(call, account.money, new[LedgerEntry][0])
    await plan_spans.begin(call, account)
    await quotas.demand(call, quotas.SIP_ACCOUNTS, i_customer, owner.path)
    return account


async def change(call: Call, known: int | Account, changes: Values) -> None:
    """
    Change attributes of an account of the caller, or of a customer below it, by its id; or of a locked one.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        NotPermitted: A block or a quota of somebody above the caller would be lifted.
        WrongReference, BadParameter, NotEnoughCredit, Conflict: As in `create`.
    """
    if isinstance(known, int) and not changes:
        raise NothingToChange
    account = await lock(call, known) if isinstance(known, int) else known
    _demand_names(changes, account)
    pointer = Pointer(owner=account.i_customer, customer=account.i_customer, present=account)
    await references.check(call, ACCOUNT, changes, pointer)
    username = changes.get("username", account.username)
    if username != account.username:
        await domains.demand_usable(call, username, account.i_customer)
    policy = changes.get("i_password_policy", account.i_password_policy)
    await password_policies.demand_new(call, policy, _policed(changes), changes, username)
    values = {**changes, **await _of_login(call, account, changes), **await _limits(call, account, changes)}
    balance, on = values.pop("balance", None), plan_spans.on(account)
    await records.change(call, account, values)
    await plan_spans.follow(call, account, on)
    await ledger.allot(call, account.money, balance, ledger.SET)


async def _of_login(call: Call, account: Account, changes: Values) -> dict[str, Any]:
    """What follows from a new username, which the hashes of the phone's password hold, or from a new password."""
    username, key, password = account.username, account.username_key, changes.get("voip_password")
    follows: dict[str, Any] = {}
    if changes.get("username", username) != username:
        password = _present_password(call, account) if password is None else password
        username = changes["username"]
        key = follows["username_key"] = account_key(username, call.platform.config.sip_domain)
    if "username" in changes:
        follows["i_domain"] = await domains.id_of(call, username, account.i_customer)
    return follows if password is None else {**follows, **_of_phone(call, username, key, password)}


async def _limits(call: Call, account: Account, values: Values) -> dict[str, int | None]:
    """Whose block and quota they are from now on."""
    whose = await limits.changed(call, account, values)
    if "quota" in values:
        line = await limits.line_of(call, account)
        whose["quota_by"] = line.quota_by(call.caller, account.quota, values["quota"], account.quota_by)
    return whose


async def remove(call: Call, known: int | str) -> None:
    """
    Remove an account. Its ledger is kept; its DIDs are free again.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: Somebody above the caller has blocked it, or found it over its quota: made anew it would be free.
        Conflict: It still has money.
    """
    account = await lock(call, known)
    await limits.demand_removable(call, account)
    if over := await over_quota(call, account):
        (await limits.line_of(call, account)).demand_hand(call.caller, over[0], "the group quota")
    if account.balance:
        raise Conflict(f"Account still has money: the balance is {account.balance.normalize():f}")
    await uses.leave(call, account.i_account)
    await records.remove(call, account)


async def over_quota(call: Call, account: Account) -> list[int | None]:
    """Who has put an account into the group of those over their quota, if it is there."""
    wanted = (AccountGroup.i_account == account.i_account, AccountGroup.name == QUOTA)
    return list((await call.session.execute(select(AccountGroup.put_by).where(*wanted))).scalars())


async def info(call: Call, i_account: int | None, username: str | None) -> Row:
    """
    All attributes of an account, secrets excepted.

    Raises:
        BadParameter: Neither id nor username was given.
        NotFound: It is not there for the caller.
    """
    bounds = ownership.bounds(call.caller)
    if i_account is not None:
        rows = await call.store.rows(_BY_ID, **bounds, i_account=i_account)
    elif username is not None:
        rows = await call.store.rows(_BY_NAME, **bounds, **names.account_forms(call, username))
    else:
        raise BadParameter.required("i_account")
    if not rows:
        raise NotFound(Account)
    rests = bool(rows[0]["billing_plan_suspended"])
    return {**rows[0], "billing_plan_suspended": rests, "try_unsuspend": rests}


async def balance_of(call: Call, i_account: int) -> int:
    """The id of an account's balance; NotFound if it is not there for the caller."""
    own = select(Balance.i_balance).join(Account, Account.i_account == Balance.i_account)
    own = own.join(Customer, Customer.i_customer == Account.i_customer)
    wanted = own.where(Account.i_account == i_account, ownership.within(call.caller, REACH))
    rows = await call.store.select(wanted, is_short=True)
    if not rows:
        raise NotFound(Account)
    i_balance: int = rows[0]["i_balance"]
    return i_balance


async def page_of(call: Call, page: Values) -> Row:
    """The caller's own accounts, oldest first, and how many there are if that is asked, as `accounts`."""
    found = await OWN.told(call, page, "accounts", of=Of({Account.i_customer: call.caller.i_customer}))
    rows = [
        {
            **row,
            "blocked": bool(row["blocked"]),
            "expired": is_expired(row["lifetime"], row["first_use"], call.now),
            "registration_status": None,
        }
        for row in found["accounts"]
    ]
    return {**found, "accounts": rows}


def is_expired(lifetime: int, first_use: datetime | None, now: datetime) -> bool:
    """Whether the days since the first use are over."""
    return lifetime >= 0 and first_use is not None and first_use + timedelta(days=lifetime) < now


async def lock(call: Call, known: int | str) -> Account:
    """Lock an account, by id or by username, and its balance; NotFound if it is not there for the caller."""
    statement = (
        select(Account)
        .join(Account.money)
        .join(Customer, Customer.i_customer == Account.i_customer)
        .options(contains_eager(Account.money))
        .where(_is(call, known), ownership.within(call.caller, REACH))
    )
    return await ownership.locked(call, Account, statement, Balance)


def _is(call: Call, known: int | str) -> ColumnElement[bool]:
    return Account.i_account == known if isinstance(known, int) else names.is_account(call, known)


def _policed(values: Values) -> tuple[str, ...]:
    """The passwords that a policy judges: not that of the voice mail, which is digits, nor one that comes as hashes."""
    is_hashed = HASHED.fullmatch(values.get("voip_password", ""))
    return ("web_password",) if is_hashed else ("web_password", "voip_password")


def _demand_names(values: Values, account: Account | None = None) -> None:
    """
    Refuse new names that are not allowed.

    What an account generator would fill in is none: taken literally it would be somebody's user name.
    """
    for name in LITERAL:
        if PATTERN in values.get(name, ""):
            raise BadParameter(name, "holds a pattern, which is not supported: give the value itself")
    for name in ("username", "authname"):
        if name in values:
            names.demand(name, values[name], getattr(account, name, None))


def _of_phone(call: Call, username: str, key: str, password: str) -> dict[str, str | None]:
    """
    The password of a phone, and the same as the proxies check it.

    One that comes as HA1 and HA1B already (`md5:md5`) is kept as that alone.
    """
    if HASHED.fullmatch(password):
        return {"voip_password": "", "ha1": password}
    hashes = sip_hashes(username, domain_of(call, username, key), password)
    return {"voip_password": password, "ha1": hashes if password else None}


def _present_password(call: Call, account: Account) -> str:
    """
    The password of the phone, whose hashes hold the user name, too.

    Raises:
        BadParameter: It came as hashes, which are void for another name.
    """
    known = records.unsealed(call, account, "voip_password") or ""
    if not known and account.ha1 is not None:
        raise BadParameter("voip_password", "is required with a new username: it is kept as hashes of the old one")
    return known


def domain_of(call: Call, username: str, key: str) -> str:
    """The SIP domain of an account; without @ in the username it is the one of the settings when it was created."""
    return (username if "@" in username else key).rpartition("@")[2] or call.platform.config.sip_domain


def sip_hashes(username: str, default_domain: str, password: str) -> str:
    """HA1 and HA1B of an account, as SIP proxies check digests."""
    user, separator, domain = username.lower().rpartition("@")
    user, domain = (user, domain) if separator else (domain, default_domain)
    forms = (f"{user}:{domain}:{password}", f"{user}@{domain}:{domain}:{password}")
    return ":".join(hashlib.md5(form.encode()).hexdigest() for form in forms)  # noqa: S324 (what SIP digests are)
