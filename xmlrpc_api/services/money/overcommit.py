"""
Over-commit: what a customer hands to those directly below it must be its own.

The rule, for a customer with `overcommit_protection`:

    sum over its sub-customers of max(0, balance + credit_limit)
        <= (balance + credit_limit of its own) * (1 + overcommit_limit / 100)

Sums in other currencies are converted to its base currency by the present rates. Whoever changes one of
these numbers holds the lock of the protected customer's balance, so that no two changes pass together.
"""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import Integer, bindparam, case, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from models import Balance, Customer, Money
from xmlrpc_api.declaration.faults import NotEnoughCredit
from xmlrpc_api.services.money import currencies
from xmlrpc_api.storage.database import Store
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row
from xmlrpc_api.storage.together import Asked

PERCENT = Decimal(100)
WATCHED = ("balance", "credit_limit", "overcommit_protection", "overcommit_limit")
_WANTED = bindparam("i_customer", type_=Integer)
_SPENDABLE = Balance.balance + Balance.credit_limit
_PROTECTED = Query(select(Customer.i_customer).where(Customer.i_customer == _WANTED, Customer.overcommit_protection))
_OWN = (
    select(_SPENDABLE.label("spendable"), Balance.currency, Customer.overcommit_limit)
    .join(Customer, Customer.i_customer == Balance.i_customer)
    .where(Balance.i_customer == _WANTED, Balance.is_default)
)
_HANDED_OUT = (
    select(Balance.currency, type_coerce(func.sum(case((_SPENDABLE > 0, _SPENDABLE), else_=0)), Money).label("amount"))
    .join(Customer, Customer.i_customer == Balance.i_customer)
    .where(Customer.i_wholesaler == _WANTED, Balance.is_default)
    .group_by(Balance.currency)
)


async def check(store: Store, customers: Iterable[int]) -> None:
    """
    Refuse what the transaction has done so far if one of these customers now hands out too much.

    Raises:
        NotEnoughCredit: It does.
        WrongReference: A sub-customer has money in a currency to which there is no rate.
    """
    wanted = sorted(set(customers))
    await check_those(store, of_rows(await store.together(*asking(wanted))))


def asking(customers: Iterable[int]) -> list[Asked]:
    """What to ask which of these customers are protected; who holds their balances can ask before it books."""
    return [(_PROTECTED, {"i_customer": i_customer}) for i_customer in customers]


def of_rows(rows: Iterable[Row | None]) -> list[int]:
    """The protected ones, by what the queries of `asking` have found."""
    return [row["i_customer"] for row in rows if row is not None]


async def check_those(store: Store, protected: Iterable[int]) -> None:
    """What `check` does, of customers who are protected."""
    for i_customer in protected:
        if await excess_of(store.session, i_customer) > 0:
            raise NotEnoughCredit("Not enough credit: sub-customers would be given more than there is")


async def excess_of(session: AsyncSession, i_customer: int) -> Decimal:
    """By how much a customer has handed out more than it may if it is protected; negative: less."""
    wanted = {"i_customer": i_customer}
    own = (await session.execute(_OWN, wanted)).one()
    sums = {row.currency: row.amount for row in await session.execute(_HANDED_OUT, wanted)}
    rates = await currencies.rates(session, set(sums), own.currency)
    total = sum((amount * rates[currency] for currency, amount in sums.items()), Decimal(0))
    allowed: Decimal = own.spendable * (PERCENT + own.overcommit_limit) / PERCENT
    return total - allowed
