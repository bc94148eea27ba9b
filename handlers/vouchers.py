"""Vouchers: money on paper, made in series, each good for one account, once."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import select

from models import LARGEST_AMOUNT, Account
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotFound,
    NotPermitted,
    TooManyAttempts,
    WrongReference,
)
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.money import vouchers
from xmlrpc_api.services.money.vouchers import Card, Series
from xmlrpc_api.services.tree import names
from xmlrpc_api.turns import ACCOUNT as OF_ACCOUNT
from xmlrpc_api.turns import Key

ACCOUNT, VOUCHER = sip_accounts.ACCOUNT, vouchers.VOUCHER
MOST = 500
SERIES = Field(
    name="series", wire=Wire.STRING, required=True, limit=64, check="not_empty", doc="Name.", example="spring"
)
PIN = Field(
    name="pin", wire=Wire.STRING, doc="Its PIN, 16 digits, told here and nowhere else.", example="0123456789012345"
)
of_vouchers = partial(method, effect=Effect.WRITE, scope=I_CUSTOMER_OWNER)


async def _account(call: Call, params: dict[str, Any]) -> set[Key]:
    if params.get("i_account") is not None:
        return {(OF_ACCOUNT, params["i_account"])}
    wanted = select(Account.i_account).where(names.is_account(call, params.get("username", "")))
    return {(OF_ACCOUNT, i_account) for i_account in (await call.session.execute(wanted)).scalars()}


@of_vouchers(
    "rechargeVoucher",
    ACCOUNT["i_account"],
    ACCOUNT["username"],
    Field(
        name="voucher_id",
        wire=Wire.STRING,
        limit=32,
        secret=True,
        doc="Id of the voucher as it is printed; or the 16 digits of its PIN alone.",
        example="7",
    ),
    Field(name="secret_pin", wire=Wire.STRING, limit=32, secret=True, doc="Its PIN.", example="0123456789012345"),
    Field(
        name="i_voucher",
        wire=Wire.INT,
        low=1,
        doc="Id of a voucher of the caller, in place of both: needs bit 1 (edit) of vouchers_mgmt.",
        example=7,
    ),
    right=Right.ANYONE,
    balances=_account,
    returns=(
        Field(name="value", wire=Wire.DOUBLE, doc="What the voucher was worth.", example=Decimal(10)),
        Field(name="voucher_currency", wire=Wire.STRING, doc="In which currency.", example="USD"),
        Field(
            name="payer_amount", wire=Wire.DOUBLE, doc="What was added, in the account's currency.", example=Decimal(9)
        ),
    ),
    raises=(NotFound, NotPermitted, TooManyAttempts, WrongReference),
)
async def recharge_voucher(
    call: Call, *, i_account: int | None = None, username: str | None = None, **shown: Any
) -> Answer:
    """
    Add the value of a voucher to an account, by i_account or username, and use the voucher up.

    It is proven by voucher_id with secret_pin, or by the PIN alone. Whatever is wrong with it is one fault 404; after
    too many wrong ones the account is refused for a while.
    """
    known = username if i_account is None else i_account
    if known is None:
        raise BadParameter.required("i_account")
    card = Card.shown(shown.get("voucher_id"), shown.get("secret_pin"), shown.get("i_voucher"))
    used = await vouchers.use(call, await sip_accounts.lock(call, known), card)
    return {"value": used.value, "voucher_currency": used.currency, "payer_amount": used.amount}


@of_vouchers(
    "createVouchers",
    SERIES,
    Field(
        name="value",
        wire=Wire.DOUBLE,
        required=True,
        high=LARGEST_AMOUNT,
        check="positive",
        doc="What each is worth; more than zero.",
        example=Decimal(10),
    ),
    Field(name="currency", wire=Wire.STRING, required=True, check="currency", doc="Of the value.", example="USD"),
    Field(name="count", wire=Wire.INT, required=True, low=1, high=MOST, doc="How many.", example=2),
    Field(name="expires", wire=Wire.DATETIME, doc="Until when they are good; no end if left out."),
    right=Right.VOUCHERS_ADD,
    returns=(
        Field(
            name="vouchers",
            wire=Wire.ARRAY,
            doc="The vouchers.",
            members=(*VOUCHER.some("i_voucher", "number"), PIN),
        ),
    ),
    raises=(WrongReference, Conflict),
)
async def create_vouchers(
    call: Call, *, series: str, value: Decimal, currency: str, count: int, expires: datetime | None = None
) -> Answer:
    """
    Make vouchers of the caller, numbered on from those of the series that are there.

    Their PINs are told here and nowhere else. They are good for accounts of the caller and of everybody below it.
    """
    if expires is not None and expires <= call.now:
        raise BadParameter("expires", "must be in the future")
    made = await vouchers.make(call, Series(name=series, value=value, currency=currency, expires=expires), count)
    return {"vouchers": [{"i_voucher": one.i_voucher, "number": one.number, "pin": one.pin} for one in made]}


@method(
    "listVouchers",
    VOUCHER["series"],
    Field(
        name="state", wire=Wire.STRING, check="voucher_state", doc="new, used or void; all if left out.", example="new"
    ),
    sorted_by("series"),
    *PAGE,
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=rows_of("vouchers", "The vouchers, oldest first.", VOUCHER.read),
)
async def list_vouchers(call: Call, **asked: Any) -> Answer:
    """List the vouchers of the caller. Their PINs are told to nobody."""
    return await vouchers.page(call, asked)


@of_vouchers("voidVoucher", VOUCHER.require("i_voucher"), right=Right.VOUCHERS_DELETE, raises=(NotFound, Conflict))
async def void_voucher(call: Call, *, i_voucher: int) -> Answer:
    """Make a voucher of the caller, or of a customer below it, good for nothing: for ever, if it was not used."""
    await vouchers.void(call, i_voucher)
    return {}
