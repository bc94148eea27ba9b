"""
The sign of a balance where one customer or one account is told.

A switch of this family negates it there, and there alone: lists, ledgers, payments, thresholds and what is sent to
create and update are natural. `if_balance` is what was read there, so it has that sign, too.
"""

from decimal import Decimal

from xmlrpc_api.call import Call


def shown(call: Call, balance: Decimal) -> Decimal:
    """A balance as getCustomerInfo and getAccountInfo tell it."""
    return Decimal(0) - balance if call.platform.config.balance_sign == "switch" else balance
