"""Calls that were made with an idempotency key, and what they were answered."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, Signature, UtcDateTime, field

KEY_LENGTH = 255


class IdempotencyKey(Base):
    """One call that may be sent again: the same content gets the same answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = ()

    i_customer: Mapped[int] = mapped_column(
        ForeignKey("customers.i_customer", ondelete="CASCADE"), primary_key=True, doc="Who made the call."
    )
    idempotency_key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    content: Mapped[str] = mapped_column(Signature("idempotency"), doc="Signature of method and parameters.")
    answer: Mapped[str | None] = field(sealed=True, access=Access.HIDDEN, doc="It may hold a new password.")
    created: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
