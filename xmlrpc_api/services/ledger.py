"""Money: every change of a balance is a conditional update and a ledger row, in one transaction."""

from decimal import Decimal

from sqlalchemy import insert, update

from models import Balance, LedgerEntry
from xmlrpc_api.call import Call
from xmlrpc_api.faults import NotEnoughCredit
from xmlrpc_api.services import audit


async def book(call: Call, balance: Balance, amount: Decimal, kind: str) -> Decimal:
    """
    Add `amount` (negative: take) to a balance and write the ledger row.

    What is taken must be there: balance and credit limit together never fall below zero.

    Returns:
        The new balance.

    Raises:
        NotEnoughCredit: It is not there; nothing was changed.
    """
    statement = (
        update(Balance)
        .where(Balance.i_balance == balance.i_balance)
        .values(balance=Balance.balance + amount)
        .returning(Balance.balance)
        .execution_options(synchronize_session=False)
    )
    if amount < 0:
        statement = statement.where(Balance.balance + Balance.credit_limit + amount >= 0)
    after: Decimal | None = (await call.session.execute(statement)).scalar_one_or_none()
    if after is None:
        raise NotEnoughCredit
    await call.session.execute(
        insert(LedgerEntry).values(
            i_balance=balance.i_balance,
            amount=amount,
            balance_after=after,
            kind=kind,
            i_customer_actor=call.caller.i_customer,
            created=call.now,
        )
    )
    await audit.event(
        call,
        audit.FUNDS,
        object_type="customers",
        object_id=balance.i_customer,
        i_customer=balance.i_customer,
        details={"kind": kind, "amount": amount, "currency": balance.currency, "balance": after},
    )
    return after
