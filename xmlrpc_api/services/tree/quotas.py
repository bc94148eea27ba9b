"""
Credits: how many records of a kind a customer may have, with everybody below him.

They are properties. One that is not there is no limit; the administrator has none. What a customer has and what all
below him have counts together. The limit is checked in the transaction that creates the record, once it is there (so
that "exists already" is told first), with the customers locked, so that no two creators take the last one.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from models import Account, Customer, CustomerProperty, SipAlias, SipDomain, ancestors, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotEnoughCredit
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
    limited = await _limits(call, name, line)
    if not limited:
        return
    locked = select(Customer.i_customer, Customer.path).where(Customer.i_customer.in_(limited))
    locked = locked.order_by(Customer.i_customer).with_for_update(key_share=True)
    paths = (await call.session.execute(locked)).all()
    limits = await _limits(call, name, list(limited))  # now that they stay
    for holder, above in paths:
        first, end = subtree(above, holder)
        his = or_(Customer.i_customer == holder, (Customer.path >= first) & (Customer.path < end))
        if (await call.session.execute(COUNTS[name](his))).scalar_one() > limits.get(holder, 0):
            raise NotEnoughCredit(f"Not enough credit: {name} is used up")


async def _limits(call: Call, name: str, customers: list[int]) -> dict[int, Decimal]:
    """How many each of these customers may have, of those who are limited."""
    known = select(CustomerProperty.i_customer, CustomerProperty.value).where(
        CustomerProperty.i_customer.in_(customers), CustomerProperty.name == name
    )
    return {row.i_customer: number(row.value) for row in await call.session.execute(known)}


def number(value: str) -> Decimal:
    """What a property is worth as a number; nothing if it is none."""
    try:
        number = Decimal(value.strip() or 0)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)
