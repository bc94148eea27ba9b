"""What was paid in, in a database that is older than the rule: its ledger is played again."""

import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server
from sqlalchemy import text

from models import ROOT_ID
from xmlrpc_api.call import Call, Origin
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.upgrade import funding_opening
from xmlrpc_api.services.verification import proof
from xmlrpc_api.storage.database import Database

OLD = (
    "UPDATE ledger SET funded_change = NULL",
    "UPDATE balances SET funded = 0, funded_opening = 0",
)
FORGED = "funded_change is nil"  # the history knows that the rows are not as old as they were made


class Upgrade:
    """The step, in a database whose ledger was made as old as it has to be."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def run(self, look: Callable[[Call, list[str]], Awaitable[Any]], *, keep: bool = False, also: str = "") -> Any:
        """Forget what was kept since, run the step, then look; all of it is undone unless it is to be kept."""

        async def work(call: Call) -> Any:
            for statement in (*self._triggers(), *OLD, *filter(None, [also])):
                await call.session.execute(text(statement))
            return await look(call, await self.step(call))

        async def perform(database: Database) -> Any:
            root = await ownership.load_caller(database, ROOT_ID)
            assert root is not None
            origin = Origin(request_id="0", face=Face.UPGRADE, address="local", login=root)
            return await Dispatcher(self.server.platform, database, keep=keep).perform(origin, "upgrade", root, work)

        return self.server.run(perform)

    @staticmethod
    async def step(call: Call) -> list[str]:
        """Batch after batch; what it tells."""
        told: list[str] = []
        last: int | None = 0
        while last is not None:
            last, _, sentences = await funding_opening.open_funded(call, last)
            told += sentences
        return told

    def _triggers(self) -> list[str]:
        if self.server.config.is_sqlite:
            return ["DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"]
        return ["DROP TRIGGER ledger_append_only ON ledger"]


@pytest.fixture
def upgrade(server: Server) -> Upgrade:
    return Upgrade(server)


@pytest.fixture
def rich(server: Server, customers: Customers) -> Reseller:
    reseller = customers.reseller()
    server.api().customerAddFunds(i_customer=reseller.i_customer, amount=100, currency="USD")
    return reseller


async def funded(call: Call, *customers: int) -> list[Decimal]:
    statement = text("SELECT funded, funded_opening FROM balances WHERE i_customer = :c")
    rows = [(await call.session.execute(statement, {"c": i_customer})).one() for i_customer in customers]
    assert all(row[0] == row[1] for row in rows)
    return [Decimal(row[0]).scaleb(-6) for row in rows]


def test_gives_what_would_have_been_kept(
    upgrade: Upgrade, server: Server, rich: Reseller, customers: Customers
) -> None:
    dice = random.Random(11)
    children = [customers.make(rich) for _ in range(3)]
    for _ in range(40):
        giver, taker = dice.sample(children, 2)
        money = {"amount": dice.choice([1, 7, 30]), "currency": "USD"}
        kind = dice.randrange(5)
        before = {row["i_customer"]: row["balance"] for row in rich.listCustomers()["customers"]}
        if kind < 2 and server.api().info(rich.i_customer)["balance"] >= money["amount"]:
            rich.customerAddFunds(i_customer=giver, **money)
        elif kind == 2:
            rich.updateCustomer(i_customer=giver, balance=dice.randint(0, 40))
        elif before[giver] >= money["amount"]:
            if kind == 3:
                rich.customerDebit(i_customer=giver, **money)
            else:
                rich.transferFunds(i_customer_from=giver, i_customer_to=taker, **money)
    kept = [
        Decimal(row[0]).scaleb(-6)
        for child in children
        for row in server.sql("SELECT funded FROM balances WHERE i_customer = :c", c=child)
    ]

    async def look(call: Call, told: list[str]) -> list[Decimal]:
        return await funded(call, *children)

    assert any(kept)
    assert upgrade.run(look) == kept


def test_what_came_back_beyond_it_is_told_and_does_not_make_it_negative(
    upgrade: Upgrade, rich: Reseller, customers: Customers
) -> None:
    i_customer, honest = customers.make(rich), customers.make(rich)
    for child in (i_customer, honest):
        rich.customerAddFunds(i_customer=child, amount=10, currency="USD")
        rich.customerDebit(i_customer=child, amount=4, currency="USD")
    attack = (
        "UPDATE ledger SET amount = 50000000 WHERE kind = 'payer' AND i_ledger_source ="
        f" (SELECT max(i_ledger) FROM ledger NATURAL JOIN balances WHERE i_customer = {i_customer})"
    )

    async def look(call: Call, told: list[str]) -> tuple[list[Decimal], list[str]]:
        return await funded(call, i_customer, honest), told

    amounts, told = upgrade.run(look, also=attack)

    assert amounts == [0, 6]
    sentence = f"Customer {rich.i_customer} got 40 USD more back from customer {i_customer} than he had paid in"
    assert [line for line in told if f"Customer {rich.i_customer} " in line] == [
        f"{sentence}, while that was possible; it stays on his balance"
    ]


def test_customers_below_the_root_and_accounts_have_none(
    upgrade: Upgrade, server: Server, rich: Reseller, customers: Customers
) -> None:
    async def look(call: Call, told: list[str]) -> list[Decimal]:
        return await funded(call, rich.i_customer)

    assert upgrade.run(look) == [0]


def test_run_again_it_changes_nothing(upgrade: Upgrade, rich: Reseller, customers: Customers) -> None:
    i_customer = customers.make(rich)
    rich.customerAddFunds(i_customer=i_customer, amount=10, currency="USD")

    async def look(call: Call, told: list[str]) -> list[Decimal]:
        await Upgrade.step(call)
        return await funded(call, i_customer)

    assert upgrade.run(look) == [10]


def test_verify_believes_it(upgrade: Upgrade, rich: Reseller, customers: Customers) -> None:
    i_customer = customers.make(rich)
    rich.customerAddFunds(i_customer=i_customer, amount=10, currency="USD")

    async def look(call: Call, told: list[str]) -> list[str]:
        found: list[str] = []
        async for step in proof.verify(call.session, call.platform.vault):
            found += step.findings
        return [finding for finding in found if FORGED not in finding]

    assert upgrade.run(look) == []


def test_it_goes_on_from_there_as_any(fresh: Server) -> None:
    customers = Customers(fresh)
    rich = customers.reseller()
    fresh.api().customerAddFunds(i_customer=rich.i_customer, amount=100, currency="USD")
    paid, other = customers.make(rich), customers.make(rich)
    rich.customerAddFunds(i_customer=paid, amount=60, currency="USD")

    async def look(call: Call, told: list[str]) -> list[str]:
        return told

    assert Upgrade(fresh).run(look, keep=True) == []

    assert rich.customerDebit(i_customer=paid, amount=20, currency="USD")["returned"] == 20
    rich.transferFunds(i_customer_from=paid, i_customer_to=other, amount=30, currency="USD")
    rich.updateCustomer(i_customer=paid, balance=0)
    rich.deleteCustomer(i_customer=paid)
    assert rich.customerDebit(i_customer=other, amount=30, currency="USD")["returned"] == 30
    assert fresh.api().info(rich.i_customer)["balance"] == 90
    assert [finding for finding in findings(fresh) if FORGED not in finding] == []
