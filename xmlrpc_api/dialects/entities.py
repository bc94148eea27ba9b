"""The entity of each model: made where it is known which dialects have what of it."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache

from models import Base
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.dialects import ngnpro, switch


@cache
def entity_of(model: type[Base]) -> Entity:
    """The one entity of a model."""
    lacked = switch.LACKED.get(model, frozenset())
    entity = Entity(model, lacked)
    demand_fit(entity, lacked, ngnpro.NAMES.get(model, {}))
    return entity


def demand_fit(entity: Entity, lacked: AbstractSet[str], renamed: Mapping[str, str]) -> None:
    """
    Make sure that dialects speak of attributes that are there, and that each that can be set can be set in one.

    Args:
        entity: Whose they are.
        lacked: Those that are not known under our names.
        renamed: Those that are known under others.

    Raises:
        TypeError: They do not fit together; the text names the attributes.
    """
    if unknown := (lacked | renamed.keys()) - entity.fields.keys():
        raise TypeError(f"{entity.name} does not have {sorted(unknown)}, of which a dialect speaks")
    if twice := {name for name, count in Counter(renamed.values()).items() if count > 1}:
        raise TypeError(f"{entity.name} has two attributes that a dialect calls {sorted(twice)}")
    if nobodys := lacked & entity.writable - renamed.keys():
        raise TypeError(f"{entity.name} has {sorted(nobodys)}, which no dialect has")
