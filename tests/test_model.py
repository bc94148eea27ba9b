"""Random sequences of customer and money methods, compared with a plain model after every step."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from books import findings
from conftest import Customers
from faces import Api
from harness import Server, unique
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from refusals import refused

AMOUNTS = st.integers(1, 2000).map(lambda cents: Decimal(cents) / 100)
PICK = st.integers(0, 1000)


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


class Machine(RuleBasedStateMachine):
    """A reseller of its own for every example, and what his sub-customers should be like."""

    server: ClassVar[Server]
    customers: ClassVar[Customers]

    def __init__(self) -> None:
        super().__init__()
        self.root = self.server.api()
        self.api = self.customers.reseller(balance=50)
        self.own = Decimal(50)
        self.rows: dict[int, dict[str, Any]] = {}

    def pick(self, number: int) -> int:
        return sorted(self.rows)[number % len(self.rows)]

    def attempt(self, expected: int | None, api: Api, method: str, **params: Any) -> Any:
        """The call must succeed, or fail with just this code."""
        money = {name: float(value) if isinstance(value, Decimal) else value for name, value in params.items()}
        if expected is None:
            return getattr(api, method)(**money)
        with refused(expected):
            getattr(api, method)(**money)
        return None

    @rule(balance=AMOUNTS, credit=AMOUNTS)
    def create(self, balance: Decimal, credit: Decimal) -> None:
        answer = self.attempt(
            None,
            self.api,
            "createCustomer",
            name=unique("m"),
            web_password="s3cret-Web",
            i_tariff=None,
            balance=balance,
            credit_limit=credit,
        )
        self.rows[answer["i_customer"]] = {
            "balance": balance,
            "credit": credit,
            "funded": Decimal(0),
            "version": 1,
            "blocked": False,
            "city": None,
        }

    @precondition(lambda self: self.rows)
    @rule(number=PICK, amount=AMOUNTS, method=st.sampled_from(["customerAddFunds", "customerCredit"]))
    def give(self, number: int, amount: Decimal, method: str) -> None:
        i_customer = self.pick(number)
        expected = 402 if amount > self.own else None
        self.attempt(expected, self.api, method, i_customer=i_customer, amount=amount, currency="USD")
        if expected is None:
            self.own -= amount
            self.rows[i_customer]["balance"] += amount
            self.rows[i_customer]["funded"] += amount

    @precondition(lambda self: self.rows)
    @rule(number=PICK, amount=AMOUNTS)
    def take(self, number: int, amount: Decimal) -> None:
        i_customer = self.pick(number)
        row = self.rows[i_customer]
        expected = 402 if amount > row["balance"] + row["credit"] else None
        money = {"i_customer": i_customer, "amount": amount, "currency": "USD"}
        answer = self.attempt(expected, self.api, "customerDebit", **money)
        if expected is None:
            back = self.leave(row, amount)
            assert Decimal(str(answer["returned"])) == back
            self.own += back

    def leave(self, row: dict[str, Any], amount: Decimal) -> Decimal:
        """Take from a sub-customer; how much of it the reseller had paid in."""
        back = min(row["funded"], amount, max(row["balance"], Decimal(0)))
        row["balance"] -= amount
        row["funded"] -= back
        return back

    @precondition(lambda self: len(self.rows) > 1)
    @rule(number=PICK, amount=AMOUNTS)
    def transfer(self, number: int, amount: Decimal) -> None:
        giver, taker = self.pick(number), self.pick(number + 1)
        enough = amount <= self.rows[giver]["balance"] + self.rows[giver]["credit"]
        pair = {"i_customer_from": giver, "i_customer_to": taker}
        self.attempt(None if enough else 402, self.api, "transferFunds", **pair, amount=amount, currency="USD")
        if enough:
            self.rows[taker]["funded"] += self.leave(self.rows[giver], amount)
            self.rows[taker]["balance"] += amount

    @precondition(lambda self: self.rows)
    @rule(number=PICK, city=st.sampled_from(["Rome", "Paris", None]), stale=st.booleans())
    def update(self, number: int, city: str | None, stale: bool) -> None:
        i_customer = self.pick(number)
        row = self.rows[i_customer]
        version = row["version"] + stale
        self.attempt(
            409 if stale else None,
            self.api,
            "updateCustomer",
            i_customer=i_customer,
            city=city,
            if_version=version,
        )
        if not stale and city != row["city"]:
            row.update(city=city, version=version + 1)

    @precondition(lambda self: self.rows)
    @rule(number=PICK, blocked=st.booleans())
    def block(self, number: int, blocked: bool) -> None:
        i_customer = self.pick(number)
        row = self.rows[i_customer]
        method = "blockCustomer" if blocked else "unblockCustomer"
        self.attempt(None, self.api, method, i_customer=i_customer)
        row.update(blocked=blocked, version=row["version"] + (blocked != row["blocked"]))

    @precondition(lambda self: self.rows)
    @rule(number=PICK, empty=st.booleans())
    def delete(self, number: int, empty: bool) -> None:
        i_customer = self.pick(number)
        if empty:
            self.api.updateCustomer(i_customer=i_customer, balance=0)
            self.rows[i_customer]["balance"] = Decimal(0)
        expected = 409 if self.rows[i_customer]["balance"] else None
        self.attempt(expected, self.api, "deleteCustomer", i_customer=i_customer)
        if expected is None:
            del self.rows[i_customer]

    @invariant()
    def everybody_is_as_the_model_says(self) -> None:
        listed = {row["i_customer"]: row for row in self.api.listCustomers()["customers"]}
        assert {key: Decimal(str(row["balance"])) for key, row in listed.items()} == {
            key: row["balance"] for key, row in self.rows.items()
        }
        assert Decimal(str(self.root.info(self.api.i_customer)["balance"])) == self.own
        for i_customer, row in self.rows.items():
            info = self.api.info(i_customer)
            assert (info["version"], info["blocked"], info["city"]) == (
                row["version"],
                row["blocked"],
                row["city"],
            )

    def teardown(self) -> None:
        assert findings(self.server) == []


@pytest.mark.soak
def test_any_sequence_of_calls_keeps_every_invariant(server: Server, customers: Customers, length: Any) -> None:
    run_state_machine_as_test(
        type("Bound", (Machine,), {"server": server, "customers": customers}),
        settings=settings(
            max_examples=length(4, 200),
            stateful_step_count=length(15, 50),
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
