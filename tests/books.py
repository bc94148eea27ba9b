"""Are the books right? Asked of the server's own proof, in the server's own process, and of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness import Server
from sqlalchemy import func, select, type_coerce

from models import Balance, Customer, LedgerEntry, Money
from xmlrpc_api import background
from xmlrpc_api.call import new_platform
from xmlrpc_api.services.money import ledger
from xmlrpc_api.services.verification import proof
from xmlrpc_api.storage.database import Database


def findings(server: Server, head: str | None = None) -> Sequence[str]:
    """What `xmlrpc-api verify` finds."""

    async def work(database: Database) -> list[str]:
        found: list[str] = []
        vault = new_platform(server.config).vault
        async with database.snapshot() as session:
            async for step in proof.verify(session, vault, head):
                found += step.findings
        return found

    return server.run(work)


def seal(server: Server) -> str:
    """Seal what is new in the change history; the newest link."""

    async def work(database: Database) -> Any:
        await background.seal(new_platform(server.config), database)
        async with database.read() as session:
            return await proof.newest_link(session)

    return server.run(work)


@dataclass(frozen=True)
class Purse:
    """
    What a customer has, in his currency.

    Attributes:
        balance: Money in hand.
        lent_out: What he paid those directly below him and may get back: their `funded`.
        from_above: What his ledger adds up to without the other sides of payments.
    """

    balance: Decimal
    lent_out: Decimal
    from_above: Decimal

    @property
    def total(self) -> Decimal:
        """What nobody at or below him can raise."""
        return self.balance + self.lent_out


def purses(server: Server, first: int) -> dict[int, Purse]:
    """What every customer from this id on has."""
    mine = (Balance.i_customer >= first, Balance.is_default)
    alive = select(Customer.i_wholesaler, Balance.i_customer, Balance.balance, Balance.funded)
    alive = alive.join(Customer, Customer.i_customer == Balance.i_customer).where(*mine)
    amounts = select(Balance.i_customer, type_coerce(func.sum(LedgerEntry.amount), Money))
    amounts = amounts.join(Balance, Balance.i_balance == LedgerEntry.i_balance)
    amounts = amounts.where(*mine, LedgerEntry.kind != ledger.PAYER).group_by(Balance.i_customer)

    async def work(database: Database) -> Any:
        async with database.snapshot() as session:
            return (await session.execute(alive)).all(), (await session.execute(amounts)).all()

    rows, sums = server.run(work)
    from_above = dict(sums)
    lent_out: dict[int, Decimal] = {}
    for row in rows:
        assert row.funded >= 0
        lent_out[row.i_wholesaler] = lent_out.get(row.i_wholesaler, Decimal(0)) + row.funded
    nothing = Decimal(0)
    return {
        row.i_customer: Purse(
            row.balance, lent_out.get(row.i_customer, nothing), from_above.get(row.i_customer, nothing)
        )
        for row in rows
    }
