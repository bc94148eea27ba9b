"""What belongs to accounts: whoever reaches the account may make, change, see and remove it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from models import Account, Customer
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import NotFound, NothingToChange, NotPermitted
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import REACH, B, Belongings
from xmlrpc_api.services.tree import ownership, references
from xmlrpc_api.services.tree.lists import Filters
from xmlrpc_api.services.tree.references import Pointer
from xmlrpc_api.services.tree.stretches import Of, Order
from xmlrpc_api.storage.rows import Row, Rows


class AccountBelongings(Belongings[B]):
    """
    The rows of a table, each of which belongs to the account in its `i_account`, and to the customer of that.

    Args:
        model: The table.
        most: How many an account may have.
        name: The attribute by which callers name one of an account's rows; its id if left out.
        filters: What its pages can be filtered by.
        orders: What else they can be ordered by.
    """

    def __init__(
        self,
        model: type[B],
        most: int,
        name: str = "",
        *,
        filters: Filters | None = None,
        orders: Mapping[str, Order] | None = None,
    ) -> None:
        super().__init__(model, filters=filters, orders=orders)
        self._most = most
        self._account: Any = model.__table__.columns["i_account"]
        self._name: Any = model.__table__.columns[name or self.entity.key_name]

    async def add(self, call: Call, account: Account, values: Values) -> int:
        """
        Add a row to an account that is held.

        Raises:
            NotPermitted: The account has as many as it may have, or the caller is not active.
            WrongReference: Something pointed at is not there for the account's customer.
        """
        call.caller.demand_active()
        counting = select(func.count()).select_from(self.model).where(self._account == account.i_account)
        if (await call.session.execute(counting)).scalar_one() >= self._most:
            raise NotPermitted(f"an account cannot have more than {self._most} of these")
        owner = account.i_customer
        await references.check(call, self.entity, values, Pointer(owner=owner, customer=owner))
        row = self.model(i_customer=owner, i_account=account.i_account)
        await records.add(call, row, values)
        return int(getattr(row, self.entity.key_name))

    async def add_to(self, call: Call, i_account: int, values: Values) -> int:
        """
        Add a row to an account.

        Raises:
            NotFound: The account is not there for the caller.
            NotPermitted, WrongReference: As in `add`.
        """
        return await self.add(call, await hold(call, i_account), values)

    async def change_of(self, call: Call, i_account: int, name: int | str, changes: Values) -> None:
        """
        Change one of the rows of an account.

        Raises:
            NothingToChange: No attribute was given.
            NotFound: The account, or the row, is not there for the caller.
            WrongReference: As in `add`.
        """
        if not changes:
            raise NothingToChange
        await self.save(call, await self._lock_of(call, i_account, name), changes)

    async def remove_of(self, call: Call, i_account: int, name: int | str) -> None:
        """Remove one of the rows of an account; NotFound if it, or the account, is not there for the caller."""
        await records.remove(call, await self._lock_of(call, i_account, name))

    async def all_of(self, call: Call, i_account: int) -> Rows:
        """All rows of an account, oldest first; NotFound if it is not there for the caller."""
        await find(call, i_account)
        return await call.store.select(self._some.statement.where(self._account == i_account).order_by(self._key))

    async def told_of(self, call: Call, i_account: int, params: Values, name: str) -> Row:
        """The rows of an account under this name, see `List.told`; NotFound if it is not there for the caller."""
        await find(call, i_account)
        return await self._some.told(call, params, name, of=Of({self._account: i_account}))

    async def _lock_of(self, call: Call, i_account: int, name: int | str) -> B:
        await hold(call, i_account)
        return await ownership.locked(
            call, self.model, select(self.model).where(self._account == i_account, self._name == name)
        )


async def hold(call: Call, i_account: int) -> Account:
    """Lock an account, so that what it has stays; calls and bookings go on. NotFound as in `find`."""
    statement = (
        select(Account)
        .join(Customer, Customer.i_customer == Account.i_customer)
        .where(Account.i_account == i_account, ownership.within(call.caller, REACH))
    )
    return await ownership.locked(call, Account, statement, key_share=True)


async def find(call: Call, i_account: int) -> None:
    """Make sure that an account is there for the caller; NotFound if it is not."""
    statement = (
        select(Account.i_account)
        .join(Customer, Customer.i_customer == Account.i_customer)
        .where(Account.i_account == i_account, ownership.within(call.caller, REACH))
    )
    if not await call.store.select(statement, is_short=True):
        raise NotFound(Account)
