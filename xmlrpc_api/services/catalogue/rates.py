"""
Rates of tariffs: who has its tariff in reach adds, changes and removes them, one by one or many at once.

Each single change is noted in the history with the whole rate. What changes many has one row, which `note_many` writes.
Everybody who changes rates holds their tariff first, by `hold`: the history has them in the order in which they were
done.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, delete, func, select

from models import Customer, Rate, Tariff
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NothingToChange
from xmlrpc_api.services import records
from xmlrpc_api.services.catalogue.rate_sums import RATE, RateSum
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach

KEY = ("i_tariff", "prefix", "activation_date")
REACH = Reach.SUBTREE_AND_SELF
MANY = "RATES"  # what the history calls a change of many rates; its object is the tariff
NONE_LEFT = "RATES_DELETED"  # the same of all of them, after which there are none


async def hold(call: Call, i_tariff: int) -> Tariff:
    """
    Lock a tariff in reach, whose rates are to change; customers may still be given it.

    Raises:
        NotFound: It is not there for the caller.
    """
    owner = select(Customer.i_customer).join(Tariff, Tariff.i_customer == Customer.i_customer)
    owner = owner.where(Tariff.i_tariff == i_tariff, ownership.within(call.caller, REACH))
    await call.session.execute(owner.with_for_update(of=Customer, read=True, key_share=True))
    wanted = select(Tariff).where(Tariff.i_tariff == i_tariff, Tariff.i_customer.in_(owner))
    return await ownership.locked(call, Tariff, wanted, key_share=True)


async def note_many(call: Call, tariff: Tariff, changed: RateSum, details: Values) -> None:
    """
    Note a change of many rates of a held tariff, in one row of the history.

    Whoever changes them tells `changed` of each: `add` of one that is new, `take` of one that is deleted, `take` as it
    was and `add` as it is of one that is changed, with all its attributes (i_upload, too; its id does not matter).

    Args:
        call: The call.
        tariff: Whose rates they are; see `hold`.
        changed: What has come and gone.
        details: What else to know, such as the upload, the SHA-256 of its file, how many rates are new, dearer,
            cheaper and closed; names other than rates_came, rates_went and rates_sum.
    """
    kept = {**details, "rates_came": changed.came, "rates_went": changed.went, "rates_sum": changed.text}
    await audit.event(
        call,
        MANY,
        object_type=Tariff.__tablename__,
        object_id=tariff.i_tariff,
        i_customer=tariff.i_customer,
        details=kept,
    )


async def add(call: Call, i_tariff: int, values: Values) -> int:
    """
    Add a rate to a tariff.

    Raises:
        NotFound: The tariff is not there for the caller.
        BadParameter: It would end before it begins.
        Conflict: One of its prefix begins at the same time.
    """
    call.caller.demand_active()
    tariff = await hold(call, i_tariff)
    now = call.now.replace(microsecond=0)
    values = {"price_n": values["price_1"], "activation_date": now, **values}
    _demand_life(values)
    row = Rate(i_tariff=tariff.i_tariff)
    await records.add(call, row, values, tariff.i_customer)
    return row.i_rate


async def lock(call: Call, i_rate: int | None, key: Values) -> Rate:
    """
    Lock a rate, after its tariff.

    Args:
        call: The call.
        i_rate: Its id, if that is known.
        key: Otherwise its i_tariff, prefix and activation_date.

    Raises:
        BadParameter: One of these is missing.
        NotFound: It is not there for the caller.
    """
    if i_rate is not None:
        which = Rate.i_rate == i_rate
    else:
        for name in KEY:
            if key.get(name) is None:
                raise BadParameter.required(name if any(key.get(other) is not None for other in KEY) else "i_rate")
        which = and_(*(getattr(Rate, name) == key[name] for name in KEY))
    found = select(Rate.i_tariff).join(Tariff).join(Customer, Customer.i_customer == Tariff.i_customer)
    i_tariff = (await call.session.execute(found.where(which, ownership.within(call.caller, REACH)))).scalar()
    if i_tariff is None:
        raise NotFound(Rate)
    await hold(call, i_tariff)
    return await ownership.locked(call, Rate, select(Rate).where(which, Rate.i_tariff == i_tariff))


async def change(call: Call, rate: Rate, values: Values) -> None:
    """
    Change a rate that `lock` has locked.

    Raises:
        NothingToChange: No attribute was given.
        BadParameter, Conflict: As in `add`.
    """
    if not values:
        raise NothingToChange
    before = audit.snapshot(RATE, rate)
    _demand_life({**before, **values})
    records.assign(call, rate, values)
    await call.session.flush()
    after = audit.snapshot(RATE, rate)
    if after != before:
        owner = await _owner(call, rate)
        await audit.changed(call, RATE.name, rate.i_rate, owner, before=before, after=after)


async def remove(call: Call, rate: Rate) -> None:
    """Remove a rate that `lock` has locked."""
    await records.remove(call, rate, await _owner(call, rate))


async def remove_all(call: Call, i_tariff: int) -> int:
    """
    Remove all rates of a tariff; how many there were.

    Raises:
        NotFound: The tariff is not there for the caller.
    """
    tariff = await hold(call, i_tariff)
    count = (await call.session.execute(select(func.count()).where(Rate.i_tariff == i_tariff))).scalar_one()
    if count:
        gone = delete(Rate).where(Rate.i_tariff == i_tariff).execution_options(synchronize_session=False)
        await call.session.execute(gone)
        await audit.event(
            call,
            NONE_LEFT,
            object_type=Tariff.__tablename__,
            object_id=i_tariff,
            i_customer=tariff.i_customer,
            details={"rates_went": count},
        )
    return int(count)


def _demand_life(values: Mapping[str, Any]) -> None:
    begins, ends = values["activation_date"], values.get("expiration_date")
    if ends is not None and ends <= begins:
        raise BadParameter("expiration_date", "must be later than activation_date")


async def _owner(call: Call, rate: Rate) -> int:
    whose = select(Tariff.i_customer).where(Tariff.i_tariff == rate.i_tariff)
    return (await call.session.execute(whose)).scalar_one()
