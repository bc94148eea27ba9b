"""
Credits and accesses: properties that limit their customer.

They have a permission of their own, which is the least that they can have, whoever makes them, and values that mean
something: how many records of a kind it may have, or whether it may do something at all.

A credit that is not there is no limit; the administrator has none. What a customer has and what all below it have
counts together. The limit is checked in the transaction that creates the record, once it is there (so that "exists
already" is told first), with the customers locked, so that no two creators take the last one.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from sqlalchemy import ColumnElement, Select, func, select

from models import Account, Customer, CustomerProperty, SipAlias, SipDomain, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotEnoughCredit
from xmlrpc_api.services.tree import ownership, resellers
from xmlrpc_api.services.tree.resellers import Level

SIP_ACCOUNTS, SIP_ALIASES = "sip_credit", "sip_alias_credit"
CREDITS = (SIP_ACCOUNTS, SIP_ALIASES, "enum_range_credit", "enum_number_credit", "dns_zone_credit", "email_credit")
ACCESSES = ("pstn_access", "prepaid_changes", "pstn_changes", "sms_access")
HANDED_ON = (*CREDITS, *ACCESSES)
ADMIN, RESELLER, CUSTOMER = "admin", "reseller", "customer"
LIMITING = {
    **dict.fromkeys((*HANDED_ON, "payment_processor_class", "support_order"), ADMIN),
    "digest_settings_page": RESELLER,
}
LEVELS = {ADMIN: Level.ADMIN, RESELLER: Level.RESELLER}
_COUNT, _SWITCH = re.compile("[0-9]{0,9}"), re.compile("[01]?")
Counted = Callable[[ColumnElement[bool]], Select[int]]


def sip_accounts(owner: ColumnElement[bool]) -> Select[int]:
    """How many accounts those customers have for whom the condition holds."""
    return (
        select(func.count()).select_from(Account).join(Customer, Customer.i_customer == Account.i_customer).where(owner)
    )


def sip_aliases(owner: ColumnElement[bool]) -> Select[int]:
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
        path: Its path.

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
        his = COUNTS[name](ownership.branch(above, holder))
        if (await call.session.execute(his)).scalar_one() > limits.get(holder, 0):
            raise NotEnoughCredit(f"Not enough credit: {name} is used up")


async def _limits(call: Call, name: str, customers: list[int]) -> dict[int, Decimal]:
    """How many each of these customers may have, of those who are limited."""
    known = select(CustomerProperty.i_customer, CustomerProperty.value).where(
        CustomerProperty.i_customer.in_(customers), CustomerProperty.name == name
    )
    return {row.i_customer: number(row.value) for row in await call.session.execute(known)}


def permission_of(name: str, asked: str) -> str:
    """The permission of a property: what is asked for, unless its name needs a higher one."""
    least = LIMITING.get(name, CUSTOMER)
    return asked if level_of(asked) >= level_of(least) else least


def level_of(permission: str) -> Level:
    """Whom a permission allows to change a property."""
    return LEVELS.get(permission, Level.CUSTOMER)


def is_allowed(name: str, value: str) -> bool:
    """Whether a property of this name may have a value; nothing at all is 0."""
    if name in CREDITS:
        return _COUNT.fullmatch(value) is not None
    return name not in ACCESSES or _SWITCH.fullmatch(value) is not None


def number(value: str) -> Decimal:
    """What a property is worth as a number; nothing if it is none."""
    try:
        number = Decimal(value.strip() or 0)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)
