"""Web users: further logins to the self-care portal, each with an access level of its own."""

from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, pattern_of, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.logins import web_users

WEB_USER = web_users.WEB_USER
OWNER = Field(
    name="i_customer",
    wire=Wire.INT,
    low=1,
    doc="Whose web users: a customer at any depth below the caller; the caller itself if left out.",
    example=29,
)
I_WEB_USER = WEB_USER.require("i_web_user")
FAULTS = (NotFound, NotPermitted)
web_user_block = partial(
    method,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    returns=WEB_USER.some("i_web_user"),
    raises=FAULTS,
)


@method(
    "createWebUser",
    OWNER,
    *WEB_USER.create,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    returns=WEB_USER.some("i_web_user"),
    raises=(*FAULTS, WrongReference, Conflict),
)
async def create_web_user(call: Call, *, i_customer: int | None = None, **attributes: Any) -> Answer:
    """
    Create a web user of the caller or of a customer below it.

    For customers below, the caller needs bit 1 (edit) of customers_mgmt; so do all methods that change web users.
    Where the customer acts as another one (impersonate of NGNPro's dialect), that one and those above it alone may.
    """
    user = await web_users.create(call, i_customer, attributes)
    return {"i_web_user": user.i_web_user}


@method(
    "updateWebUser",
    I_WEB_USER,
    *WEB_USER.update,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    raises=(*FAULTS, WrongReference, Conflict),
)
async def update_web_user(call: Call, *, i_web_user: int, **changes: Any) -> Answer:
    """Change attributes of a web user; at least one must be given. To change a default one, change its customer."""
    await web_users.change(call, i_web_user, changes)
    return {}


@method("deleteWebUser", I_WEB_USER, right=Right.ANYONE, effect=Effect.WRITE, raises=FAULTS)
async def delete_web_user(call: Call, *, i_web_user: int) -> Answer:
    """Delete a web user. The default one goes with its customer only."""
    await web_users.remove(call, i_web_user)
    return {}


@method(
    "listWebUsers",
    OWNER,
    pattern_of("name_pattern", "web_login"),
    sorted_by("web_login"),
    *PAGE,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=rows_of("web_users", "The web users, oldest first.", WEB_USER.read),
    raises=(NotFound,),
)
async def list_web_users(call: Call, **asked: Any) -> Answer:
    """List the web users of the caller or of a customer below it, in the order of their creation."""
    return await web_users.USERS.told(call, asked, "web_users")


@method(
    "getWebUserInfo",
    WEB_USER["i_web_user"],
    WEB_USER["web_login"],
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(Field(name="web_user", wire=Wire.STRUCT, doc="The web user.", members=WEB_USER.read),),
    raises=(NotFound,),
)
async def get_web_user_info(call: Call, *, i_web_user: int | None = None, web_login: str | None = None) -> Answer:
    """Tell all attributes of a web user, by i_web_user or by web_login. Passwords are never told."""
    return {"web_user": await web_users.info(call, i_web_user, web_login)}


@web_user_block("blockWebUser", I_WEB_USER)
async def block_web_user(call: Call, *, i_web_user: int) -> Answer:
    """Block a web user: it cannot log in. The default one cannot be blocked; block the customer."""
    await web_users.change(call, i_web_user, {"blocked": True})
    return {"i_web_user": i_web_user}


@web_user_block("unblockWebUser", I_WEB_USER)
async def unblock_web_user(call: Call, *, i_web_user: int) -> Answer:
    """Take the block of a web user away. Who stands below whoever blocked it cannot."""
    await web_users.change(call, i_web_user, {"blocked": False})
    return {"i_web_user": i_web_user}
