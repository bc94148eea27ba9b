"""Several calls in one: each prepared before the transaction that they share, each in a savepoint of its own."""

from collections.abc import Sequence
from dataclasses import replace

from xmlrpc_api.call import Call, Origin
from xmlrpc_api.declaration.faults import Fault, InvalidRequest, Unavailable
from xmlrpc_api.dispatch.execution import Execution, T, Work, perform
from xmlrpc_api.dispatch.outcome import Outcome, note, to_fault
from xmlrpc_api.dispatch.preparation import Errand, NewCall, Preparation, Prepared
from xmlrpc_api.dispatch.transactions import savepoint
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.errors import ERRORS, is_retryable, is_unavailable
from xmlrpc_api.turns import Key

MULTICALL = "system.multicall"


class Multicall:
    """
    Runs the calls of a multicall.

    Args:
        preparation: Prepares each.
        execution: Runs them.
        new_call: Begins each.
    """

    def __init__(self, preparation: Preparation, execution: Execution, new_call: NewCall) -> None:
        self._preparation = preparation
        self._execution = execution
        self._new_call = new_call

    async def perform_all(self, call: Call, calls: list[object]) -> list[object]:
        """Run the calls of a multicall; for each what it answered, or the fault that refused it."""
        outcomes = [await self._prepare(_numbered(call.origin, number), entry) for number, entry in enumerate(calls)]

        async def work(own: Call) -> list[object]:
            return [one if isinstance(one, Fault) else await self._perform(own, one) for one in outcomes]

        none: frozenset[Key] = frozenset()
        queues = none.union(*(one.queues for one in outcomes if isinstance(one, Prepared)))
        errand = Errand(origin=call.origin, name=MULTICALL, caller=call.caller, queues=queues)
        return await self._execution.in_time(self._execution.change(errand, work))

    async def _prepare(self, origin: Origin, entry: object) -> Prepared | Fault:
        try:
            name, params = _entry(entry)
        except Fault as fault:
            return fault
        try:
            return await self._preparation.prepare(origin, name, params)
        except Exception as error:
            refused = to_fault(error, origin)
            note(origin, name, refused)
            return refused

    async def _perform(self, call: Call, prepared: Prepared) -> object:
        try:
            with Outcome(prepared.origin, prepared.name):
                async with savepoint(call.transaction):
                    caller = await ownership.lock_caller(call.store, prepared.caller)
                    return await perform(self._new_call(prepared, call.store, caller), prepared)
        except Unavailable:
            raise  # the transaction is lost, and all of its calls with it
        except Fault as fault:
            return fault


async def perform_each(call: Call, works: Sequence[Work[T]]) -> list[T | Fault]:
    """Run several of the same, each in a savepoint; for each what it answered, or the fault that refused it."""
    return [await _perform_apart(call, work) for work in works]


async def _perform_apart(call: Call, work: Work[T]) -> T | Fault:
    try:
        async with savepoint(call.transaction):
            return await work(call)
    except Exception as error:
        if isinstance(error, ERRORS) and (is_retryable(error) or is_unavailable(error)):
            raise  # the transaction is lost
        return to_fault(error, call.origin)


def _numbered(origin: Origin, number: int) -> Origin:
    """The origin of one call of a multicall: the header's key stands for all of them, so each gets one of its own."""
    key = origin.idempotency_key
    return origin if key is None else replace(origin, idempotency_key=f"{key}/{number}")


def _entry(entry: object) -> tuple[str, list[object]]:
    """Name and parameters of one call of a multicall."""
    if not isinstance(entry, dict) or not isinstance(entry.get("methodName"), str):
        raise InvalidRequest("A call must be a struct with methodName and params")
    params = entry.get("params", [])
    if not isinstance(params, list):
        raise InvalidRequest("params must be an array")
    if entry["methodName"] == MULTICALL:
        raise InvalidRequest("A multicall cannot hold another")
    return entry["methodName"], params
