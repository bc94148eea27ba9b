"""Who logs in to the self-care portal: web users and accounts."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from models import Account, Customer, WebUser, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins import throttle
from xmlrpc_api.services.tree import ownership

Person = WebUser | Account


@dataclass(frozen=True, slots=True)
class Kind:
    """Whose logins: the table, the names of id and login there, and as what wrong ones are counted."""

    model: type[Person]
    id_name: str
    login_name: str
    throttled: throttle.Kind

    def key_of(self, person: Person | None) -> int:
        """The id of somebody; 0 of nobody."""
        return int(getattr(person, self.id_name)) if person is not None else 0

    def number_of(self, person: Person | None) -> int:
        """A number that nobody of another kind has."""
        return -self.key_of(person) if self.model is Account else self.key_of(person)

    def has_key(self, key: int) -> ColumnElement[bool]:
        """The condition for one of them."""
        column: InstrumentedAttribute[int] = getattr(self.model, self.id_name)
        return column == key


WEB_USERS = Kind(WebUser, "i_web_user", "web_login", throttle.Kind.WEB_USER)
ACCOUNTS = Kind(Account, "i_account", "username", throttle.Kind.ACCOUNT)


async def is_below_block(call: Call, user: Person | None) -> bool:
    """Whether somebody's customer, or one above it, is blocked. For nobody the same is asked."""
    i_customer = user.i_customer if user else call.caller.i_customer
    path = select(Customer.path).where(Customer.i_customer == i_customer)
    found = (await call.session.execute(path)).scalar_one_or_none()
    if found is None:  # deleted since it was read
        return True
    above = ancestors(found)
    return await ownership.any_blocked(call.session, [*above, i_customer])


async def note(call: Call, kind: Kind, action: str, user: Person | None, **details: object) -> None:
    """Write into the change history. A login that is not there is not written: it may be a mistyped password."""
    known = {kind.login_name: getattr(user, kind.login_name)} if user else {}
    shown = {name: value for name, value in details.items() if value is not None}
    await audit.event(
        call,
        action,
        object_type=kind.model.__tablename__,
        object_id=kind.key_of(user) or None,
        i_customer=user.i_customer if user else call.caller.i_customer,
        details={**known, **shown},
    )
