"""
What `funded` begins with in a database that is older than it: a step of the upgrade.

The ledger is played again: what a payer paid in less what came back to it, in its currency, along with transfers
between those whom it paid for, never below 0. Rows of the ledger stay as they are.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Select, and_, select, update
from sqlalchemy.orm import aliased

from models import ROOT_ID, Balance, Customer, LedgerEntry, Money, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.money import funding, ledger
from xmlrpc_api.services.money.funding import NOTHING, millionths

PARENTS = 50
PAGE = 5000
MOST_TOLD = 1000
_OLD = LedgerEntry.funded_change.is_(None)
_source = aliased(LedgerEntry)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One side of a transfer: what was taken (negative) or given, and what it was said to be worth."""

    i_ledger: int
    i_balance: int
    amount: Decimal
    balance_after: Decimal
    i_ledger_source: int | None
    paid_amount: Decimal | None
    paid_currency: str | None
    currency: str


@dataclass(slots=True)
class Replay:
    """
    The balances of all for whom one payer paid.

    Attributes:
        currency: The payer's.
        funded: By balance, so far.
        excess: By balance, what came back beyond what had been paid in.
    """

    currency: str
    funded: dict[int, Decimal] = field(default_factory=dict)
    excess: dict[int, Decimal] = field(default_factory=dict)
    _moved: dict[int, Decimal] = field(default_factory=dict)

    def pay(self, i_balance: int, amount: Decimal) -> None:
        """The payer has paid in for a balance, or has got something back (negative)."""
        after = self.funded.get(i_balance, NOTHING) + amount
        self.funded[i_balance] = max(NOTHING, after)
        if after < 0:
            self.excess[i_balance] = self.excess.get(i_balance, NOTHING) - after

    def transfer(self, side: Transfer) -> None:
        """What was paid in leaves with the first side, and arrives with the second."""
        funded = self.funded.get(side.i_balance, NOTHING)
        if side.i_ledger_source is not None:
            self.funded[side.i_balance] = funded + self._moved.pop(side.i_ledger_source, NOTHING)
            return
        taken, before = -side.amount, side.balance_after - side.amount
        moved = funding.of_amounts(funded, before, taken, self._worth(side, funded, before))
        self.funded[side.i_balance] = funded - moved
        self._moved[side.i_ledger] = moved

    def _worth(self, side: Transfer, funded: Decimal, before: Decimal) -> Decimal:
        """What was taken, in the payer's currency; where nothing tells it, the same share as of the money."""
        if side.paid_amount is not None and side.paid_currency == self.currency:
            return side.paid_amount
        if side.currency == self.currency:
            return -side.amount
        share = millionths(funded) * millionths(-side.amount) // millionths(before) if before > 0 else 0
        return Money.unit * share


async def open_funded(call: Call, last: int) -> tuple[int | None, int, tuple[str, ...]]:
    """
    Compute `funded` of the balances below the next customers who have paid for others.

    Returns:
        The last of these customers (None: there are no more), how many they were, and from whom more came back to them
        than they had paid in.
    """
    is_payer = and_(LedgerEntry.i_balance == Balance.i_balance, LedgerEntry.kind == ledger.PAYER, _OLD)
    payers = (
        select(Customer, Balance)
        .join(Balance, and_(Balance.i_customer == Customer.i_customer, Balance.is_default))
        .where(Customer.i_customer > max(last, ROOT_ID), select(LedgerEntry.i_ledger).where(is_payer).exists())
        .order_by(Customer.i_customer)
        .limit(PARENTS)
        .with_for_update(of=Balance)
        .execution_options(populate_existing=True)
    )
    rows = (await call.session.execute(payers)).all()
    findings: list[str] = []
    for payer, balance in rows:
        replay = await _replay(call, payer.i_customer, balance)
        await _keep(call, payer, replay)
        findings += await _told(call, payer.i_customer, replay)
    return rows[-1][0].i_customer if rows else None, len(rows), tuple(findings)


async def _replay(call: Call, payer: int, own: Balance) -> Replay:
    replay = Replay(own.currency)
    transfers = await _transfers(call, payer, own.i_balance)
    async for i_ledger, i_balance, amount in _payments(call, own.i_balance):
        while transfers and transfers[-1].i_ledger < i_ledger:
            replay.transfer(transfers.pop())
        replay.pay(i_balance, -amount)
    while transfers:
        replay.transfer(transfers.pop())
    return replay


async def _payments(call: Call, own: int) -> AsyncIterator[tuple[int, int, Decimal]]:
    """Key, balance that was paid for, and amount of all that a payer has paid (negative) or got back."""
    last = 0
    while True:
        page = (
            select(LedgerEntry.i_ledger, _source.i_balance, LedgerEntry.amount)
            .join(_source, _source.i_ledger == LedgerEntry.i_ledger_source)
            .where(LedgerEntry.i_balance == own, LedgerEntry.kind == ledger.PAYER, _OLD, LedgerEntry.i_ledger > last)
            .order_by(LedgerEntry.i_ledger)
            .limit(PAGE)
        )
        rows = (await call.session.execute(page)).all()
        for i_ledger, i_balance, amount in rows:
            yield i_ledger, i_balance, amount
        if len(rows) < PAGE:
            return
        last = rows[-1].i_ledger


async def _transfers(call: Call, payer: int, own: int) -> list[Transfer]:
    """Both sides of transfers between those whom a payer has below it or has paid for, newest first."""
    paid_for = (
        select(_source.i_balance)
        .join(LedgerEntry, LedgerEntry.i_ledger_source == _source.i_ledger)
        .where(LedgerEntry.i_balance == own, LedgerEntry.kind == ledger.PAYER)
    )
    statement = (
        select(
            LedgerEntry.i_ledger,
            LedgerEntry.i_balance,
            LedgerEntry.amount,
            LedgerEntry.balance_after,
            LedgerEntry.i_ledger_source,
            LedgerEntry.paid_amount,
            LedgerEntry.paid_currency,
            Balance.currency,
        )
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .where(LedgerEntry.i_balance.in_(_below(payer).union(paid_for)), LedgerEntry.kind == ledger.TRANSFER, _OLD)
        .order_by(LedgerEntry.i_ledger.desc())
    )
    return [Transfer(*row) for row in await call.session.execute(statement)]


def _below(payer: int) -> Select[int]:
    child = aliased(Customer)
    return (
        select(Balance.i_balance)
        .join(child, child.i_customer == Balance.i_customer)
        .where(child.i_wholesaler == payer, Balance.i_account.is_(None))
    )


async def _keep(call: Call, payer: Customer, replay: Replay) -> None:
    """Write what came out for those who are still there, and note it."""
    wanted = {i_balance for i_balance, funded in replay.funded.items() if funded}
    mine = select(Balance.i_balance, Balance.i_customer).where(Balance.i_balance.in_(_below(payer.i_customer)))
    path = subtree(payer.path, payer.i_customer)[0]
    entries = []
    for i_balance, i_customer in (await call.session.execute(mine.order_by(Balance.i_customer))).all():
        if i_balance not in wanted:
            continue
        opening = replay.funded[i_balance]
        statement = (
            update(Balance)
            .where(Balance.i_balance == i_balance, Balance.funded_opening == 0)
            .values(funded_opening=opening, funded=Balance.funded + opening)
            .returning(Balance.i_balance)
            .execution_options(synchronize_session=False)
        )
        if (await call.session.execute(statement)).first() is None:
            continue  # it has run before
        subject = audit.Subject(Balance.__tablename__, i_balance, i_customer, subtree(path, i_customer)[0])
        before, after = {"funded_opening": NOTHING}, {"funded_opening": opening}
        entries.append(audit.entry(call, audit.UPDATED, subject, before=before, after=after))
    await audit.note(call, entries)


async def _told(call: Call, payer: int, replay: Replay) -> list[str]:
    """Sentences about those from whom more came back than had been paid in: it stays where it is."""
    if not replay.excess:
        return []
    keys = sorted(replay.excess)[:MOST_TOLD]
    owners = select(Balance.i_balance, Balance.i_customer).where(Balance.i_balance.in_(keys))
    found = {row.i_balance: row.i_customer for row in await call.session.execute(owners)}
    return [
        f"Customer {payer} got {replay.excess[key].normalize():f} {replay.currency} more back from customer "
        f"{found[key]} than he had paid in, while that was possible; it stays on his balance"
        for key in keys
    ]
