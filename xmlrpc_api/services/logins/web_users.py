"""Web users: the logins to the self-care portal, of the caller and of everybody below him."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from models import Customer, WebUser
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import NOBODYS_HASH, Password
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NothingToChange, NotPermitted
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.logins import password_policies
from xmlrpc_api.services.tree import lending, lists, names, ownership, references
from xmlrpc_api.services.tree.limits import Line
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.fast_path import Row

WEB_USER = entity_of(WebUser)
REACH = Reach.SUBTREE_AND_SELF
READABLE = WEB_USER.select(WEB_USER.read).join(Customer, Customer.i_customer == WebUser.i_customer)
ALL = lists.List(READABLE, WebUser.i_web_user)


async def create(call: Call, i_customer: int | None, attributes: Values) -> WebUser:
    """
    Add a web user to the caller, or to a customer below him.

    Raises:
        NotFound: The customer is not there for the caller.
        NotPermitted: He is not the caller, who lacks the right to edit customers; or he acts as somebody else, who is
            not the caller nor below him; or the caller is not active.
        WrongReference: There is no such access level.
        BadParameter: The password is not allowed.
        Conflict: The login is taken.
    """
    call.caller.demand_active()
    owner = call.caller.i_customer if i_customer is None else i_customer
    if not await ownership.hold(call, owner, REACH):
        raise NotFound(Customer)
    await _demand_right(call, owner)
    await references.check(call, WEB_USER, attributes)
    await _demand_password(call, owner, "web_password", attributes["web_password"], attributes["web_login"])
    return await _add(call, owner, attributes)


async def _add(call: Call, owner: int, values: Values) -> WebUser:
    names.demand("web_login", values["web_login"])
    user = WebUser(i_customer=owner, blocked_by=call.caller.i_customer if values.get("blocked") else None)
    await records.add(call, user, values)
    return user


@dataclass(frozen=True, slots=True)
class Brought:
    """A password that comes from another system: hashed here, or as it was hashed there."""

    hashed: str | None = field(default=None, repr=False)
    foreign: str | None = field(default=None, repr=False)

    @property
    def values(self) -> dict[str, Any]:
        """The attributes that keep it."""
        return {"web_password": self.hashed or NOBODYS_HASH, "foreign_password": self.foreign}


async def take_over(call: Call, web_login: str, brought: Brought) -> int:
    """
    Give a web user the password that he had in another system; no policy is asked.

    Returns:
        His id.

    Raises:
        NotFound: There is no such login for the caller.
    """
    user = await by_login_to_change(call, web_login)
    await save(call, user, brought.values)
    return user.i_web_user


async def take_over_default(call: Call, i_customer: int, brought: Brought) -> None:
    """The same for the default web user of a customer; NotFound if he is not there for the caller."""
    user = await _to_change(call, and_(WebUser.i_customer == i_customer, WebUser.is_default))
    await save(call, user, brought.values)


async def bring(call: Call, owner: int | str, attributes: Values, brought: Brought) -> int:
    """
    Add a web user who comes from another system with his password; no policy is asked.

    Args:
        call: The call.
        owner: Id or name of his customer.
        attributes: Those of createWebUser, without the password.
        brought: His password.

    Returns:
        His id.

    Raises:
        NotPermitted: The caller is not active.
        NotFound: The customer is not there for the caller.
        WrongReference: There is no such access level.
        Conflict: The login is taken.
    """
    call.caller.demand_active()
    wanted = select(Customer.i_customer).where(ownership.named(owner), ownership.within(call.caller, REACH))
    wanted = wanted.with_for_update(read=True, key_share=True)
    i_customer = (await call.session.execute(wanted)).scalar_one_or_none()
    if i_customer is None:
        raise NotFound(Customer)
    await lending.demand_hand(call, i_customer)
    await references.check(call, WEB_USER, attributes)
    return (await _add(call, i_customer, {**attributes, **brought.values})).i_web_user


async def change(call: Call, i_web_user: int, changes: Values) -> None:
    """
    Change attributes of a web user.

    Raises:
        NothingToChange: No attribute was given.
        NotPermitted: He was blocked by somebody above the caller; or as in `create`.
        NotFound, WrongReference, BadParameter, Conflict: As in `create`.
    """
    if not changes:
        raise NothingToChange
    user = await _to_change(call, WebUser.i_web_user == i_web_user)
    await references.check(call, WEB_USER, changes, references.Pointer(present=user))
    if user.is_default and changes.get("blocked"):
        raise NotPermitted("the default web user cannot be blocked; block the customer")
    login = changes.get("web_login", user.web_login)
    names.demand("web_login", login, user.web_login)
    values = dict(changes)
    if "blocked" in changes:
        line = await _line_of(call, user)
        values["blocked_by"] = line.blocked_by(call.caller, user.blocked, changes["blocked"], user.blocked_by)
    if "web_password" in changes:
        await _demand_password(call, user.i_customer, "web_password", changes["web_password"], login)
    await save(call, user, values)


async def save(call: Call, user: WebUser, values: Values) -> None:
    """Set attributes of a locked web user; those that are his customer's, too, count as a change of him."""
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
        NotFound: He is not there for the caller.
        NotPermitted: He is the default one, was blocked by somebody above the caller, or is not the caller's own, who
            lacks the right to edit customers.
    """
    user = await _to_change(call, WebUser.i_web_user == i_web_user)
    if user.is_default:
        raise NotPermitted("the default web user is deleted with his customer")
    if user.blocked:
        (await _line_of(call, user)).demand_hand(call.caller, user.blocked_by, "the block")
    await records.remove(call, user)


async def _line_of(call: Call, user: WebUser) -> Line:
    """Those who can limit a web user."""
    return Line.of(await ownership.path_of(call, user.i_customer), user.i_customer)


async def info(call: Call, i_web_user: int | None, web_login: str | None) -> Row:
    """
    All attributes of a web user, secrets excepted.

    Raises:
        BadParameter: Neither id nor login was given.
        NotFound: He is not there for the caller.
    """
    if i_web_user is not None:
        wanted = WebUser.i_web_user == i_web_user
    elif web_login is not None:
        wanted = names.is_web_user(web_login)
    else:
        raise BadParameter.required("i_web_user")
    within = ownership.within(call.caller, REACH)
    row = (await call.session.execute(READABLE.where(wanted, within))).mappings().one_or_none()
    if row is None:
        raise NotFound(WebUser)
    return dict(row)


async def page_of(call: Call, i_customer: int | None, page: Values) -> list[Row]:
    """
    The web users of the caller or of a customer below him, oldest first.

    Raises:
        NotFound: The customer is not there for the caller.
    """
    owner = call.caller.i_customer if i_customer is None else i_customer
    await ownership.find(call, owner, REACH)
    within = ownership.within(call.caller, REACH)
    return await ALL.rows(call, lists.asked(page), within, WebUser.i_customer == owner)


async def by_login(call: Call, web_login: str) -> WebUser:
    """
    Lock the web user with this login, to change what belongs to his login.

    Raises:
        NotFound: He is not there for the caller.
    """
    return await _find(call, names.is_web_user(web_login))


async def by_login_to_change(call: Call, web_login: str) -> WebUser:
    """
    The same, if the caller may change the web user.

    Raises:
        NotFound: He is not there for the caller.
        NotPermitted: He is not the caller's own, who lacks the right to edit customers.
    """
    return await _to_change(call, names.is_web_user(web_login))


async def _to_change(call: Call, wanted: ColumnElement[bool]) -> WebUser:
    user = await _find(call, wanted)
    await _demand_right(call, user.i_customer)
    return user


async def _find(call: Call, wanted: ColumnElement[bool]) -> WebUser:
    """Lock a web user, after his customer: everybody takes the two in this order."""
    in_reach = select(Customer.i_customer).join(WebUser, WebUser.i_customer == Customer.i_customer)
    in_reach = in_reach.where(wanted, ownership.within(call.caller, REACH))
    await call.session.execute(in_reach.with_for_update(of=Customer, key_share=True))
    statement = select(WebUser).where(wanted, WebUser.i_customer.in_(in_reach)).with_for_update()
    user = (await call.session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()
    if user is None:
        raise NotFound(WebUser)
    return user


async def _demand_right(call: Call, i_customer: int) -> None:
    """Everybody changes his own web users; those of others need the right to edit customers; see also `lending`."""
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
