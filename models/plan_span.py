"""On which service plan an account has been, from when to when; and what it was charged for that."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Money, UtcDateTime

BY_PLAN, BY_MINUTE_PLAN = "plan", "minutes"  # what a charge is for


class PlanSpan(Base):
    """
    A time in which an account was on one service plan without a break.

    Whoever changes the plan or blocks the account ends a span, and knows nothing of money. Billing charges what a span
    costs, day by day, and forgets it when it is over and paid.
    """

    __tablename__ = "plan_spans"

    i_plan_span: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_account: Mapped[int] = mapped_column(ForeignKey("accounts.i_account", ondelete="CASCADE"), index=True)
    i_billing_plan: Mapped[int] = mapped_column(
        ForeignKey("billing_plans.i_billing_plan", ondelete="CASCADE"), index=True
    )
    began: Mapped[datetime] = mapped_column(UtcDateTime)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="None: it goes on.")
    billed_until: Mapped[date | None] = mapped_column(
        Date, doc="The first day, in the account's zone, that has not been charged; None: nobody has looked yet."
    )
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True, doc="When billing is to look at it next.")
    suspended: Mapped[bool] = mapped_column(Boolean, default=False, doc="Whether it rests, for want of money.")
    needed: Mapped[Decimal] = mapped_column(
        Money, default=Decimal(0), doc="Of one that rests, what the account must have for it to go on."
    )

    __table_args__ = (
        Index(
            "uq_plan_spans_open",
            "i_account",
            unique=True,
            sqlite_where=text("ended IS NULL"),
            postgresql_where=text("ended IS NULL"),
        ),
        Index(
            "ix_plan_spans_suspended",
            "i_account",
            sqlite_where=text("suspended = 1"),
            postgresql_where=text("suspended"),
        ),
        Base.__table_args__,
    )


class PlanCharge(Base):
    """What an account was charged for some days of a span: one row for each thing, once."""

    __tablename__ = "plan_charges"

    i_plan_charge: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int] = mapped_column(Integer, index=True, doc="Whose account it was. No foreign key.")
    i_account: Mapped[int] = mapped_column(Integer, index=True, doc="Who was charged. No foreign key: it is kept.")
    i_plan_span: Mapped[int] = mapped_column(Integer, doc="No foreign key: the span is forgotten.")
    item: Mapped[str] = mapped_column(String(16), doc="For what: plan, or minutes.")
    i_item: Mapped[int] = mapped_column(Integer, doc="Its id.")
    begins: Mapped[date] = mapped_column(Date, doc="First day, in the account's zone.")
    ends: Mapped[date] = mapped_column(Date, doc="The day after the last.")
    amount: Mapped[Decimal] = mapped_column(Money, doc="What was taken, in the account's currency.")
    i_ledger: Mapped[int] = mapped_column(ForeignKey("ledger.i_ledger"), unique=True, doc="The booking.")
    refunded: Mapped[Decimal] = mapped_column(Money, default=Decimal(0), doc="What of it was given back.")
    i_ledger_refund: Mapped[int | None] = mapped_column(
        ForeignKey("ledger.i_ledger"), unique=True, doc="The booking that gave it back; None: nothing was."
    )

    __table_args__ = (UniqueConstraint("i_plan_span", "item", "i_item", "begins"), Base.__table_args__)
