"""Tariffs: by what a customer pays, in which currency."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped

from models.base import Access, Base, Exact, Money, Price, customer_of, field

LARGEST_PRICE = 10**8  # one with ten places fits into 64 bits
LONGEST_CALL = 10**6  # in seconds
TARIFF_TYPES = (1, 2)  # a tariff, and one for incoming calls


def _price(doc: str, **options: Any) -> Any:
    return field(Price, default=Decimal(0), server_default="0", low=0, high=LARGEST_PRICE, doc=doc, **options)


def _seconds(default: int, doc: str, **options: Any) -> Any:
    bounds = {"low": 0, "high": LONGEST_CALL, **options}
    return field(Integer, default=default, server_default=str(default), doc=doc, **bounds)


def _switch(doc: str) -> Any:
    return field(Boolean, default=False, server_default=false(), doc=doc, example=False)


class Tariff(Base):
    """A tariff, owned by the customer who assigns it to its sub-customers."""

    __tablename__ = "tariffs"
    __table_args__ = (UniqueConstraint("i_customer", "name"), Base.__table_args__)

    i_tariff: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the tariff.", example=5
    )
    i_customer: Mapped[int] = customer_of("The owner: that customer and nobody else assigns it.", is_pointed_at=True)
    name: Mapped[str] = field(
        String(128), access=Access.REQUIRED, check="not_empty", doc="Name; unique for its owner.", example="Retail"
    )
    currency: Mapped[str] = field(
        ForeignKey("currencies.code"),
        access=Access.REQUIRED,
        check="currency",
        doc="Currency of all its prices, ISO 4217. It cannot be changed.",
        example="USD",
    )
    i_tariff_type: Mapped[int] = field(
        Integer,
        default=1,
        server_default="1",
        low=min(TARIFF_TYPES),
        high=max(TARIFF_TYPES),
        doc="1 tariff, 2 incoming tariff; see getDictionary, tariff_types. It cannot be changed.",
        example=1,
    )
    connect_fee: Mapped[Decimal] = _price("Price of each call that is charged, beside that of its time.")
    free_seconds: Mapped[int] = _seconds(0, "Seconds at the beginning of each call that cost nothing.", example=0)
    post_call_surcharge: Mapped[Decimal] = field(
        Exact,
        default=Decimal(0),
        server_default="0",
        low=0,
        high=1_000_000,
        doc="By how much the price of each call is raised in the end, in per cent.",
        example=Decimal(5),
    )
    grace_period: Mapped[int] = _seconds(
        0,
        "Calls up to so many seconds cost nothing, by rates that have grace_period_enable.",
        example=3,
    )
    loss_protection: Mapped[bool] = _switch(
        "Whether a call is refused that would be sold for less than it costs by more than max_loss."
    )
    max_loss: Mapped[Decimal | None] = field(
        Money,
        low=0,
        high=LARGEST_PRICE,
        doc="The loss in a minute that loss_protection allows, in the tariff's currency; nil: none.",
        example=Decimal("0.01"),
    )
    cost_round_up: Mapped[bool] = _switch("Whether the price of a call is rounded up; otherwise half to even.")
    decimal_precision: Mapped[int] = field(
        Integer,
        default=20,
        server_default="20",
        low=0,
        high=20,
        doc="To how many decimals the price of a call is rounded; above 6 means 6.",
        example=20,
    )
    average_duration: Mapped[int] = _seconds(
        200, "Seconds of an average call: what loss_protection compares prices by.", low=1, example=200
    )
    local_calling: Mapped[bool] = _switch(
        "Whether calls within one local area are priced by the local prices and intervals of their rate."
    )
    local_calling_cli_validation_rule: Mapped[str] = field(
        String(255),
        default="",
        server_default="",
        check="match_rule",
        doc="What the caller's number must match for a call to be local, as checkMatchRule has it; empty: any does.",
        example="^4930",
    )
