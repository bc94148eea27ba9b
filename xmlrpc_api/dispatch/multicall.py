"""Several calls in one: each prepared before the transaction that they share, each in a savepoint of its own."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from xmlrpc_api.call import Call, Origin
from xmlrpc_api.declaration.faults import Fault, InvalidRequest, Unavailable
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dispatch.execution import Execution, raised
from xmlrpc_api.dispatch.outcome import observed, to_fault
from xmlrpc_api.dispatch.preparation import Preparation, Prepared
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.turns import Key

MULTICALL = "system.multicall"


class Multicall:
    """
    Runs the calls of a multicall.

    Args:
        preparation: Prepares each.
        execution: Runs them.
    """

    def __init__(self, preparation: Preparation, execution: Execution) -> None:
        self._preparation = preparation
        self._execution = execution

    async def perform_all(self, origin: Origin, caller: Caller, calls: list[Any]) -> list[Any]:
        """
        Run the calls of a multicall: prepared before the transaction, each in a savepoint of its own.

        Returns:
            For each what it answered, or the fault that refused it.
        """
        outcomes = [await self._attempt(_numbered(origin, number), entry) for number, entry in enumerate(calls)]

        async def run(call: Call) -> list[Any]:
            return [
                outcome if isinstance(outcome, Fault) else await self._in_savepoint(call, outcome)
                for outcome in outcomes
            ]

        async def run_in_turn() -> list[Any]:
            none: frozenset[Key] = frozenset()
            queues = none.union(*(outcome.queues for outcome in outcomes if isinstance(outcome, Prepared)))
            async with self._execution.balances.hold(queues):
                answers: list[Any] = await self._execution.in_transaction(origin, MULTICALL, Effect.WRITE, caller, run)
                return answers

        results: list[Any] = await self._execution.in_time(run_in_turn())
        return results

    async def _attempt(self, origin: Origin, entry: Any) -> Prepared | Fault:
        """Prepare one call of a multicall."""
        try:
            name, params = _entry(entry)
        except Fault as fault:
            return fault
        try:
            return await self._preparation.prepare(origin, name, params)
        except Exception as error:
            refused = to_fault(error, origin)
        await _ignore_fault(observed(origin, name, _raise(refused)))
        return refused

    async def _in_savepoint(self, call: Call, prepared: Prepared) -> Any:
        async def run() -> Any:
            async with call.session.begin_nested():
                caller = await ownership.lock_caller(call.store, prepared.caller)
                answer = await self._execution.runner(prepared)(
                    self._execution.new_call(call.origin, prepared.method.name, call.store, caller)
                )
            return raised(answer)

        try:
            return await observed(call.origin, prepared.method.name, run())
        except Unavailable:
            raise  # the transaction is lost, and all of its calls with it
        except Fault as fault:
            return fault


def _numbered(origin: Origin, number: int) -> Origin:
    """The origin of one call of a multicall: the header's key stands for all of them, so each gets one of its own."""
    key = origin.idempotency_key
    return origin if key is None else replace(origin, idempotency_key=f"{key}/{number}")


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


async def _raise(fault: Fault) -> Any:
    raise fault


async def _ignore_fault(work: Awaitable[Any]) -> None:
    try:
        await work
    except Fault:
        return
