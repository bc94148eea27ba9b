"""Proof that lists find what is there: what they count and find it by says nothing else than the rows themselves."""

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Balance, Customer, CustomerCount, LedgerEntry
from xmlrpc_api.services.money import ledger


async def of_customers(session: AsyncSession) -> list[str]:
    """Where lists would tell another number of customers than there are."""
    there = select(Customer.path, func.count().label("customers")).group_by(Customer.path)
    counted = select(CustomerCount.path, func.sum(CustomerCount.customers).label("customers"))
    counted = counted.group_by(CustomerCount.path)
    found = {row.path: row.customers for row in await session.execute(there)}
    known = {row.path: row.customers for row in await session.execute(counted)}
    wrong = [path for path in found | known if found.get(path, 0) != known.get(path, 0)]
    return [f"{found.get(path, 0)} customers have the path {path}, not {known.get(path, 0)}" for path in sorted(wrong)]


async def of_payments(session: AsyncSession, first: int, last: int) -> list[str]:
    """Bookings on balances with an id from `first` to `last` that lists of payments would show to somebody else."""
    is_payment = LedgerEntry.kind.in_(ledger.PAYMENTS)
    payee = case((is_payment, Balance.i_customer))
    payer = case((is_payment, Customer.i_wholesaler))
    wrong = (
        select(LedgerEntry.i_ledger)
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .outerjoin(Customer, Customer.i_customer == Balance.i_customer)  # who is gone has nobody above
        .where(LedgerEntry.i_balance.between(first, last))
        .where(
            or_(
                LedgerEntry.i_payee.is_distinct_from(payee),
                and_(Customer.i_customer.is_not(None), LedgerEntry.i_payer.is_distinct_from(payer)),
            )
        )
        .order_by(LedgerEntry.i_ledger)
    )
    return [f"booking {key} is listed as somebody else's" for key in (await session.execute(wrong)).scalars()]
