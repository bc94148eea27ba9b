"""Money: payments of customers, transfers between them, the ledger, and what happens when money runs low."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Required, TypedDict, Unpack

from models import LARGEST_AMOUNT
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotEnoughCredit, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import BETWEEN, LIMIT, WITH_TOTAL, rows_of
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services import account_money
from xmlrpc_api.services.history import events
from xmlrpc_api.services.money import balances, ledger, payments
from xmlrpc_api.services.money.payments import Payment

AMOUNT = Field(
    name="amount",
    wire=Wire.DOUBLE,
    required=True,
    high=LARGEST_AMOUNT,
    check="positive",
    doc="How much; more than zero. A double is rounded half to even to six decimals, a string must not have more.",
    example=Decimal("20.12"),
)
CURRENCY = Field(
    name="currency",
    wire=Wire.STRING,
    required=True,
    check="currency",
    doc="Currency of the amount, ISO 4217. Converted to the base currency by the imported rates.",
    example="USD",
)
PAYMENT_NOTES = Field(name="payment_notes", wire=Wire.STRING, limit=1024, doc="Notes to keep.", example="invoice 42")
PAYMENT_TIME = Field(
    name="payment_time",
    wire=Wire.DATETIME,
    doc='When it was paid, such as "09:57:29.000 GMT Fri Nov 20 2026"; now if left out.',
    example="09:57:29.000 GMT Fri Nov 20 2026",
)
PAYMENT = (AMOUNT, CURRENCY, PAYMENT_NOTES, PAYMENT_TIME)
payment_to_customer = partial(
    method,
    right=Right.CUSTOMERS_EDIT,
    effect=Effect.WRITE,
    balances=balances.each(balances.of_customer("i_customer"), balances.own),
    raises=(NotFound, NotEnoughCredit, WrongReference),
)
payment_to_account = partial(
    method,
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    balances=balances.of_account("i_account"),
    raises=(NotFound, NotEnoughCredit, WrongReference),
)

I_PAYMENT = Field(name="i_payment", wire=Wire.INT, required=True, low=1, doc="Id of the payment.", example=7)
PAYMENT_INFO = (
    Field(name="i_payment", wire=Wire.INT, doc="Id of the payment.", example=7),
    Field(
        name="i_account",
        wire=Wire.INT,
        nullable=True,
        doc="The account that was paid for; nil: a customer.",
        example=None,
    ),
    Field(name="i_customer", wire=Wire.INT, doc="The customer.", example=29),
    Field(
        name="payment_time",
        wire=Wire.STRING,
        doc="When it was paid.",
        example="09:57:29.000 GMT Fri Nov 20 2026",
    ),
    Field(name="amount", wire=Wire.DOUBLE, doc="How much, always positive.", example=Decimal("20.12")),
    Field(name="currency", wire=Wire.STRING, doc="Currency of the amount.", example="USD"),
    Field(name="type", wire=Wire.STRING, doc="credit: the balance rose; debit: it fell.", example="credit"),
    Field(name="tx_id", wire=Wire.STRING, doc="Id of the card transaction; empty: there was none.", example=""),
    Field(name="tx_error", wire=Wire.STRING, doc="Error of the card transaction.", example=""),
    Field(name="tx_result", wire=Wire.INT, doc="1 success, 2 failure.", example=1),
    Field(name="by_credit_debit_card", wire=Wire.BOOLEAN, doc="Whether it was paid by card.", example=False),
    Field(name="by_voucher", wire=Wire.BOOLEAN, doc="Whether it was paid by voucher.", example=False),
    Field(name="notes", wire=Wire.STRING, doc="Notes.", example="invoice 42"),
)
OWN_OR_SUB = Field(
    name="i_customer",
    wire=Wire.INT,
    low=1,
    doc="A direct sub-customer, or the caller itself; the caller if left out.",
    example=29,
)
OF_ACCOUNT = Field(name="i_account", wire=Wire.INT, low=1, doc="One account instead of a customer.", example=11)


class Paid(TypedDict, total=False):
    """What `PAYMENT` has read."""

    amount: Required[Decimal]
    currency: Required[str]
    payment_notes: str
    payment_time: datetime


@payment_to_customer("customerAddFunds", I_CUSTOMER, *PAYMENT)
async def customer_add_funds(call: Call, *, i_customer: int, **paid: Unpack[Paid]) -> Answer:
    """
    Add funds to the balance of a direct sub-customer.

    The caller's own balance falls by the same amount; root is not billed.
    """
    await payments.pay(call, i_customer, ledger.FUNDS, Payment(**paid))
    return {}


@payment_to_customer("customerCredit", I_CUSTOMER, *PAYMENT)
async def customer_credit(call: Call, *, i_customer: int, **paid: Unpack[Paid]) -> Answer:
    """
    Credit the balance of a direct sub-customer. As customerAddFunds, but recorded as a credit.

    The caller's own balance falls by the same amount; root is not billed.
    """
    await payments.pay(call, i_customer, ledger.CREDIT, Payment(**paid))
    return {}


@payment_to_customer(
    "customerDebit",
    I_CUSTOMER,
    *PAYMENT,
    returns=(
        Field(
            name="returned",
            wire=Wire.DOUBLE,
            doc="What came back to the caller, in its currency: of what it had paid in, and no more; 0 for root.",
            example=Decimal("20.12"),
        ),
    ),
)
async def customer_debit(call: Call, *, i_customer: int, **paid: Unpack[Paid]) -> Answer:
    """
    Take money from the balance of a direct sub-customer, as far as balance and credit limit reach.

    What the caller has paid in with customerAddFunds or customerCredit comes back to its own balance, and no more:
    a balance that was given by createCustomer or updateCustomer, and what is taken on credit, was never the caller's.
    """
    return {"returned": await payments.pay(call, i_customer, ledger.DEBIT, Payment(**paid))}


@payment_to_account("accountAddFunds", I_ACCOUNT, *PAYMENT)
async def account_add_funds(call: Call, *, i_account: int, **paid: Unpack[Paid]) -> Answer:
    """Raise the balance of an account by added funds."""
    await account_money.pay(call, i_account, ledger.FUNDS, Payment(**paid))
    return {}


@payment_to_account("accountCredit", I_ACCOUNT, *PAYMENT)
async def account_credit(call: Call, *, i_account: int, **paid: Unpack[Paid]) -> Answer:
    """Raise the balance of an account by a credit."""
    await account_money.pay(call, i_account, ledger.CREDIT, Payment(**paid))
    return {}


@payment_to_account("accountDebit", I_ACCOUNT, *PAYMENT)
async def account_debit(call: Call, *, i_account: int, **paid: Unpack[Paid]) -> Answer:
    """Lower the balance of an account; balance and credit limit never fall below zero together."""
    await account_money.pay(call, i_account, ledger.DEBIT, Payment(**paid))
    return {}


@payment_to_customer(
    "transferFunds",
    Field(
        name="i_customer_from", wire=Wire.INT, required=True, low=1, doc="Who gives; a direct sub-customer.", example=29
    ),
    Field(name="i_customer_to", wire=Wire.INT, required=True, low=1, doc="Who gets; another one.", example=30),
    *PAYMENT,
    balances=balances.each(balances.of_customer("i_customer_from", "i_customer_to"), balances.own),
)
async def transfer_funds(call: Call, *, i_customer_from: int, i_customer_to: int, **paid: Unpack[Paid]) -> Answer:
    """
    Move money from one direct sub-customer to another, as far as the first one's balance and credit reach.

    What the caller has paid in for the first, and may get back by customerDebit, moves along with it.
    """
    await payments.transfer(call, i_customer_from, i_customer_to, Payment(**paid))
    return {}


@method(
    "getPaymentsList",
    OF_ACCOUNT,
    OWN_OR_SUB,
    *BETWEEN,
    Field(
        name="type", wire=Wire.STRING, check="payment_type", doc="credit or debit; both if left out.", example="credit"
    ),
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=rows_of("payments", "The payments, newest first.", PAYMENT_INFO),
    raises=(NotFound,),
)
async def get_payments_list(call: Call, **filters: Any) -> Answer:
    """List the payments of the caller, of its direct sub-customers and of their accounts, or of one of them."""
    return await payments.payments(call, filters)


@method(
    "getPaymentInfo",
    I_PAYMENT,
    OF_ACCOUNT,
    replace(I_CUSTOMER, required=False),
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=PAYMENT_INFO,
    raises=(NotFound,),
)
async def get_payment_info(
    call: Call, *, i_payment: int, i_account: int | None = None, i_customer: int | None = None
) -> Answer:
    """Tell one payment of the caller, a direct sub-customer or an account: i_customer or i_account is required."""
    return await payments.payment(call, i_payment, i_customer, i_account)


@method(
    "getLedger",
    OWN_OR_SUB,
    OF_ACCOUNT,
    *BETWEEN,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=rows_of("ledger", "The bookings, newest first.", payments.LEDGER.read),
    raises=(NotFound,),
)
async def get_ledger(call: Call, *, i_customer: int | None = None, i_account: int | None = None, **page: Any) -> Answer:
    """List every booking on a balance. The balance is their sum, at any time."""
    if i_account is not None:
        return await account_money.entries(call, i_account, page)
    return await payments.entries(call, i_customer, page)


NO_CARD = Field(
    name="i_debit_credit_card", wire=Wire.INT, nullable=True, doc="The card to charge; nil: none is kept.", example=None
)


NO_CARD_BEFORE_BILLING = replace(NO_CARD, name="br_i_debit_credit_card")
WHOSE = (replace(I_CUSTOMER, required=False), OF_ACCOUNT)
I_BALANCE = Field(name="i_balance", wire=Wire.INT, low=1, doc="Id of the balance; see getBalancesTotals.", example=5)


@method(
    "getLowBalance",
    *WHOSE,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(I_BALANCE, *account_money.LOW_BALANCE, NO_CARD, NO_CARD_BEFORE_BILLING),
    raises=(NotFound,),
)
async def get_low_balance(call: Call, *, i_customer: int | None = None, i_account: int | None = None) -> Answer:
    """
    Tell what is to happen when a balance runs low: of the caller, of a direct sub-customer, or of an account.

    i_customer or i_account is required. What begins with br_ is told of accounts alone.
    """
    told = await account_money.low_balance(call, i_customer, i_account)
    cards = (NO_CARD,) if i_account is None else (NO_CARD, NO_CARD_BEFORE_BILLING)
    return {**told, **{card.name: None for card in cards}}


@method(
    "setLowBalance",
    *WHOSE,
    *payments.LOW_BALANCE_CHANGES,
    NO_CARD,
    NO_CARD_BEFORE_BILLING,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    balances=balances.of_either,
    raises=(NotFound, NotPermitted, WrongReference, Conflict),
)
async def set_low_balance(
    call: Call, *, i_customer: int | None = None, i_account: int | None = None, **changes: Any
) -> Answer:
    """
    Change what is to happen when the balance of a direct sub-customer, or of an account, runs low.

    i_customer or i_account is required, and at least one change. For customers the caller needs bit 1 (edit) of
    customers_mgmt, for accounts that of accounts_mgmt.
    Whenever the balance falls below threshold, one event is written; see listEvents.
    """
    await account_money.set_low_balance(call, i_customer, i_account, changes)
    return {}


@method(
    "getBalancesTotals",
    Field(
        name="i_balances",
        wire=Wire.ARRAY,
        items=Wire.INT,
        required=True,
        doc="Ids of balances of the caller, of customers below it, and of their accounts; each counts once.",
        example=[5],
    ),
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=(
        Field(
            name="totals",
            wire=Wire.ARRAY,
            doc="What they hold together, by currency.",
            members=(
                Field(name="commodity", wire=Wire.STRING, doc="Currency, ISO 4217.", example="USD"),
                Field(name="balance", wire=Wire.DOUBLE, doc="Sum of the balances.", example=Decimal("25.5")),
                Field(name="credit_limit", wire=Wire.DOUBLE, doc="Sum of the credit limits.", example=Decimal(100)),
            ),
        ),
    ),
    raises=(NotFound,),
)
async def get_balances_totals(call: Call, *, i_balances: list[int]) -> Answer:
    """Tell what several balances hold together; getLowBalance tells their ids. A foreign one is not there: 404."""
    return {"totals": await account_money.totals(call, i_balances)}


@method(
    "listEvents",
    Field(name="after", wire=Wire.INT, low=0, doc="Only events with a greater i_event; to read on.", example=3),
    LIMIT,
    WITH_TOTAL,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=rows_of("events", "The events, oldest first.", events.MEMBERS),
)
async def list_events(call: Call, **asked: Any) -> Answer:
    """List what happened to the caller and to everybody below it, such as a balance that ran low."""
    return await events.page(call, asked)
