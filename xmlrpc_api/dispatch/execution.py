"""Running what is prepared: in its queue, in its turn, in time, in one transaction, again if that lost a race."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog

from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.declaration.faults import Fault, NothingToChange, Unavailable
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dispatch.preparation import NewCall, Prepared
from xmlrpc_api.services import idempotency
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading, Transaction
from xmlrpc_api.storage.errors import ERRORS, is_retryable
from xmlrpc_api.turns import Key, Queues

RETRIES = 3
RETRY_SECONDS = 0.02
PATIENCE_SECONDS = 2  # beyond the longest statement

log = structlog.get_logger()


class Execution:
    """
    Runs what is prepared.

    Args:
        platform: What all calls share.
        database: Where they run.
        new_call: Begins a call.
        keep: False undoes every change at the end of its call: all rules are tried, nothing happens.
    """

    def __init__(self, platform: Platform, database: Database, new_call: NewCall, *, keep: bool = True) -> None:
        self._platform = platform
        self._database = database
        self.new_call = new_call
        self._keep = keep
        config = platform.config
        self.balances: Queues[Key] = Queues("balance", config.balance_queue)
        self._given_up: set[asyncio.Task[Any]] = set()
        self._callers: Queues[int] = Queues("caller", config.caller_queue, config.caller_calls)

    async def run(self, origin: Origin, prepared: Prepared) -> Any:
        """Run one call."""
        work = self._run(origin, prepared)
        return await (self.in_time(work) if prepared.method.effect is Effect.WRITE else work)

    async def _run(self, origin: Origin, prepared: Prepared) -> Any:
        method = prepared.method
        async with self.balances.hold(prepared.queues):
            work = self.runner(prepared)
            return raised(await self.in_transaction(origin, method.name, method.effect, prepared.caller, work))

    async def in_transaction(
        self, origin: Origin, name: str, effect: Effect, caller: Caller, work: Callable[[Call], Awaitable[Any]]
    ) -> Any:
        """
        Run `work` with the session that `effect` asks for, when it is the caller's turn.

        Whoever waits for a turn may hold balances, whoever has one waits for no balance: so nobody waits in a circle.
        """
        async with self._callers.hold(() if effect is Effect.NONE else (caller.i_customer,)):
            if effect is Effect.WRITE:
                return await self.write(origin, name, caller, work)
            async with Reading(self._database) as store:
                return await work(self.new_call(origin, name, store, caller))

    async def in_time(self, work: Coroutine[Any, Any, Any]) -> Any:
        """
        Await a change, and the turn for it, but not for ever: the client of a frozen database is answered.

        A single read ends by itself when its statement has taken too long.

        Raises:
            Unavailable: It took too long. It is given up in the background, since that takes its time, too.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([task], timeout=self._platform.config.statement_seconds + PATIENCE_SECONDS)
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

    async def write(self, origin: Origin, name: str, caller: Caller, work: Callable[[Call], Awaitable[Any]]) -> Any:
        """Run `work` in one transaction; run it again if it lost a race."""
        attempt = 0
        while True:
            try:
                async with self._database.write() as session:
                    store = Transaction(session)
                    locked = await ownership.lock_caller(store, caller)
                    answer = await work(self.new_call(origin, name, store, locked))
                    if not self._keep:
                        await session.rollback()
                    return answer
            except ERRORS as error:
                if attempt == RETRIES or not is_retryable(error):
                    raise
                attempt += 1
                await asyncio.sleep(RETRY_SECONDS * attempt * random.random())  # noqa: S311

    def runner(self, prepared: Prepared) -> Callable[[Call], Awaitable[Any]]:
        """The work of a call, once, however often it is sent with its key."""

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


async def _perform(call: Call, prepared: Prepared) -> Any:
    """Run the handler; what it answers."""
    try:
        answer = await prepared.method.handler(call, **prepared.params)
    except NothingToChange:
        raise NothingToChange(prepared.unknown) from None
    await call.store.flush()
    return answer


def raised(answer: Any) -> Any:
    """An answer, unless the handler returned a fault: then its changes are kept, and the client is told the fault."""
    if isinstance(answer, Fault):
        raise answer
    return answer
