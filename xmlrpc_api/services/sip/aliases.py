"""SIP aliases: further SIP ids that lead to others."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, exists, select

from models import Account, Customer, SipAlias, SipDomain, exact_key
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.sip import domains
from xmlrpc_api.services.sip.ids import SipId
from xmlrpc_api.services.tree import names, ownership, quotas, references

ALIAS = entity_of(SipAlias)


def is_called(sip_id: SipId) -> ColumnElement[bool]:
    """The condition for an alias; of those with one key the one that is called exactly so."""
    return names.has_key(SipAlias.alias_key, SipAlias.alias_key, **forms(sip_id))


def forms(sip_id: SipId) -> dict[str, str]:
    """The values of the same condition in a query that is made once."""
    return {"key": sip_id.key, "exact": exact_key(str(sip_id))}


async def create(call: Call, sip_id: SipId, target: SipId, owner: int | None) -> None:
    """
    Add an alias to the customer of its domain.

    Raises:
        NotFound: The domain or the owner is not there for the caller.
        NotEnoughCredit: A credit is used up.
        Conflict: There is an alias or an account of this name.
    """
    domain = await domains.find(call, sip_id.domain)
    names.demand("username", sip_id.username, is_login=False)
    account = select(exists().where(Account.username_key == sip_id.key))
    if (await call.session.execute(account)).scalar_one():
        raise Conflict.taken(Account, "username")
    await demand_free(call, sip_id)
    await references.check(call, ALIAS, {"owner": owner})
    alias = SipAlias(i_domain=domain.i_domain, alias_key=sip_id.key)
    await records.add(call, alias, {"username": sip_id.username, **_led_to(target), "owner": owner}, domain.i_customer)
    path = await ownership.path_of(call, domain.i_customer)
    await quotas.demand(call, quotas.SIP_ALIASES, domain.i_customer, path)


async def demand_free(call: Call, sip_id: SipId) -> None:
    """
    Refuse a SIP id that is an alias.

    Raises:
        Conflict: It is one.
    """
    if (await call.session.execute(select(exists().where(is_called(sip_id))))).scalar_one():
        raise Conflict.taken(SipAlias, "alias")


async def change(call: Call, sip_id: SipId, target: SipId | None, changes: Mapping[str, int | None]) -> None:
    """
    Change where an alias leads to, or its owner.

    Raises:
        NotFound: It, or the owner, is not there for the caller.
    """
    alias, i_customer = await _find(call, sip_id)
    await references.check(call, ALIAS, changes, references.Pointer(present=alias))
    await records.change(call, alias, {**changes, **(_led_to(target) if target else {})}, i_customer)


def _led_to(target: SipId) -> dict[str, str]:
    return {"target_username": target.username, "target_domain": target.domain.lower()}


async def remove(call: Call, sip_id: SipId) -> None:
    """
    Remove an alias.

    Raises:
        NotFound: It is not there for the caller.
    """
    alias, i_customer = await _find(call, sip_id)
    await records.remove(call, alias, i_customer)


async def _find(call: Call, sip_id: SipId) -> tuple[SipAlias, int]:
    """Lock an alias; it, and the customer to whom it belongs."""
    statement = (
        select(SipAlias, SipDomain.i_customer)
        .join(SipDomain, SipDomain.i_domain == SipAlias.i_domain)
        .join(Customer, Customer.i_customer == SipDomain.i_customer)
        .where(is_called(sip_id), ownership.within(call.caller, domains.REACH))
        .with_for_update(of=SipAlias)
    )
    row = (await call.session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(SipAlias)
    return row[0], row[1]
