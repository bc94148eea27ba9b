"""Vouchers: made in series, each good for one account of their owner or of somebody below it, once."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Account, AuditEntry, Currency, Customer, Voucher, ancestors, purpose_of
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Kept, NotFound, TooManyAttempts, WrongReference
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins import throttle
from xmlrpc_api.services.money import currencies, ledger
from xmlrpc_api.services.money.ledger import Booking, Paid

PURPOSE = purpose_of(Voucher.pin)
PIN_DIGITS = 16
MADE, USED, WRONG_PIN = "VOUCHERS_MADE", "VOUCHER_USED", "WRONG_PIN"


@dataclass(frozen=True, slots=True)
class Made:
    """A new voucher; its PIN is told here and nowhere else."""

    i_voucher: int
    number: int
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What the vouchers of a series have in common."""

    name: str
    value: Decimal
    currency: str
    expires: datetime | None = None


async def make(call: Call, series: Series, count: int) -> list[Made]:
    """
    Make vouchers for the caller, numbered on from those of the series that are there.

    Raises:
        NotPermitted: The caller may not make vouchers.
        WrongReference: There is no such currency.
    """
    call.caller.demand(Right.VOUCHERS_ADD)
    known = select(Currency.code).where(Currency.code == series.currency)
    if (await call.session.execute(known)).first() is None:
        raise WrongReference("currency")
    himself = select(Customer.i_customer).where(Customer.i_customer == call.caller.i_customer)
    await call.session.execute(himself.with_for_update(key_share=True))  # two at once number theirs one after the other
    mine = (Voucher.i_customer == call.caller.i_customer, Voucher.series == series.name)
    last = (await call.session.execute(select(func.max(Voucher.number)).where(*mine))).scalar_one() or 0
    made = []
    for number in range(last + 1, last + 1 + count):
        pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
        row = {
            "i_customer": call.caller.i_customer,
            "series": series.name,
            "number": number,
            "pin": call.platform.vault.sign(PURPOSE, pin.encode()),
            "value": series.value,
            "currency": series.currency,
            "expires": series.expires,
            "created": call.now,
        }
        i_voucher = (await call.session.execute(insert(Voucher).values(row).returning(Voucher.i_voucher))).scalar_one()
        made.append(Made(i_voucher, number, pin))
    await audit.event(
        call,
        MADE,
        object_type=Voucher.__tablename__,
        object_id=None,
        i_customer=call.caller.i_customer,
        details={
            "series": series.name,
            "first": last + 1,
            "count": count,
            "value": series.value,
            "currency": series.currency,
            "expires": series.expires,
        },
    )
    return made


async def use(call: Call, account: Account, i_voucher: int, pin: str) -> None:
    """
    Add the value of a voucher to a locked account, and use it up.

    Raises:
        Kept: It is refused, a wrong guess being counted: unknown, used, expired, foreign and wrong are one fault.
        WrongReference: There is no rate for its currency.
    """
    counted = throttle.limits(call, throttle.Kind.VOUCHER, str(account.i_account), None)
    if not await throttle.is_open(call, counted):
        raise Kept(TooManyAttempts())
    path = (
        await call.session.execute(select(Customer.path).where(Customer.i_customer == account.i_customer))
    ).scalar_one()
    good = (
        Voucher.i_voucher == i_voucher,
        Voucher.i_customer.in_([*ancestors(path), account.i_customer]),
        Voucher.used.is_(None),
        or_(Voucher.expires.is_(None), Voucher.expires > call.now),
    )
    voucher = (await call.session.execute(select(Voucher).where(*good))).scalar_one_or_none()
    is_right = voucher is not None and call.platform.vault.signed(PURPOSE, pin.strip().encode(), voucher.pin)
    used = update(Voucher).where(*good).values(used=call.now, i_account=account.i_account).returning(Voucher.i_voucher)
    used = used.execution_options(synchronize_session=False)
    if voucher is None or not is_right or (await call.session.execute(used)).first() is None:
        await throttle.failed(call, counted)
        await audit.event(
            call,
            WRONG_PIN,
            object_type="accounts",
            object_id=account.i_account,
            i_customer=account.i_customer,
            details={"i_voucher": i_voucher},
        )
        raise Kept(NotFound(Voucher))
    converted = await currencies.convert(call.session, voucher.value, voucher.currency, account.base_currency)
    paid = Paid(amount=voucher.value, currency=voucher.currency, rate=converted.rate)
    notes = f"voucher {voucher.series} {voucher.number}"
    await ledger.book(
        call, account.money, Booking(amount=converted.amount, kind=ledger.VOUCHER, notes=notes, paid=paid)
    )
    await note_use(call, i_voucher, account.i_account, account.i_customer)
    await throttle.clear(call, counted)


async def note_use(call: Call, i_voucher: int, i_account: int, i_customer: int) -> None:
    """Note for which account a voucher was used."""
    await audit.event(
        call,
        USED,
        object_type=Voucher.__tablename__,
        object_id=i_voucher,
        i_customer=i_customer,
        details={"i_account": i_account},
    )


async def noted_uses(session: AsyncSession, first: int, last: int) -> dict[int, int]:
    """For which account each voucher with an id from `first` to `last` was used, as the change history tells."""
    noted = select(AuditEntry.object_id, AuditEntry.after).where(
        AuditEntry.object_type == Voucher.__tablename__,
        AuditEntry.object_id.between(first, last),
        AuditEntry.action == USED,
    )
    rows = await session.execute(noted)
    return {row.object_id or 0: json.loads(row.after or "{}")["i_account"] for row in rows}
