"""Running what is prepared: in its queue, in its turn, in time, in one transaction, again if that lost a race."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from xmlrpc_api.call import Call, Platform
from xmlrpc_api.declaration.faults import Kept, NothingToChange, Unavailable
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.dispatch.preparation import Errand, NewCall, Prepared
from xmlrpc_api.dispatch.transactions import keeping, undone
from xmlrpc_api.services import idempotency
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database, Reading
from xmlrpc_api.storage.errors import ERRORS, is_retryable
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.turns import Key, Queues

RETRIES = 3
RETRY_SECONDS = 0.02
PATIENCE_SECONDS = 2  # beyond the longest statement
T = TypeVar("T")
Work = Callable[[Call], Awaitable[T]]

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
        config = platform.config
        self._database = database
        self._new_call = new_call
        self._begin = database.transaction if keep else lambda: undone(database.transaction())
        self._patience = config.statement_seconds + PATIENCE_SECONDS
        self._balances: Queues[Key] = Queues("balance", config.balance_queue)
        self._callers: Queues[int] = Queues("caller", config.caller_queue, config.caller_calls)
        self._given_up: set[asyncio.Task[object]] = set()

    async def read(self, prepared: Prepared, foreseen: Foreseen | None) -> Any:
        """Run a call that changes nothing, when it is the caller's turn. A single read ends by itself if it is slow."""
        turn = () if prepared.method.effect is Effect.NONE else (prepared.caller.i_customer,)
        async with self._callers.hold(turn), Reading(self._database, foreseen) as store:
            return await perform(self._new_call(prepared, store, prepared.caller), prepared)

    async def change(self, errand: Errand, work: Work[T]) -> T:
        """
        Run what changes something, when its balances are free and it is the caller's turn.

        Whoever waits for a turn may hold balances, whoever has one waits for no balance: so nobody waits in a circle.
        """
        async with self._balances.hold(errand.queues), self._callers.hold((errand.caller.i_customer,)):
            return await self.write(errand, work)

    async def write(self, errand: Errand, work: Work[T]) -> T:
        """
        Run `work` in one transaction; run it again if it lost a race.

        Raises:
            Unavailable: It lost too many.
        """
        attempt = 0
        while True:
            try:
                async with keeping(self._begin()) as store:
                    caller = await ownership.lock_caller(store, errand.caller)
                    return await work(self._new_call(errand, store, caller))
            except ERRORS as error:
                if not is_retryable(error):
                    raise
                if attempt == RETRIES:
                    log.warning("every race was lost", method=errand.name, request_id=errand.origin.request_id)
                    raise Unavailable from None
                attempt += 1
                await asyncio.sleep(RETRY_SECONDS * attempt * random.random())  # noqa: S311

    async def in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Await a change, and the turn for it, but not for ever: the client of a frozen database is answered.

        Raises:
            Unavailable: It took too long. It is given up in the background, since that takes its time, too.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([task], timeout=self._patience)
            if task.done():
                return task.result()
        finally:
            if not task.done():
                self._given_up.add(task)
                task.add_done_callback(self._forget)
                task.cancel()
        raise Unavailable

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._given_up.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("given up", error=type(task.exception()).__name__)


async def perform(call: Call, prepared: Prepared) -> Any:
    """Run the handler, once, however often the call is sent with its key."""
    call.caller.demand(prepared.method.right)
    key = prepared.key
    if key is not None:
        first = await idempotency.claim(call, key, prepared.content)
        if first is not None:
            return first
    try:
        answer = await prepared.method.handler(call, **prepared.params)
    except NothingToChange:
        raise NothingToChange(prepared.unknown) from None
    except Kept:
        if key is not None:
            await idempotency.release(call, key)
        raise
    answer = {} if answer is None else answer
    if key is not None:
        await idempotency.keep(call, key, answer)
    await call.store.flush()
    return answer
