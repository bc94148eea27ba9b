"""Minute plans: seconds to some destinations that a service plan includes."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.balance import LARGEST_AMOUNT
from models.base import Access, Base, Money, StringList, customer_of, field


class MinutePlan(Base):
    """Seconds of calls to some destinations, which accounts of a service plan may use in each cycle."""

    __tablename__ = "minute_plans"

    i_service_plan: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the minute plan.", example=8
    )
    i_customer: Mapped[int] = customer_of("The customer whose minute plan this is: that of the service plan.")
    i_billing_plan: Mapped[int] = field(
        ForeignKey("billing_plans.i_billing_plan"),
        index=True,
        access=Access.READ_ONLY,
        doc="The service plan to which it belongs.",
        example=5,
    )
    description: Mapped[str] = field(
        String(1024), access=Access.REQUIRED, check="not_empty", doc="Description.", example="Landlines"
    )
    prefixes: Mapped[list[str]] = field(
        StringList,
        access=Access.REQUIRED,
        check="prefixes",
        doc="Beginnings of the called numbers that it covers, digits, up to 500; the longest one that fits counts.",
        example=["43", "49"],
    )
    price: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        low=0,
        high=LARGEST_AMOUNT,
        doc="What an account pays for each cycle, in the currency of the service plan.",
        example=Decimal(5),
    )
    seconds_total: Mapped[int | None] = field(
        Integer, low=0, doc="How many seconds it holds for each cycle; nil: there is no limit.", example=60000
    )
    chargeable_seconds: Mapped[int] = field(
        Integer,
        default=0,
        low=0,
        doc="So many seconds at the beginning of each call are charged by the tariff all the same.",
        example=0,
    )


class MinuteUse(Base):
    """What an account has used of a minute plan in a cycle. It begins anew with each."""

    __tablename__ = "minute_uses"
    __table_args__ = ()

    i_account: Mapped[int] = mapped_column(ForeignKey("accounts.i_account", ondelete="CASCADE"), primary_key=True)
    i_service_plan: Mapped[int] = mapped_column(
        ForeignKey("minute_plans.i_service_plan", ondelete="CASCADE"), primary_key=True, index=True
    )
    begins: Mapped[date] = mapped_column(Date, primary_key=True, doc="First day of the cycle, in the account's zone.")
    seconds: Mapped[int] = mapped_column(BigInteger, doc="How many have been used.")
