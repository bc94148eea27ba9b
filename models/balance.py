"""Money: balances and the append-only ledger that explains every one of them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, Money, UtcDateTime, field, one_default_per_customer

LARGEST_AMOUNT = 10**12


class Balance(Base):
    """
    A named sum of money in one currency. `balance` is the sum of its ledger rows, always.

    A balance outlives its owner: the ledger of a deleted customer stays readable.
    """

    __tablename__ = "balances"

    i_balance: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int] = mapped_column(
        Integer, index=True, doc="The owner's id. No foreign key: it is kept when the owner is deleted."
    )
    is_default: Mapped[bool] = mapped_column(Boolean, default=False, doc="Whether this is the owner's main balance.")
    name: Mapped[str] = mapped_column(String(64), default="")
    currency: Mapped[str] = field(
        ForeignKey("currencies.code"),
        access=Access.READ_ONLY,
        doc="Currency of balance and credit limit, ISO 4217. It is that of the tariff at creation.",
        example="USD",
    )
    balance: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        low=-LARGEST_AMOUNT,
        high=LARGEST_AMOUNT,
        doc="Money in hand, in the base currency; at create the initial balance.",
        example=Decimal("25.5"),
    )
    credit_limit: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        low=0,
        high=LARGEST_AMOUNT,
        doc="How far the balance may go below zero, in the base currency.",
        example=Decimal(100),
    )

    __table_args__ = (one_default_per_customer("balances"), Base.__table_args__)


class LedgerEntry(Base):
    """One booking. Rows are added, never changed or removed; the database refuses both."""

    __tablename__ = "ledger"

    i_ledger: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    i_balance: Mapped[int] = mapped_column(ForeignKey("balances.i_balance", ondelete="RESTRICT"), index=True)
    amount: Mapped[Decimal] = mapped_column(Money)
    balance_after: Mapped[Decimal] = mapped_column(Money)
    kind: Mapped[str] = mapped_column(String(32))
    i_customer_actor: Mapped[int | None] = mapped_column(Integer, doc="Who booked it; no foreign key, as above.")
    created: Mapped[datetime] = mapped_column(UtcDateTime)
