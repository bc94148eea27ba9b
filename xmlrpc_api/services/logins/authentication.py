"""
Logins to the self-care portal, of web users and of accounts: passwords, one-time passwords, second factors.

What is slow, the hash, is computed before the transaction (`look`); what counts is decided in it. A wrong
login is one fault, whether it is unknown, somebody else's, blocked or has another password, and takes as
long; whoever asks learns no more. All of it is counted, and noted in the change history.
"""

import secrets
import string
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NoReturn

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute

from models import Account, Customer, WebUser, ancestors, login_key, purpose_of
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    Kept,
    NotPermitted,
    OneTimePasswordAccepted,
    TooManyAttempts,
)
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services import records
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins import devices, second_factor, throttle, web_users
from xmlrpc_api.services.tree import lending, names, ownership
from xmlrpc_api.turns import TooManyWaiting

LOGIN, LOGIN_FAILED, THROTTLED, FLOOD = "LOGIN", "LOGIN_FAILED", "THROTTLED", "FLOOD"
OTP_ISSUED, OTP_USED, SECOND_FACTOR_BEGUN = "OTP_ISSUED", "OTP_USED", "SECOND_FACTOR_BEGUN"
CODE_REQUIRED = "Parameter code is required"
ONE_TIME_LENGTH = 20
ONE_TIME_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
PURPOSE = purpose_of(WebUser.one_time_password)
NOBODYS_SIGNATURE = ":"
REMOTE_IP = Field(
    name="remote_ip",
    wire=Wire.STRING,
    check="ip_address",
    doc="Address of the person who logs in, as the portal sees it; it is throttled as well.",
    example="203.0.113.7",
)
ONE_TIME_PASSWORD = Field(
    name="password",
    wire=Wire.STRING,
    secret=True,
    doc="The one-time password. It is told here and nowhere else.",
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    What a client says to log in as somebody, or to prove that he may change a password.

    Attributes:
        login: Login or, of an account, e-mail address.
        by_email: Whether it is an e-mail address.
        remote_ip: The address of the person, as the portal sees it.
        device: The token of a device that he logged in from before.
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
        user: Who it is, as he was then; None if there is nobody for the caller.
        is_right: Whether the password is his ordinary one.
        counted: What a failure counts for, and whose locks count: his device's alone where it is known.
        device: The number of the device that is known.
        is_closed: Whether his login is locked: then the password alone does not count.
        rehashed: The password hashed anew, where the hash was weak or another system's.
        new: The password that is to be his, hashed; None where the proof was wrong.
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

    While strangers guess at a login it is locked, for passwords alone: its owner gets in from a device that he used
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
    if not _is_one_time(call, attempt, user):
        raise TooManyAttempts
    return found


async def _look_at_counters(call: Call, attempt: Attempt, user: Person | None) -> Look:
    """
    Whether this attempt may be judged.

    Raises:
        TooManyAttempts: Its address must wait, or the device; a one-time password is judged all the same.
    """
    device = devices.number_of(call, _owner(attempt.kind, user), attempt.device)
    if device is not None:
        counted = throttle.limits(call, throttle.Kind.DEVICE, device)
    else:
        kind = throttle.Kind.EMAIL if attempt.by_email else attempt.kind.throttled
        counted = throttle.limits(call, kind, login_key(attempt.login), attempt.remote_ip)
    is_open = await throttle.is_open(call, counted)
    found = Look(user, False, counted, device, is_closed=not is_open)
    if is_open or _is_one_time(call, attempt, user):
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


def _owner(kind: Kind, user: Person | None, hashed: str | None = None) -> list[Any]:
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
    usable = await _usable(call, attempt, found)
    await call.session.close()
    if usable is None or not (_is_one_time(call, attempt, usable) or _is_old(attempt, found)):
        return found
    return replace(found, new=Password(new, await call.platform.hasher.hash(new, call.caller.i_customer)))


async def authenticate(call: Call, attempt: Attempt, found: Look) -> tuple[Person, str]:
    """
    Let somebody in, or not.

    Returns:
        Who it is, and a token for his device.

    Raises:
        Kept: Whatever is wrong, and that a one-time password was right; what was counted and used up stays so.
    """
    found = await _held(call, found)
    user = await _usable(call, attempt, found)
    is_password = user is not None and found.is_right and not attempt.one_time_only
    is_one_time = _is_one_time(call, attempt, user) and user is not None and user.one_time_used is None
    if user is None or not (is_password or is_one_time):
        await _fail(call, attempt, found)
    await _demand_second_step(call, attempt, found, user, by_password=is_password)
    if is_password:
        await _keep_rehashed(call, attempt.kind, found)
        await _note(call, attempt.kind, LOGIN, user)
        return user, devices.issue(call, _owner(attempt.kind, user, found.rehashed))
    if not await _use_up(call, attempt.kind, user):
        await _fail(call, attempt, found)
    await _note(call, attempt.kind, OTP_USED, user)
    raise Kept(OneTimePasswordAccepted())


async def change_password(call: Call, attempt: Attempt, found: Look) -> str:
    """
    Give a web user a new password, for his old one or for a one-time password.

    A one-time password with which he has just logged in is good for this, once, until it expires; the
    second factor was asked for then.

    Returns:
        A token for his device.

    Raises:
        Kept: The proof is wrong; that is counted.
        BadParameter: The new password is the old one, or is not allowed.
    """
    found = await _held(call, found)
    usable = await _usable(call, attempt, found)
    user = await web_users.lock(call, attempt.login) if usable is not None else None
    is_one_time = _is_one_time(call, attempt, user)
    is_password = _is_old(attempt, found)
    if user is None or found.new is None or not (is_one_time or (is_password and _same_password(user, found))):
        await _fail(call, attempt, found)
    has_given_code = is_one_time and user.one_time_used is not None
    asked = None if has_given_code else user
    await _demand_second_step(call, attempt, found, asked, by_password=is_password)
    if is_password and found.new.plain == attempt.password:
        raise BadParameter("new_password", "must not be the old one")
    await web_users.set_password(call, user, "new_password", found.new)
    return devices.issue(call, _owner(attempt.kind, user))


async def issue_one_time_password(call: Call, kind: Kind, user: Person) -> str:
    """
    Make a new one-time password for somebody locked; an older one ends.

    Raises:
        NotPermitted: He is blocked, or acts as somebody who is neither the caller nor below him.
    """
    if isinstance(user, WebUser):
        await lending.demand_hand(call, user.i_customer)
    if user.blocked or await _is_below_block(call, user):
        raise NotPermitted("the login is blocked")
    password = "".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(ONE_TIME_LENGTH))
    user.one_time_password = call.platform.vault.sign(PURPOSE, _content(kind, user, password))
    user.one_time_expires = call.now + timedelta(minutes=call.platform.config.one_time_minutes)
    user.one_time_used = None
    await call.session.flush()
    await _note(call, kind, OTP_ISSUED, user, expires=user.one_time_expires)
    return password


async def enable_second_factor(call: Call, web_login: str) -> tuple[str, str]:
    """
    Begin with a second factor: its seed, and the same as URI. It counts once a code was confirmed.

    Raises:
        NotFound, NotPermitted: As `web_users.to_change`.
        Conflict: One is on already.
    """
    user = await web_users.to_change(call, web_login)
    if user.second_factor:
        raise Conflict("The second factor is on already; disable it first")
    seed = second_factor.new_seed()
    records.assign(call, user, {"totp_seed": seed, "totp_step": None})
    await call.session.flush()
    await _note(call, WEB_USERS, SECOND_FACTOR_BEGUN, user)
    return seed, second_factor.uri(call, user, seed)


async def confirm_second_factor(call: Call, web_login: str, code: str) -> list[str]:
    """
    Switch the second factor on, with a code that shows that the authenticator has the seed.

    Returns:
        New recovery codes.

    Raises:
        Kept: The code is wrong, or one of too many; that is counted.
        NotFound, NotPermitted: As `web_users.to_change`.
        Conflict: It is on already, or was never begun with.
    """
    user = await web_users.to_change(call, web_login)
    if user.second_factor or user.totp_seed is None:
        raise Conflict("The second factor is on already" if user.second_factor else "Enable the second factor first")
    attempt = Attempt(login=web_login, password="")
    found = Look(user, True, _counted_codes(call, attempt, user))
    if not await throttle.is_open(call, found.counted):
        raise Kept(TooManyAttempts())
    if not await second_factor.accept(call, user, code):
        await _fail(call, attempt, found, found.counted, "Wrong code")
    await throttle.clear(call, found.counted)
    await web_users.save(call, user, {"second_factor": True})
    return await second_factor.new_recovery_codes(call, user)


async def disable_second_factor(call: Call, web_login: str) -> None:
    """
    Switch the second factor off, with its recovery codes.

    Raises:
        NotFound, NotPermitted: As `web_users.to_change`.
    """
    user = await web_users.to_change(call, web_login)
    await second_factor.forget_recovery_codes(call, user)
    await web_users.save(call, user, {"second_factor": False, "totp_seed": None, "totp_step": None})


def _counted_codes(call: Call, attempt: Attempt, user: WebUser) -> throttle.Limits:
    """What a wrong code of the second factor counts for."""
    return throttle.limits(call, throttle.Kind.CODE, str(user.i_web_user), attempt.remote_ip)


async def _read(call: Call, kind: Kind, wanted: ColumnElement[bool]) -> Person | None:
    """Somebody of the caller or of a customer below him, as he is now."""
    statement = (
        select(kind.model)
        .join(Customer, Customer.i_customer == kind.model.i_customer)
        .where(wanted, ownership.within(call.caller, web_users.REACH))
        .limit(2)
        .execution_options(populate_existing=True)
    )
    found: list[Any] = list((await call.session.execute(statement)).scalars())
    if len(found) > 1:
        raise Conflict("More than one account matched")
    return found[0] if found else None


async def _held(call: Call, found: Look) -> Look:
    """The same, with nobody if his customer has been deleted meanwhile; if not, he cannot be any more."""
    i_customer = found.user.i_customer if found.user else call.caller.i_customer
    return found if await ownership.hold(call, i_customer) else replace(found, user=None)


async def _usable(call: Call, attempt: Attempt, found: Look) -> Person | None:
    """Who it is, as he is now, if he may log in and is still who was looked at."""
    kind = attempt.kind
    user = await _read(call, kind, kind.has_key(kind.key_of(found.user)))
    is_blocked = await _is_below_block(call, user)
    if user is None or found.user is None or user.blocked or is_blocked:
        return None
    same_login = getattr(user, kind.login_name) == getattr(found.user, kind.login_name)
    return user if same_login and _same_password(user, found) else None


def _same_password(user: Person, found: Look) -> bool:
    """Whether the hash that was looked at still counts."""
    return found.user is not None and (user.web_password, user.foreign_password) == (
        found.user.web_password,
        found.user.foreign_password,
    )


async def _is_below_block(call: Call, user: Person | None) -> bool:
    """Whether somebody's customer, or one above him, is blocked. For nobody the same is asked."""
    i_customer = user.i_customer if user else call.caller.i_customer
    path = select(Customer.path).where(Customer.i_customer == i_customer)
    found = (await call.session.execute(path)).scalar_one_or_none()
    if found is None:  # deleted since he was read
        return True
    above = ancestors(found)
    return await ownership.any_blocked(call.session, [*above, i_customer])


def _content(kind: Kind, user: Person | None, password: str) -> bytes:
    return f"{kind.key_of(user)}:{password}".encode()


def _is_one_time(call: Call, attempt: Attempt, user: Person | None) -> bool:
    """Whether the password is the user's one-time password, in time."""
    known = user.one_time_password if user else None
    content = _content(attempt.kind, user, attempt.password)
    signed = call.platform.vault.signed(PURPOSE, content, known or NOBODYS_SIGNATURE)
    expires = user.one_time_expires if user else None
    return signed and not attempt.passwords_only and expires is not None and call.now < expires


def _is_old(attempt: Attempt, found: Look) -> bool:
    """Whether the password that was looked at is the ordinary one, and counts."""
    return found.is_right and not attempt.one_time_only and found.user is not None


async def _demand_second_step(
    call: Call, attempt: Attempt, found: Look, user: Person | None, *, by_password: bool
) -> None:
    """
    After the password, or the one-time password, was right: the throttle, and the second factor.

    What a locked login is told does not depend on whether the password is right.

    No code is asked for if there is no `user`.

    Raises:
        Kept: One of them refuses.
    """
    has_factor = isinstance(user, WebUser) and user.second_factor
    if by_password and (not has_factor if found.is_closed else not await throttle.is_open(call, found.counted)):
        raise Kept(TooManyAttempts())
    if isinstance(user, WebUser) and has_factor:
        codes = found.counted if found.device is not None else _counted_codes(call, attempt, user)
        if not await throttle.is_open(call, codes):
            raise Kept(TooManyAttempts())
        if attempt.code is None or not await second_factor.accept(call, user, attempt.code):
            await _fail(call, attempt, found, codes, CODE_REQUIRED)
        await throttle.clear(call, codes)
    if by_password and not found.is_closed:
        await throttle.clear(call, found.counted)


async def _use_up(call: Call, kind: Kind, user: Person) -> bool:
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


async def _keep_rehashed(call: Call, kind: Kind, found: Look) -> None:
    """Keep the better hash of an unchanged password; it is no change of the password."""
    if found.user is None or found.rehashed is None:
        return
    same = (kind.has_key(kind.key_of(found.user)), kind.model.web_password == found.user.web_password)
    await call.session.execute(
        update(kind.model)
        .where(*same)
        .values(web_password=found.rehashed, foreign_password=None)
        .execution_options(synchronize_session=False)
    )


async def _fail(
    call: Call, attempt: Attempt, found: Look, counted: throttle.Limits | None = None, text: str | None = None
) -> NoReturn:
    """Count and note a failure, and tell it."""
    was_locked, locks_now = await throttle.failed(call, found.counted if counted is None else counted)
    if was_locked:
        raise Kept(TooManyAttempts())
    in_flood, flood_begins = await throttle.failed(call, throttle.flood(call))
    if flood_begins:
        await _note(call, attempt.kind, FLOOD, None)
    if found.user is not None or not in_flood:  # what is known is always noted; the rest must not fill the disk
        await _note(call, attempt.kind, LOGIN_FAILED, found.user, remote_ip=attempt.remote_ip)
        if locks_now:
            await _note(call, attempt.kind, THROTTLED, found.user, remote_ip=attempt.remote_ip)
    if found.is_closed:
        raise Kept(TooManyAttempts())
    raise Kept(AuthenticationFailed(text) if text else AuthenticationFailed())


async def _note(call: Call, kind: Kind, action: str, user: Person | None, **details: object) -> None:
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
