"""
Checks that what a call points at may be pointed at.

Every attribute that a client may set, and that points at a row, names its rule here, once, for all dialects. One
without a rule is an error at import.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, exists, or_, select, true

from models import Base, Customer, DidDelegation
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Entity, Values, table_of
from xmlrpc_api.declaration.faults import Fault, Name, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.tree import lending, ownership
from xmlrpc_api.services.tree.ownership import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """
    The row that points.

    Attributes:
        owner: The customer whose tariffs, groups and plans it may point at; None: it points at nothing of the kind.
        customer: The customer who it is, or whose it is; None: it is not there yet.
        path: Its path.
        present: The row as it is, if it is there: where it points already, it may stay.
    """

    owner: int | None = None
    customer: int | None = None
    path: str = ""
    present: Base | None = None

    def stays(self, name: str, value: object) -> bool:
        """Whether it points there already."""
        return self.present is not None and getattr(self.present, name) == value


Condition = Callable[[Column[Any], Caller, Pointer], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Rule:
    """At which rows an attribute may point, and the fault, by the attribute's name, if it points elsewhere."""

    condition: Condition
    fault: Callable[[str], Fault] = WrongReference


def _owners(column: Column[Any], _caller: Caller, row: Pointer) -> ColumnElement[bool]:
    owner = table_of(column).c.i_customer
    return or_(owner == row.owner, owner.is_(None)) if owner.nullable else owner == row.owner


def _others_below(_column: Column[Any], caller: Caller, row: Pointer) -> ColumnElement[bool]:
    below = ownership.below(caller)
    return below if row.customer is None else and_(below, Customer.i_customer != row.customer)


def _in_hand(column: Column[Any], _caller: Caller, row: Pointer) -> ColumnElement[bool]:
    delegated = select(DidDelegation.i_did).where(DidDelegation.i_customer == row.owner)
    return or_(table_of(column).c.i_customer == row.owner, column.in_(delegated))


EVERYBODYS = Rule(lambda _column, _caller, _row: true())
OWNERS = Rule(_owners)
IN_HAND = Rule(_in_hand)
OTHERS_BELOW = Rule(_others_below)
IN_REACH = Rule(
    lambda _column, caller, _row: ownership.within(caller, Reach.SUBTREE_AND_SELF), lambda _name: NotFound(Customer)
)
LENDERS = Rule(
    lambda _column, caller, row: lending.lenders(caller, row.customer, row.path),
    lambda name: NotPermitted(Name(name), " must be a customer of the same reseller, you or somebody below you"),
)

RULES: Mapping[str, Rule] = {
    "customers.i_tariff": OWNERS,
    "customers.i_routing_group": OWNERS,
    "customers.payment_currency": EVERYBODYS,
    "customers.payment_method": EVERYBODYS,
    "customers.i_commission_agent": OTHERS_BELOW,
    "customers.i_password_policy": EVERYBODYS,
    "customers.i_time_zone": EVERYBODYS,
    "customers.i_lang": EVERYBODYS,
    "customers.i_export_type": EVERYBODYS,
    "customers.impersonate": LENDERS,
    "web_users.i_access_level": EVERYBODYS,
    "accounts.i_routing_group": OWNERS,
    "accounts.i_billing_plan": OWNERS,
    "billing_plans.i_tariff": OWNERS,
    "accounts.i_time_zone": EVERYBODYS,
    "accounts.i_lang": EVERYBODYS,
    "accounts.payment_currency": EVERYBODYS,
    "accounts.payment_method": EVERYBODYS,
    "accounts.i_export_type": EVERYBODYS,
    "accounts.i_password_policy": EVERYBODYS,
    "accounts.i_commission_agent": OTHERS_BELOW,
    "accounts.owner": IN_REACH,
    "cli_mappings.lang": EVERYBODYS,
    "authentications.i_tariff": OWNERS,
    "authentications.i_routing_group": OWNERS,
    "post_auth_rules.i_tariff": OWNERS,
    "post_auth_rules.i_routing_group": OWNERS,
    "extended_routings.i_routing_group": OWNERS,
    "extended_routings.i_tariff": OWNERS,
    "tariffs.currency": EVERYBODYS,
    "sip_domains.i_customer": IN_REACH,
    "dids.i_did_allocated_from": IN_HAND,
    "dids.i_dids_charging_group": OWNERS,
    "dids.buying_i_dids_charging_group": OWNERS,
    "did_delegations.i_dids_charging_group": OWNERS,
    "did_uses.i_ivr_application": EVERYBODYS,
    "did_uses.i_account": OWNERS,
    "did_groups.currency": EVERYBODYS,
    "sip_aliases.owner": IN_REACH,
}


def demand_rules(rules: Mapping[str, Rule], models: Iterable[type[Base]]) -> None:
    """
    Make sure that there is a rule for each reference that a client may set, and for nothing else.

    Raises:
        TypeError: There is none, or one too many; the text names them.
    """
    entities = [Entity(model) for model in models]
    needed = {f"{entity.name}.{name}" for entity in entities for name in entity.references}
    if wrong := needed ^ rules.keys():
        raise TypeError(f"references and their rules do not fit together: {', '.join(sorted(wrong))}")


demand_rules(RULES, (mapper.class_ for mapper in Base.registry.mappers))


async def check(call: Call, entity: Entity, values: Values, row: Pointer = Pointer()) -> None:
    """
    Refuse values that point at nothing, or at something that they must not point at.

    What was sent is in `values`; nil points nowhere and is fine.

    Raises:
        WrongReference, NotFound, NotPermitted: What the rule says; of the first such attribute in declared order.
    """
    given = {name: column for name, column in entity.references.items() if values.get(name) is not None}
    asked = {name: column for name, column in given.items() if not row.stays(name, values[name])}
    if not asked:
        return
    rules = {name: RULES[f"{entity.name}.{name}"] for name in asked}
    found = [
        exists().where(column == values[name], rules[name].condition(column, call.actor, row)).label(name)
        for name, column in asked.items()
    ]
    there = (await call.session.execute(select(*found))).one()
    for name, is_there in zip(asked, there, strict=True):
        if not is_there:
            raise rules[name].fault(name)
