"""What a handler gets: one call, with its session, its caller and the platform it runs on."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from xmlrpc_api.config import Config
from xmlrpc_api.crypto.passwords import PasswordHasher
from xmlrpc_api.crypto.vault import Vault, open_vault
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.storage.database import Reading, Store
from xmlrpc_api.storage.transaction import Transaction
from xmlrpc_api.turns import Key


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Platform:
    """What all calls of a process share."""

    config: Config
    vault: Vault
    hasher: PasswordHasher
    clock: Callable[[], datetime] = utc_now


def new_platform(config: Config) -> Platform:
    """
    What all calls of this process share.

    Raises:
        ConfigError: The key is missing or unusable.
    """
    return Platform(
        config=config,
        vault=open_vault(config),
        hasher=PasswordHasher(
            config.bcrypt_cost,
            config.bcrypt_queue,
            max(1, (os.cpu_count() or 1) // config.workers),
            config.caller_queue,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    Where a request came from.

    Attributes:
        request_id: Names the request in answers and logs.
        face: Which way it came.
        address: The client's address, after proxies.
        login: The customer whose API credentials were right; None for a trusted host.
        idempotency_key: The HTTP header Idempotency-Key; it means the same as the parameter.
        may_change: False where a web page may have made a browser ask: then nothing is changed.
        site: How the client reached this server, as a URL without a path; empty if that was not by HTTP.
        is_borrowed: Whether it was another customer's credentials that were right, to whom `login` lends its rights.
    """

    request_id: str
    face: Face
    address: str
    login: Caller | None
    idempotency_key: str | None = None
    may_change: bool = True
    is_borrowed: bool = False
    site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One call of one method.

    Attributes:
        method: The method's public name.
        store: The database: in the call's one transaction, or for reading.
        caller: The customer on whose behalf it runs: its rights count, and what is below it is in reach.
        actor: Whom the change history names: the caller, unless it acts for somebody below it.
        now: The time of the call, one for all that it writes.
        idempotency_key: The key with which it may be sent again.
        queued: On whose balances it was announced to book, and has waited for them without a connection.
        way: What it came by.
    """

    method: str
    store: Store
    caller: Caller
    actor: Caller
    platform: Platform
    origin: Origin
    now: datetime
    idempotency_key: str | None = None
    queued: frozenset[Key] = frozenset()
    way: "Way" = field(repr=False)

    @property
    def session(self) -> AsyncSession:
        """For statements."""
        return self.store.session

    @property
    def transaction(self) -> Transaction:
        """The store of a call that changes something."""
        assert isinstance(self.store, Transaction)  # noqa: S101
        return self.store

    def acting_for(self, customer: Caller) -> "Call":
        """The same call on behalf of a customer below the caller; the history still names who acts."""
        return replace(self, caller=customer)

    async def perform_all(self, calls: list[object]) -> list[object]:
        """Run further calls, for `system.multicall`."""
        return await self.way.perform_all(self, calls)

    async def keep(self, work: Callable[["Call"], Awaitable[None]]) -> None:
        """
        Run what is kept whatever is answered: committed before this returns, or with the call if that changes things.

        So a call that reads writes down what it tells.
        """
        if isinstance(self.store, Reading):
            await self.way.write(self, work)
        else:
            await work(self)


class Way(Protocol):
    """What a call may ask for of the way that it came."""

    async def perform_all(self, call: Call, calls: list[object]) -> list[object]:
        """Run further calls."""

    async def write(self, call: Call, work: Callable[[Call], Awaitable[None]]) -> None:
        """Run a part of a call that reads in a transaction of its own."""
