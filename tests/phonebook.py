"""Numbers that no other test has, and customers who have them in hand one after the other."""

import itertools
from typing import Any

from conftest import Customers, Reseller
from faces import Api
from sippy import new

BLOCK = 100
_BLOCKS = itertools.count(1)


def block() -> int:
    """The first of a hundred numbers that nobody else has."""
    return 49_000_000_000 + BLOCK * next(_BLOCKS)


def added(api: Api, **attributes: Any) -> int:
    """A DID; without `did` a number that nobody has."""
    did = str(attributes.pop("did", None) or block())
    i_did: int = api.addDID(**{"did": did, "incoming_did": did, **attributes})["i_did"]
    return i_did


def ranged(api: Api, size: int = BLOCK, **attributes: Any) -> tuple[int, int]:
    """A range of DIDs: its id, and its first number."""
    first = block()
    return added(api, did=first, did_range_end=str(first + size - 1), **attributes), first


def account(api: Api) -> int:
    i_account: int = api.createAccount(**new())["i_account"]
    return i_account


def delegated(api: Api, i_did: int, to: int, **attributes: Any) -> int:
    made = api.addDIDDelegation(i_did=i_did, delegated_to=to, parent_i_did_delegation=None, **attributes)
    i_did_delegation: int = made["i_did_delegation"]
    return i_did_delegation


def line(customers: Customers, length: int = 3) -> list[Reseller]:
    """Customers each directly below the one before; each may add numbers."""
    found = [customers.reseller(max_depth=length)]
    while len(found) < length:
        found.append(customers.reseller(found[-1], max_depth=length - len(found)))
    return found
