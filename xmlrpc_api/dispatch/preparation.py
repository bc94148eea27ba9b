"""All that can be done with a call, and refused, before its transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from models import ROOT_ID
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.faults import BadParameter, MethodNotFound, PostRequired, WrongReference, WrongType
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER_OWNER, I_WHOLESALER, IDEMPOTENCY_KEY, Params
from xmlrpc_api.declaration.registry import Effect, Method, nearest
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.faces import DIALECTS
from xmlrpc_api.services import idempotency
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading, Store
from xmlrpc_api.turns import ACCOUNT, CUSTOMER, Key

LOGGED_NAME_LENGTH = 64
LARGEST = 10**20  # what can be written as an id, whether there can be one or not
SCOPES = {field.name: Params(f"scope {field.name}", [field]) for field in (I_WHOLESALER, I_CUSTOMER_OWNER)}
NAMED = {name: Params(name, [replace(p.by_name[name], low=-LARGEST, high=LARGEST)]) for name, p in SCOPES.items()}
KEY = Params("idempotency key", [IDEMPOTENCY_KEY])

NewCall = Callable[[Origin, str, Store, Caller], Call]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    A call that may run: method found, right checked, parameters loaded.

    Attributes:
        found: What its `ahead` step found out.
        key: Its idempotency key.
        sent: What must be the same when it is sent again with this key.
        unknown: The first name that the method does not know; what it was probably meant to be stands with it.
        queues: On whose balances it books.
    """

    method: Method
    caller: Caller
    params: dict[str, Any]
    found: Any
    key: str | None
    sent: bytes
    unknown: str | None
    queues: frozenset[Key]


class Preparation:
    """
    Makes raw calls ready to run.

    Args:
        platform: What all calls share.
        database: Where they run.
        new_call: Begins a call.
    """

    def __init__(self, platform: Platform, database: Database, new_call: NewCall) -> None:
        self._platform = platform
        self._database = database
        self._new_call = new_call

    async def prepare(self, origin: Origin, name: str, params: list[Any]) -> Prepared:
        """All that can be done, and refused, before the transaction."""
        method = methods_of(origin).get(name)
        if method is None:
            raise MethodNotFound(nearest(name, methods_of(origin)))
        if method.effect is Effect.WRITE and not origin.may_change:
            raise PostRequired
        raw = _named_params(method, params)
        caller = await self._caller(origin, method, raw)
        caller.demand(method.right)
        key = _idempotency_key(origin, raw) if method.repeatable else None
        unknown = self._note_unknown(origin, method, raw)
        loaded = method.params.load(raw)
        found = None
        if method.ahead is not None:
            async with Reading(self._database) as store:
                found = await method.ahead(self._new_call(origin, name, store, caller), **loaded)
        for field in method.params:
            if field.hashed and field.name in loaded:
                plain = loaded[field.name]
                loaded[field.name] = Password(plain, await self._platform.hasher.hash(plain, caller.i_customer))
        sent = idempotency.content(name, raw) if key else b""
        queues = await self._queues(origin, method, caller, loaded)
        return Prepared(method, caller, loaded, found, key, sent, unknown, queues)

    async def _queues(
        self, origin: Origin, method: Method, caller: Caller, params: Mapping[str, Any]
    ) -> frozenset[Key]:
        """On whose balances a call will book. Root's is never booked on."""
        keys = {
            (ACCOUNT if name == I_ACCOUNT.name else CUSTOMER, params[name])
            for name in method.balances
            if isinstance(name, str)
        }
        finders = [finder for finder in method.balances if not isinstance(finder, str)]
        if finders:
            async with Reading(self._database) as store:
                call = self._new_call(origin, method.name, store, caller)
                for finder in finders:
                    keys |= await finder(call, params)
        return frozenset(keys - {(CUSTOMER, ROOT_ID)})

    async def _caller(self, origin: Origin, method: Method, raw: dict[str, Any]) -> Caller:
        """
        On whose behalf the call runs.

        A trusted host names the customer in the scope parameter; methods without one run as root.
        Everybody else runs as himself, and may only name himself; what names nobody does not matter then.
        """
        scope = method.scope
        sent = {scope.name: raw.pop(scope.name)} if scope and scope.name in raw else {}
        if origin.login is not None:
            if scope and _names_another(scope.name, sent, origin.login):
                raise WrongReference(scope.name)
            return origin.login
        named = SCOPES[scope.name].load(sent).get(scope.name) if scope else None
        if named is None:
            if scope is not None and not method.scope_optional:
                raise BadParameter.required(scope.name)
            named = ROOT_ID
        caller = await ownership.load_caller(self._database, named)
        if caller is None:
            raise WrongReference(scope.name if scope else "i_wholesaler")
        return caller

    def _note_unknown(self, origin: Origin, method: Method, raw: Mapping[str, Any]) -> str | None:
        """Refuse, or log, names that the method does not know. The first of them."""
        echoed = DIALECTS[origin.face].answered_only
        unknown = [name for name in method.params.unknown(raw) if name not in echoed]
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


def _names_another(scope: str, sent: Mapping[str, Any], login: Caller) -> bool:
    """Whether a scope parameter names a customer who is not the caller. 0, nothing, or no id at all names nobody."""
    try:
        named = NAMED[scope].load(sent).get(scope) or 0
    except WrongType:
        return False
    return named > 0 and named != login.i_customer


def _idempotency_key(origin: Origin, raw: dict[str, Any]) -> str | None:
    """The key of a call, which came as a parameter, as a header, or both."""
    given = raw.pop(IDEMPOTENCY_KEY.name, None)
    in_header = origin.idempotency_key
    if given is not None and in_header is not None and given != in_header:
        raise BadParameter(IDEMPOTENCY_KEY.name, "is not the key of the Idempotency-Key header")
    key: str | None = KEY.load({IDEMPOTENCY_KEY.name: given if given is not None else in_header}).get(
        IDEMPOTENCY_KEY.name
    )
    return key


def _named_params(method: Method, params: list[Any]) -> dict[str, Any]:
    """The parameters by name, however the method takes them."""
    if method.positional:
        if len(params) > len(method.params.fields):
            raise WrongType(f"{method.name} takes {len(method.params.fields)} parameters")
        return dict(zip(method.params.by_name, params, strict=False))
    if len(params) > 1 or (params and not isinstance(params[0], dict)):
        raise WrongType(f"{method.name} takes one struct")
    return dict(params[0]) if params else {}
