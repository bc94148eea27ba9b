"""
The one way every call takes, on every face.

Find the method, see on whose behalf it runs, check the right, load the parameters, hash new passwords
(`preparation`), run the handler in one transaction (`execution`), log (`outcome`). Nothing else commits, and every
error becomes a `Fault` here.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dispatch.execution import Execution
from xmlrpc_api.dispatch.multicall import Multicall
from xmlrpc_api.dispatch.outcome import observed, to_fault
from xmlrpc_api.dispatch.preparation import Preparation
from xmlrpc_api.storage.database import Database, Store
from xmlrpc_api.storage.errors import ERRORS, is_retryable, is_unavailable


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
        self._preparation = Preparation(platform, database, self._new_call)
        self._execution = Execution(platform, database, self._new_call, keep=keep)
        self._multicall = Multicall(self._preparation, self._execution)

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
        return await observed(origin, name, self._call(origin, name, params))

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
        running = self._execution.in_transaction(origin, name, Effect.WRITE, caller, work)
        return await observed(origin, name, running)

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
            return [await _apart(call, work) for work in works]

        results: list[Any] = await self.perform(origin, name, caller, run)
        return results

    async def perform_all(self, call: Call, calls: list[Any]) -> list[Any]:
        """Run the calls of a multicall."""
        return await self._multicall.perform_all(call.origin, call.caller, calls)

    async def write(self, call: Call, work: Callable[[Call], Awaitable[None]]) -> None:
        """Run a part of a call that reads in a transaction of its own."""
        await self._execution.write(call.origin, call.method, call.caller, work)

    def _new_call(self, origin: Origin, name: str, store: Store, caller: Caller) -> Call:
        """A call that begins now."""
        return Call(
            method=name,
            store=store,
            caller=caller,
            platform=self.platform,
            origin=origin,
            now=self.platform.clock(),
            way=self,
        )

    async def _call(self, origin: Origin, name: str, params: list[Any]) -> Any:
        return await self._execution.run(origin, await self._preparation.prepare(origin, name, params))


async def _apart(call: Call, work: Callable[[Call], Awaitable[Any]]) -> Any:
    try:
        async with call.session.begin_nested():
            answer = await work(call)
            await call.store.flush()
            return answer
    except Exception as error:
        if isinstance(error, ERRORS) and (is_retryable(error) or is_unavailable(error)):
            raise  # the transaction is lost
        return to_fault(error, call.origin)
