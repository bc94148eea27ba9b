"""Logins to the self-care portal: authentication, one-time passwords, second factors, password rules."""

from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    NotFound,
    NotPermitted,
    OneTimePasswordAccepted,
    TooManyAttempts,
    Unavailable,
    WrongReference,
)
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services import customers
from xmlrpc_api.services.logins import (
    api_passwords,
    authentication,
    devices,
    one_time,
    password_policies,
    persons,
    web_users,
)
from xmlrpc_api.services.logins.attempt import REMOTE_IP, Attempt, Look, look, look_at_proof

WEB_USER = web_users.WEB_USER
LOGIN_LIMIT = WEB_USER["web_login"].limit
PASSWORD_LIMIT = WEB_USER["web_password"].limit


def _password(name: str, doc: str, *, required: bool = False, check: str | None = None, example: Any = None) -> Field:
    return Field(
        name=name,
        wire=Wire.STRING,
        doc=doc,
        required=required,
        secret=True,
        limit=PASSWORD_LIMIT,
        check=check,
        example=example,
    )


def _api_password(name: str, doc: str, check: str | None = None) -> Field:
    limit = customers.CUSTOMER["api_password"].limit
    return Field(
        name=name, wire=Wire.STRING, doc=doc, required=True, secret=True, limit=limit, check=check, example="s3cret-Api"
    )


USERNAME = Field(
    name="username",
    wire=Wire.STRING,
    required=True,
    limit=LOGIN_LIMIT,
    doc="Login to the self-care portal, of the caller or of anybody below it.",
    example="acme",
)
WEB_LOGIN = Field(
    name="web_login",
    wire=Wire.STRING,
    required=True,
    limit=LOGIN_LIMIT,
    doc="Login of the caller, of a customer below it, or of one of their web users.",
    example="acme",
)
CODE = Field(
    name="code",
    wire=Wire.STRING,
    secret=True,
    limit=64,
    doc="Code of the second factor, or a recovery code; needed where a second factor is on.",
    example="123456",
)
LOGIN_FAULTS = (AuthenticationFailed, TooManyAttempts, Unavailable)
SUBJECT_FAULTS = (NotFound, NotPermitted)


def _login(attributes: Values) -> Attempt:
    return Attempt(
        login=attributes["username"],
        password=attributes["password"],
        code=attributes.get("code"),
        remote_ip=attributes.get("remote_ip"),
        device=attributes.get("device"),
    )


async def _look(call: Call, **attributes: Any) -> Look:
    return await look(call, _login(attributes))


@method(
    "authCustomer",
    USERNAME,
    _password("password", "Password to the self-care portal.", required=True, example="s3cret-Pa55"),
    CODE,
    REMOTE_IP,
    devices.DEVICE,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    scope_optional=True,
    repeatable=False,
    ahead=_look,
    returns=(*WEB_USER.some("i_customer", "i_web_user", "i_access_level"), devices.NEW_DEVICE),
    raises=(*LOGIN_FAULTS, OneTimePasswordAccepted),
)
async def auth_customer(call: Call, *, found: Look, **attributes: Any) -> Answer:
    """
    Authenticate somebody who logs in to the self-care portal.

    Whatever is wrong is one fault 401. A one-time password is accepted once, with fault 410: let the person
    choose a new password then (changeWebPassword). Where a second factor is on and the password was right, the
    text of the 401 is "Parameter code is required". From a trusted host without i_wholesaler: any login.

    Who guesses at a login locks it for passwords (429), for a minute at first. Its owner gets in all the same: from a
    device whose token the portal hands back (device), by a one-time password, or with password and code of a second
    factor.
    """
    user, device = await authentication.authenticate(call, _login(attributes), found)
    known = {name: getattr(user, name) for name in ("i_customer", "i_web_user", "i_access_level")}
    return {**known, "device": device}


@method(
    "resetCustomerOneTimePassword",
    WEB_LOGIN,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    scope_optional=True,
    returns=(one_time.PASSWORD,),
    raises=SUBJECT_FAULTS,
)
async def reset_customer_one_time_password(call: Call, *, web_login: str) -> Answer:
    """
    Make a new one-time password for a login; the ordinary password stays as it is.

    Logins of sub-customers need bit 1 (edit) of customers_mgmt; the caller's own and its web users' need no right. It
    is good for one login, until it expires, a newer one is made, password or login are changed, or the web
    user or its customer is blocked or deleted.
    """
    user = await web_users.to_change(call, web_login)
    return {"password": await one_time.issue(call, persons.WEB_USERS, user)}


def _proof(attributes: Values) -> Attempt:
    """The proof that a password may be changed: exactly one of two."""
    old, one_time = attributes.get("old_password"), attributes.get("one_time_password")
    given = old if old is not None else one_time
    if given is None:
        raise BadParameter.required("old_password")
    if old is not None and one_time is not None:
        raise BadParameter("one_time_password", "cannot be given together with old_password")
    return Attempt(
        login=attributes["web_login"],
        password=given,
        code=attributes.get("code"),
        remote_ip=attributes.get("remote_ip"),
        device=attributes.get("device"),
        one_time_only=one_time is not None,
        passwords_only=old is not None,
    )


async def _look_at_proof(call: Call, *, new_password: str, **attributes: Any) -> Look:
    return await look_at_proof(call, _proof(attributes), new_password)


@method(
    "changeWebPassword",
    WEB_LOGIN,
    _password("old_password", "The password so far; or else one_time_password."),
    _password("one_time_password", "A one-time password, even if authCustomer has just accepted it."),
    _password("new_password", "The new password.", required=True, check="not_empty", example="s3cret-Pa55"),
    CODE,
    REMOTE_IP,
    devices.DEVICE,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    scope_optional=True,
    ahead=_look_at_proof,
    returns=(devices.NEW_DEVICE,),
    raises=LOGIN_FAULTS,
)
async def change_web_password(call: Call, *, found: Look, **attributes: Any) -> Answer:
    """
    Give a login a new password, for the old one or for a one-time password.

    This is what a portal does after authCustomer has answered 410: that one-time password is good for it, once. All
    tokens of devices end; the person's own gets a new one.
    """
    return {"device": await authentication.change_password(call, _proof(attributes), found)}


@method(
    "changeApiPassword",
    _api_password("old", "The API password so far; a trusted host, too, has to tell it."),
    _api_password("new", "The new API password.", check="not_empty"),
    right=Right.ANYONE,
    effect=Effect.WRITE,
    raises=(AuthenticationFailed, TooManyAttempts),
)
async def change_api_password(call: Call, *, old: str, new: str) -> Answer:
    """
    Give the caller a new API password, for the old one. No right is needed, and root may, too.

    It counts from the next request on. Wrong old ones are throttled like logins.
    """
    await api_passwords.change_own(call, old, new)
    return {}


@method(
    "validatePassword",
    customers.CUSTOMER.require("i_password_policy"),
    _password("password", "The password to try.", required=True, example="s3cret-Pa55"),
    Field(
        name="web_label",
        wire=Wire.STRING,
        required=True,
        limit=128,
        doc="What the portal calls the password; the text of the fault begins with it.",
        example="Password",
    ),
    Field(
        name="lang",
        wire=Wire.STRING,
        check="language",
        doc=f"Language of the text: {', '.join(password_policies.REASONS['length'])}; English for any other.",
        example="en",
    ),
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    raises=(WrongReference,),
)
async def validate_password(
    call: Call, *, i_password_policy: int, password: str, web_label: str, lang: str = password_policies.ENGLISH
) -> Answer:
    """Tell whether a policy allows a password; if not, the fault's text says why, for people."""
    await password_policies.demand(call, i_password_policy, "password", password, language=lang, label=web_label)
    return {}


@method(
    "enableSecondFactor",
    WEB_LOGIN,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    returns=(
        Field(name="secret", wire=Wire.STRING, secret=True, doc="Seed for an authenticator, in base32."),
        Field(name="otpauth_uri", wire=Wire.STRING, secret=True, doc="The same as URI, to be shown as QR code."),
    ),
    raises=(*SUBJECT_FAULTS, Conflict),
)
async def enable_second_factor(call: Call, *, web_login: str) -> Answer:
    """
    Begin with a second factor (TOTP, RFC 6238) for a login. It counts from confirmSecondFactor on.

    Logins of sub-customers need bit 1 (edit) of customers_mgmt; so do the other two methods.
    """
    secret, uri = await authentication.enable_second_factor(call, web_login)
    return {"secret": secret, "otpauth_uri": uri}


@method(
    "confirmSecondFactor",
    WEB_LOGIN,
    CODE.require(),
    right=Right.ANYONE,
    effect=Effect.WRITE,
    returns=(
        Field(
            name="recovery_codes",
            wire=Wire.ARRAY,
            secret=True,
            doc="Ten codes to print, each good once instead of a code. They are told here and nowhere else.",
        ),
    ),
    raises=(*SUBJECT_FAULTS, Conflict, AuthenticationFailed, TooManyAttempts),
)
async def confirm_second_factor(call: Call, *, web_login: str, code: str) -> Answer:
    """Switch the second factor of a login on, with a code that shows that the authenticator works."""
    return {"recovery_codes": await authentication.confirm_second_factor(call, web_login, code)}


@method("disableSecondFactor", WEB_LOGIN, right=Right.ANYONE, effect=Effect.WRITE, raises=SUBJECT_FAULTS)
async def disable_second_factor(call: Call, *, web_login: str) -> None:
    """Switch the second factor of a login off; seed and recovery codes are forgotten."""
    await authentication.disable_second_factor(call, web_login)
