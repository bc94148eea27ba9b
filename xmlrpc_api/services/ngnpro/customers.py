"""
Customers as NGNPro sees them: the administrator, resellers directly below the root, and their customers.

What differs from the XML-RPC dialect is who may set what; creating, changing and deleting are the same services.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Integer, and_, bindparam, func, select

from models import ROOT_ID, Customer, CustomerCount, TimeZone, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement, Values
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NotPermitted
from xmlrpc_api.declaration.numbers import INT_HIGH
from xmlrpc_api.declaration.rights import ADD, DELETE, EDIT, Caller, Right
from xmlrpc_api.dialects import ngnpro
from xmlrpc_api.services import customers, records
from xmlrpc_api.services.customers import CUSTOMER
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.ngnpro import properties, queries
from xmlrpc_api.services.tree import ownership, resellers
from xmlrpc_api.services.tree.lists import Found, List
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.foresight import Companion, Foreseen
from xmlrpc_api.storage.rows import Row

REACH = Reach.SUBTREE_AND_SELF
ADMINISTRATORS = frozenset({"reseller_active", "company_code", "balance", "credit_limit", "web_login"})
RESELLER_RIGHTS = {
    "accounts_mgmt": ADD | EDIT | DELETE,
    "customers_mgmt": ADD | EDIT | DELETE,
    "vouchers_mgmt": ADD | EDIT | DELETE,
    "api_mgmt": 1,
}
CUSTOMER_RIGHTS = {"accounts_mgmt": ADD | EDIT | DELETE}
ORDERED = ("web_login", "first_name", "last_name", "company_name")
TEXTS = queries.columns(CUSTOMER, *ORDERED, "phone", "email", "web", "city", "country")
SHOWN = tuple(name for name in ngnpro.NAMES[Customer] if name not in CUSTOMER.secrets)
CUSTOMERS = List(
    CUSTOMER.select(CUSTOMER[name] for name in SHOWN)
    .add_columns(Customer.path, Customer.changed, Customer.api_password, TimeZone.name.label("timezone"))
    .add_columns(properties.OF_CUSTOMER.label("properties"))
    .join(TimeZone, TimeZone.i_time_zone == Customer.i_time_zone)
    .where(Customer.i_customer != ROOT_ID),
    Customer.i_customer,
    {**queries.by_text(TEXTS), **queries.OF_CUSTOMERS},
    {"changeDate": Customer.changed, **queries.columns(CUSTOMER, *ORDERED), "customer": Customer.i_customer},
    lean=select(Customer.i_customer).where(Customer.i_customer != ROOT_ID),
)
_WANTED = Customer.i_customer == bindparam("wanted", type_=Integer)
_BY_ID = queries.finding(CUSTOMERS, _WANTED)
_INFO = Companion(CUSTOMERS.statement.where(_WANTED), ownership.is_in_branch, query=_BY_ID, bounds=ownership.bounds)
_ID = re.compile("[1-9][0-9]{0,9}")


async def create(call: Call, attributes: Values, reseller: int | None, sent: Iterable[Mapping[str, str]]) -> Row:
    """
    Add a customer; the administrator adds a reseller where no reseller is given.

    Raises:
        NotPermitted: The caller is no reseller, or not an active one.
        NotFound: There is no such reseller.
        BadParameter, WrongReference, Conflict: As `customers.create`.
    """
    is_admin = resellers.is_admin(call)
    parent = await _reseller(call, reseller) if is_admin and reseller else None
    login = attributes.get("web_login")
    if not login:
        raise BadParameter.required("username")
    values = {**_settable(call, attributes, is_self=False), "web_login": login}
    rights = RESELLER_RIGHTS if is_admin and parent is None else CUSTOMER_RIGHTS
    defaults = {"name": login, "i_tariff": None, **rights, "api_access": int("api_password" in values)}
    customer = await customers.create(call, {**defaults, **values}, parent)
    await properties.merge(call, customer.i_customer, customer.path, sent)
    return await info(call, customer.i_customer)


async def _reseller(call: Call, i_customer: int) -> Caller:
    """
    A reseller for whom the administrator acts.

    Raises:
        NotFound: There is none with this id.
    """
    found = await ownership.load_caller(call.store, i_customer)
    if found is None or resellers.reseller_of(found.path, i_customer) != i_customer:
        raise NotFound(Customer)
    return found


def _settable(call: Call, attributes: Values, *, is_self: bool) -> Row:
    """What the caller may set of what it has sent; forms echo the rest, which changes nothing."""
    if resellers.is_admin(call):
        return dict(attributes)
    hidden = ADMINISTRATORS | ({"impersonate"} if is_self else frozenset())
    return {name: value for name, value in attributes.items() if name not in hidden}


async def change(call: Call, i_customer: int, attributes: Values, sent: Iterable[Mapping[str, str]]) -> None:
    """
    Change the caller itself or a customer below it.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It is not the caller, who lacks the right to edit customers; or the password is that of whose
            rights were lent to the caller.
        BadParameter, WrongReference, Conflict: As `customers.change`.
    """
    is_self = i_customer == call.caller.i_customer
    path = await _path(call, i_customer)
    if not is_self:
        call.caller.demand(Right.CUSTOMERS_EDIT)
    values = _settable(call, attributes, is_self=is_self)
    if is_self and call.origin.is_borrowed and "api_password" in values:
        raise NotPermitted("only who logs in as this customer may change his password")
    if values:
        await customers.change(call, i_customer, values, reach=REACH)
    await properties.merge(call, i_customer, path, sent)


async def set_properties(call: Call, i_customer: int, sent: Iterable[Mapping[str, str]]) -> None:
    """
    Change properties of the caller or of a customer below it.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: One of them is not the caller's to change, or it is not the caller, who lacks the right to edit
            customers.
    """
    path = await _path(call, i_customer)
    if i_customer != call.caller.i_customer:
        call.caller.demand(Right.CUSTOMERS_EDIT)
    await ownership.find_for_update(call, i_customer, REACH, rights_stay=True)
    await properties.merge(call, i_customer, path, sent)


async def properties_of(call: Call, i_customer: int) -> list[dict[str, str]]:
    """
    The properties of the caller or of a customer below it.

    Raises:
        NotFound: It is not there for the caller.
    """
    await _path(call, i_customer)
    return (await properties.read(call, [i_customer])).get(i_customer, [])


async def info(call: Call, i_customer: int) -> Row:
    """
    The caller itself or a customer below it.

    Raises:
        NotFound: It is not there for the caller.
    """
    row = await queries.one(call, _BY_ID, Customer, wanted=i_customer)
    return (await _shown(call, [row]))[0]


def foreseen_info(sent: Values) -> Foreseen | None:
    """What `info` will ask for, if that can be told from what a client sent before anything is checked."""
    sent_id = sent.get("id")
    wanted = int(sent_id) if isinstance(sent_id, str) and _ID.fullmatch(sent_id) else 0
    return Foreseen(_INFO, wanted=wanted) if 0 < wanted <= INT_HIGH else None


async def search(call: Call, query: Values, *, only_resellers: bool) -> Found:
    """
    The customers that a query asks for, as far as the caller may see them.

    Args:
        call: The call.
        query: Filter, order and range.
        only_resellers: Whether resellers alone count; a filter for one customer finds it anyway.

    Raises:
        BadParameter: The query cannot be answered.
    """
    asked = queries.asked(query)
    conditions = [Customer.i_wholesaler == ROOT_ID] if only_resellers and "customer" not in asked.filters else []
    is_filtered = asked.filters.keys() & CUSTOMERS.filters.keys()
    counting = None if is_filtered else _counting(call, only_resellers=only_resellers)
    found = await queries.search(call, CUSTOMERS, asked, *conditions, counting=counting)
    return Found(found.total, await _shown(call, found.rows))


def _counting(call: Call, *, only_resellers: bool) -> Statement | None:
    """A statement that tells how many customers the caller may see, or how many resellers; None: it must count."""
    is_admin = resellers.is_admin(call)
    if only_resellers and not is_admin:
        return None
    first, end = subtree(call.caller.path, call.caller.i_customer)
    path, itself = CustomerCount.path, 0 if is_admin else 1
    wanted = path == first if only_resellers else and_(path >= first, path < end)
    return select((func.coalesce(func.sum(CustomerCount.customers), 0) + itself).label("total")).where(wanted)


async def _path(call: Call, i_customer: int) -> str:
    """
    The path of a customer in reach.

    Raises:
        NotFound: It is not there for the caller; the root is nobody's.
    """
    if i_customer == ROOT_ID:
        raise NotFound(Customer)
    return await ownership.find(call, i_customer, REACH)


async def _shown(call: Call, rows: Sequence[Row]) -> Sequence[Row]:
    """Rows with all that is computed: reseller, properties, and passwords where they are told."""
    tells = resellers.is_admin(call) and call.platform.config.ngnpro_return_passwords
    for row in rows:
        i_customer, sealed = row["i_customer"], row["api_password"]
        row["properties"] = properties.shown(row["properties"])
        row["api_password"] = records.opened(call, Customer.api_password, sealed, i_customer) if tells else None
    told = [row["i_customer"] for row in rows if row["api_password"] is not None]
    await audit.told(call, CUSTOMER.name, {i_customer: i_customer for i_customer in told})
    return rows


async def zone(call: Call, name: str) -> int:
    """
    The id of a time zone.

    Raises:
        BadParameter: There is none of this name.
    """
    found: int | None = (
        await call.session.execute(select(TimeZone.i_time_zone).where(TimeZone.name == name))
    ).scalar_one_or_none()
    if found is None:
        raise BadParameter("timezone", "is no time zone, such as Europe/Amsterdam")
    return found
