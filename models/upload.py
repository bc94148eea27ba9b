"""Uploads: files of many rows that are taken over at once, from the token to send them with to their result."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, customer_of

INIT_TOKEN, FILE_UPLOADED, PROCESSING, DONE, FAIL = "INIT_TOKEN", "FILE_UPLOADED", "PROCESSING", "DONE", "FAIL"
NONCE_LENGTH = 32
SHA256_LENGTH = 64


class Upload(Base):
    """
    One file, and what becomes of it.

    What it is to change is no foreign key: that may be gone when its time has come. Rows that came with it bear its id
    for ever. What a client may know of it, the methods say; its history are the events of its token and its import.
    """

    __tablename__ = "uploads"

    i_upload: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int] = customer_of("On whose behalf it is taken over.")
    i_upload_type: Mapped[int] = mapped_column(Integer)
    i_tariff: Mapped[int] = mapped_column(Integer, doc="Whose rates it holds.")
    effective_date: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When rates without a date begin.")
    close_missing: Mapped[bool] = mapped_column(Boolean, default=False)
    dry_run: Mapped[bool] = mapped_column(Boolean, default=False)
    nonce: Mapped[str] = mapped_column(String(NONCE_LENGTH), doc="Part of its token: no other row ever had it.")
    status: Mapped[str] = mapped_column(String(16))
    status_changed_on: Mapped[datetime] = mapped_column(UtcDateTime)
    process_on: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_on: Mapped[datetime] = mapped_column(UtcDateTime)
    holder: Mapped[str | None] = mapped_column(String(NONCE_LENGTH), doc="Who receives or processes it now.")
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When others may take it from who holds it.")
    attempts: Mapped[int] = mapped_column(Integer, default=0, doc="How often it was processed.")
    size: Mapped[int | None] = mapped_column(Integer, doc="Bytes.")
    sha256: Mapped[str | None] = mapped_column(String(SHA256_LENGTH))
    lines: Mapped[int] = mapped_column(Integer, default=0, doc="How many were read so far.")
    result: Mapped[str | None] = mapped_column(Text, doc="JSON: what it changed, or what is wrong with it.")

    __table_args__ = (Index(None, "status", "process_on"), Base.__table_args__)


class UploadPiece(Base):
    """A piece of a file that was sent, until it is processed, or of the report on it."""

    __tablename__ = "upload_pieces"
    __table_args__ = ()

    i_upload: Mapped[int] = mapped_column(ForeignKey("uploads.i_upload", ondelete="CASCADE"), primary_key=True)
    is_report: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
