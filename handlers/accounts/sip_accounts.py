"""SIP accounts of the caller, and their logins to the self-care portal."""

from dataclasses import replace
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    NotEnoughCredit,
    NotFound,
    NotPermitted,
    OneTimePasswordAccepted,
    TooManyAttempts,
    Unavailable,
    WrongReference,
)
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, pattern_of, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.logins import authentication, devices, one_time
from xmlrpc_api.services.logins.attempt import REMOTE_IP, Attempt, Look, look
from xmlrpc_api.services.logins.persons import ACCOUNTS
from xmlrpc_api.services.money import balance_sign, balances

ACCOUNT = sip_accounts.ACCOUNT
CREDENTIALS = ("username", "web_password", "authname", "voip_password", "vm_password")
LISTED = (
    *ACCOUNT.some("i_account", "username", "description"),
    Field(name="blocked", wire=Wire.BOOLEAN, doc="Whether the account is blocked.", example=False),
    Field(name="expired", wire=Wire.BOOLEAN, doc="Whether its lifetime is over.", example=False),
    *ACCOUNT.some("balance", "credit_limit", "base_currency"),
    Field(
        name="registration_status",
        wire=Wire.STRUCT,
        nullable=True,
        doc="How the phone is registered; nil: it is not, or no registrar has told.",
        example=None,
    ),
)

BILLED = (
    Field(
        name="next_billing_time",
        wire=Wire.DATETIME,
        nullable=True,
        doc="When the service plan is charged next; nil: it is everybody's, or the account is blocked.",
    ),
    Field(
        name="billing_plan_suspended",
        wire=Wire.BOOLEAN,
        doc="Whether the service plan rests, since the account cannot pay for it.",
        example=False,
    ),
    Field(
        name="try_unsuspend",
        wire=Wire.BOOLEAN,
        doc="Whether it is to go on by itself as soon as there is money enough: so it is with each that rests.",
        example=False,
    ),
)

account_change = partial(
    method,
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    balances=balances.of_account("i_account"),
    scope=I_CUSTOMER_OWNER,
)


@method(
    "createAccount",
    *ACCOUNT.create,
    right=Right.ACCOUNTS_ADD,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    returns=ACCOUNT.some("i_account", *CREDENTIALS),
    raises=(WrongReference, NotEnoughCredit, Conflict),
)
async def create_account(call: Call, **attributes: Any) -> Answer:
    """
    Create an account. It belongs to the caller, or to i_customer where a trusted host calls.

    A username with a domain is an address there: the domain must be nobody's, the account's customer's, of somebody
    above it, or of somebody below the caller.
    The credentials are told once more, as clients expect it; they are told nowhere else.
    """
    account = await sip_accounts.create(call, attributes)
    told = {name: attributes[name] for name in CREDENTIALS}
    return {"i_account": account.i_account, **told, "web_password": attributes["web_password"].plain}


@method(
    "getAccountInfo",
    ACCOUNT["i_account"],
    ACCOUNT["username"],
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
    returns=(*ACCOUNT.read, *BILLED),
    raises=(NotFound,),
)
async def get_account_info(call: Call, *, i_account: int | None = None, username: str | None = None) -> Answer:
    """
    Tell all attributes of an account of the caller or of a customer below it, by i_account or by username.

    Passwords are never told. From a trusted host without i_customer: any account.
    """
    account = await sip_accounts.info(call, i_account, username)
    return {**account, "balance": balance_sign.shown(call, account["balance"])}


@account_change(
    "updateAccount", I_ACCOUNT, *ACCOUNT.update, raises=(WrongReference, NotFound, NotEnoughCredit, Conflict)
)
async def update_account(call: Call, *, i_account: int, **changes: Any) -> Answer:
    """
    Change attributes of an account; at least one must be given.

    Attributes left out keep their value; nil clears those that may be nil. Setting balance books the difference.
    """
    await sip_accounts.change(call, i_account, changes)
    return {}


@method(
    "deleteAccount",
    I_ACCOUNT,
    right=Right.ACCOUNTS_DELETE,
    effect=Effect.WRITE,
    balances=balances.of_account("i_account"),
    scope=I_CUSTOMER_OWNER,
    raises=(NotFound, Conflict),
)
async def delete_account(call: Call, *, i_account: int) -> Answer:
    """
    Delete an account whose balance is zero. Its ledger is kept.

    Refused while somebody above the caller has blocked it, or has put it into the group quota.
    """
    await sip_accounts.remove(call, i_account)
    return {}


@method(
    "listAccounts",
    pattern_of("name_pattern", "username"),
    sorted_by("username"),
    *PAGE,
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=rows_of("accounts", "The accounts, oldest first.", LISTED),
)
async def list_accounts(call: Call, **page: Any) -> Answer:
    """List the accounts of the caller, in the order of their creation."""
    found = await sip_accounts.page_of(call, page)
    return {**found, "accounts": [{field.name: row[field.name] for field in LISTED} for row in found["accounts"]]}


@account_change("blockAccount", I_ACCOUNT, raises=(NotFound,))
async def block_account(call: Call, *, i_account: int) -> Answer:
    """Block an account: it cannot call, register or log in. The block is that of the highest who has blocked it."""
    await sip_accounts.change(call, i_account, {"blocked": 1})
    return {}


@account_change("unblockAccount", I_ACCOUNT, raises=(NotFound,))
async def unblock_account(call: Call, *, i_account: int) -> Answer:
    """Take the block of an account away. Who stands below whoever blocked it cannot."""
    await sip_accounts.change(call, i_account, {"blocked": 0})
    return {}


def _login(attributes: Values) -> Attempt:
    username, email = attributes.get("username"), attributes.get("email")
    login = username if username is not None else email
    if login is None:
        raise BadParameter.required("username")
    return Attempt(
        login=login,
        password=attributes["password"],
        kind=ACCOUNTS,
        by_email=username is None,
        remote_ip=attributes.get("remote_ip"),
        device=attributes.get("device"),
    )


async def _look(call: Call, **attributes: Any) -> Look:
    return await look(call, _login(attributes))


@method(
    "authAccount",
    ACCOUNT["username"],
    replace(ACCOUNT["email"], check=None),
    Field(
        name="password",
        wire=Wire.STRING,
        required=True,
        secret=True,
        limit=ACCOUNT["web_password"].limit,
        doc="Password to the self-care portal.",
        example="s3cret-Pa55",
    ),
    REMOTE_IP,
    devices.DEVICE,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
    repeatable=False,
    ahead=_look,
    returns=(*ACCOUNT.some("i_account"), devices.NEW_DEVICE),
    raises=(AuthenticationFailed, TooManyAttempts, Unavailable, Conflict, OneTimePasswordAccepted),
)
async def auth_account(call: Call, *, found: Look, **attributes: Any) -> Answer:
    """
    Authenticate an account that logs in to the self-care portal, by its username or its e-mail address.

    Whatever is wrong is one fault 401. A one-time password is accepted once, with fault 410.
    """
    account, device = await authentication.authenticate(call, _login(attributes), found)
    return {"i_account": ACCOUNTS.key_of(account), "device": device}


@method(
    "resetAccountOneTimePassword",
    ACCOUNT.require("username"),
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
    returns=(one_time.PASSWORD,),
    raises=(NotFound, NotPermitted),
)
async def reset_account_one_time_password(call: Call, *, username: str) -> Answer:
    """Make a new one-time password for the login of an account; the ordinary password stays as it is."""
    account = await sip_accounts.lock(call, username)
    return {"password": await one_time.issue(call, ACCOUNTS, account)}
