"""Tariffs: who has which, and who is found by them."""

from models import Tariff
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NothingToChange
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import Belongings
from xmlrpc_api.services.tree import lists, patterns
from xmlrpc_api.services.tree.references import Pointer, check
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.rows import Row

TARIFFS = Belongings(Tariff)
TARIFF = TARIFFS.entity
LISTED = TARIFF.some("i_tariff", "name", "currency", "i_tariff_type")
FIXED = ("currency", "i_tariff_type")
FOUND = lists.List(
    TARIFF.select(LISTED),
    Tariff.i_tariff,
    filters={"name_pattern": lambda pattern: patterns.like(Tariff.name, pattern)},
    orders={"name": Tariff.name},
)


async def change(call: Call, i_tariff: int, changes: Values) -> None:
    """
    Change attributes of a tariff; those that are fixed may be sent as they are.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        BadParameter: One is fixed.
        Conflict: The name is taken.
    """
    if not changes:
        raise NothingToChange
    tariff = await TARIFFS.lock(call, Tariff.i_tariff == i_tariff)
    await check(call, TARIFF, changes, Pointer(present=tariff))
    for name in FIXED:
        if changes.get(name, getattr(tariff, name)) != getattr(tariff, name):
            raise BadParameter(name, f"cannot be changed: it is {getattr(tariff, name)}")
    await records.change(call, tariff, changes)


async def page(call: Call, params: Values) -> Row:
    """The caller's tariffs, as far as they are asked for, and how many there are if that is asked for, too."""
    return await FOUND.told(call, params, "tariffs", of=Of({Tariff.i_customer: call.caller.i_customer}))
