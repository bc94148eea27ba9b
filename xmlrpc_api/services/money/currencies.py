"""Amounts of one currency in another, by the rates that the operator has imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import SCALE, ExchangeRate, Factor
from xmlrpc_api.declaration.faults import BadParameter, WrongReference

SMALLEST = Decimal(1).scaleb(-SCALE)
SMALLEST_RATE = Decimal(1).scaleb(-Factor.places)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Converted:
    """An amount in the wanted currency, and the rate that led to it."""

    amount: Decimal
    rate: Decimal


async def convert(session: AsyncSession, amount: Decimal, currency: str, to: str) -> Converted:
    """
    An amount in another currency, rounded half to even to six places.

    Raises:
        WrongReference: There is no rate between the two.
        BadParameter: The amount is less than the smallest one in the other currency.
    """
    converted = await worth(session, amount, currency, to)
    if not converted.amount:
        raise BadParameter("amount", f"is too small: it is nothing in {to}")
    return converted


async def worth(session: AsyncSession, amount: Decimal, currency: str, to: str) -> Converted:
    """
    As `convert`, but it may be nothing.

    Raises:
        WrongReference: There is no rate between the two.
    """
    rate = (await rates(session, {currency}, to))[currency]
    return Converted((amount * rate).quantize(SMALLEST, ROUND_HALF_EVEN), rate)


async def rates(session: AsyncSession, currencies: set[str], to: str) -> Mapping[str, Decimal]:
    """
    By what amounts in each of these currencies are multiplied to be in the currency `to`.

    A rate in the wanted direction counts first; else the inverse of the one in the other.

    Raises:
        WrongReference: There is no rate for one of them.
    """
    found = {to: ONE} if to in currencies else {}
    others = currencies - {to}
    if others:
        wanted = or_(
            and_(ExchangeRate.from_currency.in_(others), ExchangeRate.to_currency == to),
            and_(ExchangeRate.from_currency == to, ExchangeRate.to_currency.in_(others)),
        )
        rows = (await session.execute(select(ExchangeRate).where(wanted))).scalars().all()
        found |= {row.from_currency: row.rate for row in rows if row.to_currency == to}
        for row in rows:
            if row.from_currency == to:
                found.setdefault(row.to_currency, (ONE / row.rate).quantize(SMALLEST_RATE, ROUND_HALF_EVEN))
    if others - found.keys():
        raise WrongReference("currency")
    return found
