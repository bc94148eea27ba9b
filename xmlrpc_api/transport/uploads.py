"""
Where files are sent, and reports on them fetched: `POST` or `PUT /upload/TOKEN`, `GET /upload/TOKEN`.

The token alone says who may. A file is the body itself, or the first part of a form that has a name of a file; it is
kept in the database as it comes, so that no more of it is in memory than one piece.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog
from aiohttp import MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from xmlrpc_api.call import Platform
from xmlrpc_api.config import Config
from xmlrpc_api.declaration.faults import Conflict, Fault, NotFound
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.outcome import to_fault
from xmlrpc_api.services.catalogue.bulk import files
from xmlrpc_api.services.catalogue.bulk.uploads import FOLDER
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import http

PATH = f"{FOLDER}/{{token}}"
NOT_THERE = "there is no such upload, or its time is over\n"
STATUS: dict[type[Fault], int] = {NotFound: 404, Conflict: 409}
MOST_AT_ONCE = 32
MOST_PARTS = 10
READ_BYTES = 65_536

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Files:
    """
    What is needed to keep files.

    Attributes:
        budget: For pieces of files; calls have another one, so that no slow file keeps them waiting.
    """

    platform: Platform
    database: Database
    budget: http.Budget = field(default_factory=lambda: http.Budget(MOST_AT_ONCE * files.PIECE_BYTES))


FILES = web.AppKey("FILES", Files)


def add_routes(app: web.Application) -> None:
    """Answer at the place for uploads."""
    app.router.add_get(PATH, report, allow_head=False)
    app.router.add_post(PATH, receive, expect_handler=http.expect)
    app.router.add_put(PATH, receive, expect_handler=http.expect)


async def report(request: web.Request) -> web.StreamResponse:
    """Answer the report on a file that was processed, as CSV."""
    known = request.app[FILES]
    found = await files.report_of(known.platform, known.database, request.match_info["token"])
    if found is None:
        raise web.HTTPNotFound(text=NOT_THERE)
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    async for piece in found:
        await response.write(piece)
    await response.write_eof()
    return response


_HEADERS = {
    "Content-Type": "text/csv; charset=utf-8",
    "Content-Disposition": 'attachment; filename="report.csv"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


async def receive(request: web.Request) -> web.StreamResponse:
    """Receive a file."""
    known = request.app[FILES]
    config = known.platform.config
    _demand_receivable(request, config)
    receiving = files.Receiving(known.platform, known.database, request.match_info["token"])
    client = http.client_of(request, config)
    try:
        await receiving.begin()
    except Exception as error:  # noqa: BLE001 (whatever it is, the client is told)
        raise _refused(error, request, client) from None
    is_kept = False
    try:
        size, digest = await _keep(request, receiving)
        is_kept = True
    except TimeoutError:
        raise http.closing(web.HTTPRequestTimeout(text="the file did not come in time\n")) from None
    except (ConnectionError, ValueError):
        raise http.closing(web.HTTPBadRequest(text="the file is not complete\n")) from None
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 (as above)
        raise _refused(error, request, client) from None
    finally:
        if not is_kept:
            await asyncio.shield(receiving.give_up())
    log.info("file received", size=size, sha256=digest, address=client.address)
    return web.json_response({"result": "OK", "size": size, "sha256": digest}, headers={"Cache-Control": "no-store"})


def _demand_receivable(request: web.Request, config: Config) -> None:
    codings = request.headers.getall("Content-Encoding", ())
    if any(coding.strip().lower() != "identity" for coding in codings):
        raise http.closing(web.HTTPUnsupportedMediaType(text="the file must not be compressed\n"))
    if (request.content_length or 0) > config.upload_limit:
        raise _too_long(config)


def _too_long(config: Config) -> web.HTTPException:
    return http.closing(web.HTTPRequestEntityTooLarge(config.upload_limit, text="the file is too long\n"))


def _refused(error: Exception, request: web.Request, client: http.Client) -> web.HTTPException:
    gate = request.app[http.GATE]
    fault = to_fault(error, http.new_origin(gate, client, Face.UPLOAD))
    status = STATUS.get(type(fault), 503)
    answers = {404: web.HTTPNotFound, 409: web.HTTPConflict}
    text = NOT_THERE if status == 404 else f"{fault.text}\n"  # noqa: PLR2004
    return http.closing(answers.get(status, web.HTTPServiceUnavailable)(text=text))


async def _keep(request: web.Request, receiving: files.Receiving) -> tuple[int, str]:
    """Keep a file as it comes; how long it is, and its SHA-256."""
    config, budget = request.app[FILES].platform.config, request.app[FILES].budget
    digest, size, waiting = hashlib.sha256(), 0, b""
    if not budget.take(files.PIECE_BYTES):
        raise http.closing(web.HTTPServiceUnavailable(text="too much is being received at once, try again later\n"))
    try:
        async with asyncio.timeout(config.upload_seconds), aclosing(_content(request)) as content:
            async for some in content:
                size += len(some)
                if size > config.upload_limit:
                    raise _too_long(config)
                digest.update(some)
                waiting += some
                while len(waiting) >= files.PIECE_BYTES:
                    await receiving.keep(waiting[: files.PIECE_BYTES])
                    waiting = waiting[files.PIECE_BYTES :]
            if not size:
                raise http.closing(web.HTTPBadRequest(text="there is no file in it\n"))
            await receiving.keep(waiting)
            await receiving.end(size, digest.hexdigest())
    finally:
        budget.give_back(files.PIECE_BYTES)
    return size, digest.hexdigest()


async def _content(request: web.Request) -> AsyncGenerator[bytes, None]:
    """The bytes of the file; of a form those of its first part that has the name of a file."""
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if not request.content_type.startswith("multipart/"):
        while some := await request.content.readany():
            yield some
        return
    try:
        form = await request.multipart()
        for _ in range(MOST_PARTS):
            part = await form.next()
            if part is None or isinstance(part, MultipartReader):
                return
            if part.filename is not None:
                while some := await part.read_chunk(READ_BYTES):
                    yield some
                return
            await part.release()
    except (AssertionError, HttpProcessingError, RuntimeError) as error:  # what aiohttp makes of rubbish
        raise ValueError("the form cannot be read") from error
