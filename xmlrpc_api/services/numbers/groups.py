"""DID charging groups: what a customer demands for each DID that it lets others use."""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select

from models import Did, DidChargingGroup, DidDelegation
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, Kind
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import REACH, Belongings
from xmlrpc_api.services.tree import ownership, patterns
from xmlrpc_api.storage.rows import Row

GROUPS = Belongings(
    DidChargingGroup,
    filters={"name_pattern": partial(patterns.like, DidChargingGroup.name)},
    orders={"name": DidChargingGroup.name},
)
_POINTING: tuple[tuple[type[Did | DidDelegation], Any], ...] = (
    (Did, Did.i_dids_charging_group),
    (Did, Did.buying_i_dids_charging_group),
    (DidDelegation, DidDelegation.i_dids_charging_group),
)


async def remove(call: Call, i_dids_charging_group: int) -> None:
    """
    Remove a charging group.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: A DID or a delegation is charged by it; the text tells how many.
    """
    group = await GROUPS.lock(call, DidChargingGroup.i_dids_charging_group == i_dids_charging_group)
    counts = [select(func.count()).where(column == i_dids_charging_group).scalar_subquery() for _, column in _POINTING]
    found = (await call.session.execute(select(*counts))).one()
    told = [
        f"{count} {model.thing}{'' if count == 1 else 's'} ({column.key})"
        for count, (model, column) in zip(found, _POINTING, strict=True)
        if count
    ]
    if told:
        users = " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))
        raise Conflict(f"DID charging group is still in use by {users}", kind=Kind.IN_USE, thing=DidChargingGroup)
    await records.remove(call, group)


async def info(call: Call, i_dids_charging_group: int) -> Row:
    """A charging group of the caller or of a customer below, or one by which the caller pays; NotFound otherwise."""
    wanted = DidChargingGroup.i_dids_charging_group == i_dids_charging_group
    seen = or_(ownership.within(call.caller, REACH), _is_paid_by(call.caller.i_customer))
    return await GROUPS.all.one(call, DidChargingGroup, wanted, seen)


def _is_paid_by(i_customer: int) -> ColumnElement[bool]:
    group = DidDelegation.i_dids_charging_group == DidChargingGroup.i_dids_charging_group
    return exists().where(group, DidDelegation.i_customer == i_customer)
