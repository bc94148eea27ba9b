"""
Authentication rules: whose a call is that comes without a password; and what is special about some of an account's.

A call is one account's: no two rules ask for the same, and none of a wholesaler's tree is for an address that rules of
another tree are for. Changes of what rules ask for are made one after another, on the whole platform; who does not
change that waits for nobody.
"""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, true

from models import ROOT_ID, AuthRule, Base, Customer, PostAuthRule, ancestors
from xmlrpc_api import addresses
from xmlrpc_api.addresses import Network
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    Kind,
    Name,
    NothingToChange,
    NotPermitted,
    WrongReference,
)
from xmlrpc_api.services import records
from xmlrpc_api.services.accounts import account_belongings
from xmlrpc_api.services.accounts.account_belongings import AccountBelongings
from xmlrpc_api.services.sip import domains
from xmlrpc_api.services.tree import ownership, resellers
from xmlrpc_api.services.tree.stretches import Order
from xmlrpc_api.storage.errors import ERRORS, is_duplicate

MOST = 1000  # of an account
DOMAINS = ("to_domain", "from_domain")
ASKED = ("remote_ip", "incoming_cli", "incoming_cld", *DOMAINS)  # at least one of them
POST_ASKED = ("remote_ip", "cli", "cld")
ORDERS: Mapping[str, Order] = {name: getattr(AuthRule, name) for name in ASKED}
POST_ORDERS: Mapping[str, Order] = {name: getattr(PostAuthRule, name) for name in POST_ASKED}


def _equal(column: Any) -> Callable[[Any], ColumnElement[bool]]:
    """The filter for rows with this value; an empty text is none."""
    return lambda value: true() if value == "" else column == value


RULES = AccountBelongings(
    AuthRule,
    MOST,
    filters={name: _equal(getattr(AuthRule, name)) for name in ("i_authentication", "i_protocol", "remote_ip")},
    orders=ORDERS,
)
POST_RULES = AccountBelongings(
    PostAuthRule, MOST, filters={"remote_ip": _equal(PostAuthRule.remote_ip)}, orders=POST_ORDERS
)
_HOLDING = (
    select(Customer.i_customer).where(Customer.i_customer == ROOT_ID).with_for_update(of=Customer, key_share=True)
)


async def create(call: Call, i_account: int, attributes: Values) -> int:
    """
    Add a rule to an account.

    Raises:
        BadParameter: It asks for nothing.
        NotFound: The account is not there for the caller.
        NotPermitted: The network is root's to set; or the account has as many rules as it may have.
        WrongReference: A tariff, a routing group or a domain is not there for the account's customer.
        Conflict: Another rule is for the same calls.
    """
    values = _sent(attributes)
    _demand_some(ASKED, values)
    await _hold_all(call)
    account = await account_belongings.hold(call, i_account)
    await _demand_allowed(call, account.i_customer, values, dict.fromkeys(ASKED, ""))
    try:
        i_rule = await RULES.add(call, account, {**values, **_span(values)})
        await call.store.flush()
    except ERRORS as error:
        raise _told(error, AuthRule) from None
    return i_rule


async def change(call: Call, i_authentication: int, changes: Values) -> None:
    """
    Change a rule; it stays with its account.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        WrongReference: It was to be another account's; or as in `create`.
        BadParameter, NotPermitted, Conflict: As in `create`.
    """
    if not changes:
        raise NothingToChange
    values = _sent(changes)
    if not values.keys().isdisjoint((*ASKED, "i_protocol")):
        await _hold_all(call)
    rule = await RULES.lock(call, AuthRule.i_authentication == i_authentication)
    if values.pop("i_account", rule.i_account) != rule.i_account:
        raise WrongReference("i_account")
    present = {name: getattr(rule, name) for name in ASKED}
    _demand_some(ASKED, {**present, **values})
    await _demand_allowed(call, rule.i_customer, values, present)
    try:
        records.assign(call, rule, _span(values))
        await RULES.save(call, rule, values)
    except ERRORS as error:
        raise _told(error, AuthRule) from None


async def create_post(call: Call, i_account: int, attributes: Values) -> int:
    """
    Add a rule for calls that are known to be an account's.

    Raises:
        BadParameter, NotFound, NotPermitted, WrongReference, Conflict: As in `create`; it is compared with rules of
            the same account alone, for which networks may be of any size.
    """
    values = _sent(attributes)
    _demand_some(POST_ASKED, values)
    try:
        i_rule = await POST_RULES.add_to(call, i_account, values)
        await call.store.flush()
    except ERRORS as error:
        raise _told(error, PostAuthRule) from None
    return i_rule


async def change_post(call: Call, i_post_auth_rule: int, changes: Values) -> None:
    """
    Change such a rule.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        BadParameter, WrongReference, Conflict: As in `create_post`.
    """
    if not changes:
        raise NothingToChange
    values = _sent(changes)
    rule = await POST_RULES.lock(call, PostAuthRule.i_post_auth_rule == i_post_auth_rule)
    _demand_some(POST_ASKED, {**{name: getattr(rule, name) for name in POST_ASKED}, **values})
    try:
        await POST_RULES.save(call, rule, values)
    except ERRORS as error:
        raise _told(error, PostAuthRule) from None


def _sent(values: Values) -> dict[str, Any]:
    """What was sent; clients send nil for a text that is empty."""
    texts = {*ASKED, *POST_ASKED, "cli_translation_rule", "cld_translation_rule"}
    return {name: "" if value is None and name in texts else value for name, value in values.items()}


def _demand_some(names: tuple[str, ...], values: Mapping[str, Any]) -> None:
    if not any(values.get(name) for name in names):
        raise BadParameter(names[0], f"or another one of {', '.join(names[1:])} is required", kind=Kind.REQUIRED)


def _span(values: Values) -> dict[str, str]:
    """The first and the last address, as they are compared, if they change."""
    if "remote_ip" not in values:
        return {}
    network = addresses.network_of(values["remote_ip"])
    first, last = addresses.span(network) if network is not None else ("", "")
    return {"first_address": first, "last_address": last}


async def _hold_all(call: Call) -> None:
    """Let nobody else change what rules ask for until the end of the transaction."""
    await call.session.execute(_HOLDING)


async def _demand_allowed(call: Call, owner: int, values: Values, present: Values) -> None:
    """Refuse what a rule of this customer must not ask for; what it asks for already it may."""
    for name in DOMAINS:
        if values.get(name) and values[name] != present[name]:
            await _demand_domain(call, owner, name, values[name])
    network = addresses.network_of(values.get("remote_ip", ""))
    if network is None or values["remote_ip"] == present["remote_ip"]:
        return
    if not resellers.is_admin(call) and (network.num_addresses > 1 or _is_special(network)):
        raise NotPermitted(Name("remote_ip"), " must be one ordinary address: others are set by root")
    if await _is_anothers(call, owner, network):
        raise _conflict(AuthRule)


async def _demand_domain(call: Call, owner: int, name: str, domain: str) -> None:
    """Refuse the domain of somebody who has nothing to do with it: calls to his phones would be another's."""
    try:
        await domains.demand_usable(call, f"@{domain}", owner)
    except WrongReference:
        raise WrongReference(name) from None


def _is_special(network: Network) -> bool:
    """Whether an address is nobody's on the network, such as that of the machine itself."""
    address = network.network_address
    kinds = (address.is_loopback, address.is_unspecified, address.is_multicast, address.is_link_local)
    return any(kinds) or address == ipaddress.ip_address("255.255.255.255")


async def _is_anothers(call: Call, owner: int, network: Network) -> bool:
    """Whether a rule of another tree is for one of these addresses. The root's own accounts are a tree, too."""
    line = (*ancestors(await ownership.path_of(call, owner)), owner)
    same = Customer.i_customer == ROOT_ID if owner == ROOT_ID else ownership.branch(f"{ROOT_ID}.", line[1])
    others = exists().where(AuthRule.i_customer == Customer.i_customer, _overlaps(network), not_(same))
    return bool((await call.session.execute(select(others))).scalar_one())


def _overlaps(network: Network) -> ColumnElement[bool]:
    """The condition for rules for one of these addresses: their first is among them, or theirs are around these."""
    first, last = addresses.span(network)
    around = {addresses.span(network.supernet(new_prefix=bits))[0] for bits in range(network.prefixlen)}
    return or_(
        AuthRule.first_address.between(first, last),
        and_(AuthRule.first_address.in_(sorted(around)), AuthRule.last_address >= last),
    )


def _told(error: Exception, model: type[Base]) -> Exception:
    """What is told of an error of the database; that one rule would ask for what another does has a text of its own."""
    return _conflict(model) if is_duplicate(error) else error


def _conflict(model: type[Base]) -> Conflict:
    """The fault for a rule that could not be told from another, whosever that is."""
    return Conflict("Rule has conflicting parameters: another one is for the same calls", kind=Kind.TAKEN, thing=model)
