"""Vouchers: money on paper, each good for one account, once."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Money, Signature, UtcDateTime


class Voucher(Base):
    """A voucher. Its PIN is kept as a signature: who makes vouchers is told it once."""

    __tablename__ = "vouchers"

    i_voucher: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int] = mapped_column(
        ForeignKey("customers.i_customer"),
        index=True,
        doc="Whose it is: good at that customer and below.",
    )
    series: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer, doc="Within the series.")
    pin: Mapped[str] = mapped_column(Signature("voucher"), index=True)
    value: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(ForeignKey("currencies.code"))
    expires: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    voided: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="Since when it is good for nothing.")
    i_account: Mapped[int | None] = mapped_column(Integer, doc="The account that it was used for. No foreign key.")

    __table_args__ = (
        UniqueConstraint("i_customer", "series", "number"),
        CheckConstraint("value > 0", name="value"),
        Base.__table_args__,
    )
