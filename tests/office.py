"""A reseller with service plans, and accounts on them."""

from datetime import UTC, datetime
from typing import Any

from conftest import Customers, Reseller
from harness import Clock, Server, unique
from sippy import new

from xmlrpc_api import background

UTC_ZONE = 370


class Office:
    """A reseller, its service plans, and accounts on them."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.customers = Customers(server)
        self.login = unique("office")
        self.api: Reseller = self.customers.reseller(name=self.login)

    def plan(self, fee: float = 31, **attributes: Any) -> int:
        given = {"name": unique("plan"), "recurring_fee": fee, **attributes}
        return self.api.createServicePlan(**given)["i_billing_plan"]

    def account(self, plan: int, **attributes: Any) -> int:
        given = {"balance": 1000, "credit_limit": 0, "i_time_zone": UTC_ZONE, **attributes}
        return self.api.createAccount(**new(i_billing_plan=plan, **given))["i_account"]

    def another(self) -> Reseller:
        """A client of its own, for a thread."""
        return Reseller(self.server, self.api.i_customer, self.login)

    def at(self, moment: str) -> None:
        """Let it be a time, and let billing look."""
        self.clock.now = datetime.fromisoformat(f"2028-{moment}").replace(tzinfo=UTC)
        self.bill()

    def bill(self) -> None:
        self.server.run(lambda database: background.bill(self.server.platform, database))

    def told(self, account: int) -> dict[str, Any]:
        told: dict[str, Any] = self.api.getAccountInfo(i_account=account)
        return told

    def fees(self, account: int) -> list[float]:
        """What was taken, oldest first; negative: given back."""
        rows = self.api.getLedger(i_account=account)["ledger"]
        return [-row["amount"] for row in reversed(rows) if row["kind"] == "fee"]
