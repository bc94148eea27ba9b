"""The outbox: mails that are to be sent, and what became of them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, StringList, UtcDateTime

ADDRESS_LENGTH = 320
PROBLEM_LENGTH = 255


class Mail(Base):
    """
    One mail. Its content is kept until it is sent, or given up; that it was there, for as long as mails are counted.

    It is no object of the API: what became of it is the outbox's, and the history tells who asked for it.
    """

    __tablename__ = "mails"

    i_mail: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    i_customer: Mapped[int] = mapped_column(
        ForeignKey("customers.i_customer", ondelete="CASCADE"), doc="On whose behalf it is sent."
    )
    kind: Mapped[str] = mapped_column(String(32), doc="What asked for it: each kind is counted by itself.")
    created: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    sender: Mapped[str] = mapped_column(String(ADDRESS_LENGTH), doc="Who is told when it cannot be delivered.")
    recipients: Mapped[list[str]] = mapped_column(StringList, doc="Who has not got it yet, blind copies included.")
    content: Mapped[bytes | None] = mapped_column(LargeBinary, doc="As it is sent; nil: it was, or was given up.")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True, doc="When to try next; nil: not any more.")
    sent: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When it was taken by the mail server.")
    problem: Mapped[str | None] = mapped_column(String(PROBLEM_LENGTH), doc="Why the last attempt failed.")

    __table_args__ = (Index(None, "i_customer", "kind", "created"), Base.__table_args__)
