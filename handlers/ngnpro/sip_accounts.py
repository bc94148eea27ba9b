"""SipPort: accounts in NGNPro's dialect."""

from handlers.ngnpro.vocabulary import (
    CHANGE_DATE,
    CUSTOMER,
    FAULTS,
    GROUPS,
    RESELLER,
    SIP_ID,
    TIME_ZONE,
    Noun,
    Struct,
    balance_of_account,
    balance_of_id,
    sip_id,
    whole,
    with_zone,
)
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotEnoughCredit, NotFound
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import array, attributes, operation
from xmlrpc_api.services.accounts import sip_accounts as accounts
from xmlrpc_api.services.ngnpro import accounts as sip_accounts
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.ngnpro.accounts import Extras

KEPT = (
    GROUPS,
    array(
        "acl",
        "SipACL",
        "Networks from which it may register; replaced as a whole.",
        Field(name="ip", wire=Wire.STRING, limit=45, required=True, doc="Address.", example="192.0.2.0"),
        Field(name="mask", wire=Wire.INT, low=0, high=128, required=True, doc="Bits of the network.", example=24),
        Field(name="tag", wire=Wire.STRING, limit=64, doc="Name for it.", example="office"),
    ),
    array(
        "properties",
        "SipProperty",
        "What front ends keep with it; replaced as a whole.",
        Field(name="name", wire=Wire.STRING, limit=128, required=True, doc="Name.", example="language"),
        Field(name="value", wire=Wire.STRING, limit=4096, doc="Value.", example="en"),
    ),
)
ATTRIBUTES = attributes(accounts.ACCOUNT)
COMPUTED = (
    sip_id("id"),
    Field(name="ha1", wire=Wire.STRING, doc="HA1 of the password; told to the administrator.", example=""),
    TIME_ZONE,
    CUSTOMER,
    RESELLER,
    *KEPT,
    Field(name="createDate", wire=Wire.STRING, doc="When it was created.", example="2026-11-21 05:00:00"),
    CHANGE_DATE,
)
OURS = {"customer": "i_customer", "createDate": "created_on", "changeDate": "updated_on"}
ACCOUNT = Noun("SipAccount", "account", "accounts", attributes=ATTRIBUTES, computed=COMPUTED, ours=OURS)
ACCOUNT_QUERY = queries.query(
    "SipQuery",
    (
        *queries.texts(("username", "domain", *sip_accounts.TEXTS)),
        queries.OWNER,
        *queries.OWNERS,
        Field(name="groups", wire=Wire.ARRAY, items=Wire.STRING, limit=64, doc="Only those in all of these groups."),
    ),
)


async def _attributes(call: Call, account: Struct) -> Struct:
    """The attributes by our names."""
    values = ACCOUNT.ours(account, unfilled={"voip_password"}, pointers={"owner"})
    return await with_zone(call, values, account)


def _extras(account: Struct) -> Extras:
    return Extras(**{field.name: account[field.name] for field in KEPT if field.name in account})


@operation(
    "SipPort.addAccount",
    ACCOUNT.sent,
    right=Right.ACCOUNTS_ADD,
    effect=Effect.WRITE,
    returns=(ACCOUNT.told,),
    raises=(*FAULTS, NotEnoughCredit),
)
async def add_account(call: Call, *, account: Struct) -> Struct:
    """
    Add an account below a domain, to whose customer it belongs; for the user name <autoincrement> a free one is taken.

    Without a password it cannot register.
    """
    sip_id = whole(account.get("id", {}))
    made = await sip_accounts.create(call, sip_id, await _attributes(call, account), _extras(account))
    return ACCOUNT.one(made)


@operation(
    "SipPort.updateAccount",
    ACCOUNT.sent,
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    balances=balance_of_account,
    raises=FAULTS,
)
async def update_account(call: Call, *, account: Struct) -> Struct:
    """
    Change an account: what is left out stays; groups, acl and properties are replaced as a whole.

    The groups blocked and quota stay where somebody above the caller has put it there; a quota that was set by
    somebody above it is made tighter only.
    """
    sip_id = whole(account.get("id", {}))
    await sip_accounts.change(call, sip_id, await _attributes(call, account), _extras(account))
    return {}


@operation(
    "SipPort.deleteAccount",
    SIP_ID,
    right=Right.ACCOUNTS_DELETE,
    effect=Effect.WRITE,
    balances=balance_of_id,
    raises=FAULTS,
)
async def delete_account(call: Call, *, sipId: Struct) -> Struct:
    """Delete an account whose balance is zero, and that nobody above the caller has blocked or put into group quota."""
    await accounts.remove(call, whole(sipId).address)
    return {}


@operation(
    "SipPort.getAccount", SIP_ID, right=Right.ANYONE, effect=Effect.READ, returns=(ACCOUNT.told,), raises=(NotFound,)
)
async def get_account(call: Call, *, sipId: Struct) -> Struct:
    """Tell an account. HA1, and where the settings allow it the password, are told to the administrator alone."""
    return ACCOUNT.one(await sip_accounts.info(call, whole(sipId)))


@operation(
    "SipPort.getAccounts",
    ACCOUNT_QUERY,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(ACCOUNT.page,),
)
async def get_accounts(call: Call, *, query: Struct) -> Struct:
    """List accounts, as far as the caller may see them: filtered, ordered, a page of them."""
    return ACCOUNT.some(await sip_accounts.search(call, query))
