"""DID charging groups: what a DID costs."""

from decimal import Decimal

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Access, Base, Money, customer_of, field

MONTHLY = 3


class DidChargingGroup(Base):
    """What a customer demands for each DID that it lets others use, once and for each billing cycle."""

    __tablename__ = "did_groups"
    thing = "DID charging group"
    __table_args__ = (UniqueConstraint("i_customer", "name"), Base.__table_args__)

    i_dids_charging_group: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the charging group.", example=3
    )
    i_customer: Mapped[int] = customer_of("The customer whose charging group this is.")
    name: Mapped[str] = field(
        String(128),
        access=Access.REQUIRED,
        check="not_empty",
        doc="Name; unique among the groups of its customer.",
        example="Berlin",
    )
    currency: Mapped[str] = field(
        ForeignKey("currencies.code"),
        access=Access.REQUIRED,
        check="currency",
        doc="Currency of its fees, ISO 4217.",
        example="EUR",
    )
    setup_fee: Mapped[Decimal] = field(
        Money, default=Decimal(0), low=0, high=10**9, doc="What is paid once for each DID.", example=Decimal(5)
    )
    recurring_fee: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        low=0,
        high=10**9,
        doc="What is paid for each DID and billing cycle.",
        example=Decimal("1.5"),
    )
    billing_cycle: Mapped[int] = field(
        Integer,
        default=MONTHLY,
        low=1,
        high=MONTHLY,
        doc="How often: 1 each week, 2 every other week, 3 each month.",
        example=MONTHLY,
    )
    description: Mapped[str] = field(String(1024), default="", doc="Description.", example="")
