"""Features of accounts: follow-me, caller numbers, hot dial, smart dial and incoming routes."""

from dataclasses import replace
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.accounts import features, incoming_routes, sip_accounts
from xmlrpc_api.services.accounts.features import CLI_MAPPINGS, FOLLOW_ME, HOT_DIAL, SMART_DIAL

ENTRY, CLI, KEY, SMART = (nouns.entity for nouns in (FOLLOW_ME, CLI_MAPPINGS, HOT_DIAL, SMART_DIAL))
MODE, TIMEOUT = sip_accounts.ACCOUNT.some("i_followme_mode", "followme_timeout")
MODE_NAME = Field(name="followme_mode_name", wire=Wire.STRING, doc="What the mode is called.", example="All at once")
I_ENTRY, THE_CLI, HOT_KEY, DID = (
    ENTRY.require("i_followme_entry"),
    CLI.require("cli"),
    KEY.require("hot_key"),
    SMART.require("did"),
)
OLD_CLI = replace(THE_CLI, name="old_cli", doc="The number that is bound by now.")
NEW_CLI = replace(THE_CLI, name="new_cli", doc="The number to be bound.")
FOUND_ACCOUNT = sip_accounts.ACCOUNT.some("authname", "username")
DIALLED = ("dest", "description")
I_ROUTE = Field(name="i_incoming_route", wire=Wire.INT, low=1, doc="Id of the route.", example=9)
I_TRUNK = Field(name="i_trunk", wire=Wire.INT, nullable=True, doc="The trunk it goes to; nil: none.", example=None)
FORWARDING = incoming_routes.USE.some("i_forward_did_mode", "self_managed")
ROUTE = (
    I_ROUTE,
    incoming_routes.USE["i_did"],
    incoming_routes.DID["did"],
    I_TRUNK,
    Field(name="trunk_name", wire=Wire.STRING, doc="What the trunk is called; empty: there is none.", example=""),
    *FORWARDING,
)
FAULTS = (NotFound,)
ADDED = (NotFound, NotPermitted)

reading = partial(method, right=Right.ANYONE, effect=Effect.READ, scope=I_CUSTOMER_OWNER, raises=FAULTS)
editing = partial(method, right=Right.ACCOUNTS_EDIT, effect=Effect.WRITE, scope=I_CUSTOMER_OWNER, raises=FAULTS)


def _rows(name: str, doc: str, members: tuple[Field, ...]) -> tuple[Field]:
    """What a list answers."""
    return (Field(name=name, wire=Wire.ARRAY, doc=doc, members=members),)


@reading("getFollowMeOptions", I_ACCOUNT, returns=(TIMEOUT, MODE, MODE_NAME))
async def get_follow_me_options(call: Call, *, i_account: int) -> Answer:
    """Tell how calls of an account follow to other numbers. Whether they do is its followme_enabled."""
    return await features.follow_me_options(call, i_account)


@editing(
    "setFollowMeOptions",
    I_ACCOUNT,
    replace(TIMEOUT, read_only=False, nil_refused=True),
    replace(MODE, read_only=False, nil_refused=True, doc="1: one after another, 2: all at once."),
)
async def set_follow_me_options(call: Call, *, i_account: int, **changes: Any) -> Answer:
    """
    Change how calls of an account follow to other numbers; at least one option must be given.

    After followme_timeout seconds the numbers of listFollowMeEntries are called, in the order of their preference.
    """
    await sip_accounts.change(call, i_account, changes)
    return {}


@reading(
    "listFollowMeEntries",
    I_ACCOUNT,
    returns=_rows("followme_entries", "The entries, in the order of their preference.", ENTRY.read),
)
async def list_follow_me_entries(call: Call, *, i_account: int) -> Answer:
    """List the numbers to which calls of an account follow."""
    return {"followme_entries": await features.follow_me_entries(call, i_account)}


@editing("addFollowMeEntry", I_ACCOUNT, *ENTRY.create, returns=ENTRY.some("i_followme_entry"), raises=ADDED)
async def add_follow_me_entry(call: Call, *, i_account: int, **attributes: Any) -> Answer:
    """Add a number to which calls of an account follow."""
    return {"i_followme_entry": await FOLLOW_ME.add_to(call, i_account, attributes)}


@editing("updateFollowMeEntry", I_ACCOUNT, I_ENTRY, *ENTRY.update)
async def update_follow_me_entry(call: Call, *, i_account: int, i_followme_entry: int, **changes: Any) -> Answer:
    """Change a number to which calls of an account follow; at least one attribute must be given."""
    await FOLLOW_ME.change_of(call, i_account, i_followme_entry, changes)
    return {}


@editing("deleteFollowMeEntry", I_ACCOUNT, I_ENTRY)
async def delete_follow_me_entry(call: Call, *, i_account: int, i_followme_entry: int) -> Answer:
    """Delete a number to which calls of an account follow."""
    await FOLLOW_ME.remove_of(call, i_account, i_followme_entry)
    return {}


@editing("addCLIMapping", I_ACCOUNT, *CLI.create, scope=None, raises=(*ADDED, WrongReference, Conflict))
async def add_cli_mapping(call: Call, *, i_account: int, **attributes: Any) -> Answer:
    """Bind a caller number to an account. It is bound to one of a customer's accounts at most."""
    await CLI_MAPPINGS.add_to(call, i_account, attributes)
    return {}


@editing(
    "updateCLIMapping",
    I_ACCOUNT,
    OLD_CLI,
    NEW_CLI,
    *(field for field in CLI.update if field.name == "lang"),
    scope=None,
    raises=(NotFound, WrongReference, Conflict),
)
async def update_cli_mapping(call: Call, *, i_account: int, old_cli: str, new_cli: str, **attributes: Any) -> Answer:
    """Bind another caller number to an account in place of one; or the same, to change its language."""
    await features.rebind(call, i_account, old_cli, new_cli, attributes)
    return {}


@editing("delCLIMapping", I_ACCOUNT, THE_CLI, scope=None)
async def del_cli_mapping(call: Call, *, i_account: int, cli: str) -> Answer:
    """Free a caller number from an account."""
    await CLI_MAPPINGS.remove_of(call, i_account, cli)
    return {}


@reading(
    "listCLIMappings",
    I_ACCOUNT,
    scope=None,
    returns=(
        Field(
            name="list",
            wire=Wire.ARRAY,
            items=Wire.ARRAY,
            doc="An array of two for each caller number: the number and its language. Oldest first.",
            example=[["12125550123", "en"]],
        ),
    ),
)
async def list_cli_mappings(call: Call, *, i_account: int) -> Answer:
    """List the caller numbers that are bound to an account."""
    rows = await CLI_MAPPINGS.all_of(call, i_account)
    return {"list": [[row["cli"], row["lang"]] for row in rows]}


@reading(
    "findCLIMapping",
    THE_CLI,
    replace(I_CUSTOMER, doc="The customer among whose accounts it is looked for."),
    scope=None,
    returns=(*CLI.some("i_account", "cli", "lang"), *FOUND_ACCOUNT),
)
async def find_cli_mapping(call: Call, *, cli: str, i_customer: int) -> Answer:
    """Find the account to which a caller number is bound."""
    return await features.find_account(call, i_customer, cli)


@editing("addHotDialNumber", I_ACCOUNT, *KEY.create, raises=(*ADDED, Conflict))
async def add_hot_dial_number(call: Call, *, i_account: int, **attributes: Any) -> Answer:
    """Give an account a key that dials a number."""
    await HOT_DIAL.add_to(call, i_account, attributes)
    return {}


@editing(
    "updateHotDialNumber",
    I_ACCOUNT,
    HOT_KEY,
    KEY.require("dest"),
    *(field for field in KEY.update if field.name == "description"),
)
async def update_hot_dial_number(call: Call, *, i_account: int, hot_key: str, **changes: Any) -> Answer:
    """Change what a key of an account dials."""
    await HOT_DIAL.change_of(call, i_account, hot_key, changes)
    return {}


@editing("delHotDialNumber", I_ACCOUNT, HOT_KEY)
async def del_hot_dial_number(call: Call, *, i_account: int, hot_key: str) -> Answer:
    """Take a key from an account."""
    await HOT_DIAL.remove_of(call, i_account, hot_key)
    return {}


@reading("listHotDialNumbers", I_ACCOUNT, returns=_rows("hot_dial_numbers", "The keys, oldest first.", KEY.read))
async def list_hot_dial_numbers(call: Call, *, i_account: int) -> Answer:
    """List the keys of an account that dial numbers."""
    return {"hot_dial_numbers": await HOT_DIAL.all_of(call, i_account)}


@editing("addSmartDial", I_ACCOUNT, *SMART.create, scope=None, raises=(*ADDED, Conflict))
async def add_smart_dial(call: Call, *, i_account: int, **attributes: Any) -> Answer:
    """Let an account that calls an access number be connected at once."""
    await SMART_DIAL.add_to(call, i_account, attributes)
    return {}


@editing("updateSmartDial", I_ACCOUNT, DID, *(one for one in SMART.update if one.name in DIALLED), scope=None)
async def update_smart_dial(call: Call, *, i_account: int, did: str, **changes: Any) -> Answer:
    """Change where an account is connected that calls an access number; at least one attribute must be given."""
    await SMART_DIAL.change_of(call, i_account, did, changes)
    return {}


@editing("deleteSmartDial", I_ACCOUNT, DID, scope=None)
async def delete_smart_dial(call: Call, *, i_account: int, did: str) -> Answer:
    """Let an account that calls an access number be asked again what to dial."""
    await SMART_DIAL.remove_of(call, i_account, did)
    return {}


@reading("listSmartDials", I_ACCOUNT, scope=None, returns=_rows("smart_dials", "Oldest first.", SMART.read))
async def list_smart_dials(call: Call, *, i_account: int) -> Answer:
    """List the access numbers that connect an account at once."""
    return {"smart_dials": await SMART_DIAL.all_of(call, i_account)}


@reading(
    "getIncomingRoutesList",
    I_ACCOUNT,
    replace(incoming_routes.USE["i_did"], read_only=False, doc="Only the route of this DID."),
    sorted_by("did"),
    *PAGE,
    returns=rows_of("incoming_routes", "The routes, oldest first.", ROUTE),
)
async def get_incoming_routes_list(call: Call, *, i_account: int, **asked: Any) -> Answer:
    """List how calls come to an account: a route for each of its DIDs."""
    return await incoming_routes.page(call, i_account, asked)


@editing(
    "updateIncomingRoute",
    I_ROUTE.require(),
    I_TRUNK,
    *(replace(field, read_only=False, nil_refused=True) for field in FORWARDING),
    raises=(NotFound, WrongReference),
)
async def update_incoming_route(call: Call, *, i_incoming_route: int, **changes: Any) -> Answer:
    """
    Change how calls come to an account at a DID; at least one attribute must be given.

    A DID that is given to another account begins anew.
    """
    await incoming_routes.change(call, i_incoming_route, changes)
    return {}
