"""Listens: one process or several on the same port, until a signal ends them in good order."""

import asyncio
import fcntl
import gc
import os
import resource
import signal
import ssl
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.engine import make_url

from xmlrpc_api import logs, metrics
from xmlrpc_api.app import create_app, create_soap_app
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.digest import ReplayGuard
from xmlrpc_api.transport.protocol import Runner

GARBAGE_THRESHOLD = 20_000
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
    with _alone(config):
        if config.workers == 1:
            _run(_serve_one(config, guard, ready))
        else:
            _supervise(config, guard, ready)


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
    config: Config, guard: ReplayGuard, ready: Callable[[str], None], alive: int | None = None
) -> None:
    logs.configure(config, final=True)
    app = create_app(config, guard)
    runner = Runner(app, config)
    await runner.setup()
    runners: list[web.AppRunner] = [runner]
    try:
        if config.ngnpro_port is not None:  # first: who finds the main port open finds this one open as well
            runners.insert(0, await _start_soap(app, config, share_port=alive is not None))
        await _site(runner, config, share_port=alive is not None).start()
    except OSError as error:
        for running in runners:
            await running.cleanup()
        raise ConfigError(f"Cannot listen: {error.strerror or error}. Is another server running?") from None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if alive is not None:
        asyncio.get_running_loop().add_reader(alive, stop.set)
    _spare_garbage_collection()
    ready(address(config, runner))
    log.info("listening", address=address(config, runner))
    await stop.wait()
    log.info("stopping")
    for running in runners:
        await running.cleanup()


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


def _supervise(config: Config, guard: ReplayGuard, ready: Callable[[str], None]) -> None:
    """Fork the workers and start those again that die; end with them."""
    if config.port == 0 and config.socket is None:
        raise ConfigError("port: several workers need a fixed port")
    logs.configure(config)
    alive, held = os.pipe()  # nothing is ever written: it ends when this process does
    with tempfile.TemporaryDirectory(prefix="xmlrpc-api-metrics-") as directory:
        os.environ[metrics.WORKERS_DIRECTORY] = directory
        children = {_fork(config, guard, alive, held): number for number in range(config.workers)}
        stopping = False

        def stop(_number: int, _frame: object) -> None:
            nonlocal stopping
            stopping = True
            for child in children:
                os.kill(child, signal.SIGTERM)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        ready(address(config))
        while children:
            child, _status = os.wait()
            number = children.pop(child, None)
            if number is not None and not stopping:
                log.error("worker ended, starting another", worker=number)
                children[_fork(config, guard, alive, held)] = number
        os.environ.pop(metrics.WORKERS_DIRECTORY, None)


def _fork(config: Config, guard: ReplayGuard, alive: int, held: int) -> int:
    """Start a worker; it ends by itself when the parent, who holds the other end of `alive`, is gone."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.close(held)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _run(_serve_one(config, guard, lambda _address: None, alive=alive))
        code = 0
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    finally:
        os._exit(code)
