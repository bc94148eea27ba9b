"""
The one way every call takes, on every face.

Find the method, see on whose behalf it runs, check the right, load the parameters, hash new
passwords, run the handler in one transaction, log. Nothing else commits, and every error becomes a
`Fault` here.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import CheckConstraint, Constraint, Index, UniqueConstraint

from models import ROOT_ID
from xmlrpc_api import metrics
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.crypto.passwords import Password
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    Fault,
    InternalError,
    InvalidRequest,
    MethodNotFound,
    NothingToChange,
    PostRequired,
    Unavailable,
    WrongReference,
    WrongType,
)
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER_OWNER, I_WHOLESALER, IDEMPOTENCY_KEY, Params, Wire
from xmlrpc_api.declaration.registry import TABLES, Effect, Family, Method, answered_only, nearest
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services import idempotency
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading, Store, Transaction
from xmlrpc_api.storage.errors import ERRORS, is_refusal, is_retryable, is_unavailable, violated_constraint
from xmlrpc_api.turns import ACCOUNT, CUSTOMER, Key, Queues, TooManyWaiting

RETRIES = 3
RETRY_SECONDS = 0.02
PATIENCE_SECONDS = 2  # beyond the longest statement
LOGGED_NAME_LENGTH = 64
LARGEST = 10**20  # what can be written as an id, whether there can be one or not
MULTICALL = "system.multicall"
FAMILIES = {"xmlrpc": Family.SWITCH, "rest": Family.SWITCH, "cli": Family.SWITCH, "soap": Family.NGNPRO}
SCOPES = {field.name: Params(f"scope {field.name}", [field]) for field in (I_WHOLESALER, I_CUSTOMER_OWNER)}
NAMED = {name: Params(name, [replace(p.by_name[name], low=-LARGEST, high=LARGEST)]) for name, p in SCOPES.items()}
KEY = Params("idempotency key", [IDEMPOTENCY_KEY])

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


class Dispatcher:
    """
    Runs calls on one database.

    Args:
        platform: What all calls share.
        database: Where they run.
        keep: False undoes every change at the end of its call: all rules are tried, nothing happens.
    """

    def __init__(self, platform: Platform, database: Database, *, keep: bool = True) -> None:
        self.platform = platform
        self.database = database
        self._keep = keep
        config = platform.config
        self._balances: Queues[Key] = Queues("balance", config.balance_queue)
        self._given_up: set[asyncio.Task[Any]] = set()
        self._callers: Queues[int] = Queues("caller", config.caller_queue, config.caller_calls)

    async def call(self, origin: Origin, name: str, params: list[Any]) -> Any:
        """
        Run one call.

        Args:
            origin: Where it came from.
            name: The method's public name.
            params: What the client sent, in order.

        Raises:
            Fault: Whatever went wrong.
        """
        return await self._observed(origin, name, self._call(origin, name, params))

    async def perform(self, origin: Origin, name: str, caller: Caller, work: Callable[[Call], Awaitable[Any]]) -> Any:
        """
        Run what is no public method, such as a row of an import, as one call.

        Args:
            origin: Where it came from.
            name: What the change history calls it.
            caller: On whose behalf it runs.
            work: What to do.

        Raises:
            Fault: Whatever went wrong.
        """
        return await self._observed(origin, name, self._in_transaction(origin, name, Effect.WRITE, caller, work))

    async def perform_each(
        self, origin: Origin, name: str, caller: Caller, works: Sequence[Callable[[Call], Awaitable[Any]]]
    ) -> list[Any]:
        """
        Run several of the same in one transaction, each in a savepoint: one that fails undoes itself alone.

        Returns:
            For each what it answered, or the fault that refused it.

        Raises:
            Fault: None was run, such as for want of a database.
        """

        async def run(call: Call) -> list[Any]:
            return [await self._apart(call, work) for work in works]

        results: list[Any] = await self.perform(origin, name, caller, run)
        return results

    async def _apart(self, call: Call, work: Callable[[Call], Awaitable[Any]]) -> Any:
        try:
            async with call.session.begin_nested():
                answer = await work(call)
                await call.store.flush()
                return answer
        except Exception as error:
            if isinstance(error, ERRORS) and (is_retryable(error) or is_unavailable(error)):
                raise  # the transaction is lost
            return to_fault(error, call.origin)

    async def _call(self, origin: Origin, name: str, params: list[Any]) -> Any:
        prepared = await self._prepare(origin, name, params)
        work = self._run(origin, prepared)
        return await (self._in_time(work) if prepared.method.effect is Effect.WRITE else work)

    async def _run(self, origin: Origin, prepared: Prepared) -> Any:
        method = prepared.method
        async with self._balances.hold(prepared.queues):
            work = self._runner(prepared)
            return _raised(await self._in_transaction(origin, method.name, method.effect, prepared.caller, work))

    async def _observed(self, origin: Origin, name: str, work: Awaitable[Any]) -> Any:
        """Await a call; turn any error into a fault; count and log the outcome."""
        started = time.perf_counter()
        fault: Fault | None = None
        known = name if name in _methods(origin) else metrics.UNKNOWN_METHOD
        try:
            return await work
        except Exception as error:
            if isinstance(error, ERRORS) and is_retryable(error):
                raise
            fault = to_fault(error, origin)
            raise fault from None
        finally:
            seconds = time.perf_counter() - started
            metrics.note_call(known, origin.dialect, seconds, fault.code if fault else None)
            log.info(
                "call",
                method=name[:LOGGED_NAME_LENGTH],
                caller=origin.login.i_customer if origin.login else None,
                login=origin.login.web_login if origin.login else None,
                address=origin.address,
                dialect=origin.dialect,
                request_id=origin.request_id,
                fault=fault.code if fault else None,
                text=fault.text if fault else None,
                ms=round(seconds * 1000, 1),
            )

    async def _prepare(self, origin: Origin, name: str, params: list[Any]) -> Prepared:
        """All that can be done, and refused, before the transaction."""
        method = _methods(origin).get(name)
        if method is None:
            raise MethodNotFound(nearest(name, _methods(origin)))
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
            async with Reading(self.database) as store:
                found = await method.ahead(self._new_call(origin, name, store, caller), **loaded)
        for field in method.params:
            if field.hashed and field.name in loaded:
                plain = loaded[field.name]
                loaded[field.name] = Password(plain, await self.platform.hasher.hash(plain, caller.i_customer))
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
            async with Reading(self.database) as store:
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
        caller = await ownership.load_caller(self.database, named)
        if caller is None:
            raise WrongReference(scope.name if scope else "i_wholesaler")
        return caller

    def _note_unknown(self, origin: Origin, method: Method, raw: Mapping[str, Any]) -> str | None:
        """Refuse, or log, names that the method does not know. The first of them."""
        echoed = answered_only(FAMILIES[origin.dialect])
        unknown = [name for name in method.params.unknown(raw) if name not in echoed]
        if not unknown:
            return None
        shown = sorted(name[:LOGGED_NAME_LENGTH] for name in unknown)
        if self.platform.config.unknown_params == "reject":
            raise BadParameter(shown[0], "is not known to this method")
        log.warning("unknown parameters", method=method.name, names=shown, request_id=origin.request_id)
        meant = nearest(shown[0], method.params.by_name)
        return f"{shown[0]} (did you mean {meant}?)" if meant else shown[0]

    async def _in_transaction(
        self, origin: Origin, name: str, effect: Effect, caller: Caller, work: Callable[[Call], Awaitable[Any]]
    ) -> Any:
        """
        Run `work` with the session that `effect` asks for, when it is the caller's turn.

        Whoever waits for a turn may hold balances, whoever has one waits for no balance: so nobody waits in a circle.
        """
        async with self._callers.hold(() if effect is Effect.NONE else (caller.i_customer,)):
            if effect is Effect.WRITE:
                return await self._write(origin, name, caller, work)
            async with Reading(self.database) as store:
                return await work(self._new_call(origin, name, store, caller))

    async def _in_time(self, work: Coroutine[Any, Any, Any]) -> Any:
        """
        Await a change, and the turn for it, but not for ever: the client of a frozen database is answered.

        A single read ends by itself when its statement has taken too long.

        Raises:
            Unavailable: It took too long. It is given up in the background, since that takes its time, too.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([task], timeout=self.platform.config.statement_seconds + PATIENCE_SECONDS)
            if task.done():
                return task.result()
        finally:
            if not task.done():
                self._given_up.add(task)
                task.add_done_callback(self._forget)
                task.cancel()
        raise Unavailable

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._given_up.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("given up", error=type(task.exception()).__name__)

    async def _write(self, origin: Origin, name: str, caller: Caller, work: Callable[[Call], Awaitable[Any]]) -> Any:
        """Run `work` in one transaction; run it again if it lost a race."""
        attempt = 0
        while True:
            try:
                async with self.database.write() as session:
                    store = Transaction(session)
                    locked = await ownership.lock_caller(store, caller)
                    answer = await work(self._new_call(origin, name, store, locked))
                    if not self._keep:
                        await session.rollback()
                    return answer
            except ERRORS as error:
                if attempt == RETRIES or not is_retryable(error):
                    raise
                attempt += 1
                await asyncio.sleep(RETRY_SECONDS * attempt * random.random())  # noqa: S311

    def _new_call(self, origin: Origin, name: str, store: Store, caller: Caller) -> Call:
        async def perform_all(calls: list[Any]) -> list[Any]:
            return await self._perform_all(origin, caller, calls)

        async def keep(work: Callable[[Call], Awaitable[None]]) -> None:
            if isinstance(store, Reading):
                await self._write(origin, name, caller, work)
            else:
                await work(call)

        call = Call(
            method=name,
            store=store,
            caller=caller,
            platform=self.platform,
            origin=origin,
            now=self.platform.clock(),
            perform_all=perform_all,
            keep=keep,
        )
        return call

    def _runner(self, prepared: Prepared) -> Callable[[Call], Awaitable[Any]]:
        async def run(call: Call) -> Any:
            call.caller.demand(prepared.method.right)
            call = replace(call, queued=prepared.queues)
            if prepared.found is not None:
                call = replace(call, found=prepared.found)
            if prepared.key is None:
                return await _perform(call, prepared)
            first = await idempotency.claim(call, prepared.key, prepared.sent)
            if first is not None:
                return first
            answer = await _perform(replace(call, idempotency_key=prepared.key), prepared)
            if isinstance(answer, Fault):
                await idempotency.release(call, prepared.key)
            else:
                await idempotency.keep(call, prepared.key, answer)
            return answer

        return run

    async def _perform_all(self, origin: Origin, caller: Caller, calls: list[Any]) -> list[Any]:
        """Run the calls of a multicall: prepared before the transaction, each in a savepoint of its own."""
        outcomes = [await self._attempt(_numbered(origin, number), entry) for number, entry in enumerate(calls)]

        async def run(call: Call) -> list[Any]:
            return [
                outcome if isinstance(outcome, Fault) else await self._in_savepoint(call, outcome)
                for outcome in outcomes
            ]

        async def run_in_turn() -> list[Any]:
            none: frozenset[Key] = frozenset()
            queues = none.union(*(outcome.queues for outcome in outcomes if isinstance(outcome, Prepared)))
            async with self._balances.hold(queues):
                results: list[Any] = await self._in_transaction(origin, MULTICALL, Effect.WRITE, caller, run)
                return results

        results = await self._in_time(run_in_turn())
        return [_as_struct(result) if isinstance(result, Fault) else [result] for result in results]

    async def _attempt(self, origin: Origin, entry: Any) -> Prepared | Fault:
        """Prepare one call of a multicall."""
        try:
            name, params = _entry(entry)
        except Fault as fault:
            return fault
        try:
            return await self._prepare(origin, name, params)
        except Exception as error:
            refused = to_fault(error, origin)
        await _ignore_fault(self._observed(origin, name, _raise(refused)))
        return refused

    async def _in_savepoint(self, call: Call, prepared: Prepared) -> Any:
        async def run() -> Any:
            async with call.session.begin_nested():
                caller = await ownership.lock_caller(call.store, prepared.caller)
                answer = await self._runner(prepared)(
                    self._new_call(call.origin, prepared.method.name, call.store, caller)
                )
            return _raised(answer)

        try:
            return await self._observed(call.origin, prepared.method.name, run())
        except Unavailable:
            raise  # the transaction is lost, and all of its calls with it
        except Fault as fault:
            return fault


def _methods(origin: Origin) -> Mapping[str, Method]:
    """The methods that the origin's dialect knows; a dialect that is not known here has none."""
    family = FAMILIES.get(origin.dialect)
    return TABLES[family] if family else {}


async def _perform(call: Call, prepared: Prepared) -> Any:
    """Run the handler; what it answers, with `result` first where that is a struct."""
    try:
        answer = await prepared.method.handler(call, **prepared.params)
    except NothingToChange:
        raise NothingToChange(prepared.unknown) from None
    await call.store.flush()
    if isinstance(prepared.method.returns, Wire) or isinstance(answer, Fault):
        return answer
    return {"result": "OK", **answer}


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


def _numbered(origin: Origin, number: int) -> Origin:
    """The origin of one call of a multicall: the header's key stands for all of them, so each gets one of its own."""
    key = origin.idempotency_key
    return origin if key is None else replace(origin, idempotency_key=f"{key}/{number}")


def _named_params(method: Method, params: list[Any]) -> dict[str, Any]:
    """The parameters by name, however the method takes them."""
    if method.positional:
        if len(params) > len(method.params.fields):
            raise WrongType(f"{method.name} takes {len(method.params.fields)} parameters")
        return dict(zip(method.params.by_name, params, strict=False))
    if len(params) > 1 or (params and not isinstance(params[0], dict)):
        raise WrongType(f"{method.name} takes one struct")
    return dict(params[0]) if params else {}


def _entry(entry: Any) -> tuple[str, list[Any]]:
    """Name and parameters of one call of a multicall."""
    if not isinstance(entry, dict) or not isinstance(entry.get("methodName"), str):
        raise InvalidRequest("A call must be a struct with methodName and params")
    params = entry.get("params", [])
    if not isinstance(params, list):
        raise InvalidRequest("params must be an array")
    if entry["methodName"] == MULTICALL:
        raise InvalidRequest("A multicall cannot hold another")
    return entry["methodName"], params


def _as_struct(fault: Fault) -> dict[str, Any]:
    return {"faultCode": fault.code, "faultString": fault.text}


def _raised(answer: Any) -> Any:
    """An answer, unless the handler returned a fault: then its changes are kept, and the client is told the fault."""
    if isinstance(answer, Fault):
        raise answer
    return answer


async def _raise(fault: Fault) -> Any:
    raise fault


async def _ignore_fault(work: Awaitable[Any]) -> None:
    try:
        await work
    except Fault:
        return


def to_fault(error: Exception, origin: Origin) -> Fault:
    """What the client is told of an error. Bugs are logged with their traceback and told as an id."""
    if isinstance(error, Fault):
        return error
    if is_refusal(error):
        return _from_constraint(violated_constraint(error))
    if isinstance(error, TooManyWaiting):
        return Unavailable(str(error))
    if is_unavailable(error):
        log.warning("unavailable", error=type(error).__name__, request_id=origin.request_id)
        return Unavailable()
    log.error("internal error", request_id=origin.request_id, exc_info=error)
    return InternalError(origin.request_id)


def _from_constraint(constraint: Constraint | Index | None) -> Fault:
    """The fault for a change that the database refused."""
    if isinstance(constraint, CheckConstraint):
        return BadParameter(str(constraint.name).rpartition(f"{constraint.table.name}_")[2], "is out of range")
    if isinstance(constraint, UniqueConstraint):
        return Conflict.taken(list(constraint.columns)[-1].name.removesuffix("_key"))
    return Conflict("The object is still in use, or what it points at is gone")
