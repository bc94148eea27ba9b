"""
Credits: how many records of a kind a customer may have, with everybody below him.

They are properties. One that is not there is no limit; the administrator has none. What a customer has and what all
below him have counts together. The limit is checked in the transaction that creates the record, once it is there (so
that "exists already" is told first), with the customers locked, so that no two creators take the last one.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from models import Account, Customer, SipAlias, SipDomain, ancestors, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotEnoughCredit
from xmlrpc_api.services.ngnpro import properties
from xmlrpc_api.services.tree import resellers

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
    Refuse the record that was just made if there are more than the credit of its customer, or of one above, allows.

    Args:
        call: The call.
        name: The property, such as `sip_credit`.
        i_customer: Whose the record is.
        path: His path.

    Raises:
        NotEnoughCredit: There was no credit left.
    """
    if resellers.is_admin(call):
        return
    line = [*ancestors(path), i_customer][1:]
    limited = {holder for holder, known in (await properties.read(call, line)).items() if _is_in(name, known)}
    if not limited:
        return
    locked = select(Customer.i_customer, Customer.path).where(Customer.i_customer.in_(limited))
    locked = locked.order_by(Customer.i_customer).with_for_update(key_share=True)
    for holder, above in (await call.session.execute(locked)).all():
        allowed = properties.number((await properties.values(call, holder)).get(name, ""))
        first, end = subtree(above, holder)
        his = or_(Customer.i_customer == holder, (Customer.path >= first) & (Customer.path < end))
        if (await call.session.execute(COUNTS[name](his))).scalar_one() > allowed:
            raise NotEnoughCredit(f"Not enough credit: {name} is used up")


def _is_in(name: str, known: list[dict[str, str]]) -> bool:
    return any(entry["name"] == name for entry in known)
