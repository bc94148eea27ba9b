"""SIP domains: who has which."""

from sqlalchemy import exists, or_, select

from models import ROOT_ID, Account, Customer, SipAlias, SipDomain, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import Conflict, Kind, WrongReference
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.tree import ownership, references, resellers
from xmlrpc_api.services.tree.ownership import Reach

DOMAIN = entity_of(SipDomain)
REACH = Reach.SUBTREE_AND_SELF


async def create(call: Call, attributes: Values) -> None:
    """
    Add a domain to the caller, or to the customer below it whom the attributes name.

    Raises:
        NotFound: There is no such customer for the caller.
        Conflict: It is there already.
    """
    values = {name: value for name, value in attributes.items() if value or name != "private_key"}
    i_customer = await _owner(call, values.pop("i_customer", None))
    await records.add(call, SipDomain(i_customer=i_customer), values)


async def change(call: Call, name: str, attributes: Values) -> None:
    """
    Change a domain.

    Raises:
        NotFound: It is not there for the caller, or the customer is not.
        Conflict: It is to go to another customer, but has accounts.
    """
    domain = await find(call, name)
    values = dict(attributes)
    if "i_customer" in values:
        values["i_customer"] = await _owner(call, values["i_customer"], domain.i_customer)
    if values.get("i_customer", domain.i_customer) != domain.i_customer:
        accounts = exists().where(Account.i_domain == domain.i_domain)
        aliases = exists().where(SipAlias.i_domain == domain.i_domain)
        if (await call.session.execute(select(or_(accounts, aliases)))).scalar_one():
            text = "The domain still has accounts or aliases, which belong to its customer"
            raise Conflict(text, kind=Kind.IN_USE, thing=SipDomain)
    await records.change(call, domain, values)


async def remove(call: Call, name: str) -> None:
    """
    Remove a domain that has no accounts.

    Raises:
        NotFound: It is not there for the caller.
        Conflict: It still has accounts.
    """
    await records.remove(call, await find(call, name))


async def find(call: Call, name: str) -> SipDomain:
    """
    Lock a domain in reach.

    Raises:
        NotFound: It is not there for the caller.
    """
    statement = (
        select(SipDomain)
        .join(Customer, Customer.i_customer == SipDomain.i_customer)
        .where(SipDomain.domain == name.lower(), ownership.within(call.caller, REACH))
    )
    return await ownership.locked(call, SipDomain, statement)


def _name_in(username: str) -> str:
    return username.rpartition("@")[2].lower() if "@" in username else ""


async def demand_usable(call: Call, username: str, i_customer: int) -> None:
    """
    Refuse a username below the domain of somebody who has nothing to do with it: it would be an address there.

    Raises:
        WrongReference: The domain is that of a customer who is neither in the caller's reach, nor is the account's
            customer or above it.
    """
    if not _name_in(username):
        return
    wanted = select(SipDomain.i_customer).where(SipDomain.domain == _name_in(username))
    owner = (await call.session.execute(wanted)).scalar_one_or_none()
    if owner is None or owner in (*ancestors(await ownership.path_of(call, i_customer)), i_customer):
        return
    in_reach = select(Customer.i_customer).where(Customer.i_customer == owner, ownership.within(call.caller, REACH))
    if (await call.session.execute(in_reach)).first() is None:
        raise WrongReference("username")


async def id_of(call: Call, username: str, i_customer: int) -> int | None:
    """The domain behind the @ of a username, if it is this customer's."""
    name = _name_in(username)
    if not name:
        return None
    wanted = select(SipDomain.i_domain).where(SipDomain.domain == name, SipDomain.i_customer == i_customer)
    wanted = wanted.with_for_update(read=True, key_share=True)  # it stays with that customer until the account is there
    found: int | None = (await call.session.execute(wanted)).scalar_one_or_none()
    return found


async def _owner(call: Call, asked: int | None, present: int | None = None) -> int:
    """
    Whose a domain is to be: the customer who is asked for, else as it is, else the caller.

    Raises:
        NotFound: There is no such customer for the caller.
    """
    if not asked:
        return ROOT_ID if resellers.is_admin(call) and asked == 0 else present or call.caller.i_customer
    await references.check(call, DOMAIN, {"i_customer": asked})
    return asked
