"""SipPort: the money of accounts, their vouchers and bookings."""

from decimal import Decimal

from handlers.ngnpro.vocabulary import ID_PARTS, SIP_ID, Struct, balance_of_id, date, whole
from models import LARGEST_AMOUNT
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import (
    NotEnoughCredit,
    NotFound,
    NotPermitted,
    TooManyAttempts,
    WrongReference,
)
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import array, operation, struct
from xmlrpc_api.services.accounts import sip_accounts as accounts
from xmlrpc_api.services.money import vouchers
from xmlrpc_api.services.ngnpro import accounts as sip_accounts
from xmlrpc_api.services.ngnpro import balances, queries

BALANCES = struct(
    "balances",
    "BalanceChange",
    "What there was, and what there is.",
    Field(name="old_balance", wire=Wire.DOUBLE, doc="Balance before.", example=Decimal(5)),
    Field(name="new_balance", wire=Wire.DOUBLE, doc="Balance after.", example=Decimal(15)),
)
CARD = struct(
    "card",
    "PrepaidCard",
    "The voucher.",
    Field(name="id", wire=Wire.INT, required=True, low=1, doc="Id of the voucher.", example=7),
    Field(name="number", wire=Wire.STRING, required=True, limit=32, secret=True, doc="Its PIN."),
)
PREPAID = Field(name="balance", wire=Wire.DOUBLE, doc="Money on the account.", example=Decimal(5))
ENTRY = (
    Field(name="date", wire=Wire.STRING, doc="When it was booked.", example="2026-11-21 05:00:00"),
    Field(name="action", wire=Wire.STRING, doc="Kind of the booking.", example="funds"),
    Field(name="description", wire=Wire.STRING, doc="Notes.", example="CC transaction 7"),
    Field(name="value", wire=Wire.DOUBLE, doc="What was added; negative: taken.", example=Decimal(10)),
    Field(name="balance", wire=Wire.DOUBLE, doc="Balance after it.", example=Decimal(15)),
    Field(name="session", wire=Wire.STRING, doc="The call it was for; empty: none.", example=""),
)
HISTORY = struct(
    "history", "CreditHistory", "The bookings.", queries.TOTAL, array("entries", "CreditEntry", "Newest first.", *ENTRY)
)


@operation(
    "SipPort.addBalance",
    SIP_ID,
    Field(
        name="value",
        wire=Wire.DOUBLE,
        required=True,
        low=-LARGEST_AMOUNT,
        high=LARGEST_AMOUNT,
        check="not_zero",
        doc="What to add, in the currency of the account; negative: to take.",
        example=Decimal(10),
    ),
    Field(name="description", wire=Wire.STRING, limit=1024, doc="Notes to keep.", example="CC transaction 7"),
    right=Right.ACCOUNTS_EDIT,
    effect=Effect.WRITE,
    balances=balance_of_id,
    returns=(BALANCES,),
    raises=(NotFound, NotPermitted, NotEnoughCredit),
)
async def add_balance(call: Call, *, sipId: Struct, value: Decimal, description: str = "") -> Struct:
    """Add money to an account, or take it. Administrator and resellers may; customers use vouchers."""
    old, new = await balances.add(call, whole(sipId), value, description)
    return {"balances": {"old_balance": old, "new_balance": new}}


@operation(
    "SipPort.addBalanceFromVoucher",
    SIP_ID,
    CARD.require(),
    right=Right.ANYONE,
    effect=Effect.WRITE,
    balances=balance_of_id,
    returns=(BALANCES,),
    raises=(NotFound, TooManyAttempts, WrongReference),
)
async def add_balance_from_voucher(call: Call, *, sipId: Struct, card: Struct) -> Struct:
    """Add the value of a voucher to an account; it is good once. Whatever is wrong with it is one fault."""
    account = await accounts.lock(call, whole(sipId).address)
    before = account.balance
    await vouchers.use(call, account, vouchers.Card(card["id"], card["number"].strip()))
    return {"balances": {"old_balance": before, "new_balance": account.balance}}


@operation(
    "SipPort.getPrepaidStatus",
    array("sipIds", "SipId", "The accounts.", *ID_PARTS).require(),
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(array("accounts", "PrepaidAccount", "In the same order.", PREPAID),),
    raises=(NotFound,),
)
async def get_prepaid_status(call: Call, *, sipIds: list[Struct]) -> Struct:
    """Tell the balances of accounts."""
    rows = [await sip_accounts.info(call, whole(sip_id), tells=False) for sip_id in sipIds]
    return {"accounts": [{"balance": row["balance"]} for row in rows]}


@operation(
    "SipPort.getCreditHistory",
    SIP_ID,
    Field(name="count", wire=Wire.INT, required=True, low=0, doc="How many at most.", example=200),
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(HISTORY,),
    raises=(NotFound,),
)
async def get_credit_history(call: Call, *, sipId: Struct, count: int) -> Struct:
    """Tell the bookings of an account, newest first."""
    found = await balances.history(call, whole(sipId), count)
    entries = [
        {
            "date": date(row["created"]),
            "action": row["kind"],
            "description": row["notes"] or "",
            "value": row["amount"],
            "balance": row["balance_after"],
            "session": "",
        }
        for row in found.rows
    ]
    return {"history": {"total": found.total, "entries": entries}}
