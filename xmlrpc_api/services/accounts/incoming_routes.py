"""Incoming routes of accounts: how calls come to one at each of its DIDs. A route is the use of a DID."""

from typing import ClassVar

from sqlalchemy import literal, null, select

from models import Customer, Did, DidUse
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import NotFound, NothingToChange, WrongReference
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.accounts import account_belongings
from xmlrpc_api.services.belongings import REACH
from xmlrpc_api.services.tree import lists, ownership
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.rows import Row

USE, DID = entity_of(DidUse), entity_of(Did)
_LISTED = lists.List(
    select(
        DidUse.i_did_use.label("i_incoming_route"),
        DidUse.i_did,
        Did.did,
        null().label("i_trunk"),
        literal("").label("trunk_name"),
        DidUse.i_forward_did_mode,
        DidUse.self_managed,
    ).join(Did, Did.i_did == DidUse.i_did),
    DidUse.i_did_use,
    filters={"i_did": lambda wanted: DidUse.i_did == wanted},
    orders={"did": Did.did},
)


class Route:
    """What clients call the use of a DID by an account."""

    thing: ClassVar[str] = "Incoming route"


async def page(call: Call, i_account: int, params: Values) -> Row:
    """The routes of an account, oldest first, as `incoming_routes`; NotFound if it is not there for the caller."""
    await account_belongings.find(call, i_account)
    return await _LISTED.told(call, params, "incoming_routes", of=Of({DidUse.i_account: i_account}))


async def change(call: Call, i_incoming_route: int, changes: Values) -> None:
    """
    Change a route.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not there for the caller.
        WrongReference: There is no such trunk: there are none yet.
    """
    if not changes:
        raise NothingToChange
    use = await _lock(call, i_incoming_route)
    if changes.get("i_trunk") is not None:
        raise WrongReference("i_trunk")
    await records.change(call, use, {name: value for name, value in changes.items() if name != "i_trunk"})


async def _lock(call: Call, i_incoming_route: int) -> DidUse:
    """Lock a route after its customer and its DID, as all do who change what a DID is for."""
    is_route = (DidUse.i_did_use == i_incoming_route, DidUse.i_account.is_not(None))
    known = select(DidUse.i_customer, DidUse.i_did).where(*is_route)
    known = known.join(Customer, Customer.i_customer == DidUse.i_customer)
    found = (await call.session.execute(known.where(ownership.within(call.caller, REACH)))).one_or_none()
    if found is None or await ownership.hold(call, found.i_customer, REACH) is None:
        raise NotFound(Route)
    await call.session.execute(select(Did.i_did).where(Did.i_did == found.i_did).with_for_update(key_share=True))
    locked = select(DidUse).where(*is_route, DidUse.i_customer == found.i_customer).with_for_update()
    use = (await call.session.execute(locked.execution_options(populate_existing=True))).scalar_one_or_none()
    if use is None:
        raise NotFound(Route)
    return use
