"""
Credits: how many records of a kind a customer, and a reseller with all his customers, may have.

They are properties. One that is not there is no limit; the administrator has none. The limit is checked in the
transaction that creates the record, with the customers locked, so that no two creators take the last one.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from models import Account, Customer, SipAlias, SipDomain, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.faults import NotEnoughCredit
from xmlrpc_api.services import levels, properties

SIP_ACCOUNTS, SIP_ALIASES = "sip_credit", "sip_alias_credit"
Counted = Callable[[ColumnElement[bool]], Any]


def sip_accounts(owner: ColumnElement[bool]) -> Any:
    """How many accounts those customers have for whom the condition holds."""
    return (
        select(func.count()).select_from(Account).join(Customer, Customer.i_customer == Account.i_customer).where(owner)
    )


def sip_aliases(owner: ColumnElement[bool]) -> Any:
    """How many aliases they have."""
    aliases = select(func.count()).select_from(SipAlias).join(SipDomain, SipDomain.i_domain == SipAlias.i_domain)
    return aliases.join(Customer, Customer.i_customer == SipDomain.i_customer).where(owner)


COUNTS: dict[str, Counted] = {SIP_ACCOUNTS: sip_accounts, SIP_ALIASES: sip_aliases}


async def demand(call: Call, name: str, i_customer: int, path: str) -> None:
    """
    Refuse one more record of a customer if his credit, or his reseller's, is used up.

    Args:
        call: The call.
        name: The property, such as `sip_credit`.
        i_customer: Whose the record will be.
        path: His path.

    Raises:
        NotEnoughCredit: There is no credit left.
    """
    if levels.is_admin(call):
        return
    reseller = levels.reseller_of(path, i_customer)
    holders = sorted({reseller, i_customer})
    limited = [holder for holder in holders if name in await properties.values(call, holder)]
    if not limited:
        return
    locked = select(Customer.i_customer).where(Customer.i_customer.in_(holders)).order_by(Customer.i_customer)
    await call.session.execute(locked.with_for_update(key_share=True))
    for holder in limited:
        allowed = properties.number((await properties.values(call, holder)).get(name, ""))
        used = (await call.session.execute(COUNTS[name](_counted(holder, reseller, path)))).scalar_one()
        if used >= allowed:
            raise NotEnoughCredit(f"Not enough credit: {name} is used up")


def _counted(holder: int, reseller: int, path: str) -> ColumnElement[bool]:
    """Whose records count: a customer's own, or those of a reseller and everybody below him."""
    himself = Customer.i_customer == holder
    if holder != reseller:
        return himself
    first, end = subtree(f"{path.split('.', maxsplit=1)[0]}.", reseller)
    return or_(himself, (Customer.path >= first) & (Customer.path < end))
