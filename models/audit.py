"""The change history: one row for every change and every login event, sealed into a chain."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Signature, UtcDateTime, ascii_string
from models.customer import PATH_LENGTH

HEAD = 1

_BIG = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Base):
    """
    What happened to one object, by whom and from where.

    Rows are added and sealed once, never changed or removed; the database refuses it. `mac` signs the
    row itself, `hash` the row together with the one sealed before it.
    """

    __tablename__ = "audit_log"

    i_audit: Mapped[int] = mapped_column(_BIG, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, doc="Random; part of what is signed.")
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    i_customer: Mapped[int] = mapped_column(Integer, doc="Whom it concerns; no foreign key: history outlives it.")
    scope: Mapped[str] = mapped_column(
        ascii_string(PATH_LENGTH), doc="Ids from the root down to i_customer, each followed by a dot."
    )
    i_customer_actor: Mapped[int] = mapped_column(Integer, doc="On whose behalf the call ran.")
    trusted: Mapped[bool] = mapped_column(Boolean, doc="Whether a trusted host called, without credentials.")
    address: Mapped[str] = mapped_column(String(45))
    dialect: Mapped[str] = mapped_column(String(16))
    request_id: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[int | None] = mapped_column(_BIG)
    before: Mapped[str | None] = mapped_column(Text, doc="JSON: what changed, as it was.")
    after: Mapped[str | None] = mapped_column(Text, doc="JSON: what changed, as it became.")
    mac: Mapped[str] = mapped_column(Signature("audit row"))
    seq: Mapped[int | None] = mapped_column(_BIG, unique=True, doc="Place in the chain; nil until sealed.")
    hash: Mapped[str | None] = mapped_column(Signature("audit chain"))

    __table_args__ = (
        Index(None, "scope", "i_audit"),
        Index(None, "created"),
        Index(None, "object_type", "object_id", "i_audit"),
        Index(
            "ix_audit_log_unsealed",
            "i_audit",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
        Base.__table_args__,
    )


class AuditHead(Base):
    """The newest link of the chain, in one row; who seals holds its lock."""

    __tablename__ = "audit_head"
    __table_args__ = ()

    i_audit_head: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(_BIG)
    hash: Mapped[str] = mapped_column(Signature("audit chain"))
