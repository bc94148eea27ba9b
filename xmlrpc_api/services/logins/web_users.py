"""Web users: the logins to the self-care portal, of the caller and of everybody below it."""

from sqlalchemy import ColumnElement, select

from models import Customer, WebUser
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NothingToChange, NotPermitted
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import REACH, Belongings, hold_owner
from xmlrpc_api.services.logins import password_policies
from xmlrpc_api.services.tree import lending, limits, names, ownership, patterns, references
from xmlrpc_api.storage.rows import Row

USERS = Belongings(
    WebUser,
    filters={"name_pattern": lambda pattern: patterns.like(WebUser.web_login, pattern)},
    orders={"web_login": WebUser.web_login},
)
WEB_USER = USERS.entity
Known = int | str | ColumnElement[bool]  # by its id, by its login, or by a condition


async def create(call: Call, i_customer: int | None, attributes: Values) -> WebUser:
    """
    Add a web user to the caller, or to a customer below it.

    Raises:
        NotFound: The customer is not there for the caller.
        NotPermitted: It is not the caller, who lacks the right to edit customers; or it acts as somebody else, who is
            not the caller nor below it; or the caller is not active.
        WrongReference: There is no such access level.
        BadParameter: The password is not allowed.
        Conflict: The login is taken.
    """
    call.caller.demand_active()
    owner = await hold_owner(call, {"i_customer": i_customer})
    await _demand_right(call, owner)
    await references.check(call, WEB_USER, attributes)
    await _demand_password(call, owner, "web_password", attributes["web_password"], attributes["web_login"])
    return await add_to(call, owner, attributes)


async def add_to(call: Call, owner: int, values: Values) -> WebUser:
    """Add a web user to a customer whom the call holds."""
    names.demand("web_login", values["web_login"])
    user = WebUser(i_customer=owner, **limits.begun(call, values))
    await records.add(call, user, values)
    return user


async def change(call: Call, i_web_user: int, changes: Values) -> None:
    """
    Change attributes of a web user.

    Raises:
        NothingToChange: No attribute was given.
        NotPermitted: It was blocked by somebody above the caller; or as in `create`.
        NotFound, WrongReference, BadParameter, Conflict: As in `create`.
    """
    if not changes:
        raise NothingToChange
    user = await to_change(call, i_web_user)
    await references.check(call, WEB_USER, changes, references.Pointer(present=user))
    if user.is_default and changes.get("blocked"):
        raise NotPermitted("the default web user cannot be blocked; block the customer")
    login = changes.get("web_login", user.web_login)
    names.demand("web_login", login, user.web_login)
    whose = await limits.changed(call, user, changes)
    if "web_password" in changes:
        await _demand_password(call, user.i_customer, "web_password", changes["web_password"], login)
    await save(call, user, {**changes, **whose})


async def save(call: Call, user: WebUser, values: Values) -> None:
    """Set attributes of a locked web user; those that are its customer's, too, count as a change of it."""
    if not user.is_default:
        await records.change(call, user, values)
        return
    customer = await ownership.find_for_update(call, user.i_customer, REACH, rights_stay=True)
    async with records.changing(call, customer):
        await records.change(call, user, values)


async def remove(call: Call, i_web_user: int) -> None:
    """
    Remove a web user.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It is the default one, was blocked by somebody above the caller, or is not the caller's own, who
            lacks the right to edit customers.
    """
    user = await to_change(call, i_web_user)
    if user.is_default:
        raise NotPermitted("the default web user is deleted with his customer")
    await limits.demand_removable(call, user)
    await records.remove(call, user)


async def info(call: Call, i_web_user: int | None, web_login: str | None) -> Row:
    """
    All attributes of a web user, secrets excepted.

    Raises:
        BadParameter: Neither id nor login was given.
        NotFound: It is not there for the caller.
    """
    known = web_login if i_web_user is None else i_web_user
    if known is None:
        raise BadParameter.required("i_web_user")
    return await USERS.one(call, _is(known))


async def to_change(call: Call, known: Known) -> WebUser:
    """
    Lock a web user whom the caller may change.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It is not the caller's own, who lacks the right to edit customers.
    """
    user = await lock(call, known)
    await _demand_right(call, user.i_customer)
    return user


async def lock(call: Call, known: Known) -> WebUser:
    """Lock a web user, after its customer; NotFound if it is not there for the caller."""
    return await USERS.lock(call, _is(known))


def _is(known: Known) -> ColumnElement[bool]:
    if isinstance(known, int):
        return WebUser.i_web_user == known
    return names.is_web_user(known) if isinstance(known, str) else known


async def _demand_right(call: Call, i_customer: int) -> None:
    """Everybody changes its own web users; those of others need the right to edit customers; see also `lending`."""
    if i_customer != call.caller.i_customer:
        call.caller.demand(Right.CUSTOMERS_EDIT)
    await lending.demand_hand(call, i_customer)


async def _demand_password(call: Call, i_customer: int, name: str, password: Password, web_login: str) -> None:
    policy = select(Customer.i_password_policy).where(Customer.i_customer == i_customer)
    i_password_policy = (await call.session.execute(policy)).scalar_one()
    await password_policies.demand(call, i_password_policy, name, password.plain, web_login=web_login)


async def set_password(call: Call, user: WebUser, name: str, password: Password) -> None:
    """
    Give a locked web user a new password, which came in the parameter `name`.

    Raises:
        BadParameter: It is not allowed.
    """
    await _demand_password(call, user.i_customer, name, password, user.web_login)
    await save(call, user, {"web_password": password})
