"""Vouchers: money on paper, each good for one account, once."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, Money, Signature, UtcDateTime, field


class Voucher(Base):
    """A voucher. Its PIN is kept as a signature: who makes vouchers is told it once."""

    __tablename__ = "vouchers"

    i_voucher: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the voucher.", example=7
    )
    i_customer: Mapped[int] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        access=Access.READ_ONLY,
        doc="Whose it is: good at that customer and below.",
        example=29,
    )
    series: Mapped[str] = field(String(64), access=Access.READ_ONLY, doc="Name of its series.", example="spring")
    number: Mapped[int] = field(Integer, access=Access.READ_ONLY, doc="Its number within the series.", example=1)
    pin: Mapped[str] = mapped_column(Signature("voucher"), index=True)
    value: Mapped[Decimal] = field(Money, access=Access.READ_ONLY, doc="What it is worth.", example=Decimal(10))
    currency: Mapped[str] = field(
        ForeignKey("currencies.code"), access=Access.READ_ONLY, doc="Currency of the value.", example="USD"
    )
    expires: Mapped[datetime | None] = field(
        UtcDateTime, access=Access.READ_ONLY, doc="Until when it is good; nil: there is no end."
    )
    created: Mapped[datetime] = field(UtcDateTime, access=Access.READ_ONLY, doc="When it was made.")
    used: Mapped[datetime | None] = field(
        UtcDateTime, access=Access.READ_ONLY, doc="When it was used; nil: it was not."
    )
    voided: Mapped[datetime | None] = field(
        UtcDateTime, access=Access.READ_ONLY, doc="Since when it is good for nothing; nil: it is not void."
    )
    i_account: Mapped[int | None] = field(
        Integer, access=Access.READ_ONLY, doc="The account that it was used for; nil: none."
    )

    __table_args__ = (
        UniqueConstraint("i_customer", "series", "number"),
        CheckConstraint("value > 0", name="value"),
        Index(None, "i_customer", "i_voucher"),
        Base.__table_args__,
    )
