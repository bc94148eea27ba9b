"""Proof that the books are right: ledger, tree, rights, over-commit and change history, in one pass."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models import (
    Account,
    AuditEntry,
    AuditHead,
    Balance,
    Customer,
    LedgerEntry,
    Money,
    PlanCharge,
    Rate,
    Voucher,
    WebUser,
    subtree,
)
from models.audit import HEAD
from xmlrpc_api.crypto.vault import Vault
from xmlrpc_api.declaration.rights import BITMASKS, FLAGS
from xmlrpc_api.services import keys
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.money import overcommit
from xmlrpc_api.services.tree import lending
from xmlrpc_api.services.verification import (
    count_proof,
    fee_proof,
    funding_proof,
    history_proof,
    rate_proof,
    voucher_proof,
)
from xmlrpc_api.storage.fast_path import found_by

BATCH, LINKS = 5000, 2000
NO_LINK = "0:"  # the end of a chain that has not begun
AUDIT_COLUMNS = tuple(AuditEntry.__table__.columns)
_LAST_LINK = itemgetter(*(AuditEntry.__table__.columns.keys().index(name) for name in ("seq", "hash")))
_SEQ = AuditEntry.__table__.c.seq
_LINKS = select(*AUDIT_COLUMNS).order_by(_SEQ).limit(LINKS)


@dataclass(frozen=True, slots=True)
class Step:
    """
    How far the proof has come.

    Attributes:
        rows: Looked at since the last step.
        findings: What was wrong with them.
        is_about_keys: Whether nothing is known to be wrong, but cannot be proved without a key that is missing.
    """

    rows: int
    findings: list[str] = field(default_factory=list)
    is_about_keys: bool = False


async def size(session: AsyncSession) -> int:
    """How many rows there are to look at."""
    tables: tuple[Any, ...] = (Balance, Customer, Account, Voucher, Rate, AuditEntry, AuditEntry)  # which is read twice
    counts = [(await session.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]
    return sum(counts)


async def newest_link(session: AsyncSession) -> str:
    """The end of the audit chain, `SEQ:HASH`."""
    head = (await session.execute(select(AuditHead).where(AuditHead.i_audit_head == HEAD))).scalar_one()
    return f"{head.seq}:{head.hash}"


async def verify(session: AsyncSession, vault: Vault, head: str | None = None) -> AsyncIterator[Step]:
    """
    Look at everything.

    Args:
        session: Where to read; one snapshot, so that calls may go on meanwhile.
        vault: Holds the keys of the change history.
        head: A link of the chain noted earlier, `SEQ:HASH` as the server logs it: it must still be there.
    """
    async for step in _balances(session):
        yield step
    async for step in _customers(session):
        yield step
    yield Step(0, await count_proof.of_customers(session))
    async for first, last, rows in _batches(session, PlanCharge.i_plan_charge):
        yield Step(rows, await fee_proof.of_charges(session, first, last))
    async for step in _accounts(session):
        yield step
    async for rows, findings in history_proof.of_objects(session):
        yield Step(rows, findings)
    async for rows, findings in voucher_proof.of_vouchers(session):
        yield Step(rows, findings)
    async for rows, findings in rate_proof.of_rates(session):
        yield Step(rows, findings)
    proof = audit.Proof(vault)
    async for step in _chain(session, proof):
        yield step
    yield Step(0, await _unsealed(session, proof) + await _still_there(session, head))
    yield Step(0, _missing_keys(proof) + await keys.unreadable(session, vault), is_about_keys=True)


async def _batches(session: AsyncSession, key: Any) -> AsyncIterator[tuple[int, int, int]]:
    """First and last key of each batch of a table, and how many rows it has."""
    last = 0
    while True:
        keys = (await session.execute(select(key).where(key > last).order_by(key).limit(BATCH))).scalars().all()
        if not keys:
            return
        last = keys[-1]
        yield keys[0], last, len(keys)


async def _balances(session: AsyncSession) -> AsyncIterator[Step]:
    async for first, last, rows in _batches(session, Balance.i_balance):
        total = type_coerce(func.coalesce(func.sum(LedgerEntry.amount), 0), Money)
        wrong = (
            select(Balance.i_balance, Balance.balance, total.label("total"))
            .outerjoin(LedgerEntry, LedgerEntry.i_balance == Balance.i_balance)
            .where(Balance.i_balance.between(first, last))
            .group_by(Balance.i_balance, Balance.balance)
            .having(Balance.balance != total)
        )
        findings = [
            f"balance {row.i_balance} is {row.balance}, but its ledger adds up to {row.total}"
            for row in await session.execute(wrong)
        ]
        findings += await _running_sums(session, first, last)
        findings += await count_proof.of_payments(session, first, last)
        findings += await fee_proof.of_fees(session, first, last)
        yield Step(rows, findings + await funding_proof.of_balances(session, first, last))


async def _running_sums(session: AsyncSession, first: int, last: int) -> list[str]:
    """Each booking must give the balance that it says, from the one before."""
    previous = func.lag(LedgerEntry.balance_after, 1, 0).over(
        partition_by=LedgerEntry.i_balance, order_by=LedgerEntry.i_ledger
    )
    entries = (
        select(
            LedgerEntry.i_ledger,
            LedgerEntry.balance_after,
            (type_coerce(previous, Money) + LedgerEntry.amount).label("expected"),
        )
        .where(LedgerEntry.i_balance.between(first, last))
        .subquery()
    )
    wrong = select(entries.c.i_ledger).where(entries.c.balance_after != entries.c.expected)
    return [f"booking {key} does not follow from the one before" for key in (await session.execute(wrong)).scalars()]


async def _customers(session: AsyncSession) -> AsyncIterator[Step]:
    parent = aliased(Customer)
    deleted = await funding_proof.of_deleted(session)
    async for first, last, rows in _batches(session, Customer.i_customer):
        batch = Customer.i_customer.between(first, last)
        pairs = select(Customer, parent).join(parent, parent.i_customer == Customer.i_wholesaler)
        wrong = pairs.where(batch, or_(*_where_misfits_are(parent)))
        findings = [
            f"customer {child.i_customer}: {what}"
            for child, above in await session.execute(wrong)
            for what in _misfits(child, above)
        ]
        for what, statement in _missing(batch):
            ids = (await session.execute(statement)).scalars()
            findings += [f"customer {i_customer} has no {what}" for i_customer in ids]
        protected = select(Customer.i_customer).where(batch, Customer.overcommit_protection)
        for i_customer in (await session.execute(protected)).scalars().all():
            excess = await overcommit.excess_of(session, i_customer)
            if excess > 0:
                findings.append(f"customer {i_customer} has handed out {excess.normalize():f} more than he may")
        findings += await _void_loans(session, first, last)
        findings += await funding_proof.of_customers(session, first, last, deleted)
        session.expunge_all()
        yield Step(rows, findings)


async def _void_loans(session: AsyncSession, first: int, last: int) -> list[str]:
    return [
        f"customer {loan.borrower} is to act as customer {loan.lender}, who is not of his reseller"
        for loan in await lending.void(session, first, last)
    ]


def _where_misfits_are(parent: type[Customer]) -> list[ColumnElement[bool]]:
    """Each contradiction that `_misfits` finds, as a condition."""
    path = parent.path.concat(cast(parent.i_customer, String)).concat(".")
    return [
        Customer.path != path,
        Customer.max_depth >= parent.max_depth,
        *(getattr(Customer, name).bitwise_and(getattr(parent, name)) != getattr(Customer, name) for name in BITMASKS),
        *(getattr(Customer, name) > getattr(parent, name) for name in FLAGS),
    ]


def _misfits(child: Customer, above: Customer) -> list[str]:
    """Where a customer contradicts the one above it."""
    found = []
    if child.path != subtree(above.path, above.i_customer)[0]:
        found.append(f"his path {child.path} does not lead to his parent {above.i_customer}")
    if child.max_depth >= above.max_depth:
        found.append(f"his max_depth {child.max_depth} is not less than that of his parent")
    found.extend(
        f"his {name} exceeds that of his parent" for name in BITMASKS if getattr(child, name) & ~getattr(above, name)
    )
    found.extend(
        f"he has {name}, but his parent does not" for name in FLAGS if getattr(child, name) > getattr(above, name)
    )
    return found


def _missing(batch: Any) -> list[tuple[str, Any]]:
    """Customers without what every customer has."""
    parts: tuple[tuple[str, Any], ...] = (("balance", Balance), ("web user", WebUser))
    return [
        (
            what,
            select(Customer.i_customer)
            .outerjoin(table, and_(table.i_customer == Customer.i_customer, table.is_default))
            .where(batch, table.i_customer.is_(None)),
        )
        for what, table in parts
    ]


async def _accounts(session: AsyncSession) -> AsyncIterator[Step]:
    async for first, last, rows in _batches(session, Account.i_account):
        balance = and_(Balance.i_account == Account.i_account, Balance.i_customer == Account.i_customer)
        poor = select(Account.i_account).outerjoin(Balance, balance)
        poor = poor.where(Account.i_account.between(first, last), Balance.i_balance.is_(None))
        ids = (await session.execute(poor)).scalars()
        yield Step(rows, [f"account {i_account} has no balance of its customer" for i_account in ids])


async def _chain(session: AsyncSession, proof: audit.Proof) -> AsyncIterator[Step]:
    seq, previous = 0, ""
    while True:
        rows = await found_by(session, _LINKS.where(seq < _SEQ))
        if not rows:
            break
        yield Step(len(rows), list(proof.breaks(rows, seq, previous)))
        seq, previous = _LAST_LINK(rows.found[-1])
    if await newest_link(session) != f"{seq}:{previous}":
        yield Step(0, [f"the audit chain ends at link {seq}, but more were made: rows are missing at its end"])


async def _unsealed(session: AsyncSession, proof: audit.Proof) -> list[str]:
    """Rows that are not in the chain yet must at least be signed; there are never many."""
    unsealed = await session.execute(select(*AUDIT_COLUMNS).where(AuditEntry.seq.is_(None)))
    return [finding for row in unsealed.mappings().all() for finding in proof.changes(row)]


def _missing_keys(proof: audit.Proof) -> list[str]:
    """One sentence for each key, not for each row: most probably it was lost, not the history."""
    return [
        f"key {name!r} is not in the key file, so {count} signatures of the history cannot be proved"
        for name, count in sorted(proof.missing.items())
    ]


async def _still_there(session: AsyncSession, head: str | None) -> list[str]:
    if head is None or head == NO_LINK:
        return []
    seq, _, digest = head.partition(":")
    wanted = AuditEntry.seq == (int(seq) if seq.isdecimal() else 0)
    if (await session.execute(select(AuditEntry.i_audit).where(wanted, AuditEntry.hash == digest))).first():
        return []
    return [f"the link {head} is not in the audit chain any more"]
