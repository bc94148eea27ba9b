"""CustomerPort: customers and resellers in NGNPro's dialect."""

from dataclasses import replace

from handlers.ngnpro.vocabulary import FAULTS, TIME_ZONE, Noun, Struct, with_zone
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NotPermitted
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.ngnpro import array, attributes, operation
from xmlrpc_api.services import customers
from xmlrpc_api.services.money import balances
from xmlrpc_api.services.ngnpro import customers as ngnpro_customers
from xmlrpc_api.services.ngnpro import properties, queries
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.turns import CUSTOMER as OF_CUSTOMER
from xmlrpc_api.turns import Key

PROPERTIES = array(
    "properties",
    "CustomerProperty",
    "What front ends keep with the customer.",
    *(field.require() if field.name == "name" else field for field in attributes(properties.PROPERTY).values()),
)
CHANGE_DATE = Field(name="changeDate", wire=Wire.STRING, doc="When it was changed last.", example="2026-11-21 05:00:00")
RESELLER = Field(name="reseller", wire=Wire.INT, low=0, doc="The reseller to whom it belongs.", example=7)
ACCOUNT = Noun(
    "CustomerAccount",
    "account",
    "accounts",
    attributes=attributes(customers.CUSTOMER),
    computed=(RESELLER, TIME_ZONE, CHANGE_DATE, PROPERTIES),
    ours={"changeDate": "changed"},
    called="customer",
    behind={"reseller": "id", "timezone": "country"},
)
ID = Field(name="id", wire=Wire.INT, required=True, low=1, doc="Id of the customer.", example=7)
CUSTOMER = Field(name="customer", wire=Wire.INT, required=True, low=1, doc="Id of the customer.", example=7)
FILTER = (
    *queries.texts(ngnpro_customers.TEXTS),
    Field(name="only_resellers", wire=Wire.STRING, doc="Without effect; call getResellers."),
    *queries.OWNERS,
)
QUERY = queries.query("CustomerQuery", FILTER)


async def _attributes(call: Call, account: Struct) -> Struct:
    """The attributes by our names, without the id."""
    unfilled = {"i_lang", "api_password", "web_login"}
    values = ACCOUNT.ours(account, unfilled=unfilled, pointers={"impersonate"})
    values.pop("i_customer", None)
    return await with_zone(call, values, account)


async def _parents_balance(call: Call, params: Struct) -> set[Key]:
    """That money given to a new customer holds the balance of the one above it."""
    account = params["account"]
    if not account.get("balance") and not account.get("credit"):
        return set()
    return {(OF_CUSTOMER, account.get("reseller") or call.caller.i_customer), (OF_CUSTOMER, call.caller.i_customer)}


async def _balance_of(_call: Call, params: Struct) -> set[Key]:
    return {(OF_CUSTOMER, params["account"]["id"])} if "id" in params["account"] else set()


@operation(
    "CustomerPort.addAccount",
    ACCOUNT.sent,
    right=Right.CUSTOMERS_ADD,
    effect=Effect.WRITE,
    balances=_parents_balance,
    returns=(replace(ACCOUNT.told, doc="The customer, with the ids that it was given."),),
    raises=FAULTS,
)
async def add_account(call: Call, *, account: Struct) -> Struct:
    """
    Add a customer to a reseller; the administrator adds a reseller where none is given.

    username and password are also those of the other dialects: login and API password. impersonate names a customer
    of the same reseller, the caller or somebody below it; from then on it and those above it alone change these two.
    """
    attributes = await _attributes(call, account)
    made = await ngnpro_customers.create(call, attributes, account.get("reseller"), account.get("properties", []))
    return ACCOUNT.one(made)


@operation(
    "CustomerPort.updateAccount",
    ACCOUNT.sent,
    right=Right.ANYONE,
    effect=Effect.WRITE,
    balances=_balance_of,
    raises=FAULTS,
)
async def update_account(call: Call, *, account: Struct) -> Struct:
    """
    Change a customer: what is left out stays, what is empty is cleared, properties are merged.

    resellerActive, companyCode, balance, credit and username are the administrator's; from others they are ignored.
    impersonate: as in addAccount.
    """
    if "id" not in account:
        raise BadParameter.required("id")
    attributes = await _attributes(call, account)
    await ngnpro_customers.change(call, account["id"], attributes, account.get("properties", []))
    return {}


@operation(
    "CustomerPort.deleteAccount",
    ID,
    right=Right.CUSTOMERS_DELETE,
    effect=Effect.WRITE,
    balances=balances.of_customer("id"),
    raises=FAULTS,
)
async def delete_account(call: Call, *, id: int) -> Struct:
    """Delete a customer to whom no record belongs any more."""
    await customers.delete(call, id, reach=Reach.SUBTREE)
    return {}


@operation(
    "CustomerPort.getAccount",
    ID,
    right=Right.ANYONE,
    effect=Effect.READ,
    foresee=ngnpro_customers.foreseen_info,
    returns=(ACCOUNT.told,),
    raises=(NotFound,),
)
async def get_account(call: Call, *, id: int) -> Struct:
    """Tell a customer. Its password is told to the administrator alone, if the settings allow it."""
    return ACCOUNT.one(await ngnpro_customers.info(call, id))


@operation("CustomerPort.getCustomers", QUERY, right=Right.ANYONE, effect=Effect.READ, returns=(ACCOUNT.page,))
async def get_customers(call: Call, *, query: Struct) -> Struct:
    """List customers, as far as the caller may see them: filtered, ordered, a page of them."""
    return ACCOUNT.some(await ngnpro_customers.search(call, query, only_resellers=False))


@operation("CustomerPort.getResellers", QUERY, right=Right.ANYONE, effect=Effect.READ, returns=(ACCOUNT.page,))
async def get_resellers(call: Call, *, query: Struct) -> Struct:
    """List resellers; a filter for one customer answers that one, whether it is one or not."""
    return ACCOUNT.some(await ngnpro_customers.search(call, query, only_resellers=True))


@operation(
    "CustomerPort.setProperties",
    CUSTOMER,
    PROPERTIES.require(),
    right=Right.ANYONE,
    effect=Effect.WRITE,
    balances=balances.of_customer("customer"),
    raises=(NotFound, NotPermitted),
)
async def set_properties(call: Call, *, customer: int, properties: list[dict[str, str]]) -> Struct:
    """
    Change the properties that are given; the others stay.

    Names that limit, such as sip_credit or pstn_access, have permission admin at least, whatever is sent.
    For customers below, the caller needs bit 1 (edit) of customers_mgmt.
    """
    await ngnpro_customers.set_properties(call, customer, properties)
    return {}


@operation(
    "CustomerPort.getProperties",
    CUSTOMER,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=(PROPERTIES,),
    raises=(NotFound,),
)
async def get_properties(call: Call, *, customer: int) -> Struct:
    """Tell the properties of a customer."""
    return {"properties": await ngnpro_customers.properties_of(call, customer)}
