"""Authentication rules of accounts: whose a call is that comes without a password; and rules for calls of theirs."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.accounts import auth_rules
from xmlrpc_api.services.accounts.auth_rules import POST_RULES, RULES

RULE, POST = RULES.entity, POST_RULES.entity
ID, POST_ID = RULE.require("i_authentication"), POST.require("i_post_auth_rule")
FILTERS = tuple(
    replace(field, doc=f"Only rules with this {field.name}.") for field in RULE.some("i_protocol", "remote_ip")
)
THE_ID = replace(RULE["i_authentication"], read_only=False, doc="Only this rule.")
OWNER = replace(I_ACCOUNT, required=False, doc="The account whose rule it is; a rule stays with its account.")
FAULTS = (NotFound, NotPermitted, WrongReference, Conflict)
reading = partial(method, right=Right.ANYONE, effect=Effect.READ, scope=I_CUSTOMER_OWNER, raises=(NotFound,))
editing = partial(method, right=Right.ACCOUNTS_EDIT, effect=Effect.WRITE, scope=I_CUSTOMER_OWNER, raises=FAULTS)


def _lenient(fields: Iterable[Field]) -> tuple[Field, ...]:
    """The same, where nil stands for a text that is empty, as clients send it."""
    return tuple(replace(field, nullable=True) if field.wire is Wire.STRING else field for field in fields)


@editing("addAuthRule", I_ACCOUNT, *_lenient(RULE.create), returns=RULE.some("i_authentication"))
async def add_auth_rule(call: Call, *, i_account: int, **attributes: Any) -> Answer:
    """
    Let calls that come without a password be an account's, by address, numbers or domains.

    At least one of remote_ip, incoming_cli, incoming_cld, to_domain and from_domain is required; what is left out is
    not asked for. No call is two accounts': a rule for the same calls as another one is refused with 409, and so is
    one for an address that is in use in another wholesaler's tree. Root alone sets networks wider than one address,
    and addresses such as that of the machine itself. A domain that is somebody's may be set by him, by those above him
    and for those below him.
    """
    return {"i_authentication": await auth_rules.create(call, i_account, attributes)}


@editing("updateAuthRule", ID, OWNER, *_lenient(RULE.update))
async def update_auth_rule(call: Call, *, i_authentication: int, **changes: Any) -> Answer:
    """Change a rule; at least one attribute must be given. The same is refused as by addAuthRule."""
    await auth_rules.change(call, i_authentication, changes)
    return {}


@editing("delAuthRule", ID, raises=(NotFound,))
async def del_auth_rule(call: Call, *, i_authentication: int) -> Answer:
    """Delete a rule."""
    await RULES.remove(call, i_authentication)
    return {}


@reading(
    "getAuthRuleInfo",
    ID,
    returns=(Field(name="authrule", wire=Wire.STRUCT, doc="The rule.", members=RULE.read),),
)
async def get_auth_rule_info(call: Call, *, i_authentication: int) -> Answer:
    """Tell all attributes of a rule."""
    return {"authrule": await RULES.info(call, i_authentication)}


@reading(
    "listAuthRules",
    I_ACCOUNT,
    THE_ID,
    *FILTERS,
    sorted_by(*auth_rules.ORDERS),
    *PAGE,
    returns=rows_of("authrules", "The rules, oldest first.", RULE.read),
)
async def list_auth_rules(call: Call, *, i_account: int, **asked: Any) -> Answer:
    """List the rules of an account."""
    return await RULES.told_of(call, i_account, asked, "authrules")


@editing("addPostAuthRule", I_ACCOUNT, *_lenient(POST.create), returns=POST.some("i_post_auth_rule"))
async def add_post_auth_rule(call: Call, *, i_account: int, **attributes: Any) -> Answer:
    """
    Add a rule for calls that are known to be an account's: other numbers, another tariff, other routes.

    At least one of remote_ip, cli and cld is required; no two rules of an account ask for the same. Networks may be of
    any size: the calls are the account's already.
    """
    return {"i_post_auth_rule": await auth_rules.create_post(call, i_account, attributes)}


@editing("updatePostAuthRule", POST_ID, *_lenient(POST.update))
async def update_post_auth_rule(call: Call, *, i_post_auth_rule: int, **changes: Any) -> Answer:
    """Change such a rule; at least one attribute must be given."""
    await auth_rules.change_post(call, i_post_auth_rule, changes)
    return {}


@editing("deletePostAuthRule", POST_ID, raises=(NotFound,))
async def delete_post_auth_rule(call: Call, *, i_post_auth_rule: int) -> Answer:
    """Delete such a rule."""
    await POST_RULES.remove(call, i_post_auth_rule)
    return {}


@reading(
    "getPostAuthRuleInfo",
    POST_ID,
    returns=(Field(name="post_auth_rule", wire=Wire.STRUCT, doc="The rule.", members=POST.read),),
)
async def get_post_auth_rule_info(call: Call, *, i_post_auth_rule: int) -> Answer:
    """Tell all attributes of such a rule."""
    return {"post_auth_rule": await POST_RULES.info(call, i_post_auth_rule)}


@reading(
    "listPostAuthRules",
    I_ACCOUNT,
    replace(POST["remote_ip"], doc="Only rules with this remote_ip."),
    sorted_by(*auth_rules.POST_ORDERS),
    *PAGE,
    returns=rows_of("post_auth_rules", "The rules, oldest first.", POST.read),
)
async def list_post_auth_rules(call: Call, *, i_account: int, **asked: Any) -> Answer:
    """List such rules of an account."""
    return await POST_RULES.told_of(call, i_account, asked, "post_auth_rules")
