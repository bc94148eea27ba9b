"""Numbers on the wire: how large they may be, and from their texts."""

import re
from decimal import Decimal, InvalidOperation

INT_LOW, INT_HIGH = -(2**31), 2**31 - 1
DOUBLE_LIMIT = 400  # without an exponent, which XML-RPC does not know, a double is long
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def to_decimal(text: str) -> Decimal:
    """
    A double from its text, exactly.

    Raises:
        ValueError: It is not a finite number.
    """
    if len(text) > DOUBLE_LIMIT or not DECIMAL.fullmatch(text):
        raise ValueError("not a number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None
