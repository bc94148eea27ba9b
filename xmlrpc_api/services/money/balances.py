"""On whose balances a method books, for its declaration: whoever waits for a busy one then holds no connection."""

from collections.abc import Mapping
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.registry import Finder
from xmlrpc_api.turns import ACCOUNT, CUSTOMER, Key


def of_customer(*names: str) -> Finder:
    """Those of the customers that these parameters name."""

    async def find(_call: Call, params: Mapping[str, Any]) -> set[Key]:
        return {(CUSTOMER, params[name]) for name in names}

    return find


def of_account(name: str) -> Finder:
    """That of the account that this parameter names."""

    async def find(_call: Call, params: Mapping[str, Any]) -> set[Key]:
        return {(ACCOUNT, params[name])}

    return find


async def of_either(_call: Call, params: Mapping[str, Any]) -> set[Key]:
    """That of the account, or of the customer, that is named."""
    names = {"i_account": ACCOUNT, "i_customer": CUSTOMER}
    return {(kind, params[name]) for name, kind in names.items() if params.get(name) is not None}


async def own(call: Call, _params: Mapping[str, Any]) -> set[Key]:
    """The caller's."""
    return {(CUSTOMER, call.caller.i_customer)}


def each(*finders: Finder) -> Finder:
    """Those that any of these finds."""

    async def find(call: Call, params: dict[str, Any]) -> set[Key]:
        found: set[Key] = set()
        for finder in finders:
            found |= await finder(call, params)
        return found

    return find
