"""
Logins to the self-care portal: passwords, one-time passwords and second factors.

What is slow, the hash, is computed before the transaction (`look`); what counts is decided in it. A wrong
login is one fault, whether it is unknown, somebody else's, blocked or has another password, and takes as
long; whoever asks learns no more. All of it is counted, and noted in the change history.
"""

import secrets
import string
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update

from models import Customer, WebUser, ancestors, login_key
from xmlrpc_api.call import Call
from xmlrpc_api.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    Fault,
    NotPermitted,
    OneTimePasswordAccepted,
    TooManyAttempts,
    Unavailable,
)
from xmlrpc_api.hashing import Password
from xmlrpc_api.services import audit, ownership, second_factor, throttle, web_users

LOGIN, LOGIN_FAILED, THROTTLED = "LOGIN", "LOGIN_FAILED", "THROTTLED"
OTP_ISSUED, OTP_USED, SECOND_FACTOR_BEGUN = "OTP_ISSUED", "OTP_USED", "SECOND_FACTOR_BEGUN"
CODE_REQUIRED = "Parameter code is required"
ONE_TIME_LENGTH = 20
ONE_TIME_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
PURPOSE = b"one-time password"
NOBODYS_SIGNATURE = ":"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    What a client says to log in as somebody, or to prove that he may change a password.

    Attributes:
        remote_ip: The address of the person, as the portal sees it.
        one_time_only: Whether an ordinary password does not count.
        passwords_only: Whether a one-time password does not count.
    """

    web_login: str
    password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    remote_ip: str | None = None
    one_time_only: bool = False
    passwords_only: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """
    What was found out before the transaction.

    Attributes:
        user: The web user as he was then; None if there is none for the caller.
        is_right: Whether the password is his ordinary one.
        rehashed: The password hashed anew, where the hash was weak or another system's.
    """

    user: WebUser | None
    is_right: bool
    rehashed: str | None = field(default=None, repr=False)


async def look(call: Call, attempt: Attempt) -> Look:
    """
    Check the password, with a session that only reads and is given back meanwhile.

    Raises:
        TooManyAttempts: The login, its address or the caller must wait.
        Unavailable: Too many checks are waiting already.
    """
    if not await throttle.is_open(call, _counted(call, attempt)):
        raise TooManyAttempts
    user = await _read(call, WebUser.web_login_key == login_key(attempt.web_login))
    await call.session.close()
    hasher = call.platform.hasher
    if user is not None and user.foreign_password is not None:
        is_right = await hasher.check_foreign(attempt.password, user.foreign_password)
    else:
        is_right = await hasher.check(attempt.password, user.web_password if user else None)
    if user is None or not is_right:
        return Look(user, False)
    rehashed = None
    if user.foreign_password is not None or hasher.is_weak(user.web_password):
        with suppress(Unavailable):  # then at the next login
            rehashed = await hasher.hash(attempt.password)
    return Look(user, True, rehashed)


async def authenticate(call: Call, attempt: Attempt, found: Look) -> WebUser | Fault:
    """
    Let somebody in, or not.

    Returns:
        The web user; or the fault to tell, what was counted and used up being kept.
    """
    user = await _usable(call, found)
    is_password = user is not None and found.is_right and not attempt.one_time_only
    is_one_time = _is_one_time(call, attempt, user) and user is not None and user.one_time_used is None
    if user is None or not (is_password or is_one_time):
        return await _failed(call, attempt, found)
    refusal = await _second_step(call, attempt, found, user)
    if refusal is not None:
        return refusal
    if is_password:
        await _keep_rehashed(call, found)
        await _note(call, LOGIN, user)
        return user
    if not await _use_up(call, user):
        return await _failed(call, attempt, found)
    await _note(call, OTP_USED, user)
    return OneTimePasswordAccepted()


async def change_password(call: Call, attempt: Attempt, found: Look, new: Password) -> Fault | None:
    """
    Give a web user a new password, for his old one or for a one-time password.

    A one-time password with which he has just logged in is good for this, once, until it expires; the
    second factor was asked for then.

    Returns:
        None; or the fault to tell, what was counted being kept.

    Raises:
        BadParameter: The new password is the old one, or is not allowed.
    """
    user = await _usable(call, found)
    if user is not None:
        user = await web_users.by_login(call, attempt.web_login)
    is_one_time = _is_one_time(call, attempt, user)
    is_password = found.is_right and not attempt.one_time_only and found.user is not None
    if user is None or not (is_one_time or (is_password and _same_password(user, found))):
        return await _failed(call, attempt, found)
    has_given_code = is_one_time and user.one_time_used is not None
    refusal = await _second_step(call, attempt, found, None if has_given_code else user)
    if refusal is not None:
        return refusal
    if is_password and new.plain == attempt.password:
        raise BadParameter("new_password", "must not be the old one")
    await web_users.set_password(call, user, "new_password", new)
    return None


async def issue_one_time_password(call: Call, web_login: str) -> str:
    """
    Make a new one-time password for a login of the caller or of somebody below him; an older one ends.

    Raises:
        NotFound: The login is not there for the caller.
        NotPermitted: It is blocked.
    """
    user = await web_users.by_login(call, web_login)
    if user.blocked or await _is_below_block(call, user):
        raise NotPermitted("the web user is blocked")
    password = "".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(ONE_TIME_LENGTH))
    user.one_time_password = call.platform.vault.sign(PURPOSE, _content(user, password))
    user.one_time_expires = call.now + timedelta(minutes=call.platform.config.one_time_minutes)
    user.one_time_used = None
    await call.session.flush()
    await _note(call, OTP_ISSUED, user, expires=user.one_time_expires)
    return password


async def enable_second_factor(call: Call, web_login: str) -> tuple[str, str]:
    """
    Begin with a second factor: its seed, and the same as URI. It counts once a code was confirmed.

    Raises:
        NotFound, NotPermitted: As `web_users.by_login_to_change`.
        Conflict: One is on already.
    """
    user = await web_users.by_login_to_change(call, web_login)
    if user.second_factor:
        raise Conflict("The second factor is on already; disable it first")
    seed = second_factor.new_seed()
    user.totp_seed, user.totp_step = second_factor.seal(call, user, seed), None
    await call.session.flush()
    await _note(call, SECOND_FACTOR_BEGUN, user)
    return seed, second_factor.uri(call, user, seed)


async def confirm_second_factor(call: Call, web_login: str, code: str) -> list[str] | Fault:
    """
    Switch the second factor on, with a code that shows that the authenticator has the seed.

    Returns:
        New recovery codes; or the fault to tell, what was counted being kept.

    Raises:
        NotFound, NotPermitted: As `web_users.by_login_to_change`.
        Conflict: It is on already, or was never begun with.
    """
    user = await web_users.by_login_to_change(call, web_login)
    if user.second_factor or user.totp_seed is None:
        raise Conflict("The second factor is on already" if user.second_factor else "Enable the second factor first")
    attempt = Attempt(web_login=web_login, password="")
    if not await throttle.is_open(call, _counted(call, attempt)):
        return TooManyAttempts()
    if not await second_factor.accept(call, user, code):
        return await _failed(call, attempt, Look(user, True), "Wrong code")
    await web_users.save(call, user, {"second_factor": True})
    return await second_factor.new_recovery_codes(call, user)


async def disable_second_factor(call: Call, web_login: str) -> None:
    """
    Switch the second factor off, with its recovery codes.

    Raises:
        NotFound, NotPermitted: As `web_users.by_login_to_change`.
    """
    user = await web_users.by_login_to_change(call, web_login)
    await second_factor.forget_recovery_codes(call, user)
    await web_users.save(call, user, {"second_factor": False, "totp_seed": None, "totp_step": None})


def _counted(call: Call, attempt: Attempt) -> throttle.Limits:
    return throttle.limits(call, attempt.web_login, attempt.remote_ip)


async def _read(call: Call, wanted: ColumnElement[bool]) -> WebUser | None:
    """A web user of the caller or of somebody below him, as he is now."""
    statement = (
        select(WebUser)
        .join(Customer, Customer.i_customer == WebUser.i_customer)
        .where(wanted, ownership.within(call.caller, web_users.REACH))
        .execution_options(populate_existing=True)
    )
    return (await call.session.execute(statement)).scalar_one_or_none()


async def _usable(call: Call, found: Look) -> WebUser | None:
    """The web user as he is now, if he may log in and is still who was looked at."""
    i_web_user = found.user.i_web_user if found.user else 0
    user = await _read(call, WebUser.i_web_user == i_web_user)
    is_blocked = await _is_below_block(call, user)
    if user is None or found.user is None or user.blocked or is_blocked:
        return None
    same = user.web_login_key == found.user.web_login_key and _same_password(user, found)
    return user if same else None


def _same_password(user: WebUser, found: Look) -> bool:
    """Whether the hash that was looked at still counts."""
    return found.user is not None and (user.web_password, user.foreign_password) == (
        found.user.web_password,
        found.user.foreign_password,
    )


async def _is_below_block(call: Call, user: WebUser | None) -> bool:
    """Whether the customer of a web user, or one above him, is blocked. For nobody the same is asked."""
    i_customer = user.i_customer if user else call.caller.i_customer
    path = select(Customer.path).where(Customer.i_customer == i_customer)
    above = ancestors((await call.session.execute(path)).scalar_one())
    return await ownership.any_blocked(call.session, [*above, i_customer])


def _content(user: WebUser | None, password: str) -> bytes:
    return f"{user.i_web_user if user else 0}:{password}".encode()


def _is_one_time(call: Call, attempt: Attempt, user: WebUser | None) -> bool:
    """Whether the password is the user's one-time password, in time."""
    known = user.one_time_password if user else None
    signed = call.platform.vault.signed(PURPOSE, _content(user, attempt.password), known or NOBODYS_SIGNATURE)
    expires = user.one_time_expires if user else None
    return signed and not attempt.passwords_only and expires is not None and call.now < expires


async def _second_step(call: Call, attempt: Attempt, found: Look, user: WebUser | None) -> Fault | None:
    """
    After the password was right: the throttle, which may have closed meanwhile, and the second factor.

    Returns:
        The fault to tell if one of them refuses. No code is asked for if there is no `user`.
    """
    counted = _counted(call, attempt)
    if not await throttle.is_open(call, counted):
        return TooManyAttempts()
    if user is not None and user.second_factor:
        code = attempt.code
        if code is None or not await second_factor.accept(call, user, code):
            return await _failed(call, attempt, found, CODE_REQUIRED)
    await throttle.clear(call, counted)
    return None


async def _use_up(call: Call, user: WebUser) -> bool:
    """Use a one-time password to log in: of many at once, one succeeds."""
    used = (
        update(WebUser)
        .where(
            WebUser.i_web_user == user.i_web_user,
            WebUser.one_time_password == user.one_time_password,
            WebUser.one_time_expires > call.now,
            WebUser.one_time_used.is_(None),
        )
        .values(one_time_used=call.now)
        .returning(WebUser.i_web_user)
        .execution_options(synchronize_session=False)
    )
    return (await call.session.execute(used)).first() is not None


async def _keep_rehashed(call: Call, found: Look) -> None:
    """Keep the better hash of an unchanged password; it is no change of the password."""
    if found.user is None or found.rehashed is None:
        return
    await call.session.execute(
        update(WebUser)
        .where(WebUser.i_web_user == found.user.i_web_user, WebUser.web_password == found.user.web_password)
        .values(web_password=found.rehashed, foreign_password=None)
        .execution_options(synchronize_session=False)
    )


async def _failed(call: Call, attempt: Attempt, found: Look, text: str | None = None) -> Fault:
    """Count and note a failure. The fault to tell."""
    was_locked, locks_now = await throttle.failed(call, _counted(call, attempt))
    if was_locked:
        return TooManyAttempts()
    await _note(call, LOGIN_FAILED, found.user, remote_ip=attempt.remote_ip)
    if locks_now:
        await _note(call, THROTTLED, found.user, remote_ip=attempt.remote_ip)
    return AuthenticationFailed(text) if text else AuthenticationFailed()


async def _note(call: Call, action: str, user: WebUser | None, **details: object) -> None:
    """Write into the change history. A login that is not there is not written: it may be a mistyped password."""
    known = {"web_login": user.web_login} if user else {}
    shown = {name: value for name, value in details.items() if value is not None}
    await audit.event(
        call,
        action,
        object_type=web_users.WEB_USER.name,
        object_id=user.i_web_user if user else None,
        i_customer=user.i_customer if user else call.caller.i_customer,
        details={**known, **shown},
    )
