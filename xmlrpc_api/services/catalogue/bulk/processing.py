"""
Files that have come are taken over in the background, each once.

The file is read without a transaction; meanwhile whoever does it renews its hold. Then one transaction takes the file
over, says so, and puts the report in its place: a process that dies before its end has done nothing, and another one
begins anew; none does it twice.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import and_, delete, or_, select, update

from models import Upload, UploadPiece
from models.upload import DONE, FAIL, FILE_UPLOADED, INIT_TOKEN, PROCESSING
from xmlrpc_api.call import Call, Platform
from xmlrpc_api.declaration.faults import Fault, InternalError, Unavailable
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.catalogue.bulk import files, notice
from xmlrpc_api.services.catalogue.bulk.columns import SHEET
from xmlrpc_api.services.catalogue.bulk.importing import Wanted, take
from xmlrpc_api.services.catalogue.bulk.merging import Merged
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database
from xmlrpc_api.tabular.sheet import Table, Wrong

T = TypeVar("T")
Work = Callable[[Call], Awaitable[T]]
Perform = Callable[[Caller, Work[T]], Awaitable[T]]

MOST_ATTEMPTS = 3
RENEWAL_SECONDS = 2.0
WAIT = timedelta(seconds=10)  # before another attempt, when the database had no time
SHOWN = 100
KEPT = timedelta(days=7)
PRUNED = 100
GIVEN_UP = "it was begun several times, and never came to an end"


class LostError(Exception):
    """Another process has taken the upload over."""


async def next_one(platform: Platform, database: Database) -> Upload | None:
    """Hold the upload whose turn it is; None if there is none."""
    now = platform.clock()
    due = (Upload.status.in_((FILE_UPLOADED, PROCESSING)), Upload.process_on <= now, files.is_free(now))
    wanted = select(Upload).where(*due).order_by(Upload.process_on, Upload.i_upload).limit(1)
    async with database.read() as session:
        if (await session.execute(wanted)).first() is None:
            return None
    async with database.write() as session:
        held = wanted.with_for_update(skip_locked=True)
        upload = (await session.execute(held)).scalar_one_or_none()
        if upload is None:
            return None
        upload.status, upload.status_changed_on = PROCESSING, now.replace(microsecond=0)
        upload.attempts += 1
        upload.holder, upload.held_until = secrets.token_hex(16), now + files.HOLD
    return upload


async def process(platform: Platform, database: Database, upload: Upload, perform: Perform[None]) -> None:
    """
    Take a file over that is held.

    Args:
        platform: Tells the time.
        database: Where it is.
        upload: Whose file it is.
        perform: Runs a piece of work as one call of a customer.
    """
    if upload.attempts > MOST_ATTEMPTS or upload.expires_on <= platform.clock():
        why = GIVEN_UP if upload.attempts > MOST_ATTEMPTS else "its time is over"
        await _end(platform, database, upload, why)
        return
    caller = await ownership.load_caller(database, upload.i_customer)
    if caller is None:
        await _end(platform, database, upload, "the customer is blocked")
        return
    table = await _read(platform, database, upload)
    try:
        with suppress(LostError):
            await perform(caller, lambda call: _take(call, upload, table))
    except (Unavailable, InternalError):
        await _release(platform, database, upload)
    except Fault as fault:
        await _end(platform, database, upload, fault.text)


async def _read(platform: Platform, database: Database, upload: Upload) -> Table:
    content = [piece async for piece in files.pieces(database, upload.i_upload, is_report=False)]
    progress = {"lines": 0}
    reading = asyncio.create_task(asyncio.to_thread(SHEET.read, content, lambda lines: progress.update(lines=lines)))
    while not reading.done():
        await asyncio.wait([reading], timeout=RENEWAL_SECONDS)
        async with database.write() as session:
            held = {"held_until": platform.clock() + files.HOLD, "lines": progress["lines"]}
            await files.changed(session, update(Upload).where(_held(upload)).values(**held))
    return reading.result()


def _held(upload: Upload) -> Any:
    return and_(Upload.i_upload == upload.i_upload, Upload.holder == upload.holder)


async def _take(call: Call, upload: Upload, table: Table) -> None:
    """
    Take it over and say so, in one transaction.

    Raises:
        LostError: Somebody else holds it by now.
    """
    held = (await call.session.execute(select(Upload).where(_held(upload)).with_for_update())).scalar_one_or_none()
    if held is None:
        raise LostError
    wanted = Wanted(
        i_tariff=upload.i_tariff,
        i_upload=upload.i_upload,
        effective=upload.effective_date,
        close_missing=upload.close_missing,
        dry_run=upload.dry_run,
        details={"sha256": upload.sha256, "size": upload.size},
    )
    merged = await take(call, wanted, table)
    wrong = sorted([*table.wrong, *merged.wrong], key=lambda one: one.line)
    texts = notice.of_wrong(wrong) if wrong else notice.of_changes(merged.changes)
    held.status, held.status_changed_on = FAIL if wrong else DONE, call.now.replace(microsecond=0)
    held.lines, held.result = len(table.lines) + len(table.wrong), told(merged, wrong)
    held.holder = held.held_until = None
    await files.keep_report(call.session, upload.i_upload, texts)


def told(merged: Merged | None, wrong: Iterable[Wrong]) -> str:
    """What has come of a file, as it is kept."""
    lines = [{"line": one.line, "why": one.why} for one in wrong]
    changes = merged.counts if merged is not None and not lines else {}
    return audit.as_json({"changes": changes, "wrong": lines[:SHOWN], "wrong_count": len(lines)})


async def _release(platform: Platform, database: Database, upload: Upload) -> None:
    """Let it be tried again, after a while."""
    async with database.write() as session:
        later = update(Upload).where(_held(upload)).values(holder=None, held_until=platform.clock() + WAIT)
        await files.changed(session, later)


async def _end(platform: Platform, database: Database, upload: Upload, why: str) -> None:
    """It cannot be taken over."""
    wrong = [Wrong(0, why)]
    now = platform.clock().replace(microsecond=0)
    ended = {"status": FAIL, "status_changed_on": now, "holder": None, "held_until": None}
    async with database.write() as session:
        if await files.changed(session, update(Upload).where(_held(upload)).values(result=told(None, wrong), **ended)):
            await files.keep_report(session, upload.i_upload, notice.of_wrong(wrong))


async def prune(database: Database, now: datetime) -> int:
    """
    Forget reports that are old, and uploads of which nothing has come; some of them, how many.

    What rates came with stays: they bear its id.
    """
    nothing = or_(
        and_(Upload.status == INIT_TOKEN, Upload.expires_on < now),
        and_(
            or_(Upload.status == FAIL, Upload.dry_run),
            Upload.status_changed_on < now - KEPT,
            Upload.status.in_((FAIL, DONE)),
        ),
    )
    old = (
        select(UploadPiece.i_upload)
        .join(Upload, Upload.i_upload == UploadPiece.i_upload)
        .where(Upload.status.in_((DONE, FAIL)), Upload.status_changed_on < now - KEPT)
        .distinct()
    )
    async with database.write() as session:
        gone = (await session.execute(select(Upload.i_upload).where(nothing).limit(PRUNED))).scalars().all()
        reports = (await session.execute(old.limit(PRUNED))).scalars().all()
        await session.execute(delete(UploadPiece).where(UploadPiece.i_upload.in_([*gone, *reports])))
        await session.execute(delete(Upload).where(Upload.i_upload.in_(gone)))
    return len(gone) + len(reports)
