"""Puts the pieces together: configuration in, an aiohttp application out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from aiohttp import hdrs, web

import handlers  # noqa: F401 (publishes the methods)
from xmlrpc_api import background
from xmlrpc_api.access.authenticator import Authenticator
from xmlrpc_api.access.digest import ReplayGuard
from xmlrpc_api.access.trusted_hosts import TrustedHosts
from xmlrpc_api.call import Platform, new_platform
from xmlrpc_api.config import Config
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.fresh import Fresh
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import http, pages, rest, soap, uploads, xmlrpc
from xmlrpc_api.transport.protocol import SERVER_NAME


def create_app(config: Config, guard: ReplayGuard | None = None) -> web.Application:
    """
    The server as an aiohttp application.

    Args:
        config: The settings.
        guard: Replay protection shared with other workers; one of its own if left out.

    Raises:
        ConfigError: The key is missing or unusable.
    """
    platform = new_platform(config)
    app = web.Application(client_max_size=config.body_limit)
    app.router.add_post(xmlrpc.PATH, xmlrpc.Gateway, expect_handler=http.expect)
    app.router.add_get(rest.PATH, rest.gateway, allow_head=False)
    app.router.add_post(rest.PATH, rest.gateway, expect_handler=http.expect)
    soap.add_routes(app, soap.FOLDER)
    uploads.add_routes(app)
    app.router.add_get("/docs", pages.docs)
    _add_health(app)
    _tell_where(
        app, f"XML-RPC is at POST {xmlrpc.PATH}, JSON at GET or POST {rest.PATH}, NGNPro's SOAP at POST {soap.PATH}"
    )
    app.on_response_prepare.append(_hide_version)

    app.cleanup_ctx.append(partial(_at_work, platform, guard or ReplayGuard()))
    return app


async def _at_work(platform: Platform, guard: ReplayGuard, app: web.Application) -> AsyncIterator[None]:
    """What is there while the application serves: the database, the gate, and what is done in the background."""
    database = Database(platform.config)
    app[uploads.FILES] = uploads.Files(platform, database)
    app[pages.DATABASE] = database
    app[pages.READINESS] = Fresh(lambda: pages.readiness(database))
    trusted = TrustedHosts(platform, database)
    app[http.GATE] = http.Gate(
        platform.config,
        Dispatcher(platform, database),
        Authenticator(platform, database, guard),
        trusted,
        http.Budget(platform.config.body_budget),
    )
    stopping = asyncio.Event()
    task = asyncio.create_task(background.run(platform, database, trusted, stopping))
    yield
    await background.stop(task, stopping)
    platform.hasher.close()
    await database.close()
    guard.close()


def create_soap_app(app: web.Application) -> web.Application:
    """NGNPro's SOAP alone, for a listener of its own; it shares what `app`, which is running, has."""
    alone = web.Application(client_max_size=app[http.GATE].config.body_limit)
    alone[http.GATE] = app[http.GATE]
    soap.add_routes(alone, "")
    _tell_where(alone, "NGNPro's SOAP is at POST /, its description at GET /wsdl")
    alone.on_response_prepare.append(_hide_version)
    return alone


def create_metrics_app(database: Database, text: Callable[[], bytes], keeps: float = 1) -> web.Application:
    """
    Metrics and health, for a listener of their own.

    Args:
        database: Whose readiness is told.
        text: Makes the metrics, in a thread: it takes a while.
        keeps: For how many seconds all who ask are told the same.
    """
    app = web.Application()
    app[pages.READINESS] = Fresh(lambda: pages.readiness(database), keeps)
    app[pages.METRICS] = Fresh(lambda: asyncio.to_thread(text), keeps)
    _add_health(app)
    app.router.add_get("/metrics", pages.show_metrics)
    app.on_response_prepare.append(_hide_version)
    return app


def _tell_where(app: web.Application, where: str) -> None:
    """Answer what is asked at another place, or in another way, with where the API is."""

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        found = [await resource.resolve(request) for resource in request.app.router.resources()]
        allowed = {method for _match, methods in found for method in methods} - {hdrs.METH_ANY}
        if not allowed:
            raise web.HTTPNotFound(text=f"There is nothing here: {where}\n")
        raise web.HTTPMethodNotAllowed(request.method, allowed, text=f"Not by {request.method}: {where}\n")

    app.router.add_route(hdrs.METH_ANY, "/{path:.*}", elsewhere)


def _add_health(app: web.Application) -> None:
    app.router.add_get("/healthz", pages.healthz)
    app.router.add_get("/readyz", pages.readyz)


async def _hide_version(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_NAME
