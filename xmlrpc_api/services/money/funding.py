"""
What was paid in from above can come back there, and no more: nobody's own money grows from below.

`funded` of a customer's balance is what its parent has paid in and may get back, in the parent's currency. A payment
adds exactly what left the parent. What is taken gives back a share of it. A balance that was given at creation or set
by an update is an allotment without another side: it leaves `funded` as it is. So nothing that a customer does below
itself makes more of

    balance(X) + sum of `funded` of its sub-customers

which is the sum of its ledger without the rows of kind `payer`. Children of the root and accounts have none.
"""

from decimal import Decimal

from models import Balance, Money

NOTHING = Decimal(0)


def share(balance: Balance, taken: Decimal, worth: Decimal) -> Decimal:
    """
    What of a debit is the parent's to have back.

    Args:
        balance: Locked, as it is before the debit.
        taken: What is taken from it, in its currency; positive.
        worth: The same in the parent's currency.
    """
    return of_amounts(balance.funded, balance.balance, taken, worth)


def of_amounts(funded: Decimal, before: Decimal, taken: Decimal, worth: Decimal) -> Decimal:
    """See `share`. In whole millionths, rounded down: the product has more digits than decimals are computed with."""
    available, paid, part, whole = (millionths(x) for x in (funded, worth, min(taken, max(NOTHING, before)), taken))
    return Money.unit * min(available, paid * part // whole)


def millionths(amount: Decimal) -> int:
    """A whole number, to be exact with."""
    return int(amount.scaleb(Money.places))
