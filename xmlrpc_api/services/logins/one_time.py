"""One-time passwords: good for one login, until they expire or anything of the login is changed."""

import secrets
import string
from datetime import timedelta

from sqlalchemy import update

from models import WebUser, purpose_of
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotPermitted
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.logins import persons
from xmlrpc_api.services.logins.persons import Kind, Person
from xmlrpc_api.services.tree import lending

ISSUED = "OTP_ISSUED"
LENGTH = 20
ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
PURPOSE = purpose_of(WebUser.one_time_password)
NOBODYS_SIGNATURE = ":"
PASSWORD = Field(
    name="password",
    wire=Wire.STRING,
    secret=True,
    doc="The one-time password. It is told here and nowhere else.",
)


async def issue(call: Call, kind: Kind, user: Person) -> str:
    """
    Make a new one-time password for somebody locked; an older one ends.

    Raises:
        NotPermitted: It is blocked, or acts as somebody who is neither the caller nor below it.
    """
    if isinstance(user, WebUser):
        await lending.demand_hand(call, user.i_customer)
    if user.blocked or await persons.is_below_block(call, user):
        raise NotPermitted("the login is blocked")
    password = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    user.one_time_password = call.platform.vault.sign(PURPOSE, _content(kind, user, password))
    user.one_time_expires = call.now + timedelta(minutes=call.platform.config.one_time_minutes)
    user.one_time_used = None
    await call.session.flush()
    await persons.note(call, kind, ISSUED, user, expires=user.one_time_expires)
    return password


def is_right(call: Call, kind: Kind, user: Person | None, password: str) -> bool:
    """Whether a password is somebody's one-time password, in time. For nobody the same is computed."""
    known = user.one_time_password if user else None
    signed = call.platform.vault.signed(PURPOSE, _content(kind, user, password), known or NOBODYS_SIGNATURE)
    expires = user.one_time_expires if user else None
    return signed and expires is not None and call.now < expires


def is_unused(user: Person) -> bool:
    """Whether nobody has logged in with it yet."""
    return user.one_time_used is None


async def use_up(call: Call, kind: Kind, user: Person) -> bool:
    """Use a one-time password to log in: of many at once, one succeeds."""
    used = (
        update(kind.model)
        .where(
            kind.has_key(kind.key_of(user)),
            kind.model.one_time_password == user.one_time_password,
            kind.model.one_time_expires > call.now,
            kind.model.one_time_used.is_(None),
        )
        .values(one_time_used=call.now)
        .returning(getattr(kind.model, kind.id_name))
        .execution_options(synchronize_session=False)
    )
    return (await call.session.execute(used)).first() is not None


def _content(kind: Kind, user: Person | None, password: str) -> bytes:
    return f"{kind.key_of(user)}:{password}".encode()
