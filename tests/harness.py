"""Starts the real server on a real socket, in a thread with an event loop of its own."""

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from faces import Api
from sqlalchemy import text

from xmlrpc_api import logs, metrics
from xmlrpc_api.app import create_app, create_metrics_app
from xmlrpc_api.call import Platform, new_platform, utc_now
from xmlrpc_api.config import Config, load
from xmlrpc_api.installation import create_root, migrate
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import http, pages, xmlrpc
from xmlrpc_api.transport.protocol import Runner

TEST_KEY = "5a" * 32
_numbers = itertools.count(1)


def unique(prefix: str = "c") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition; the machine may be busy, so there is plenty of time for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = utc_now().replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def tick(self) -> str:
        """The second that is over now, as it is written in calls: what was changed so far lies in it."""
        over = self.now
        self.move(1)
        return over.strftime("%Y%m%dT%H:%M:%S")


class Server:
    """One running server. `variant` starts another one on the same database with other settings."""

    def __init__(self, config: Config, root_password: str) -> None:
        self.config = config
        self.root_password = root_password
        self.app: web.Application
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._stop: asyncio.Event
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()
        self._ready.wait(30)
        if self._failure:
            raise self._failure

    def _main(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 (told to the test that started it)
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self.app = create_app(self.config)
        runner = Runner(self.app, self.config)
        await runner.setup()
        aside = Runner(create_metrics_app(self.app[pages.DATABASE], metrics.exposition, keeps=0), self.config)
        await aside.setup()
        for one in (runner, aside):
            await web.TCPSite(one, "127.0.0.1", 0).start()
        if self.config.socket is not None:  # beside the port, which is there for any test
            await web.UnixSite(runner, self.config.socket).start()
        self.port, self.metrics_port = (one.addresses[0][1] for one in (runner, aside))
        self._ready.set()
        await self._stop.wait()
        for one in (aside, runner):
            await one.cleanup()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    @property
    def platform(self) -> Platform:
        return self.app[http.GATE].dispatcher.platform

    def stop_clock(self) -> Clock:
        """From now on the server's time is that of a clock which the test moves."""
        self.platform.clock = clock = Clock()
        return clock

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.address + xmlrpc.PATH

    def api(self, login: str | None = "ssp-root", password: str | None = None, **headers: str) -> Api:
        """A client; root's unless told otherwise."""
        return Api(self.url, login, password if login != "ssp-root" else self.root_password, **headers)

    def run(self, work: Callable[[Database], Awaitable[Any]]) -> Any:
        """Await `work(database)` on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work(self.app[pages.DATABASE]), self._loop).result(60)

    def call_soon(self, work: Callable[[], object]) -> None:
        """Call a plain function on the server's loop."""
        self._loop.call_soon_threadsafe(work)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement behind the server's back."""

        async def work(database: Database) -> list[Any]:
            async with database.write() as session:
                result = await session.execute(text(statement), values)
                return list(result.all()) if result.returns_rows else []

        return self.run(work)


@dataclass(frozen=True)
class Installed:
    """A database with tables and root."""

    url: str
    root_password: str


@contextmanager
def serving(database: Installed, **settings: Any) -> Iterator[Server]:
    """A server on it, until the block ends."""
    config = test_config(database.url, **settings)
    logs.configure(config)
    running = Server(config, database.root_password)
    yield running
    running.close()


async def prepare(config: Config) -> str:
    """Make tables and root; root's API password."""
    database = Database(config)
    try:
        await migrate(database)
        password = await create_root(new_platform(config), database)
    finally:
        await database.close()
    assert password is not None
    return password


def test_config(database_url: str, **settings: Any) -> Config:
    """Settings for a test: cheap hashes, a key of its own, patience where two suites share a small machine."""
    defaults = {
        "secret_key": TEST_KEY,
        "bcrypt_cost": 4,
        "port": 0,
        "log_level": "ERROR",
        "pool_wait_seconds": 15,
        "lock_seconds": 15,
        "statement_seconds": 20,
        "api_login_failures": 100_000,
        "api_address_failures": 100_000,
        "log_format": "json",
        "billing_seconds": 0,  # tests say when it is looked for
    }
    return load(**{**defaults, **settings, "database_url": database_url})


test_config.__test__ = False
