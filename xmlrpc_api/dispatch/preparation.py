"""All that can be done with a call, and refused, before its transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from models import ROOT_ID
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, MethodNotFound, PostRequired, WrongReference, WrongType
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, I_WHOLESALER, IDEMPOTENCY_KEY, Params
from xmlrpc_api.declaration.registry import Ahead, Effect, Finder, Method, nearest
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.faces import DIALECTS, Face
from xmlrpc_api.services import idempotency
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading, Store
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.turns import CUSTOMER, Key

LOGGED_NAME_LENGTH = 64
LARGEST = 10**20  # what can be written as an id, whether there can be one or not
SCOPES = {field.name: Params(f"scope {field.name}", [field]) for field in (I_WHOLESALER, I_CUSTOMER_OWNER)}
NAMED = {name: Params(name, [replace(p.by_name[name], low=-LARGEST, high=LARGEST)]) for name, p in SCOPES.items()}
KEY = Params("idempotency key", [IDEMPOTENCY_KEY])
NOBODYS: frozenset[Key] = frozenset()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """
    What is to be done, for whom.

    Attributes:
        name: The method's public name, or what else the change history calls it.
        key: Its idempotency key.
        queues: On whose balances it books.
    """

    origin: Origin
    name: str
    caller: Caller
    key: str | None = None
    queues: frozenset[Key] = NOBODYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Errand):
    """
    A call that may run: method found, right checked, parameters loaded.

    Attributes:
        params: What its handler is given.
        content: What must be the same when it is sent again with its key.
        unknown: The first name that the method does not know; what it was probably meant to be stands with it.
    """

    method: Method
    params: dict[str, Any]
    content: bytes
    unknown: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """
    What a client sent, by name, taken apart.

    Attributes:
        scope: The parameter that says on whose behalf it calls, if it is there.
        key: The idempotency key.
        rest: What the method is about.
    """

    scope: Values
    key: object
    rest: Values


NewCall = Callable[[Errand, Store, Caller], Call]


class Preparation:
    """
    Makes raw calls ready to run.

    Args:
        platform: What all calls share.
        database: Where they run.
        new_call: Begins a call, for what is asked ahead.
    """

    def __init__(self, platform: Platform, database: Database, new_call: NewCall) -> None:
        self._platform = platform
        self._database = database
        self._new_call = new_call

    async def prepare(self, origin: Origin, name: str, params: list[object]) -> Prepared:
        """
        Make a call ready.

        Raises:
            Fault: It is refused.
        """
        method = find(origin, name)
        sent = take_apart(method, params)
        caller = await self._caller(origin, method, sent.scope)
        caller.demand(method.right)
        key = idempotency_key(origin, sent.key) if method.repeatable else None
        unknown = self._note_unknown(origin, method, sent.rest)
        prepared = Prepared(
            origin=origin,
            name=name,
            caller=caller,
            key=key,
            method=method,
            params=method.params.load(sent.rest),
            content=idempotency.content(name, sent.rest) if key else b"",
            unknown=unknown,
        )
        if method.ahead is not None:
            await self._look_ahead(prepared, method.ahead)
        if method.params.hashed:
            await self._hash(prepared)
        return prepared if method.balances is None else await self._announced(prepared, method.balances)

    async def _look_ahead(self, prepared: Prepared, ahead: Ahead) -> None:
        """Do what the method wants to be done ahead; its handler is given what came of it."""
        async with Reading(self._database) as store:
            call = self._new_call(prepared, store, prepared.caller)
            prepared.params[ahead.taken_as] = await ahead.step(call, **prepared.params)

    async def _hash(self, prepared: Prepared) -> None:
        """Put new passwords with their hashes in their places."""
        for name in prepared.method.params.hashed:
            if name in prepared.params:
                plain = prepared.params[name]
                hashed = await self._platform.hasher.hash(plain, prepared.caller.i_customer)
                prepared.params[name] = Password(plain, hashed)

    async def _announced(self, prepared: Prepared, balances: Finder) -> Prepared:
        """The same, with the balances on which it will book. Root's is never booked on."""
        async with Reading(self._database) as store:
            keys = await balances(self._new_call(prepared, store, prepared.caller), prepared.params)
        return replace(prepared, queues=frozenset(keys - {(CUSTOMER, ROOT_ID)}))

    async def _caller(self, origin: Origin, method: Method, scope: Values) -> Caller:
        """
        On whose behalf the call runs.

        A trusted host names the customer in the scope parameter; methods without one run as root.
        Everybody else runs as itself, and may only name itself; what names nobody does not matter then.
        """
        name = method.scope.name if method.scope else I_WHOLESALER.name
        if origin.login is not None:
            if scope and _names_another(name, scope, origin.login):
                raise WrongReference(name)
            return origin.login
        named = SCOPES[name].load(scope).get(name)
        if named is None and method.scope is not None and not method.scope_optional:
            raise BadParameter.required(name)
        caller = await ownership.load_caller(self._database, ROOT_ID if named is None else named)
        if caller is None:
            raise WrongReference(name)
        return caller

    def _note_unknown(self, origin: Origin, method: Method, raw: Values) -> str | None:
        """Refuse, or log, names that the method does not know. The first of them."""
        unknown = method.params.unknown(raw)
        if unknown:
            echoed = DIALECTS[origin.face].answered_only
            unknown = [name for name in unknown if name not in echoed]
        if not unknown:
            return None
        shown = sorted(name[:LOGGED_NAME_LENGTH] for name in unknown)
        if self._platform.config.unknown_params == "reject":
            raise BadParameter(shown[0], "is not known to this method")
        log.warning("unknown parameters", method=method.name, names=shown, request_id=origin.request_id)
        meant = nearest(shown[0], method.params.by_name)
        return f"{shown[0]} (did you mean {meant}?)" if meant else shown[0]


def methods_of(origin: Origin) -> Mapping[str, Method]:
    """The methods that can be called from there."""
    dialect = DIALECTS.get(origin.face)
    return dialect.methods if dialect else {}


def find(origin: Origin, name: str) -> Method:
    """
    The method of this name.

    Raises:
        MethodNotFound: There is none.
        PostRequired: It changes something, and a web page may have made a browser ask.
    """
    methods = methods_of(origin)
    method = methods.get(name)
    if method is None:
        raise MethodNotFound(nearest(name, methods))
    if method.effect is Effect.WRITE and not origin.may_change:
        raise PostRequired
    return method


def foresee(face: Face, name: str, params: list[object]) -> Foreseen | None:
    """What a call will ask for first, as far as that can be told before anybody has logged in."""
    dialect = DIALECTS.get(face)
    method = dialect.methods.get(name) if dialect else None
    if method is None or method.foresee is None or len(params) != 1 or not isinstance(params[0], dict):
        return None
    return method.foresee(params[0])


def take_apart(method: Method, params: list[object]) -> Sent:
    """
    What was sent, by what it is for.

    Raises:
        WrongType: It has not the form that the method takes.
    """
    named = _by_name(method, params)
    scope = method.scope.name if method.scope else None
    key = IDEMPOTENCY_KEY.name if method.repeatable else None
    return Sent(
        scope={scope: named[scope]} if scope and scope in named else {},
        key=named.get(key) if key else None,
        rest={name: value for name, value in named.items() if name not in (scope, key)},
    )


def _by_name(method: Method, params: list[object]) -> Values:
    """The parameters by name, however the method takes them."""
    if method.positional:
        if len(params) > len(method.params.fields):
            raise WrongType(f"{method.name} takes {len(method.params.fields)} parameters")
        return dict(zip(method.params.by_name, params, strict=False))
    if not params:
        return {}
    if method.bare is not None and len(params) == 1 and type(params[0]) is int:
        return {method.bare: params[0]}
    if len(params) > 1 or not isinstance(params[0], dict):
        raise WrongType(f"{method.name} takes one struct")
    return params[0]


def _names_another(scope: str, sent: Values, login: Caller) -> bool:
    """Whether a scope parameter names a customer who is not the caller. 0, nothing, or no id at all names nobody."""
    try:
        named = NAMED[scope].load(sent).get(scope) or 0
    except WrongType:
        return False
    return named > 0 and named != login.i_customer


def idempotency_key(origin: Origin, given: object) -> str | None:
    """
    The key of a call, which came as a parameter, as a header, or both.

    Raises:
        BadParameter: They are not the same, or cannot be a key.
    """
    in_header = origin.idempotency_key
    if given is not None and in_header is not None and given != in_header:
        raise BadParameter(IDEMPOTENCY_KEY.name, "is not the key of the Idempotency-Key header")
    if given is None and in_header is None:
        return None
    loaded = KEY.load({IDEMPOTENCY_KEY.name: in_header if given is None else given})
    key: str | None = loaded.get(IDEMPOTENCY_KEY.name)
    return key
