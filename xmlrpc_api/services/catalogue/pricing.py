"""
The price of a call: by a rate and the terms of its tariff, in the tariff's currency. Nothing here asks a database.

A call of so many seconds is charged d of them: those that have begun, less the free ones; none at all within a grace
period that the rate has enabled. Of d the first interval is paid in any case, each further one that has begun as a
whole. To that comes the fee for the connection, and to all of it the surcharge:

    (connect_fee + (price_1 · interval_1 + price_n · interval_n · further intervals) / 60) · (1 + surcharge / 100)

A call of which nothing is charged costs nothing. It is rounded once, in the end.

The rate is that of the moment in which a call begins, however many begin while it lasts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Self

PLACES = 6  # of money
DIGITS = 32  # of a prefix
EXACT = Context(prec=120)  # no sum or product of prices, seconds and percentages has more digits
NOTHING = Decimal(0)
MINUTE = 60
HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a tariff says of the price of each call; see `models.Tariff`."""

    connect_fee: Decimal = NOTHING
    free_seconds: int = 0
    post_call_surcharge: Decimal = NOTHING
    grace_period: int = 0
    cost_round_up: bool = False
    decimal_precision: int = 20
    loss_protection: bool = False
    max_loss: Decimal | None = None
    average_duration: int = 200
    local_calling: bool = False
    local_calling_cli_validation_rule: str = ""

    @classmethod
    def of(cls, tariff: Mapping[str, Any]) -> Self:
        """Those of a tariff's attributes."""
        return cls(**{field.name: tariff[field.name] for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What time costs: the price of a minute, and the intervals in which it is counted, of the beginning and after."""

    price_1: Decimal
    price_n: Decimal
    interval_1: int = 1
    interval_n: int = 1

    def further(self, seconds: int) -> int:
        """How many intervals have begun behind the first one."""
        behind = max(0, seconds - self.interval_1)
        return -(-behind // self.interval_n)

    def paid(self, seconds: int) -> int:
        """How many seconds are paid."""
        return self.interval_1 + self.interval_n * self.further(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """
    What a call costs.

    Attributes:
        cost: How much.
        charged: How many of its seconds are charged.
        paid: How many seconds are paid, in whole intervals.
    """

    cost: Decimal
    charged: int
    paid: int


FREE = Charge(cost=NOTHING, charged=0, paid=0)


def steps_of(rate: Mapping[str, Any], *, is_local: bool = False) -> Steps:
    """What time costs by a rate's attributes; what it does not say of local calls is as of all."""
    names = [field.name for field in fields(Steps)]
    values = {name: rate[name] for name in names}
    if is_local:
        local = {name: rate[f"local_{name}"] for name in names}
        values |= {name: value for name, value in local.items() if value is not None}
    return Steps(**values)


def charge(terms: Terms, steps: Steps, seconds: Decimal | int, *, has_grace: bool = False) -> Charge:
    """
    What a call costs.

    Args:
        terms: Those of the tariff.
        steps: What time costs by the rate; see `steps_of`.
        seconds: How long it lasts; fractions count as a whole second.
        has_grace: Whether the rate has its tariff's grace period enabled.
    """
    begun = int(Decimal(seconds).to_integral_value(ROUND_CEILING))
    charged = max(0, begun - terms.free_seconds)
    if charged == 0 or (has_grace and begun <= terms.grace_period):
        return FREE
    paid = steps.interval_n * steps.further(charged)
    time = EXACT.add(EXACT.multiply(steps.price_1, steps.interval_1), EXACT.multiply(steps.price_n, paid))
    parts = EXACT.add(EXACT.multiply(terms.connect_fee, MINUTE), time)  # sixtieths: what cannot be divided comes last
    parts = EXACT.multiply(parts, EXACT.add(HUNDRED, terms.post_call_surcharge))
    cost = EXACT.divide(parts, MINUTE * HUNDRED)
    return Charge(cost=_rounded(terms, cost), charged=charged, paid=steps.interval_1 + paid)


def _rounded(terms: Terms, cost: Decimal) -> Decimal:
    unit = Decimal(1).scaleb(-min(terms.decimal_precision, PLACES))
    return cost.quantize(unit, ROUND_CEILING if terms.cost_round_up else ROUND_HALF_EVEN, EXACT)


def prefixes(number: str) -> list[str]:
    """With what a number begins that may be a prefix: digits, up to the first other character; the longest first."""
    number = number.removeprefix("+")
    digits = next((place for place, one in enumerate(number) if not "0" <= one <= "9"), len(number))
    return [number[:length] for length in range(min(digits, DIGITS), 0, -1)]


def is_local(called: Mapping[str, Any], calling: Mapping[str, Any] | None, *, is_valid: bool) -> bool:
    """
    Whether a call is local by a tariff that has local_calling.

    Args:
        called: The rate of the called number.
        calling: That of the caller's by the same tariff, if it has one.
        is_valid: Whether the caller's number matches the tariff's local_calling_cli_validation_rule.
    """
    if calling is None or not is_valid:
        return False
    return bool(called["area_name"]) and called["area_name"] == calling["area_name"]


def is_loss(terms: Terms, sold: Decimal, bought: Decimal) -> bool:
    """
    Whether loss protection refuses a call.

    Args:
        terms: Those of the tariff by which it is sold.
        sold: What a call of its average_duration is sold for.
        bought: What the same call costs who sells it, in the same currency.
    """
    lost = EXACT.multiply(EXACT.subtract(bought, sold), MINUTE)
    return terms.loss_protection and lost > EXACT.multiply(terms.max_loss or NOTHING, terms.average_duration)
