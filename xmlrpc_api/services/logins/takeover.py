"""Web users who come from another system, each with the password that it had there; no policy is asked of it."""

from dataclasses import dataclass, field

from sqlalchemy import and_

from models import WebUser
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import NOBODYS_HASH
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.services.belongings import hold_owner
from xmlrpc_api.services.logins import web_users
from xmlrpc_api.services.logins.web_users import WEB_USER
from xmlrpc_api.services.tree import lending, references


@dataclass(frozen=True, slots=True)
class Brought:
    """A password that comes from another system: hashed here, or as it was hashed there."""

    hashed: str | None = field(default=None, repr=False)
    foreign: str | None = field(default=None, repr=False)

    @property
    def values(self) -> Values:
        """The attributes that keep it."""
        return {"web_password": self.hashed or NOBODYS_HASH, "foreign_password": self.foreign}


async def by_login(call: Call, web_login: str, brought: Brought) -> int:
    """
    Give a web user its password.

    Returns:
        Its id.

    Raises:
        NotFound: There is no such login for the caller.
    """
    user = await web_users.to_change(call, web_login)
    await web_users.save(call, user, brought.values)
    return user.i_web_user


async def of_customer(call: Call, i_customer: int, brought: Brought) -> None:
    """The same for the default web user of a customer; NotFound if it is not there for the caller."""
    user = await web_users.to_change(call, and_(WebUser.i_customer == i_customer, WebUser.is_default))
    await web_users.save(call, user, brought.values)


async def add(call: Call, owner: int | str, attributes: Values, brought: Brought) -> int:
    """
    Add a web user with its password.

    Args:
        call: The call.
        owner: Id or name of its customer.
        attributes: Those of createWebUser, without the password.
        brought: Its password.

    Returns:
        Its id.

    Raises:
        NotPermitted: The caller is not active.
        NotFound: The customer is not there for the caller.
        WrongReference: There is no such access level.
        Conflict: The login is taken.
    """
    call.caller.demand_active()
    i_customer = await hold_owner(call, {"i_customer": owner})
    await lending.demand_hand(call, i_customer)
    await references.check(call, WEB_USER, attributes)
    return (await web_users.add_to(call, i_customer, {**attributes, **brought.values})).i_web_user
