"""Counters of wrong passwords, in the database, so that every process sees them."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime

KEY_DIGITS = 64


class Throttle(Base):
    """How often something went wrong of late, for a login, an address or a caller."""

    __tablename__ = "throttles"
    __table_args__ = ()

    key: Mapped[str] = mapped_column(
        String(KEY_DIGITS), primary_key=True, doc="Keyed hash of what is counted: it may hold a mistyped password."
    )
    failures: Mapped[int] = mapped_column(Integer, default=0, doc="Since `since`.")
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    last: Mapped[datetime] = mapped_column(UtcDateTime, index=True, doc="When the last failure was.")
    locks: Mapped[int] = mapped_column(Integer, default=0, doc="How often in a row it was locked; each lasts longer.")
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
