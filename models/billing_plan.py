"""Service plans: what accounts pay, cycle by cycle, and for what."""

from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Integer, String, false
from sqlalchemy.orm import Mapped

from models.balance import LARGEST_AMOUNT
from models.base import Access, Base, Money, customer_of, field

WEEKLY, BIWEEKLY, MONTHLY = 1, 2, 3  # billing cycles


class BillingPlan(Base):
    """A service plan by which accounts are charged; one without a customer is everybody's, and costs nothing."""

    __tablename__ = "billing_plans"
    thing = "Service plan"

    i_billing_plan: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the service plan.", example=5
    )
    i_tariff: Mapped[int | None] = field(
        ForeignKey("tariffs.i_tariff"),
        index=True,
        doc="Tariff of the accounts' calls, one of the customer's; nil is the customer's own.",
        example=None,
    )
    i_customer: Mapped[int | None] = customer_of("The customer whose plan this is; nil: it is everybody's.")
    name: Mapped[str] = field(
        String(128), access=Access.REQUIRED, check="not_empty", doc="Name of the plan.", example="Office"
    )
    description: Mapped[str | None] = field(String(1024), doc="Description.", example="Flat to landlines")
    suspend_all_calls: Mapped[bool] = field(
        Boolean,
        default=False,
        server_default=false(),
        doc="Whether an account whose plan is suspended may make no call at all; else its minute plans alone rest.",
        example=False,
    )
    billing_cycle: Mapped[int] = field(
        Integer,
        default=MONTHLY,
        server_default=str(MONTHLY),
        low=WEEKLY,
        high=MONTHLY,
        doc="How often accounts are charged: 1 weekly, 2 every two weeks, 3 monthly, from the day of their creation.",
        example=MONTHLY,
    )
    iso_4217: Mapped[str] = field(
        ForeignKey("currencies.code"),
        access=Access.READ_ONLY,
        server_default="USD",
        doc="Currency of the plan's prices: that of its tariff, or of its customer, when it was created.",
        example="USD",
    )
    prepaid: Mapped[bool] = field(
        Boolean,
        default=False,
        server_default=false(),
        doc="Whether fees are taken in advance, as far as there is money; else when a cycle is over, in any case.",
        example=False,
    )
    recurring_fee: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        server_default="0",
        low=0,
        high=LARGEST_AMOUNT,
        doc="What an account pays for each cycle, beside its minute plans.",
        example=Decimal("9.9"),
    )

    __table_args__ = (
        CheckConstraint("i_customer IS NOT NULL OR recurring_fee = 0", name="everybodys_is_free"),
        Base.__table_args__,
    )
