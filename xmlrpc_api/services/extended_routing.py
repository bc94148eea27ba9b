"""Extended routing: further tariffs and routing groups of a customer, given by the one directly above."""

from sqlalchemy import func, select

from models import Balance, Customer, ExtendedRouting, Tariff
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NothingToChange, NotPermitted
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import Belongings
from xmlrpc_api.services.tree import lists, ownership, references
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.references import Pointer
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.rows import Row

MOST = 100  # of a customer
ROUTINGS = Belongings(ExtendedRouting)
ROUTING = ROUTINGS.entity
LISTED = lists.List(ROUTING.select(ROUTING.read), ExtendedRouting.i_extended_routing)


async def create(call: Call, i_customer: int, attributes: Values) -> int:
    """
    Give a direct sub-customer of the caller a tariff and a routing group beside its own.

    Raises:
        NotFound: It is not the caller's.
        NotPermitted: It has as many as it may have, or the caller is not active.
        WrongReference: Tariff or routing group are not the caller's.
        BadParameter: The tariff is not in the customer's currency.
    """
    call.caller.demand_active()
    customer = await _hold(call, i_customer)
    mine = ExtendedRouting.i_customer == i_customer
    counting = select(func.count()).select_from(ExtendedRouting).where(mine)
    if (await call.session.execute(counting)).scalar_one() >= MOST:
        raise NotPermitted(f"a customer cannot have more than {MOST} of these")
    caller = call.caller.i_customer
    await _demand_allowed(call, customer, attributes, Pointer(owner=caller, customer=i_customer))
    row = ExtendedRouting(i_wholesaler=caller, i_customer=i_customer)
    await records.add(call, row, attributes)
    return row.i_extended_routing


async def change(call: Call, i_extended_routing: int, changes: Values) -> None:
    """
    Change what the caller has given to a sub-customer.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: The caller has given nothing of this id.
        WrongReference, BadParameter: As in `create`.
    """
    if not changes:
        raise NothingToChange
    row = await _lock(call, i_extended_routing)
    pointer = Pointer(owner=row.i_wholesaler, customer=row.i_customer, present=row)
    await _demand_allowed(call, row.i_customer, changes, pointer)
    await records.change(call, row, changes)


async def remove(call: Call, i_extended_routing: int) -> None:
    """Take back what the caller has given to a sub-customer; NotFound if it has given nothing of this id."""
    await records.remove(call, await _lock(call, i_extended_routing))


async def page(call: Call, i_customer: int, params: Values) -> Row:
    """
    What a direct sub-customer of the caller, or the caller itself, has beside its own, as `extended_routing`.

    Raises:
        NotFound: It is not the caller's.
    """
    await ownership.find(call, i_customer, Reach.CHILDREN_AND_SELF)
    return await LISTED.told(call, params, "extended_routing", of=Of({ExtendedRouting.i_customer: i_customer}))


async def _hold(call: Call, i_customer: int) -> int:
    """Lock a direct sub-customer, so that what it has stays; NotFound if it is not the caller's."""
    wanted = select(Customer).where(Customer.i_customer == i_customer, ownership.within(call.caller, Reach.CHILDREN))
    return (await ownership.locked(call, Customer, wanted, key_share=True)).i_customer


async def _lock(call: Call, i_extended_routing: int) -> ExtendedRouting:
    """Lock a row that the caller has made, after its customer."""
    mine = ExtendedRouting.i_wholesaler == call.caller.i_customer
    wanted = select(ExtendedRouting).where(ExtendedRouting.i_extended_routing == i_extended_routing, mine)
    customer = wanted.with_only_columns(ExtendedRouting.i_customer).scalar_subquery()
    await call.session.execute(
        select(Customer.i_customer).where(Customer.i_customer == customer).with_for_update(key_share=True)
    )
    return await ownership.locked(call, ExtendedRouting, wanted)


async def _demand_allowed(call: Call, i_customer: int, values: Values, pointer: Pointer) -> None:
    """Refuse what is not the caller's to give, or in another currency than the customer's."""
    await references.check(call, ROUTING, values, pointer)
    if values.get("i_tariff") is None or pointer.stays("i_tariff", values["i_tariff"]):
        return
    own = select(Balance.currency).where(Balance.i_customer == i_customer, Balance.is_default)
    currency = (await call.session.execute(own)).scalar_one()
    tariff = select(Tariff.currency).where(Tariff.i_tariff == values["i_tariff"])
    if (await call.session.execute(tariff)).scalar_one() != currency:
        raise BadParameter("i_tariff", f"must be a tariff in {currency}, the customer's base currency")
