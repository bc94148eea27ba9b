"""
Lent rights: a customer with `impersonate` calls, where the dialect knows of it, as the other one whom it names.

The lender is of the borrower's own reseller (it may be that reseller itself), never the root. Only the lender or
somebody above it lends, ends it, and changes what the borrower logs in with: whoever has that has the lender's
rights. Rights are not lent on: who acts as a borrower has that one's own. What is stored against this rule counts for
nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, and_, bindparam, false, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models import ROOT_ID, Customer, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.faults import NotPermitted
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.tree import ownership, resellers
from xmlrpc_api.services.tree.ownership import HasRows, Reach
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row

LOGIN = frozenset({"web_login", "web_password", "api_access", "api_password"})
LENT = LOGIN | {"impersonate"}
_LENDER = aliased(Customer)


def _pairs() -> Statement:
    names = {"borrower": Customer.i_customer, "borrower_path": Customer.path}
    names |= {"lender": _LENDER.i_customer, "lender_path": _LENDER.path}
    columns = [column.label(name) for name, column in names.items()]
    return select(*columns).join(_LENDER, _LENDER.i_customer == Customer.impersonate)


_OF_BORROWER = Query(_pairs().where(Customer.i_customer == bindparam("i_customer", type_=Integer)), is_short=True)


@dataclass(frozen=True, slots=True)
class Loan:
    """A customer who is to act as another one, and where in the tree both are."""

    borrower: int
    borrower_path: str
    lender: int
    lender_path: str

    @property
    def is_good(self) -> bool:
        """Whether the lender is one who can lend to this borrower."""
        of_one_reseller = resellers.reseller_of(self.lender_path, self.lender) == resellers.reseller_of(
            self.borrower_path, self.borrower
        )
        return self.lender != ROOT_ID and of_one_reseller

    def is_in_hand_of(self, i_customer: int) -> bool:
        """Whether somebody is the lender or above it."""
        return i_customer in (self.lender, *ancestors(self.lender_path))


def with_lender(statement: Statement) -> Statement:
    """A statement about customers that tells who is to lend to each, too."""
    lender = (_LENDER.i_customer.label("lender"), _LENDER.path.label("lender_path"))
    return statement.add_columns(*lender).outerjoin(_LENDER, _LENDER.i_customer == Customer.impersonate)


def loan_in(row: Row) -> Loan | None:
    """What the customer in a row that `with_lender` reads has borrowed, if it counts."""
    if row["lender"] is None:
        return None
    loan = Loan(row["i_customer"], row["path"], row["lender"], row["lender_path"])
    return loan if loan.is_good else None


async def find(store: HasRows, i_customer: int) -> Loan | None:
    """What a customer has borrowed, if it counts."""
    rows = await store.rows(_OF_BORROWER, i_customer=i_customer)
    loan = Loan(**rows[0]) if rows else None
    return loan if loan is not None and loan.is_good else None


def lenders(caller: Caller, borrower: int | None, path: str) -> ColumnElement[bool]:
    """
    The condition for customers whose rights a caller may lend.

    Args:
        caller: Who wants to lend them.
        borrower: To whom; None: it is not there yet.
        path: The borrower's path.
    """
    reseller = resellers.reseller_of(path, borrower or ROOT_ID)
    if reseller == ROOT_ID:  # a new reseller: nobody else is there yet
        return false()
    same_reseller = ownership.branch(f"{ROOT_ID}.", reseller)
    return and_(same_reseller, ownership.within(caller, Reach.SUBTREE_AND_SELF))


async def demand_hand(call: Call, i_customer: int, changes: Collection[str] = LOGIN) -> None:
    """
    Refuse to change what a borrower logs in with, or from whom it borrows, if it is not the caller's to change.

    Args:
        call: The call.
        i_customer: The customer, who may borrow or not; locked.
        changes: Which of its attributes are about to change.

    Raises:
        NotPermitted: It borrows, and the caller is neither the lender nor above it.
    """
    if LENT.isdisjoint(changes):
        return
    loan = await find(call.store, i_customer)
    if loan is not None and not loan.is_in_hand_of(call.caller.i_customer):
        raise NotPermitted(
            "the rights of another customer are lent to this one: only he or those above him may change his logins"
        )


async def void(session: AsyncSession, first: int, last: int) -> list[Loan]:
    """Customers with ids from `first` to `last` for whom a lender is stored who cannot be one."""
    rows = await session.execute(_pairs().where(Customer.i_customer.between(first, last)))
    loans = [Loan(**row) for row in rows.mappings()]
    return [loan for loan in loans if not loan.is_good]
