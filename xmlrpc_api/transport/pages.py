"""Pages for people and machines that are not calls: the reference, health, readiness and metrics."""

import asyncio
from functools import cache

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import select

from models import ROOT_ID, Customer
from xmlrpc_api.declaration import faults, manual
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.fresh import Fresh
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import plain_json, rest, xml_writer, xmlrpc

PIECE_BYTES = 65_536
READY_SECONDS = 2
NOT_READY = "the database does not answer, or is empty"
NOT_WRITABLE = "nothing can be written: the database may only be read, or is full"
ROOT = select(Customer.i_customer).where(Customer.i_customer == ROOT_ID)
DATABASE = web.AppKey("DATABASE", Database)
READINESS = web.AppKey("READINESS", Fresh[str | None])
METRICS = web.AppKey("METRICS", Fresh[bytes])


@cache
def reference_page() -> bytes:
    """The HTML reference of every method, made from the registry."""
    environment = Environment(
        loader=PackageLoader("xmlrpc_api.transport"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    general = {(fault.code, fault.summary) for fault in faults.Fault.__subclasses__()}
    return (
        environment.get_template("reference.html")
        .render(
            methods=[METHODS[name] for name in sorted(METHODS)],
            faults=sorted(general, key=lambda item: (item[0] > 0, abs(item[0]), item[1])),
            request=lambda method: xml_writer.dumps_call(method.name, manual.example_params(method)).decode(),
            answer=lambda method: xml_writer.dumps(manual.example_answer(method)).decode(),
            json=lambda method: plain_json.dumps(manual.example_params(method)),
            xmlrpc_path=xmlrpc.PATH,
            rest_path=rest.PATH,
        )
        .encode()
    )


async def docs(request: web.Request) -> web.StreamResponse:
    """`GET /docs`, piece by piece: of who does not read it no more is kept than one."""
    page = reference_page()
    response = web.StreamResponse()
    response.content_type, response.charset, response.content_length = "text/html", "utf-8", len(page)
    await response.prepare(request)
    for start in range(0, len(page), PIECE_BYTES):
        await response.write(page[start : start + PIECE_BYTES])
    await response.write_eof()
    return response


async def healthz(_request: web.Request) -> web.Response:
    """`GET /healthz`: the process is alive. Does not touch the database."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """`GET /readyz`: calls can be served: the database answers, holds the root customer, and keeps changes."""
    problem = await request.app[READINESS].get()
    return web.Response(text="ready\n") if problem is None else web.Response(status=503, text=f"{problem}\n")


async def readiness(database: Database) -> str | None:
    """Why calls cannot be served; None if they can."""
    check = asyncio.ensure_future(_problem(database))
    await asyncio.wait([check], timeout=READY_SECONDS)
    if not check.done():
        check.cancel()  # and not waited for: to give a connection up may take longer still
        return NOT_READY
    return check.result() if check.exception() is None else NOT_READY


async def _problem(database: Database) -> str | None:
    async with database.read() as session:
        (await session.execute(ROOT)).one()
    return None if await database.is_writable() else NOT_WRITABLE


async def show_metrics(request: web.Request) -> web.Response:
    """`GET /metrics`, for Prometheus."""
    return web.Response(body=await request.app[METRICS].get(), content_type="text/plain", charset="utf-8")
