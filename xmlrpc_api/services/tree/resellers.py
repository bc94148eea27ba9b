"""The three levels on the one tree: administrator, reseller and customer."""

import enum

from models import ROOT_ID, ancestors
from xmlrpc_api.call import Call


class Level(enum.IntEnum):
    """What a caller is to a customer; each level has the rights of those below."""

    CUSTOMER = 1
    RESELLER = 2
    ADMIN = 3


def is_admin(call: Call) -> bool:
    """Whether the administrator calls, on nobody's behalf."""
    return call.caller.i_customer == ROOT_ID


def reseller_of(path: str, i_customer: int) -> int:
    """The customer directly below the root to whose branch this one belongs; it itself may be that."""
    above = ancestors(path)
    return above[1] if len(above) > 1 else i_customer


def level_of(call: Call, path: str, i_customer: int) -> Level:
    """What the caller is to the customer with this path and id."""
    if is_admin(call):
        return Level.ADMIN
    return Level.RESELLER if call.caller.i_customer == reseller_of(path, i_customer) else Level.CUSTOMER
