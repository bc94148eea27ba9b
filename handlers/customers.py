"""Customers: wholesalers, resellers and end customers, each owned by the customer above."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotEnoughCredit,
    NotFound,
    NotPermitted,
    WrongReference,
)
from xmlrpc_api.declaration.fields import I_CUSTOMER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, pattern_of, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services import customers, extended_routing
from xmlrpc_api.services.customers import Expected
from xmlrpc_api.services.money import balance_sign, balances

CUSTOMER = customers.CUSTOMER
ID_OR_NAME = Field(
    name="i_customer",
    wire=Wire.ID_OR_NAME,
    doc="Id of the customer. A string that is not a number is taken as its name.",
    example=29,
)
NAME = Field(name="name", wire=Wire.STRING, doc="Name of the customer, instead of i_customer.", example="acme")
AS_OF = Field(name="as_of", wire=Wire.DATETIME, doc="Tells how the customer was at this time.")
IF_VERSION = Field(
    name="if_version",
    wire=Wire.INT,
    doc="Refuses the call with 409 if this is not the customer's version any more.",
)
IF_BALANCE = Field(
    name="if_balance",
    wire=Wire.DOUBLE,
    doc="Refuses the call with 409 if getCustomerInfo would not tell this balance any more.",
)
ROUTING = extended_routing.ROUTING
I_ROUTING = ROUTING.require("i_extended_routing")

routing_change = partial(
    method, right=Right.CUSTOMERS_EDIT, effect=Effect.WRITE, raises=(NotFound, NotPermitted, WrongReference)
)
customer_block = partial(
    method,
    right=Right.CUSTOMERS_EDIT,
    effect=Effect.WRITE,
    balances=balances.of_customer("i_customer"),
    raises=(NotFound,),
)


@method(
    "createCustomer",
    *CUSTOMER.create,
    right=Right.CUSTOMERS_ADD,
    effect=Effect.WRITE,
    balances=customers.own_balance,
    returns=CUSTOMER.some("i_customer"),
    raises=(WrongReference, NotEnoughCredit, Conflict),
)
async def create_customer(call: Call, **attributes: Any) -> Answer:
    """
    Create a customer. It belongs to the caller, or to i_wholesaler where a trusted host calls.

    Rights, max_depth, system_mgmt, api_mgmt and use_own_tariff cannot exceed the caller's own;
    api_access and api_password need api_mgmt. web_login defaults to the name.
    """
    customer = await customers.create(call, attributes)
    return {"i_customer": customer.i_customer}


@method(
    "getCustomerInfo",
    ID_OR_NAME,
    NAME,
    AS_OF,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(Field(name="customer", wire=Wire.STRUCT, doc="The customer.", members=CUSTOMER.read),),
    foresee=customers.foreseen_info,
    raises=(NotFound,),
)
async def get_customer_info(
    call: Call, *, i_customer: int | str | None = None, name: str | None = None, as_of: datetime | None = None
) -> Answer:
    """
    Tell all attributes of a direct sub-customer, or of the caller itself.

    Either i_customer or name is required. Passwords are never told. With as_of, which needs the id,
    it is told as it was then, even if it is deleted by now.
    """
    if as_of is None:
        customer = await customers.info(call, i_customer, name)
    elif isinstance(i_customer, int):
        customer = await customers.as_of(call, i_customer, as_of)
    else:
        raise BadParameter("i_customer", "must be the id where as_of is given")
    return {"customer": {**customer, "balance": balance_sign.shown(call, customer["balance"])}}


@method(
    "updateCustomer",
    I_CUSTOMER,
    IF_VERSION,
    IF_BALANCE,
    *CUSTOMER.update,
    right=Right.CUSTOMERS_EDIT,
    effect=Effect.WRITE,
    balances=balances.each(balances.of_customer("i_customer"), customers.own_balance),
    raises=(WrongReference, NotFound, NotEnoughCredit, Conflict),
)
async def update_customer(
    call: Call, *, i_customer: int, if_version: int | None = None, if_balance: Decimal | None = None, **changes: Any
) -> Answer:
    """
    Change attributes of a direct sub-customer; at least one must be given.

    Attributes left out keep their value; nil clears those that may be nil. A right taken away from a
    customer is taken away from everybody below it as well. Setting balance books the difference.
    """
    await customers.change(call, i_customer, changes, Expected(version=if_version, balance=if_balance))
    return {}


@method(
    "deleteCustomer",
    I_CUSTOMER,
    IF_VERSION,
    right=Right.CUSTOMERS_DELETE,
    effect=Effect.WRITE,
    balances=balances.of_customer("i_customer"),
    raises=(NotFound, Conflict),
)
async def delete_customer(call: Call, *, i_customer: int, if_version: int | None = None) -> Answer:
    """
    Delete a direct sub-customer together with its web users.

    Refused while it has sub-customers, a balance other than zero, is still referred to, or is blocked by somebody
    above the caller.
    """
    await customers.delete(call, i_customer, Expected(version=if_version))
    return {}


@method(
    "listCustomers",
    pattern_of("name_pattern", "name"),
    sorted_by("name"),
    *PAGE,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=rows_of("customers", "The customers, oldest first.", customers.LISTED),
)
async def list_customers(call: Call, **page: Any) -> Answer:
    """List the direct sub-customers of the caller, in the order of their creation."""
    return await customers.children(call, page)


@customer_block("blockCustomer", I_CUSTOMER)
async def block_customer(call: Call, *, i_customer: int) -> Answer:
    """
    Block a customer at any depth below the caller: neither it nor anybody below it can log in.

    The block is that of the highest who has blocked it.
    """
    await customers.set_blocked(call, i_customer, True)
    return {}


@customer_block("unblockCustomer", I_CUSTOMER)
async def unblock_customer(call: Call, *, i_customer: int) -> None:
    """Take the block of a customer at any depth below the caller away. Who stands below whoever blocked it cannot."""
    await customers.set_blocked(call, i_customer, False)


@routing_change("addExtendedRouting", I_CUSTOMER, *ROUTING.create, returns=ROUTING.some("i_extended_routing"))
async def add_extended_routing(call: Call, *, i_customer: int, **attributes: Any) -> Answer:
    """Give a direct sub-customer a routing group, and a tariff for it, beside its own."""
    return {"i_extended_routing": await extended_routing.create(call, i_customer, attributes)}


@routing_change("updateExtendedRouting", I_ROUTING, *ROUTING.update)
async def update_extended_routing(call: Call, *, i_extended_routing: int, **changes: Any) -> Answer:
    """Change what a direct sub-customer was given by addExtendedRouting; at least one attribute must be given."""
    await extended_routing.change(call, i_extended_routing, changes)
    return {}


@routing_change("deleteExtendedRouting", I_ROUTING)
async def delete_extended_routing(call: Call, *, i_extended_routing: int) -> Answer:
    """Take back what a direct sub-customer was given by addExtendedRouting."""
    await extended_routing.remove(call, i_extended_routing)
    return {}


@method(
    "listExtendedRouting",
    I_CUSTOMER,
    *PAGE,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=rows_of("extended_routing", "Oldest first.", ROUTING.read),
    raises=(NotFound,),
)
async def list_extended_routing(call: Call, *, i_customer: int, **asked: Any) -> Answer:
    """List the routing groups and tariffs that a direct sub-customer, or the caller, has beside its own."""
    return await extended_routing.page(call, i_customer, asked)
