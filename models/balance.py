"""Money: balances and the append-only ledger that explains every one of them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, Factor, Money, UtcDateTime, field, one_default_per_customer

LARGEST_AMOUNT = 10**12
LARGEST_FUNDED = 8 * LARGEST_AMOUNT  # one more payment still fits into 64 bits

_BIG = BigInteger().with_variant(Integer, "sqlite")


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
    i_account: Mapped[int | None] = mapped_column(
        Integer, index=True, unique=True, doc="The owner's account whose balance this is. No foreign key, likewise."
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
    funded: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        server_default="0",
        low=0,
        high=LARGEST_FUNDED,
        access=Access.HIDDEN,
        doc="What the one above has paid in and may get back, in its currency; 0 below the root and for accounts.",
    )
    funded_opening: Mapped[Decimal] = field(
        Money,
        default=Decimal(0),
        server_default="0",
        low=0,
        high=LARGEST_FUNDED,
        access=Access.HIDDEN,
        doc="What `funded` began with for balances that are older than it.",
    )

    threshold: Mapped[Decimal | None] = field(
        Money,
        low=-LARGEST_AMOUNT,
        high=LARGEST_AMOUNT,
        doc="Falling below this balance writes an event; nil: never.",
        example=Decimal(5),
    )
    notify_by_email: Mapped[bool] = field(
        Boolean, default=False, doc="Whether the event asks for an e-mail to the customer.", example=True
    )
    charge_card: Mapped[bool] = field(
        Boolean, default=False, doc="Whether the event asks for a charge of the customer's card."
    )
    charge_amount: Mapped[Decimal] = field(
        Money, default=Decimal(0), low=0, high=LARGEST_AMOUNT, doc="How much to charge, in the base currency."
    )
    notification_retry_count: Mapped[int] = field(
        Integer, default=0, low=0, high=100, doc="How often a failed notification is tried again."
    )
    notification_retry_interval: Mapped[int | None] = field(
        Integer, low=1, high=86400 * 30, doc="Time between two tries, in seconds; nil leaves it to the notifier."
    )

    br_charge_card: Mapped[bool] = field(
        Boolean,
        default=False,
        server_default=false(),
        doc="Of an account: whether a card is charged before a billing run, if the balance does not suffice for it.",
    )
    br_charge_amount: Mapped[Decimal | None] = field(
        Money,
        low=0,
        high=LARGEST_AMOUNT,
        doc="Of an account: how much then, in the base currency; nil: what is needed.",
    )

    __table_args__ = (one_default_per_customer("balances"), Base.__table_args__)


def _of_payments(*names: str) -> Index:
    """
    An index of payments alone.

    One that begins with an owner goes on with the id: beside another that does, a database might choose to sort.
    """
    is_payment = text("i_payee IS NOT NULL")
    return Index(None, *names, sqlite_where=is_payment, postgresql_where=is_payment)


class LedgerEntry(Base):
    """One booking. Rows are added, never changed or removed; the database refuses both."""

    __tablename__ = "ledger"
    thing = "Payment"

    i_ledger: Mapped[int] = field(_BIG, primary_key=True, access=Access.READ_ONLY, doc="Id of the booking.", example=7)
    i_balance: Mapped[int] = mapped_column(ForeignKey("balances.i_balance", ondelete="RESTRICT"))
    amount: Mapped[Decimal] = field(
        Money,
        access=Access.READ_ONLY,
        doc="What was added to the balance, in its currency; negative: taken.",
        example=Decimal("20.12"),
    )
    balance_after: Mapped[Decimal] = field(
        Money, access=Access.READ_ONLY, doc="The balance after this booking.", example=Decimal("45.62")
    )
    funded_change: Mapped[Decimal | None] = field(
        Money,
        access=Access.READ_ONLY,
        doc="By how much it changed what the one above has paid in and may get back, in its currency; "
        "nil: it was booked before that was kept.",
        example=Decimal("20.12"),
    )
    kind: Mapped[str] = field(
        String(16),
        access=Access.READ_ONLY,
        doc="initial or set (createCustomer, updateCustomer), funds, credit, debit (payments), voucher, "
        "payer (the other side of a sub-customer's payment), transfer, "
        "fee (of a service plan, or what of it came back), "
        "closed (what had been paid in is written off at a deletion).",
        example="funds",
    )
    i_customer_actor: Mapped[int | None] = field(
        Integer, access=Access.READ_ONLY, doc="On whose behalf it was booked.", example=1
    )
    notes: Mapped[str | None] = field(String(1024), access=Access.READ_ONLY, doc="Notes.", example="cash")
    payment_time: Mapped[datetime] = field(UtcDateTime, access=Access.READ_ONLY, doc="When the payment was made.")
    created: Mapped[datetime] = field(UtcDateTime, access=Access.READ_ONLY, doc="When it was booked.")
    paid_amount: Mapped[Decimal | None] = field(
        Money, access=Access.READ_ONLY, doc="The amount in the currency it was paid in.", example=Decimal("20.12")
    )
    paid_currency: Mapped[str | None] = field(
        String(3), access=Access.READ_ONLY, doc="The currency it was paid in.", example="USD"
    )
    rate: Mapped[Decimal | None] = field(
        Factor, access=Access.READ_ONLY, doc="By what paid_amount was multiplied to give amount.", example=Decimal(1)
    )
    i_ledger_source: Mapped[int | None] = field(
        _BIG,
        access=Access.READ_ONLY,
        doc="The booking that this one is the other side of.",
        example=None,
    )
    idempotency_key: Mapped[str | None] = field(
        String(255), access=Access.READ_ONLY, doc="The key the call was made with."
    )

    i_payee: Mapped[int | None] = mapped_column(
        Integer, doc="Of a payment, the customer to whom, or to whose account, it was made; lists find it by this."
    )
    i_payer: Mapped[int | None] = mapped_column(
        Integer, doc="Of a payment, who stands directly above the payee; lists find it by this."
    )

    __table_args__ = (
        Index(None, "i_balance", "i_ledger"),
        Index(None, "created", "i_balance"),
        _of_payments("i_payee", "i_ledger"),
        _of_payments("i_payer", "i_ledger"),
        _of_payments("payment_time", "i_payer", "i_payee"),
        Base.__table_args__,
    )


class ExchangeRate(Base):
    """By what an amount in one currency is multiplied to give one in another."""

    __tablename__ = "exchange_rates"
    __table_args__ = ()

    from_currency: Mapped[str] = mapped_column(ForeignKey("currencies.code"), primary_key=True)
    to_currency: Mapped[str] = mapped_column(ForeignKey("currencies.code"), primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Factor)
    updated: Mapped[datetime] = mapped_column(UtcDateTime)
