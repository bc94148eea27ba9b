"""What a change of a customer does to everybody below it, at any depth."""

from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update

from models import Customer, WebUser, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import Conflict
from xmlrpc_api.declaration.rights import BITMASKS, FLAGS
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import ownership


async def take_away_rights(call: Call, customer: Customer, values: Values) -> None:
    """Take rights and depth that a customer is about to lose away from everybody below it, too."""
    lost: dict[str, Any] = {}
    conditions: list[ColumnElement[bool]] = []
    for name in BITMASKS:
        column = getattr(Customer, name)
        if getattr(customer, name) & ~values.get(name, -1):
            lost[name] = column.bitwise_and(values[name])
            conditions.append(column != column.bitwise_and(values[name]))
    for name in FLAGS:
        if values.get(name, 1) < getattr(customer, name):
            lost[name] = values[name]
            conditions.append(getattr(Customer, name) > values[name])
    if values.get("max_depth", customer.max_depth) < customer.max_depth:
        allowed = await _allowed_depth_below(call, customer, values["max_depth"])
        lost["max_depth"] = case((Customer.max_depth > allowed, allowed), else_=Customer.max_depth)
        conditions.append(Customer.max_depth > allowed)
    if lost:
        await _update_below(call, customer, or_(*conditions), lost)


async def _update_below(call: Call, customer: Customer, condition: ColumnElement[bool], values: Values) -> None:
    """Change many customers at once, and note the change of each."""
    values = {**values, "version": Customer.version + 1}
    columns = [getattr(Customer, name) for name in values]
    affected = select(Customer.i_customer, Customer.path, *columns).where(ownership.below(customer), condition)
    rows = (await call.session.execute(affected.with_for_update(of=Customer))).mappings().all()
    statement = (
        update(Customer)
        .where(ownership.below(customer), condition)
        .values({**values, "changed": call.now})
        .returning(Customer.i_customer, *columns)
        .execution_options(synchronize_session=False)
    )
    after = {row["i_customer"]: row for row in (await call.session.execute(statement)).mappings()}
    entries = []
    for row in rows:
        i_customer = row["i_customer"]
        names = [name for name in values if row[name] != after[i_customer][name]]
        old, new = ({name: source[name] for name in names} for source in (row, after[i_customer]))
        subject = audit.Subject(Customer.__tablename__, i_customer, i_customer, subtree(row["path"], i_customer)[0])
        entries.append(audit.entry(call, audit.UPDATED, subject, before=old, after=new))
    await audit.note(call, entries)


async def _allowed_depth_below(call: Call, customer: Customer, max_depth: int) -> ColumnElement[int]:
    """How many levels each customer below may have, if this one may have `max_depth`."""
    steps = func.length(Customer.path) - func.length(func.replace(Customer.path, ".", ""))
    distance = steps - customer.path.count(".")
    deepest = select(func.max(distance)).where(ownership.below(customer))
    if ((await call.session.execute(deepest)).scalar_one() or 0) > max_depth:
        raise Conflict("Parameter max_depth is less than the depth of the sub-customers that are there")
    return max_depth - distance


async def end_one_time_passwords(call: Call, customer: Customer) -> None:
    """Nobody at or below a customer finds its one-time password good when a block is over."""
    blocked = select(Customer.i_customer).where(ownership.branch(customer.path, customer.i_customer))
    await call.session.execute(
        update(WebUser)
        .where(WebUser.i_customer.in_(blocked), WebUser.one_time_password.is_not(None))
        .values(one_time_password=None, one_time_expires=None, one_time_used=None)
        .execution_options(synchronize_session=False)
    )
