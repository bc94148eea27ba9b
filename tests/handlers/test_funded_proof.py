"""`verify` finds whatever is wrong with what has been paid in."""

import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server
from sqlalchemy import text

from xmlrpc_api.services.verification import proof
from xmlrpc_api.storage.database import Database

OF = "i_balance IN (SELECT i_balance FROM balances WHERE i_customer ="
NO_OTHER_SIDE = "is not the other side"


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


class TestProof:
    """`verify` finds what was changed behind the server's back."""

    @pytest.fixture
    def books(self, rich: Reseller, customers: Customers) -> dict[str, int]:
        """A reseller who has paid in for one sub-customer, and has moved some of it to another."""
        paid, other = customers.make(rich), customers.make(rich, balance=10)
        for amount in (40, 20):
            rich.customerAddFunds(i_customer=paid, amount=amount, currency="USD")
        rich.transferFunds(i_customer_from=paid, i_customer_to=other, amount=5, currency="USD")
        return {"paid": paid, "other": other, "top": rich.i_customer}

    def test_of_every_way_money_moves_it_finds_nothing(
        self, rich: Reseller, books: dict[str, int], server: Server
    ) -> None:
        paid = books["paid"]
        rich.customerDebit(i_customer=paid, amount=10, currency="USD")
        rich.updateCustomer(i_customer=paid, balance=0)
        rich.deleteCustomer(i_customer=paid)

        assert findings(server) == []

    @pytest.mark.parametrize(
        ("forgery", "told"),
        [
            (["UPDATE balances SET funded = funded + 1 WHERE i_customer = :paid"], "its ledger says"),
            (
                ["UPDATE balances SET funded_opening = 1, funded = funded + 1 WHERE i_customer = :paid"],
                "which the change history does not say",
            ),
            (["UPDATE balances SET funded = 1, funded_opening = 1 WHERE i_customer = :top"], "nobody above"),
            ([f"DELETE FROM ledger WHERE kind = 'payer' AND {OF} :top)"], "more than his ledger"),
            ([f"UPDATE ledger SET funded_change = 0 WHERE kind = 'funds' AND {OF} :paid)"], NO_OTHER_SIDE),
            ([f"UPDATE ledger SET amount = amount + 1 WHERE kind = 'payer' AND {OF} :top)"], NO_OTHER_SIDE),
            ([f"UPDATE ledger SET i_ledger_source = NULL WHERE kind = 'payer' AND {OF} :top)"], NO_OTHER_SIDE),
            ([f"UPDATE ledger SET funded_change = 5 WHERE kind = 'payer' AND {OF} :top)"], NO_OTHER_SIDE),
            ([f"UPDATE ledger SET funded_change = 6 WHERE kind = 'transfer' AND {OF} :other)"], NO_OTHER_SIDE),
            ([f"UPDATE ledger SET i_ledger_source = 1 WHERE kind = 'payer' AND {OF} :top)"], NO_OTHER_SIDE),
            (["UPDATE customers SET i_wholesaler = 1, path = '1.' WHERE i_customer = :paid"], NO_OTHER_SIDE),
            (
                [
                    f"UPDATE ledger SET funded_change = 1000000 WHERE kind = 'initial' AND {OF} :other)",
                    "UPDATE balances SET funded = funded + 1000000 WHERE i_customer = :other",
                ],
                "are 1 more than his ledger",
            ),
        ],
    )
    def test_of_a_forgery_it_finds_something(
        self, books: dict[str, int], server: Server, forgery: list[str], told: str
    ) -> None:
        found = findings_after(server, forgery, books)

        assert any(told in finding for finding in found), found

    def test_a_payment_that_was_booked_twice_is_found(self, books: dict[str, int], server: Server) -> None:
        columns = "i_balance, amount, balance_after, kind, payment_time, created, funded_change, i_ledger_source"
        twice = f"INSERT INTO ledger ({columns}) SELECT {columns} FROM ledger WHERE kind = 'payer' AND {OF} :top)"

        assert any(NO_OTHER_SIDE in finding for finding in findings_after(server, [twice], books))


def findings_after(server: Server, forgery: list[str], keys: dict[str, int]) -> list[str]:
    """What `verify` finds after the owner of the tables has changed them; they are put back."""
    on_sqlite = ["DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"]
    triggers = on_sqlite if server.config.is_sqlite else ["DROP TRIGGER ledger_append_only ON ledger"]

    async def work(database: Database) -> list[str]:
        found: list[str] = []
        async with database.write() as session:
            for statement in [*triggers, *forgery]:
                used = {name: key for name, key in keys.items() if f":{name}" in statement}
                await session.execute(text(statement), used)
            async for step in proof.verify(session, server.platform.vault):
                found += step.findings
            await session.rollback()
        return found

    return server.run(work)
