"""
Properties of customers, and who may change which.

A property with permission `admin` is changed by the administrator, one with `reseller` by the reseller as well,
any other by the customer itself as well. What is sent back unchanged is no change. A reseller may hand on some
rights and credits to its customers, up to what it has itself, although their permission is `admin`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from models import Customer, CustomerProperty
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter, NotPermitted
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import resellers
from xmlrpc_api.services.tree.quotas import CREDITS, CUSTOMER, HANDED_ON, is_allowed, level_of, number, permission_of
from xmlrpc_api.services.tree.resellers import Level
from xmlrpc_api.storage.nested import nested

PROPERTY = entity_of(CustomerProperty)
PARTS = ("value", "category", "permission")
Property = dict[str, str]
OF_CUSTOMER = nested(
    Customer,
    CustomerProperty.i_customer == Customer.i_customer,
    CustomerProperty.name,
    CustomerProperty.value,
    CustomerProperty.category,
    CustomerProperty.permission,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One property: as it is, if it is there, and as it is to be."""

    name: str
    old: Mapping[str, str] | None
    new: Mapping[str, str]

    @classmethod
    def of(cls, sent: Mapping[str, str], old: Mapping[str, str] | None) -> "Change":
        """What is to become of a property; parts that are not sent stay."""
        name, present = sent["name"], old or {"value": "", "category": "", "permission": CUSTOMER}
        new = {part: sent.get(part, present[part]) for part in PARTS}
        return cls(name, old, {**new, "permission": permission_of(name, new["permission"])})

    def is_meant(self, level: Level) -> bool:
        """Whether it changes anything; forms echo what there is, and show what is not there without filling it in."""
        if self.old is not None:
            return any(self.new[part] != self.old[part] for part in PARTS)
        return bool(self.new["value"]) or level >= level_of(self.new["permission"])


async def read(call: Call, customers: Iterable[int]) -> dict[int, list[Property]]:
    """The properties of these customers, by name."""
    wanted = select(Customer.i_customer, OF_CUSTOMER.label("properties")).where(Customer.i_customer.in_(set(customers)))
    return {row["i_customer"]: shown(row["properties"]) for row in await call.store.select(wanted, is_short=True)}


def shown(found: Iterable[Iterable[str]]) -> list[Property]:
    """What `OF_CUSTOMER` told, by names."""
    own = [dict(zip(("name", *PARTS), entry, strict=True)) for entry in found]
    for entry in own:
        entry["permission"] = permission_of(entry["name"], entry["permission"])
    return own


async def values(call: Call, i_customer: int) -> dict[str, str]:
    """The values of a customer's properties."""
    own = await read(call, [i_customer])
    return {entry["name"]: entry["value"] for entry in own.get(i_customer, [])}


async def is_granted(call: Call, name: str, i_customer: int, path: str) -> bool:
    """Whether the reseller of a customer, and where a customer calls it itself, has a property set to 1."""
    level = resellers.level_of(call, path, i_customer)
    if level is Level.ADMIN:
        return True
    holders = {resellers.reseller_of(path, i_customer)}
    if level is Level.CUSTOMER:
        holders.add(i_customer)
    known = await read(call, holders)
    return all(any(entry["name"] == name and entry["value"] == "1" for entry in known.get(h, [])) for h in holders)


async def demand_granted(call: Call, name: str, i_customer: int, path: str) -> None:
    """
    Refuse what needs a property set to 1.

    Raises:
        NotPermitted: It is not.
    """
    if not await is_granted(call, name, i_customer, path):
        raise NotPermitted(f"{name} is not 1 for the reseller, or not for the customer")


async def merge(call: Call, i_customer: int, path: str, sent: Iterable[Mapping[str, str]]) -> None:
    """
    Change the properties of a locked customer that were sent; the others stay.

    Raises:
        NotPermitted: One of them is not the caller's to change.
        BadParameter: A credit is no whole number, or an access neither 0 nor 1.
    """
    level = resellers.level_of(call, path, i_customer)
    present = {entry["name"]: entry for entry in (await read(call, [i_customer])).get(i_customer, [])}
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for entry in sent:
        change = Change.of(entry, present.get(entry["name"]))
        if not change.is_meant(level):
            continue
        await _demand(call, level, i_customer, change)
        _demand_value(change)
        await _write(call, i_customer, change)
        present[change.name] = {"name": change.name, **change.new}
        before |= {change.name: change.old["value"]} if change.old else {}
        after[change.name] = change.new["value"]
    if after:
        await audit.changed(call, PROPERTY.name, i_customer, i_customer, before=before, after=after)


async def _demand(call: Call, level: Level, i_customer: int, change: Change) -> None:
    """Refuse a change of a property that is not the caller's to make."""
    permissions = {change.new["permission"], *([change.old["permission"]] if change.old else [])}
    needed = max(level_of(permission) for permission in permissions)
    if level >= needed:
        return
    name = change.name
    hands_on = level is Level.RESELLER and i_customer != call.caller.i_customer and name in HANDED_ON
    if not hands_on:
        raise NotPermitted(f"the property {name} can be changed by the {needed.name.lower()} only")
    own = (await values(call, call.caller.i_customer)).get(name)
    if own is None and name in CREDITS:
        return
    if number(change.new["value"]) > number(own or ""):
        raise NotPermitted(f"the property {name} cannot be more than the reseller's own {own or 0}")


def _demand_value(change: Change) -> None:
    """Refuse a value that the name does not allow."""
    if is_allowed(change.name, change.new["value"]):
        return
    is_credit = change.name in CREDITS
    raise BadParameter(change.name, "must be a whole number, from 0 to 999999999" if is_credit else "must be 0 or 1")


async def _write(call: Call, i_customer: int, change: Change) -> None:
    if change.old is None:
        row = {"i_customer": i_customer, "name": change.name, **change.new}
        await call.session.execute(insert(CustomerProperty).values(row))
        return
    statement = update(CustomerProperty).where(
        CustomerProperty.i_customer == i_customer, CustomerProperty.name == change.name
    )
    await call.session.execute(statement.values(**change.new).execution_options(synchronize_session=False))
