"""Listens: one process or several on the same port, until a signal ends them in good order."""

import asyncio
import fcntl
import gc
import resource
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.engine import make_url

from xmlrpc_api import logs, metrics
from xmlrpc_api.access.digest import ReplayGuard
from xmlrpc_api.app import create_app, create_metrics_app, create_soap_app
from xmlrpc_api.children import Children
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import pages
from xmlrpc_api.transport.protocol import Runner

GARBAGE_THRESHOLD = 20_000
METRICS = -1  # the child that tells metrics; workers count from 0
BACKLOG = 1024  # connections that wait to be accepted; more at once are lost without a word

log = structlog.get_logger()


def serve(config: Config, ready: Callable[[str], None] = lambda _address: None) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Args:
        config: The settings.
        ready: Is told the address once calls are accepted.

    Raises:
        ConfigError: The settings cannot work; the text says why.
    """
    guard = ReplayGuard(is_shared=config.workers > 1)
    _allow_open_files()
    logs.configure(config)
    with _alone(config), _metrics_listener(config) as listener:
        if config.workers == 1:
            _run(_serve_one(config, guard, ready, listener=listener))
        else:
            _supervise(config, guard, ready, listener)


def _allow_open_files() -> None:
    """Use all the files that this process may open: connections need them, and the usual 1024 are too few."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _spare_garbage_collection() -> None:
    """
    Look for garbage less often, and not in what was there from the start.

    A long list makes thousands of objects, none of which is garbage; looking at them took a fifth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Keep a second server off the same SQLite file: each would believe itself the only writer."""
    if not config.is_sqlite:
        yield
        return
    path = Path(f"{make_url(config.database_url).database}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"Another server is using this database (it holds {path}). Stop it first.") from None
        yield


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop

        uvloop.run(work)
    except ImportError:
        asyncio.run(work)


async def _serve_one(
    config: Config,
    guard: ReplayGuard,
    ready: Callable[[str], None],
    alive: int | None = None,
    listener: socket.socket | None = None,
) -> None:
    """
    Serve calls in this process.

    Args:
        config: The settings.
        guard: Replay protection.
        ready: Is told the address.
        alive: A pipe that ends with the parent; a worker ends with it.
        listener: Where metrics are told, if this process tells them.
    """
    logs.configure(config, final=True)
    app = create_app(config, guard)
    runner = Runner(app, config)
    await runner.setup()
    async with AsyncExitStack() as running:
        running.push_async_callback(runner.cleanup)
        try:
            if listener is not None:  # first: who finds the main port open finds these open as well
                told = _start_metrics(config, app[pages.DATABASE], metrics.exposition, listener)
                running.push_async_callback((await told).cleanup)
            if config.ngnpro_port is not None:
                running.push_async_callback((await _start_soap(app, config, share_port=alive is not None)).cleanup)
            await _site(runner, config, share_port=alive is not None).start()
        except OSError as error:
            raise _cannot_listen(error) from None
        await _until_stopped(config, ready, runner, alive)


async def _until_stopped(
    config: Config, ready: Callable[[str], None], runner: web.AppRunner, alive: int | None
) -> None:
    """Say that calls are accepted, and wait for the signal that ends it."""
    stop = _stop_event(alive)
    _spare_garbage_collection()
    ready(address(config, runner))
    log.info("listening", address=address(config, runner))
    await stop.wait()
    log.info("stopping")


def _cannot_listen(error: OSError) -> ConfigError:
    return ConfigError(f"Cannot listen: {error.strerror or error}. Is another server running?")


def _stop_event(alive: int | None) -> asyncio.Event:
    """Is set by a signal to end, or when the parent is gone."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if alive is not None:
        asyncio.get_running_loop().add_reader(alive, stop.set)
    return stop


@contextmanager
def _metrics_listener(config: Config) -> Iterator[socket.socket | None]:
    """The socket of the metrics, if they are wanted; whoever answers there, it is this process that owns it."""
    if config.metrics_port is None:
        yield None
        return
    family = socket.AF_INET6 if ":" in config.metrics_host else socket.AF_INET
    try:
        listener = socket.create_server((config.metrics_host, config.metrics_port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise _cannot_listen(error) from None
    with listener:
        log.info("metrics", port=listener.getsockname()[1])
        yield listener


async def _start_metrics(
    config: Config, database: Database, text: Callable[[], bytes], listener: socket.socket
) -> web.AppRunner:
    """Tell metrics and health on a socket."""
    runner = Runner(create_metrics_app(database, text), config)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    return runner


async def _serve_metrics(config: Config, directory: str, alive: int, listener: socket.socket) -> None:
    """Tell, in this process, what the workers count, who are not to be held up by it."""
    logs.configure(config, final=True)
    database = Database(config)
    runner = await _start_metrics(config, database, partial(metrics.joint_exposition, directory), listener)
    await _stop_event(alive).wait()
    await runner.cleanup()
    await database.close()


async def _start_soap(app: web.Application, config: Config, *, share_port: bool) -> web.AppRunner:
    """Listen for NGNPro's SOAP on its own port."""
    runner = Runner(create_soap_app(app), config)
    await runner.setup()
    await _tcp_site(runner, config, config.ngnpro_port, share_port=share_port).start()
    return runner


def _site(runner: web.AppRunner, config: Config, *, share_port: bool) -> web.BaseSite:
    if config.socket is not None:
        return web.UnixSite(runner, config.socket, ssl_context=_tls(config), backlog=BACKLOG)
    return _tcp_site(runner, config, config.port, share_port=share_port)


def _tcp_site(runner: web.AppRunner, config: Config, port: int | None, *, share_port: bool) -> web.BaseSite:
    return web.TCPSite(
        runner, config.host, port, ssl_context=_tls(config), backlog=BACKLOG, reuse_port=share_port or None
    )


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.tls_certificate, config.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"tls_certificate and tls_key cannot be used: {error}") from None
    return context


def address(config: Config, runner: web.AppRunner | None = None) -> str:
    """Where calls go, as a URL without its path."""
    if config.socket is not None:
        return f"unix:{config.socket}"
    port = runner.addresses[0][1] if runner and runner.addresses else config.port
    scheme = "https" if config.tls_certificate else "http"
    return f"{scheme}://{config.host}:{port}"


def _supervise(
    config: Config, guard: ReplayGuard, ready: Callable[[str], None], listener: socket.socket | None
) -> None:
    """Let workers serve, and a child of its own tell their metrics, until a signal ends them."""
    if config.port == 0 and config.socket is None:
        raise ConfigError("port: several workers need a fixed port")
    with tempfile.TemporaryDirectory(prefix="xmlrpc-api-metrics-") as directory:

        def work(number: int, alive: int) -> Coroutine[Any, Any, None]:
            """What a child does."""
            if number == METRICS:
                assert listener is not None  # noqa: S101 (there is no such child otherwise)
                return _serve_metrics(config, directory, alive, listener)
            if listener is not None:
                listener.close()
            metrics.share(directory, number)
            return _serve_one(config, guard, lambda _address: None, alive)

        def ended(number: int) -> None:
            metrics.end_worker(directory, number)
            log.error("worker ended, starting another", worker=number)

        numbers = [*range(config.workers), *([METRICS] if listener is not None else [])]
        Children(lambda number, alive: _run(work(number, alive)), ended).keep(numbers, lambda: ready(address(config)))
