"""What a server does beside answering calls: short steps in the background, each in its own transaction."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from models import ROOT_ID
from xmlrpc_api import metrics
from xmlrpc_api.access.trusted_hosts import TrustedHosts
from xmlrpc_api.call import Call, Origin, Platform
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services import idempotency
from xmlrpc_api.services.catalogue.bulk import processing
from xmlrpc_api.services.charging import fees, rounds
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins import throttle
from xmlrpc_api.services.mail import delivery, outbox
from xmlrpc_api.services.system.live_settings import LiveSettings
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database
from xmlrpc_api.turns import ACCOUNT

SEAL_SECONDS = 1.0
REFRESH_SECONDS = 1.0
PRUNE_SECONDS = 600.0
TRUST_SECONDS = 1.0
UPLOAD_SECONDS = 0.5
GAUGE_SECONDS = 1.0
MAIL_SECONDS = 1.0
SETTINGS_SECONDS = 0.5
STOP_SECONDS = 5.0
TASK = "background"
BILLING = "recurring fees"  # what the change history calls it
BATCHES = 100  # of accounts to be charged, before other work gets its turn

log = structlog.get_logger()


async def run(platform: Platform, database: Database, trusted: TrustedHosts, stopping: asyncio.Event) -> None:
    """Do all of it until it is stopped. Any number of processes may: a step that another is at is skipped."""
    async with asyncio.TaskGroup() as group:
        _start(group, _every(SEAL_SECONDS, lambda: seal(platform, database), stopping))
        _start(group, _every(REFRESH_SECONDS, KeyWatch(platform).look, stopping))
        _start(group, _every(PRUNE_SECONDS, lambda: prune(platform, database), stopping))
        _start(group, _every(TRUST_SECONDS, trusted.keep, stopping))
        _start(group, _every(UPLOAD_SECONDS, lambda: take_uploads(platform, database), stopping))
        if seconds := platform.config.billing_seconds:
            _start(group, _every(seconds, lambda: bill(platform, database), stopping))
        _start(group, _every(SETTINGS_SECONDS, LiveSettings(platform, database).keep, stopping))
        _start(group, _every(MAIL_SECONDS, lambda: delivery.deliver(platform, database), stopping))
        _start(group, _every(GAUGE_SECONDS, lambda: measure(database), stopping))


def _start(group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    group.create_task(work, name=TASK)


class KeyWatch:
    """Takes up what `xmlrpc-api rotate-key` puts into the key file; the log tells when a server does."""

    def __init__(self, platform: Platform) -> None:
        self._vault = platform.vault
        self._known = platform.vault.current

    async def look(self) -> None:
        """Look at the file; a call that met the new key may have done so before."""
        self._vault.refresh()
        if self._vault.current != self._known:
            self._known = self._vault.current
            log.info("key taken up", key=self._known)


async def prune(platform: Platform, database: Database) -> None:
    """Forget idempotency keys, throttles and mails whose time is over."""
    now = platform.clock()
    keys_before = now - timedelta(hours=platform.config.idempotency_hours)
    mails_before = now - timedelta(days=platform.config.mail_days)
    removed = 1
    while removed:
        async with database.write() as session:
            removed = await idempotency.prune(session, keys_before) + await throttle.prune(session, now)
            removed += await outbox.prune(session, mails_before)
    while await processing.prune(database, now):
        pass


async def take_uploads(platform: Platform, database: Database) -> None:
    """Take over files that were uploaded, one after the other."""
    dispatcher = Dispatcher(platform, database)

    async def perform(caller: Caller, work: processing.Work[None]) -> None:
        origin = Origin(request_id=secrets.token_hex(8), face=Face.UPLOAD, address="local", login=caller)
        await dispatcher.perform(origin, "tariffs import", caller, work)

    while (upload := await processing.next_one(platform, database)) is not None:
        await processing.process(platform, database, upload, perform)


async def seal(platform: Platform, database: Database) -> None:
    """Add what is new in the change history to its chain; the log keeps the newest link, out of reach of the rows."""
    while True:
        async with database.read() as session:
            if not await audit.any_unsealed(session):
                return
        async with database.write() as session:
            seq, newest, count = await audit.seal(session, platform.vault)
        if not count:
            return
        log.info("audit sealed", seq=seq, hash=newest)


async def bill(platform: Platform, database: Database) -> None:
    """Charge accounts the recurring fees that are due, each in a transaction of its own."""
    dispatcher = Dispatcher(platform, database)
    for _ in range(BATCHES):
        now = platform.clock()
        async with database.read() as session:
            accounts = await rounds.due(session, now)
        if not accounts:
            return
        root = await ownership.load_caller(database, ROOT_ID)
        origin = Origin(request_id=secrets.token_hex(8), face=Face.BILLING, address="local", login=root)
        if root is not None:
            for i_account in accounts:
                await _bill(dispatcher, origin, root, i_account)


async def _bill(dispatcher: Dispatcher, origin: Origin, root: Caller, i_account: int) -> None:
    async def work(call: Call) -> None:
        await fees.bill(call, i_account)

    try:
        queue = frozenset({(ACCOUNT, i_account)})
        await dispatcher.perform(origin, BILLING, root, work, queue)
    except Fault as fault:
        log.warning("account not charged", i_account=i_account, fault=fault.code, text=fault.text)
        async with dispatcher.database.write() as session:
            await rounds.postpone(session, i_account, dispatcher.platform.clock())


async def measure(database: Database) -> None:
    """Tell the metrics what no call counts."""
    metrics.note_pool(database.pool_in_use())


async def _every(seconds: float, step: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await step()
        except Exception as error:  # noqa: BLE001 (the next round tries again; calls go on meanwhile)
            log.warning("upkeep failed", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), seconds)


async def stop(task: asyncio.Task[None], stopping: asyncio.Event) -> None:
    """End it between two steps; or in the middle of one that takes too long, whose transaction is then undone."""
    stopping.set()
    await asyncio.wait([task], timeout=STOP_SECONDS)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
