"""Proof that what triggers count is what is there."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Customer, CustomerCount


async def of_customers(session: AsyncSession) -> list[str]:
    """Where lists would tell another number of customers than there are."""
    there = select(Customer.path, func.count().label("customers")).group_by(Customer.path)
    counted = select(CustomerCount.path, func.sum(CustomerCount.customers).label("customers"))
    counted = counted.group_by(CustomerCount.path)
    found = {row.path: row.customers for row in await session.execute(there)}
    known = {row.path: row.customers for row in await session.execute(counted)}
    wrong = [path for path in found | known if found.get(path, 0) != known.get(path, 0)]
    return [f"{found.get(path, 0)} customers have the path {path}, not {known.get(path, 0)}" for path in sorted(wrong)]
