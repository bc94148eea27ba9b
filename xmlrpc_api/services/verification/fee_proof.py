"""Proof, for `verify`, of recurring fees: each charge has its booking, each booking of a fee its charge; no day two."""

from typing import Any

from sqlalchemy import and_, case, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models import Balance, LedgerEntry, PlanCharge
from xmlrpc_api.services.money import ledger


async def of_fees(session: AsyncSession, first: int, last: int) -> list[str]:
    """What is wrong with the fees of balances whose ids are in this range."""
    batch = LedgerEntry.i_balance.between(first, last), LedgerEntry.kind == ledger.FEE
    is_charge, is_refund = (
        PlanCharge.i_ledger == LedgerEntry.i_ledger,
        PlanCharge.i_ledger_refund == LedgerEntry.i_ledger,
    )
    amount = case((is_charge, -PlanCharge.amount), else_=PlanCharge.refunded)
    fits = and_(LedgerEntry.amount == amount, PlanCharge.i_account == Balance.i_account)
    wrong = (
        select(LedgerEntry.i_ledger)
        .join(Balance, Balance.i_balance == LedgerEntry.i_balance)
        .outerjoin(PlanCharge, or_(is_charge, is_refund))
        .where(*batch, or_(PlanCharge.i_plan_charge.is_(None), ~fits))
        .order_by(LedgerEntry.i_ledger)
    )
    return [f"booking {key} is not that of its charge" for key in (await session.scalars(wrong)).all()]


async def of_charges(session: AsyncSession, first: int, last: int) -> list[str]:
    """What is wrong with charges whose ids are in this range."""
    mine, other = PlanCharge.i_plan_charge.between(first, last), aliased(PlanCharge)
    booked: Any = [
        exists().where(LedgerEntry.i_ledger == key, LedgerEntry.kind == ledger.FEE)
        for key in (PlanCharge.i_ledger, PlanCharge.i_ledger_refund)
    ]
    more = or_(PlanCharge.refunded > PlanCharge.amount, PlanCharge.refunded < 0)
    unbooked = or_(~booked[0], and_(PlanCharge.i_ledger_refund.is_not(None), ~booked[1]))
    again = exists().where(
        other.i_plan_span == PlanCharge.i_plan_span,
        other.item == PlanCharge.item,
        other.i_item == PlanCharge.i_item,
        other.i_plan_charge != PlanCharge.i_plan_charge,
        other.begins < PlanCharge.ends,
        other.ends > PlanCharge.begins,
    )
    found = []
    for condition, what in (
        (unbooked, "has no booking"),
        (more, "was given back with more"),
        (again, "is for days charged twice"),
    ):
        keys = await session.scalars(select(PlanCharge.i_plan_charge).where(mine, condition))
        found += [f"charge {key} {what}" for key in keys.all()]
    return found
