"""Vouchers: made in series, each good for one account of their owner or of somebody below it, once."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Account, AuditEntry, Currency, Customer, Voucher, ancestors, purpose_of
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Kept, NotFound, TooManyAttempts, WrongReference
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins import throttle
from xmlrpc_api.services.money import currencies, ledger
from xmlrpc_api.services.money.ledger import Booking, Paid
from xmlrpc_api.services.tree import lists, ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.rows import Row

PURPOSE = purpose_of(Voucher.pin)
PIN_DIGITS = 16
IDS = 9  # digits of an id, at most
MADE, USED, VOIDED, WRONG_PIN = "VOUCHERS_MADE", "VOUCHER_USED", "VOUCHER_VOIDED", "WRONG_PIN"
VOUCHER = entity_of(Voucher)
VOUCHERS = lists.List(
    VOUCHER.select(VOUCHER.read),
    Voucher.i_voucher,
    {
        "series": lambda name: Voucher.series == name,
        "state": lambda name: STATES[name](),
    },
    {"series": Voucher.series},
)
STATES: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "new": lambda: Voucher.used.is_(None) & Voucher.voided.is_(None),
    "used": lambda: Voucher.used.is_not(None),
    "void": lambda: Voucher.voided.is_not(None),
}


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


@dataclass(frozen=True, slots=True)
class Card:
    """What somebody shows of a voucher: id and PIN, the PIN alone, or, who may manage vouchers, the id of his own."""

    i_voucher: int | None
    pin: str | None = field(repr=False)

    @classmethod
    def shown(cls, voucher_id: str | None, secret_pin: str | None, i_voucher: int | None) -> "Card":
        """
        A card by what clients send: a PIN may stand in place of an id.

        Raises:
            BadParameter: Nothing was sent.
        """
        printed, pin = ((text or "").strip() for text in (voucher_id, secret_pin))
        if i_voucher is None and not printed and not pin:
            raise BadParameter.required("voucher_id")
        if i_voucher is not None or not printed:
            return cls(i_voucher, pin or None)
        if not pin and len(printed) == PIN_DIGITS:
            return cls(None, printed)
        return cls(
            int(printed) if printed.isascii() and printed.isdecimal() and len(printed) <= IDS else 0, pin or None
        )


@dataclass(frozen=True, slots=True)
class Used:
    """A voucher that was used up: its value, and what that was on the account."""

    value: Decimal
    currency: str
    amount: Decimal


async def use(call: Call, account: Account, card: Card) -> Used:
    """
    Add the value of a voucher to a locked account, and use it up.

    Raises:
        NotPermitted: There is no PIN, and the caller may not change vouchers.
        Kept: It is refused, a wrong guess being counted: unknown, used, expired, void, foreign and wrong are one fault.
        WrongReference: There is no rate for its currency.
    """
    if card.pin is None:
        call.caller.demand(Right.VOUCHERS_EDIT)
    counted = throttle.limits(call, throttle.Kind.VOUCHER, str(account.i_account), None)
    if not await throttle.is_open(call, counted):
        raise Kept(TooManyAttempts())
    voucher = await _proven(call, account, card)
    if voucher is None or not await _use_up(call, account, voucher):
        await throttle.failed(call, counted)
        await audit.event(
            call,
            WRONG_PIN,
            object_type="accounts",
            object_id=account.i_account,
            i_customer=account.i_customer,
            details={"i_voucher": card.i_voucher},
        )
        raise Kept(NotFound(Voucher))
    converted = await currencies.convert(call.session, voucher.value, voucher.currency, account.base_currency)
    paid = Paid(amount=voucher.value, currency=voucher.currency, rate=converted.rate)
    notes = f"voucher {voucher.series} {voucher.number}"
    await ledger.book(
        call, account.money, Booking(amount=converted.amount, kind=ledger.VOUCHER, notes=notes, paid=paid)
    )
    await note_use(call, voucher.i_voucher, account.i_account, account.i_customer)
    await throttle.clear(call, counted)
    return Used(voucher.value, voucher.currency, converted.amount)


async def _proven(call: Call, account: Account, card: Card) -> Voucher | None:
    """The voucher that a card shows, if it is good for an account."""
    path = (
        await call.session.execute(select(Customer.path).where(Customer.i_customer == account.i_customer))
    ).scalar_one()
    owners = [*ancestors(path), account.i_customer]
    vault, pin = call.platform.vault, (card.pin or "").encode()
    wanted = select(Voucher).where(*_good(call))
    if card.i_voucher is None:
        signed = Voucher.pin.in_(vault.signatures(PURPOSE, pin))
        found = (await call.session.scalars(wanted.where(signed, Voucher.i_customer.in_(owners)).limit(2))).all()
        return found[0] if len(found) == 1 else None
    if card.pin is None:
        owners = [call.caller.i_customer]
    known = Voucher.i_voucher == card.i_voucher
    voucher = (await call.session.scalars(wanted.where(known, Voucher.i_customer.in_(owners)))).one_or_none()
    is_right = voucher is not None and (card.pin is None or vault.signed(PURPOSE, pin, voucher.pin))
    return voucher if is_right else None


async def _use_up(call: Call, account: Account, voucher: Voucher) -> bool:
    used = update(Voucher).where(Voucher.i_voucher == voucher.i_voucher, *_good(call))
    used = used.values(used=call.now, i_account=account.i_account).returning(Voucher.i_voucher)
    used = used.execution_options(synchronize_session=False)
    return (await call.session.execute(used)).first() is not None


def _good(call: Call) -> tuple[ColumnElement[bool], ...]:
    """The conditions for vouchers that can be used."""
    in_time = or_(Voucher.expires.is_(None), Voucher.expires > call.now)
    return Voucher.used.is_(None), Voucher.voided.is_(None), in_time


async def page(call: Call, params: Values) -> Row:
    """The caller's vouchers, oldest first, as `vouchers`."""
    return await VOUCHERS.told(call, params, "vouchers", of=Of({Voucher.i_customer: call.caller.i_customer}))


async def void(call: Call, i_voucher: int) -> None:
    """
    Make a voucher of the caller, or of a customer below it, good for nothing. One that is void already stays so.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: It was used.
    """
    seen = ownership.within(call.caller, Reach.SUBTREE_AND_SELF)
    wanted = select(Voucher).join(Customer, Customer.i_customer == Voucher.i_customer)
    voucher = await ownership.locked(call, Voucher, wanted.where(Voucher.i_voucher == i_voucher, seen))
    if voucher.used is not None:
        raise Conflict("Voucher was used")
    if voucher.voided is None:
        voucher.voided = call.now
        await audit.event(
            call, VOIDED, object_type=Voucher.__tablename__, object_id=i_voucher, i_customer=voucher.i_customer
        )


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


async def noted_voids(session: AsyncSession, first: int, last: int) -> set[int]:
    """Which vouchers with an id from `first` to `last` are void, as the change history tells."""
    noted = select(AuditEntry.object_id).where(
        AuditEntry.object_type == Voucher.__tablename__,
        AuditEntry.object_id.between(first, last),
        AuditEntry.action == VOIDED,
    )
    return {key for key in await session.scalars(noted) if key is not None}
