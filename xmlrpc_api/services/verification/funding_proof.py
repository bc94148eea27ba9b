"""Proof of `services.funding`, for `verify`: what was paid in is known, and came back once at most."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models import ROOT_ID, AuditEntry, Balance, Customer, LedgerEntry, Money, ancestors
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.money import ledger

NOTHING = Decimal(0)
_OF_CUSTOMER = Balance.i_account.is_(None)


async def of_balances(session: AsyncSession, first: int, last: int) -> list[str]:
    """What is wrong with the balances whose ids are in this range, each for itself."""
    batch = Balance.i_balance.between(first, last)
    return [
        *await _sums(session, batch),
        *await _openings(session, batch),
        *await _other_sides(session, LedgerEntry.i_balance.between(first, last)),
    ]


async def of_customers(session: AsyncSession, first: int, last: int, deleted: Mapping[int, Decimal]) -> list[str]:
    """
    Customers whose ids are in this range with more, or less, than what came from above.

    Balance and `funded` of the sub-customers add up to the ledger without the rows of kind `payer`: each of these rows
    has changed both sums by the same. Excepted are rows from before `funded` was kept, and what was written off.

    Args:
        session: Where to read.
        first: Least id.
        last: Greatest id.
        deleted: What `of_deleted` answered.
    """
    parents = Customer.i_customer.between(first, last), Customer.i_wholesaler.is_not(None)
    of_payer = and_(
        LedgerEntry.i_balance == Balance.i_balance,
        LedgerEntry.kind == ledger.PAYER,
        LedgerEntry.funded_change.is_not(None),
    )
    payments = (
        select(Customer.i_customer, _total(LedgerEntry.amount))
        .join(Balance, and_(Balance.i_customer == Customer.i_customer, _OF_CUSTOMER))
        .join(LedgerEntry, of_payer)
        .where(*parents)
        .group_by(Customer.i_customer)
    )
    child = aliased(Customer)
    changes = (
        select(Customer.i_customer, _total(Balance.funded - Balance.funded_opening))
        .join(child, child.i_wholesaler == Customer.i_customer)
        .join(Balance, and_(Balance.i_customer == child.i_customer, _OF_CUSTOMER))
        .where(*parents)
        .group_by(Customer.i_customer)
    )
    excess = {i_customer: total for i_customer, total in deleted.items() if first <= i_customer <= last}
    for statement in (payments, changes):
        for i_customer, total in await session.execute(statement):
            excess[i_customer] = excess.get(i_customer, NOTHING) + total
    return [
        f"customer {i_customer}: his balance and what is funded below him are {total.normalize():f} more "
        "than his ledger without the other side of payments"
        for i_customer, total in sorted(excess.items())
        if total
    ]


async def of_deleted(session: AsyncSession) -> dict[int, Decimal]:
    """
    By parent: what was written off with deleted sub-customers, and what they had begun with.

    Only the change history knows whose they were.
    """
    closed = and_(LedgerEntry.i_balance == Balance.i_balance, LedgerEntry.kind == ledger.CLOSED)
    total = type_coerce(func.coalesce(func.sum(LedgerEntry.funded_change), 0) + Balance.funded_opening, Money)
    gone = (
        select(Balance.i_customer, total.label("total"))
        .outerjoin(LedgerEntry, closed)
        .outerjoin(Customer, Customer.i_customer == Balance.i_customer)
        .where(_OF_CUSTOMER, Customer.i_customer.is_(None))
        .group_by(Balance.i_balance, Balance.i_customer, Balance.funded_opening)
        .subquery()
    )
    deleted = and_(
        AuditEntry.object_type == Customer.__tablename__,
        AuditEntry.object_id == gone.c.i_customer,
        AuditEntry.action == audit.DELETED,
    )
    statement = select(AuditEntry.scope, gone.c.total).join(AuditEntry, deleted).where(gone.c.total != 0)
    found: dict[int, Decimal] = {}
    for scope, amount in await session.execute(statement):
        parent = ancestors(scope)[-2]
        found[parent] = found.get(parent, NOTHING) - amount
    return found


async def _sums(session: AsyncSession, batch: Any) -> list[str]:
    """`funded` must follow from the ledger, and be 0 where nothing can have been paid in."""
    total = type_coerce(func.coalesce(func.sum(LedgerEntry.funded_change), 0), Money)
    has_none = or_(Balance.i_account.is_not(None), Customer.i_customer.is_(None), Customer.i_wholesaler == ROOT_ID)
    has_none = or_(has_none, Customer.i_wholesaler.is_(None))
    columns = (Balance.i_balance, Balance.funded, Balance.funded_opening)
    wrong = (
        select(*columns, total.label("total"), has_none.label("has_none"))
        .outerjoin(LedgerEntry, LedgerEntry.i_balance == Balance.i_balance)
        .outerjoin(Customer, Customer.i_customer == Balance.i_customer)
        .where(batch)
        .group_by(*columns, Balance.i_account, Customer.i_customer, Customer.i_wholesaler)
        .having(or_(Balance.funded != Balance.funded_opening + total, and_(has_none, Balance.funded != 0)))
    )
    found = []
    for row in await session.execute(wrong):
        expected = row.funded_opening + row.total
        if row.funded != expected:
            found.append(f"balance {row.i_balance} is funded with {row.funded}, but its ledger says {expected}")
        if row.has_none and row.funded:
            found.append(f"balance {row.i_balance} is funded with {row.funded}, but nobody above can have paid in")
    return found


async def _openings(session: AsyncSession, batch: Any) -> list[str]:
    """What `funded` began with is told by a signed row of the change history."""
    opened = select(Balance.i_balance, Balance.funded_opening).where(batch, Balance.funded_opening != 0)
    values = {row.i_balance: row.funded_opening for row in await session.execute(opened)}
    noted = select(AuditEntry.object_id, AuditEntry.after).where(
        AuditEntry.object_type == Balance.__tablename__,
        AuditEntry.object_id.in_(values),
        AuditEntry.action == audit.UPDATED,
        AuditEntry.after.contains("funded_opening"),
    )
    told = {row.object_id: Decimal(json.loads(row.after)["funded_opening"]) for row in await session.execute(noted)}
    return [
        f"balance {i_balance} began funded with {value}, which the change history does not say"
        for i_balance, value in values.items()
        if told.get(i_balance) != value
    ]


async def _other_sides(session: AsyncSession, batch: Any) -> list[str]:
    """What one side gives up is what the other gets, and the payer is the parent."""
    source, of_source, child = aliased(LedgerEntry), aliased(Balance), aliased(Customer)
    is_payer = LedgerEntry.kind == ledger.PAYER
    change = func.coalesce(source.funded_change, 0)
    fits = case(
        (is_payer, and_(change == -LedgerEntry.amount, LedgerEntry.funded_change == 0)),
        else_=and_(change == -LedgerEntry.funded_change, func.coalesce(source.kind, "") == ledger.TRANSFER),
    )
    is_parent = or_(child.i_customer.is_(None), ~is_payer, child.i_wholesaler == Balance.i_customer)
    others = (
        select(LedgerEntry.i_ledger)
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .outerjoin(source, source.i_ledger == LedgerEntry.i_ledger_source)
        .outerjoin(of_source, of_source.i_balance == source.i_balance)
        .outerjoin(child, child.i_customer == of_source.i_customer)
        .where(batch, LedgerEntry.funded_change.is_not(None))
        .where(or_(is_payer, LedgerEntry.i_ledger_source.is_not(None)), ~and_(fits, is_parent))
    )
    twice = (
        select(func.max(LedgerEntry.i_ledger))
        .where(batch, LedgerEntry.i_ledger_source.is_not(None))
        .group_by(LedgerEntry.i_ledger_source)
        .having(func.count() > 1)
    )
    wrong = {*(await session.execute(others)).scalars(), *(await session.execute(twice)).scalars()}
    return [f"booking {key} is not the other side of the one that it names" for key in sorted(wrong)]


def _total(column: Any) -> Any:
    return type_coerce(func.sum(column), Money)
