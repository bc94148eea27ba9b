"""
Logins to the self-care portal, of web users and of accounts: passwords, one-time passwords, second factors.

What is slow, the hash, is computed before the transaction (`attempt`); what counts is decided in it. A wrong
login is one fault, whether it is unknown, somebody else's, blocked or has another password, and takes as
long; whoever asks learns no more. All of it is counted, and noted in the change history.
"""

from dataclasses import replace
from typing import NoReturn

from sqlalchemy import update

from models import WebUser
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    Kept,
    OneTimePasswordAccepted,
    TooManyAttempts,
)
from xmlrpc_api.services import records
from xmlrpc_api.services.logins import devices, one_time, persons, second_factor, throttle, web_users
from xmlrpc_api.services.logins.attempt import (
    Attempt,
    Look,
    has_one_time,
    has_password,
    owner_of,
    same_password,
    usable_one,
)
from xmlrpc_api.services.logins.persons import WEB_USERS, Kind, Person
from xmlrpc_api.services.tree import ownership

LOGIN, LOGIN_FAILED, THROTTLED, FLOOD = "LOGIN", "LOGIN_FAILED", "THROTTLED", "FLOOD"
OTP_USED, SECOND_FACTOR_BEGUN = "OTP_USED", "SECOND_FACTOR_BEGUN"
CODE_REQUIRED = "Parameter code is required"


async def authenticate(call: Call, attempt: Attempt, found: Look) -> tuple[Person, str]:
    """
    Let somebody in, or not.

    Returns:
        Who it is, and a token for its device.

    Raises:
        Kept: Whatever is wrong, and that a one-time password was right; what was counted and used up stays so.
    """
    found = await _held(call, found)
    user = await usable_one(call, attempt, found)
    is_password = user is not None and found.is_right and not attempt.one_time_only
    is_one_time = has_one_time(call, attempt, user) and user is not None and one_time.is_unused(user)
    if user is None or not (is_password or is_one_time):
        await _fail(call, attempt, found)
    await _demand_second_step(call, attempt, found, user, by_password=is_password)
    if is_password:
        await _keep_rehashed(call, attempt.kind, found)
        await persons.note(call, attempt.kind, LOGIN, user)
        return user, devices.issue(call, owner_of(attempt.kind, user, found.rehashed))
    if not await one_time.use_up(call, attempt.kind, user):
        await _fail(call, attempt, found)
    await persons.note(call, attempt.kind, OTP_USED, user)
    raise Kept(OneTimePasswordAccepted())


async def change_password(call: Call, attempt: Attempt, found: Look) -> str:
    """
    Give a web user a new password, for its old one or for a one-time password.

    A one-time password with which it has just logged in is good for this, once, until it expires; the
    second factor was asked for then.

    Returns:
        A token for its device.

    Raises:
        Kept: The proof is wrong; that is counted.
        BadParameter: The new password is the old one, or is not allowed.
    """
    found = await _held(call, found)
    usable = await usable_one(call, attempt, found)
    user = await web_users.lock(call, attempt.login) if usable is not None else None
    is_one_time = has_one_time(call, attempt, user)
    is_password = has_password(attempt, found)
    if user is None or found.new is None or not (is_one_time or (is_password and same_password(user, found))):
        await _fail(call, attempt, found)
    has_given_code = is_one_time and not one_time.is_unused(user)
    asked = None if has_given_code else user
    await _demand_second_step(call, attempt, found, asked, by_password=is_password)
    if is_password and found.new.plain == attempt.password:
        raise BadParameter("new_password", "must not be the old one")
    await web_users.set_password(call, user, "new_password", found.new)
    return devices.issue(call, owner_of(attempt.kind, user))


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
    await persons.note(call, WEB_USERS, SECOND_FACTOR_BEGUN, user)
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


async def _held(call: Call, found: Look) -> Look:
    """The same, with nobody if its customer has been deleted meanwhile; if not, it cannot be any more."""
    i_customer = found.user.i_customer if found.user else call.caller.i_customer
    return found if await ownership.hold(call, i_customer) else replace(found, user=None)


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
        await persons.note(call, attempt.kind, FLOOD, None)
    if found.user is not None or not in_flood:  # what is known is always noted; the rest must not fill the disk
        await persons.note(call, attempt.kind, LOGIN_FAILED, found.user, remote_ip=attempt.remote_ip)
        if locks_now:
            await persons.note(call, attempt.kind, THROTTLED, found.user, remote_ip=attempt.remote_ip)
    if found.is_closed:
        raise Kept(TooManyAttempts())
    raise Kept(AuthenticationFailed(text) if text else AuthenticationFailed())
