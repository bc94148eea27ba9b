"""
Files that are sent for uploads, and reports on them: kept in the database in pieces, so that every process has them.

Whoever receives a file, or processes it, holds its upload for a while, which it renews; when it dies, others may.
"""

import secrets
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Update, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Upload, UploadPiece
from models.upload import FILE_UPLOADED, INIT_TOKEN
from xmlrpc_api.call import Platform
from xmlrpc_api.declaration.entity import table_of
from xmlrpc_api.declaration.faults import Conflict, NotFound
from xmlrpc_api.services.catalogue.bulk.uploads import Opened, opened
from xmlrpc_api.storage.database import Database

HOLD = timedelta(seconds=60)
PIECE_BYTES = 262_144
_PIECE = table_of(UploadPiece.__mapper__.columns["content"])


async def changed(session: AsyncSession, statement: Update) -> bool:
    """Whether a statement has changed a row."""
    done = await session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount > 0


def is_free(now: datetime) -> ColumnElement[bool]:
    """The condition for uploads that nobody holds."""
    return or_(Upload.held_until.is_(None), Upload.held_until < now)


class Receiving:
    """
    One file on its way in.

    Args:
        platform: Tells the time, and which tokens are ours.
        database: Where it is kept.
        token: With which it comes.
    """

    def __init__(self, platform: Platform, database: Database, token: str) -> None:
        self._platform = platform
        self._database = database
        self._token = token
        self._holder = secrets.token_hex(16)
        self._count = 0
        self._i_upload = 0

    async def begin(self) -> None:
        """
        Hold the upload, and forget what came of its file before.

        Raises:
            NotFound: The token is not one of ours, or its time is over.
            Conflict: Its file is there already, or is being received.
        """
        now = self._platform.clock()
        told = opened(self._platform.vault, self._token)
        if told is None or told.expires <= now.timestamp():
            raise NotFound(Upload)
        self._i_upload = told.i_upload
        async with self._database.write() as session:
            mine = (Upload.i_upload == told.i_upload, Upload.nonce == told.nonce, Upload.status == INIT_TOKEN)
            held = update(Upload).where(*mine, is_free(now)).values(holder=self._holder, held_until=now + HOLD)
            if not await changed(session, held):
                await self._refuse(session, told)
            await session.execute(delete(UploadPiece).where(UploadPiece.i_upload == told.i_upload))

    async def _refuse(self, session: AsyncSession, told: Opened) -> None:
        wanted = select(Upload.status).where(Upload.i_upload == told.i_upload, Upload.nonce == told.nonce)
        status = (await session.execute(wanted)).scalar_one_or_none()
        if status is None:
            raise NotFound(Upload)
        raise Conflict("Its file is being received" if status == INIT_TOKEN else "Its file is there already")

    async def keep(self, content: bytes) -> None:
        """
        Keep a piece.

        Raises:
            Conflict: Another one receives it now.
        """
        await self._go_on(held_until=self._platform.clock() + HOLD, content=content)

    async def end(self, size: int, sha256: str) -> None:
        """
        All of it is there.

        Raises:
            Conflict: Another one receives it now.
        """
        now = self._platform.clock().replace(microsecond=0)
        done = {"status": FILE_UPLOADED, "status_changed_on": now, "size": size, "sha256": sha256}
        await self._go_on(content=b"", held_until=None, holder=None, **done)

    async def _go_on(self, *, content: bytes, **values: Any) -> None:
        async with self._database.write() as session:
            if not await changed(session, self._mine().values(**values)):
                raise Conflict("Its file is being received again")
            if content:
                await keep_piece(session, self._i_upload, self._count, content, is_report=False)
                self._count += 1

    async def give_up(self) -> None:
        """Forget what came so far; the file may be sent again."""
        async with self._database.write() as session:
            if await changed(session, self._mine().values(holder=None, held_until=None)):
                await session.execute(delete(UploadPiece).where(UploadPiece.i_upload == self._i_upload))

    def _mine(self) -> Update:
        mine = (Upload.i_upload == self._i_upload, Upload.holder == self._holder, Upload.status == INIT_TOKEN)
        return update(Upload).where(*mine)


async def keep_piece(session: AsyncSession, i_upload: int, number: int, content: bytes, *, is_report: bool) -> None:
    """Keep a piece of a file, or of a report."""
    values = {"i_upload": i_upload, "number": number, "content": content, "is_report": is_report}
    await session.execute(_PIECE.insert().values(values))


async def keep_report(session: AsyncSession, i_upload: int, texts: Iterable[str]) -> None:
    """Replace a file by the report on it."""
    await session.execute(delete(UploadPiece).where(UploadPiece.i_upload == i_upload))
    number, waiting = 0, b""
    for text in texts:
        waiting += text.encode()
        if len(waiting) >= PIECE_BYTES:
            await keep_piece(session, i_upload, number, waiting, is_report=True)
            number, waiting = number + 1, b""
    if waiting:
        await keep_piece(session, i_upload, number, waiting, is_report=True)


async def pieces(database: Database, i_upload: int, *, is_report: bool) -> AsyncIterator[bytes]:
    """The pieces of a file, or of a report, in their order."""
    number = 0
    while True:
        wanted = (UploadPiece.i_upload == i_upload, UploadPiece.is_report == is_report, UploadPiece.number == number)
        async with database.read() as session:
            content = (await session.execute(select(UploadPiece.content).where(*wanted))).scalar_one_or_none()
        if content is None:
            return
        yield content
        number += 1


async def report_of(platform: Platform, database: Database, token: str) -> AsyncIterator[bytes] | None:
    """The report on the upload of a token; None if there is none."""
    told = opened(platform.vault, token)
    if told is None:
        return None
    wanted = select(Upload.i_upload).join(UploadPiece, UploadPiece.i_upload == Upload.i_upload)
    wanted = wanted.where(Upload.i_upload == told.i_upload, Upload.nonce == told.nonce, UploadPiece.is_report)
    async with database.read() as session:
        found = (await session.execute(wanted.limit(1))).scalar_one_or_none()
    return None if found is None else pieces(database, told.i_upload, is_report=True)
