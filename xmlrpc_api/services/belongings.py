"""What belongs to customers: whoever reaches the customer may make, change, see and remove it."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, select

from models import Base, Customer
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NothingToChange
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.tree import lists, ownership, references
from xmlrpc_api.services.tree.lists import Filters
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.references import Pointer
from xmlrpc_api.services.tree.stretches import Of, Order
from xmlrpc_api.storage.rows import Row

REACH = Reach.SUBTREE_AND_SELF
B = TypeVar("B", bound=Base)


class Belongings(Generic[B]):
    """
    The rows of a table, each of which belongs to the customer in its `i_customer`.

    A noun that has rules of its own asks them first, in its service.

    Args:
        model: The table.
        filters: What its pages can be filtered by.
        orders: What else they can be ordered by.

    Attributes:
        entity: Its attributes.
        all: Its rows, to be listed.
    """

    def __init__(
        self, model: type[B], *, filters: Filters | None = None, orders: Mapping[str, Order] | None = None
    ) -> None:
        self.model = model
        self.entity = entity_of(model)
        self._key: Any = getattr(model, self.entity.key_name)
        self._customer: Any = model.__table__.columns["i_customer"]
        statement = self.entity.select(self.entity.read).join(Customer, Customer.i_customer == self._customer)
        self.all = lists.List(statement, self._key)
        self._some = lists.List(
            self.entity.select(self.entity.read), self._key, filters=filters or {}, orders=orders or {}
        )

    async def create(self, call: Call, values: Values) -> int:
        """
        Add a row to the customer in `i_customer`, or to the caller; what callers may not set is ignored.

        Raises:
            NotFound: The customer is not there for the caller.
            NotPermitted: The caller is not active.
            BadParameter: A required attribute is missing.
            WrongReference: Something pointed at is not there.
        """
        call.caller.demand_active()
        for field in self.entity.create:
            if field.required and values.get(field.name) in (None, ""):
                raise BadParameter.required(field.name)
        owner = await hold_owner(call, values)
        settable = self._settable(values)
        await references.check(call, self.entity, settable, Pointer(owner=owner, customer=owner))
        row = self.model(i_customer=owner)
        await records.add(call, row, settable)
        return int(getattr(row, self.entity.key_name))

    async def change(self, call: Call, key: int, changes: Values) -> None:
        """
        Change attributes of a row; what callers may not set is ignored.

        Raises:
            NothingToChange: No attribute was given.
            NotFound, WrongReference: As in `create`.
        """
        if not changes:
            raise NothingToChange
        await self.save(call, await self.lock(call, self._key == key), changes)

    async def save(self, call: Call, row: B, changes: Values) -> None:
        """The same of a locked row."""
        owner: int = getattr(row, self._customer.key)
        settable = self._settable(changes)
        pointer = Pointer(owner=owner, customer=owner, present=row)
        await references.check(call, self.entity, settable, pointer)
        await records.change(call, row, settable)

    async def remove(self, call: Call, key: int) -> None:
        """
        Remove a row.

        Raises:
            NotFound: It is not there for the caller.
            Conflict: Something points at it.
        """
        await records.remove(call, await self.lock(call, self._key == key))

    async def info(self, call: Call, key: int) -> Row:
        """All attributes of a row, secrets excepted; NotFound if it is not there for the caller."""
        return await self.one(call, self._key == key)

    async def one(self, call: Call, wanted: ColumnElement[bool]) -> Row:
        """The same of the row for which a condition holds."""
        return await self.all.one(call, self.model, wanted, ownership.within(call.caller, REACH))

    async def told(self, call: Call, params: Values, name: str) -> Row:
        """
        The rows of the customer in `i_customer`, or of the caller, under this name; see `List.told`.

        Raises:
            NotFound: The customer is not there for the caller.
        """
        owner = _owner(call, params)
        await ownership.find(call, owner, REACH)
        return await self._some.told(call, params, name, of=Of({self._customer: owner}))

    def _settable(self, values: Values) -> Values:
        return {name: value for name, value in values.items() if name in self.entity.writable}

    async def lock(self, call: Call, wanted: ColumnElement[bool]) -> B:
        """Lock a row, after its customer: everybody takes the two in this order; NotFound as in `info`."""
        in_reach = select(Customer.i_customer).join(self.model, self._customer == Customer.i_customer)
        in_reach = in_reach.where(wanted, ownership.within(call.caller, REACH))
        await call.session.execute(in_reach.with_for_update(of=Customer, key_share=True))
        return await ownership.locked(call, self.model, select(self.model).where(wanted, self._customer.in_(in_reach)))


async def hold_owner(call: Call, params: Values) -> int:
    """
    Hold the customer to whom something is to belong: the one in `i_customer`, by id or name, or the caller.

    Raises:
        NotFound: It is not there for the caller.
    """
    owner = await ownership.hold(call, _owner(call, params), REACH)
    if owner is None:
        raise NotFound(Customer)
    return owner


def _owner(call: Call, params: Values) -> int:
    """Whose something is to be; only what is left out means the caller."""
    i_customer: int | None = params.get("i_customer")
    return call.caller.i_customer if i_customer is None else i_customer
