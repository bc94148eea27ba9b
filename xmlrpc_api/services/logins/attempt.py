"""
An attempt to log in, and what is found out about it before the transaction: the hash, which is slow.

What counts is decided in the transaction, by `authentication`.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, select

from models import Account, Customer, login_key
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.faults import Conflict, TooManyAttempts
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.belongings import REACH
from xmlrpc_api.services.logins import devices, one_time, persons, throttle
from xmlrpc_api.services.logins.persons import ACCOUNTS, WEB_USERS, Kind, Person
from xmlrpc_api.services.tree import names, ownership
from xmlrpc_api.turns import TooManyWaiting

REMOTE_IP = Field(
    name="remote_ip",
    wire=Wire.STRING,
    check="ip_address",
    doc="Address of the person who logs in, as the portal sees it; it is throttled as well.",
    example="203.0.113.7",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    What a client says to log in as somebody, or to prove that it may change a password.

    Attributes:
        login: Login or, of an account, e-mail address.
        by_email: Whether it is an e-mail address.
        remote_ip: The address of the person, as the portal sees it.
        device: The token of a device that it logged in from before.
        one_time_only: Whether an ordinary password does not count.
        passwords_only: Whether a one-time password does not count.
    """

    login: str
    password: str = field(repr=False)
    kind: Kind = WEB_USERS
    by_email: bool = False
    code: str | None = field(default=None, repr=False)
    remote_ip: str | None = None
    device: str | None = field(default=None, repr=False)
    one_time_only: bool = False
    passwords_only: bool = False

    def condition(self, call: Call) -> ColumnElement[bool]:
        """The condition for the one who logs in."""
        if self.by_email:
            return Account.email == self.login
        return names.is_account(call, self.login) if self.kind is ACCOUNTS else names.is_web_user(self.login)


@dataclass(frozen=True, slots=True)
class Look:
    """
    What was found out before the transaction.

    Attributes:
        user: Who it is, as it was then; None if there is nobody for the caller.
        is_right: Whether the password is its ordinary one.
        counted: What a failure counts for, and whose locks count: its device's alone where it is known.
        device: The number of the device that is known.
        is_closed: Whether its login is locked: then the password alone does not count.
        rehashed: The password hashed anew, where the hash was weak or another system's.
        new: The password that is to take its place, hashed; None where the proof was wrong.
    """

    user: Person | None
    is_right: bool
    counted: throttle.Limits
    device: str | None = None
    is_closed: bool = False
    rehashed: str | None = field(default=None, repr=False)
    new: Password | None = None


async def look(call: Call, attempt: Attempt) -> Look:
    """
    Check the password, with a session that only reads and is given back meanwhile.

    While strangers guess at a login it is locked, for passwords alone: its owner gets in from a device that it used
    before, which is counted by itself; by a one-time password, which nobody guesses; or with a code of the second
    factor, where a wrong one counts only after the right password.

    Raises:
        TooManyAttempts: The login, its address or the device must wait.
        Conflict: Several accounts have this e-mail address.
        TooManyWaiting: Too many checks are waiting already.
    """
    user = await _read(call, attempt.kind, attempt.condition(call))
    found = await _look_at_counters(call, attempt, user)
    if not found.is_closed or attempt.code is not None:
        await call.session.close()
        return await _look_at_password(call, attempt, found)
    if not has_one_time(call, attempt, user):
        raise TooManyAttempts
    return found


async def _look_at_counters(call: Call, attempt: Attempt, user: Person | None) -> Look:
    """
    Whether this attempt may be judged.

    Raises:
        TooManyAttempts: Its address must wait, or the device; a one-time password is judged all the same.
    """
    device = devices.number_of(call, owner_of(attempt.kind, user), attempt.device)
    if device is not None:
        counted = throttle.limits(call, throttle.Kind.DEVICE, device)
    else:
        kind = throttle.Kind.EMAIL if attempt.by_email else attempt.kind.throttled
        counted = throttle.limits(call, kind, login_key(attempt.login), attempt.remote_ip)
    is_open = await throttle.is_open(call, counted)
    found = Look(user, False, counted, device, is_closed=not is_open)
    if is_open or has_one_time(call, attempt, user):
        return found
    if device is None and await throttle.is_open(call, list(counted)[1:]):
        return found
    raise TooManyAttempts


async def _look_at_password(call: Call, attempt: Attempt, found: Look) -> Look:
    """The same with the verdict on the password; what a known device sends waits, what strangers send may not."""
    user, hasher = found.user, call.platform.hasher
    known_to = attempt.kind.number_of(user) if found.device is not None else None
    if user is not None and user.foreign_password is not None:
        is_right = await hasher.check_foreign(attempt.password, user.foreign_password, known_to)
    else:
        is_right = await hasher.check(attempt.password, user.web_password if user else None, known_to)
    if user is None or not is_right:
        return found
    rehashed = None
    is_weak = user.foreign_password is not None or hasher.is_weak(user.web_password)
    if is_weak and not found.is_closed:  # else the work would tell
        with suppress(TooManyWaiting):  # then at the next login
            rehashed = await hasher.hash(attempt.password, call.caller.i_customer)
    return replace(found, is_right=True, rehashed=rehashed)


def owner_of(kind: Kind, user: Person | None, hashed: str | None = None) -> list[Any]:
    """
    What the token of a device is bound to.

    The hash stands for the password, so that no change of it, on whatever way, can leave a token valid. For nobody
    the same is computed, and never signed.
    """
    if user is None:
        return [kind.model.__tablename__, 0, "", "", None]
    passwords = [hashed, None] if hashed else [user.web_password, user.foreign_password]
    return [kind.model.__tablename__, kind.key_of(user), getattr(user, kind.login_name), *passwords]


async def look_at_proof(call: Call, attempt: Attempt, new: str) -> Look:
    """
    The same for a change of password, whose new one is hashed if the proof is right: never for a guess.

    Raises:
        TooManyAttempts, Conflict, TooManyWaiting: As `look`, or too many passwords of the caller are waiting.
    """
    found = await look(call, replace(attempt, code=None))  # no code opens a locked login here: the work would tell
    usable = await usable_one(call, attempt, found)
    await call.session.close()
    if usable is None or not (has_one_time(call, attempt, usable) or has_password(attempt, found)):
        return found
    return replace(found, new=Password(new, await call.platform.hasher.hash(new, call.caller.i_customer)))


async def _read(call: Call, kind: Kind, wanted: ColumnElement[bool]) -> Person | None:
    """Somebody of the caller or of a customer below it, as it is now."""
    statement = (
        select(kind.model)
        .join(Customer, Customer.i_customer == kind.model.i_customer)
        .where(wanted, ownership.within(call.caller, REACH))
        .limit(2)
        .execution_options(populate_existing=True)
    )
    found: list[Any] = list((await call.session.execute(statement)).scalars())
    if len(found) > 1:
        raise Conflict("More than one account matched")
    return found[0] if found else None


async def usable_one(call: Call, attempt: Attempt, found: Look) -> Person | None:
    """Who it is, as it is now, if it may log in and is still who was looked at."""
    kind = attempt.kind
    user = await _read(call, kind, kind.has_key(kind.key_of(found.user)))
    is_blocked = await persons.is_below_block(call, user)
    if user is None or found.user is None or user.blocked or is_blocked:
        return None
    same_login = getattr(user, kind.login_name) == getattr(found.user, kind.login_name)
    return user if same_login and same_password(user, found) else None


def same_password(user: Person, found: Look) -> bool:
    """Whether the hash that was looked at still counts."""
    return found.user is not None and (user.web_password, user.foreign_password) == (
        found.user.web_password,
        found.user.foreign_password,
    )


def has_one_time(call: Call, attempt: Attempt, user: Person | None) -> bool:
    """Whether the password is the user's one-time password, in time, and may be."""
    return one_time.is_right(call, attempt.kind, user, attempt.password) and not attempt.passwords_only


def has_password(attempt: Attempt, found: Look) -> bool:
    """Whether the password that was looked at is the ordinary one, and counts."""
    return found.is_right and not attempt.one_time_only and found.user is not None
