"""Rates: what a minute costs to the numbers that begin with a prefix."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Access, Base, Price, UtcDateTime, ascii_string, field
from models.tariff import LARGEST_PRICE

PREFIX_LENGTH = 32
LONGEST_INTERVAL = 86400


def _price(doc: str, **options: Any) -> Any:
    return field(Price, low=0, high=LARGEST_PRICE, doc=doc, **options)


def _interval(doc: str, **options: Any) -> Any:
    return field(Integer, low=1, high=LONGEST_INTERVAL, doc=doc, **options)


class Rate(Base):
    """
    What calls to the numbers that begin with a prefix cost by a tariff, from a moment on.

    A rate ends when it expires or the next of its prefix begins, whichever is first: two of one prefix are never valid
    at once. Whose it is, its tariff says. The unique key finds the rates of a prefix in the order in which they begin.
    """

    __tablename__ = "rates"
    __table_args__ = (
        UniqueConstraint("i_tariff", "prefix", "activation_date"),
        CheckConstraint("expiration_date > activation_date", name="life"),
        Base.__table_args__,
    )

    i_rate: Mapped[int] = field(Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the rate.", example=17)
    i_tariff: Mapped[int] = field(
        ForeignKey("tariffs.i_tariff", ondelete="CASCADE"),
        access=Access.READ_ONLY,
        doc="The tariff to which it belongs.",
        example=5,
    )
    prefix: Mapped[str] = field(
        ascii_string(PREFIX_LENGTH),
        access=Access.REQUIRED,
        limit=PREFIX_LENGTH,
        check="number_prefix",
        doc="With what the called numbers begin; digits. Of all prefixes that a number begins with the longest counts.",
        example="4930",
    )
    price_1: Mapped[Decimal] = _price(
        "Price of a minute while the first interval lasts.", access=Access.REQUIRED, example=Decimal("0.0195")
    )
    price_n: Mapped[Decimal] = _price(
        "Price of a minute from then on. Left out at creation: price_1.", example=Decimal("0.0195")
    )
    interval_1: Mapped[int] = _interval("Length of the first interval, in seconds.", default=1, example=30)
    interval_n: Mapped[int] = _interval(
        "Length of each further interval, in seconds; one that has begun is paid.", default=1, example=6
    )
    forbidden: Mapped[bool] = field(
        Boolean, default=False, doc="Whether such numbers must not be called.", example=False
    )
    grace_period_enable: Mapped[bool] = field(
        Boolean, default=False, doc="Whether the tariff's grace_period counts.", example=False
    )
    activation_date: Mapped[datetime] = field(
        UtcDateTime, doc="From when on it is valid. Left out at creation: now.", example=None
    )
    expiration_date: Mapped[datetime | None] = field(
        UtcDateTime, doc="Until when it is valid; nil: until the next rate of its prefix begins.", example=None
    )
    local_price_1: Mapped[Decimal | None] = _price("price_1 of local calls; nil: the same.", example=None)
    local_price_n: Mapped[Decimal | None] = _price("price_n of local calls; nil: the same.", example=None)
    local_interval_1: Mapped[int | None] = _interval("interval_1 of local calls; nil: the same.", example=None)
    local_interval_n: Mapped[int | None] = _interval("interval_n of local calls; nil: the same.", example=None)
    area_name: Mapped[str] = field(String(128), default="", doc="What the destination is called.", example="Berlin")
    i_upload: Mapped[int | None] = field(
        Integer, access=Access.READ_ONLY, doc="With which upload it came; nil: by itself.", example=None
    )
