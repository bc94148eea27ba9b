"""
Blocks and quotas: lifted by whoever set them, or by somebody above it.

All who can limit something stand in one line: the customer to whom it belongs (or who it is), and everybody above.
What is not known of older blocks counts as the parent's.
"""

from dataclasses import dataclass

from models import Account, Customer, WebUser, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import NotPermitted
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.tree import ownership

Limited = Customer | WebUser | Account


@dataclass(frozen=True, slots=True)
class Line:
    """Those who can limit something, root first; the customer to whom it belongs is the last."""

    customers: tuple[int, ...]

    @classmethod
    def of(cls, path: str, i_customer: int) -> "Line":
        """The line above, and with, the customer with this path and id."""
        return cls((*ancestors(path), i_customer))

    @property
    def parent(self) -> int:
        """The customer above the last; the root is its own."""
        return self.customers[-2] if len(self.customers) > 1 else self.customers[-1]

    def _place(self, i_customer: int | None) -> int:
        """How far from the root somebody stands; whoever is not in the line counts as the root."""
        known = self.parent if i_customer is None else i_customer
        return self.customers.index(known) if known in self.customers else 0

    def higher(self, one: int, other: int | None) -> int:
        """The one of both who stands above the other."""
        return self.customers[min(self._place(one), self._place(other))]

    def is_in_hand_of(self, caller: Caller, setter: int | None) -> bool:
        """Whether a caller may lift what `setter` has set."""
        return self._place(caller.i_customer) <= self._place(setter)

    def demand_hand(self, caller: Caller, setter: int | None, what: str) -> None:
        """
        Refuse to lift what somebody above the caller has set.

        Raises:
            NotPermitted: The caller stands below it.
        """
        if not self.is_in_hand_of(caller, setter):
            raise NotPermitted(f"{what} was set by somebody above you, and is lifted by him or above only")

    def block(self, caller: Caller, is_blocked: bool, setter: int | None) -> int:
        """Whose block it is from now on, where `setter` may have blocked before: that of the higher."""
        return self.higher(caller.i_customer, setter) if is_blocked else caller.i_customer

    def blocked_by(self, caller: Caller, before: bool, after: bool, setter: int | None) -> int | None:
        """
        Whose block it is once something was blocked or unblocked.

        Raises:
            NotPermitted: It was blocked by somebody above the caller.
        """
        if after:
            return self.block(caller, before, setter)
        if before:
            self.demand_hand(caller, setter, "the block")
        return None

    def quota_by(self, caller: Caller, before: int, after: int, setter: int | None) -> int | None:
        """
        Whose quota it is once it was changed; 0 is none. Who makes it tighter leaves it to whoever set it.

        Raises:
            NotPermitted: It is made looser, and was set by somebody above the caller.
        """
        if after == before:
            return setter
        if before and (not after or after > before):
            self.demand_hand(caller, setter, "the quota")
            return caller.i_customer if after else None
        return self.higher(caller.i_customer, setter) if before else caller.i_customer


async def line_of(call: Call, row: Limited) -> Line:
    """The line of those who can limit a row: a customer, or what belongs to one."""
    path = row.path if isinstance(row, Customer) else await ownership.path_of(call, row.i_customer)
    return Line.of(path, row.i_customer)


def begun(call: Call, values: Values) -> dict[str, int | None]:
    """Whose the block of a new row is."""
    return {"blocked_by": call.caller.i_customer if values.get("blocked") else None}


async def changed(call: Call, row: Limited, values: Values) -> dict[str, int | None]:
    """
    Whose its block is after a change.

    Raises:
        NotPermitted: It was set by somebody above the caller, and would be lifted.
    """
    if "blocked" not in values:
        return {}
    line = await line_of(call, row)
    return {"blocked_by": line.blocked_by(call.caller, bool(row.blocked), bool(values["blocked"]), row.blocked_by)}


async def demand_removable(call: Call, row: Limited) -> None:
    """
    Refuse to remove what somebody above the caller has blocked: made anew it would be free.

    Raises:
        NotPermitted: Somebody has.
    """
    if row.blocked:
        (await line_of(call, row)).demand_hand(call.caller, row.blocked_by, "the block")
