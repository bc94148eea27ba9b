"""The one way of every call, on every face. Nothing else commits, and every error becomes a `Fault` here."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dispatch.execution import Execution, T, Work, perform
from xmlrpc_api.dispatch.multicall import Multicall, perform_each
from xmlrpc_api.dispatch.outcome import Outcome
from xmlrpc_api.dispatch.preparation import NOBODYS, Errand, Preparation
from xmlrpc_api.storage.database import Database, Store
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.turns import Key


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
        self._multicall = Multicall(self._preparation, self._execution, self._new_call)

    async def call(self, origin: Origin, name: str, params: list[object], foreseen: Foreseen | None = None) -> Any:
        """
        Run one call.

        Args:
            origin: Where it came from.
            name: The method's public name.
            params: What the client sent, in order.
            foreseen: What was asked for already.

        Raises:
            Fault: Whatever went wrong.
        """
        with Outcome(origin, name):
            prepared = await self._preparation.prepare(origin, name, params)
            if prepared.method.effect is not Effect.WRITE:
                return await self._execution.read(prepared, foreseen)
            work = partial(perform, prepared=prepared)
            return await self._execution.in_time(self._execution.change(prepared, work))

    async def perform(
        self, origin: Origin, name: str, caller: Caller, work: Work[T], queues: frozenset[Key] = NOBODYS
    ) -> T:
        """
        Run what is no public method, such as a row of an import, as one call.

        Args:
            origin: Where it came from.
            name: What the change history calls it.
            caller: On whose behalf it runs.
            work: What to do.
            queues: On whose balances it books.

        Raises:
            Fault: Whatever went wrong.
        """
        with Outcome(origin, name):
            errand = Errand(origin=origin, name=name, caller=caller, queues=queues)
            return await self._execution.change(errand, work)

    async def perform_each(
        self, origin: Origin, name: str, caller: Caller, works: Sequence[Work[T]]
    ) -> list[T | Fault]:
        """
        Run several of the same in one transaction, each in a savepoint: one that fails undoes itself alone.

        Returns:
            For each what it answered, or the fault that refused it.

        Raises:
            Fault: None was run, such as for want of a database.
        """
        return await self.perform(origin, name, caller, lambda call: perform_each(call, works))

    async def perform_all(self, call: Call, calls: list[object]) -> list[object]:
        """Run the calls of a multicall."""
        return await self._multicall.perform_all(call, calls)

    async def write(self, call: Call, work: Work[None]) -> None:
        """Run a part of a call that reads in a transaction of its own."""
        await self._execution.write(Errand(origin=call.origin, name=call.method, caller=call.caller), work)

    def _new_call(self, errand: Errand, store: Store, caller: Caller) -> Call:
        return Call(
            method=errand.name,
            store=store,
            caller=caller,
            actor=caller,
            platform=self.platform,
            origin=errand.origin,
            now=self.platform.clock(),
            idempotency_key=errand.key,
            queued=errand.queues,
            way=self,
        )
