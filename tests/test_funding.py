"""Nobody's own money grows from below: for any amounts, any sequence of calls, any rates, and many at once."""

import random
import xmlrpc.client
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from books import findings
from conftest import Customers
from crowd import Crowd, Work, call
from harness import Server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from models import LARGEST_AMOUNT, SCALE
from xmlrpc_api.faults import NotEnoughCredit
from xmlrpc_api.services import funding

AMOUNTS = st.decimals(Decimal(1).scaleb(-SCALE), LARGEST_AMOUNT, places=SCALE)
BALANCES = st.decimals(-LARGEST_AMOUNT, LARGEST_AMOUNT, places=SCALE)
SMALL = st.one_of(
    st.integers(1, 50).map(lambda n: Decimal(n).scaleb(-6)), st.integers(1, 9000).map(lambda n: Decimal(n) / 100)
)


@given(funded=AMOUNTS, before=BALANCES, taken=AMOUNTS, worth=AMOUNTS)
def test_a_share_is_what_was_paid_in_and_was_there_and_no_millionth_more(
    funded: Decimal, before: Decimal, taken: Decimal, worth: Decimal
) -> None:
    m = funding.of_amounts(funded, before, taken, worth)
    part = min(taken, max(Decimal(0), before))

    assert m == 0 if before <= 0 else 0 <= m <= min(funded, worth)
    assert int(m.scaleb(SCALE)) * int(taken.scaleb(SCALE)) <= int(worth.scaleb(SCALE)) * int(part.scaleb(SCALE))
    if m < funded:
        more = int(m.scaleb(SCALE)) + 1
        assert more * int(taken.scaleb(SCALE)) > int(worth.scaleb(SCALE)) * int(part.scaleb(SCALE))


class Machine(RuleBasedStateMachine):
    """A reseller who does all he can to his sub-customers, whose currencies and rates are anything."""

    server: ClassVar[Server]
    customers: ClassVar[Customers]

    def __init__(self) -> None:
        super().__init__()
        self.root = self.server.api()
        self.api = self.customers.reseller()
        self.given = Decimal(0)
        self.set_rates(Decimal("1.1"), Decimal("0.007"))
        tariffs = [None, *(self.customers.tariff(self.api, currency) for currency in ("EUR", "JPY"))]
        self.children = [self.customers.make(self.api, i_tariff=tariff) for tariff in (*tariffs, None)]
        self.give(Decimal(100))

    @rule(eur=st.decimals("0.3", "3", places=6), jpy=st.decimals("0.000001", "0.02", places=9))
    def set_rates(self, eur: Decimal, jpy: Decimal) -> None:
        self.server.sql("DELETE FROM exchange_rates")
        for pair, rate in (
            (("EUR", "USD"), eur),
            (("JPY", "USD"), jpy),
            (("EUR", "JPY"), (eur / jpy).quantize(Decimal(1).scaleb(-12))),
        ):
            self.server.sql(
                "INSERT INTO exchange_rates (from_currency, to_currency, rate, updated)"
                " VALUES (:f, :t, :r, '2026-11-21 00:00:00+00:00')",
                f=pair[0],
                t=pair[1],
                r=int(rate.scaleb(12)),
            )

    @rule(amount=SMALL)
    def give(self, amount: Decimal) -> None:
        self.root.customerAddFunds(i_customer=self.api.i_customer, amount=str(amount), currency="USD")
        self.given += amount

    def attempt(self, method: str, **params: Any) -> None:
        """Whether it is refused does not matter here, as long as it is not by a bug."""
        refusal = ""
        try:
            getattr(self.api, method)(**params)
        except xmlrpc.client.Fault as fault:
            refusal = fault.faultString
        assert not refusal or "Not enough credit" in refusal or "is too small" in refusal

    @rule(
        child=st.integers(0, 3),
        method=st.sampled_from(["customerAddFunds", "customerCredit", "customerDebit", "customerDebit"]),
        amount=SMALL,
        currency=st.sampled_from(["USD", "EUR", "JPY"]),
    )
    def pay(self, child: int, method: str, amount: Decimal, currency: str) -> None:
        self.attempt(method, i_customer=self.children[child], amount=str(amount), currency=currency)

    @rule(pair=st.permutations(range(4)), amount=SMALL, currency=st.sampled_from(["USD", "EUR", "JPY"]))
    def transfer(self, pair: list[int], amount: Decimal, currency: str) -> None:
        giver, taker = self.children[pair[0]], self.children[pair[1]]
        self.attempt("transferFunds", i_customer_from=giver, i_customer_to=taker, amount=str(amount), currency=currency)

    @rule(child=st.integers(0, 3), balance=st.one_of(st.just(Decimal(0)), SMALL), credit_limit=SMALL)
    def allot(self, child: int, balance: Decimal, credit_limit: Decimal) -> None:
        params = {"balance": str(balance), "credit_limit": str(credit_limit)}
        self.attempt("updateCustomer", i_customer=self.children[child], **params)

    @invariant()
    def he_and_what_he_may_get_back_are_what_he_was_given(self) -> None:
        rows = self.server.sql(
            "SELECT coalesce(sum(CASE c.i_customer WHEN :me THEN b.balance ELSE b.funded END), 0) FROM balances b"
            " JOIN customers c ON c.i_customer = b.i_customer WHERE :me IN (c.i_customer, c.i_wholesaler)",
            me=self.api.i_customer,
        )
        assert Decimal(int(rows[0][0])).scaleb(-6) == self.given

    def teardown(self) -> None:
        assert findings(self.server) == []


@pytest.mark.soak
def test_no_sequence_of_calls_makes_money(server: Server, customers: Customers, length: Any) -> None:
    run_state_machine_as_test(
        type("Bound", (Machine,), {"server": server, "customers": customers}),
        settings=settings(
            max_examples=length(6, 200),
            stateful_step_count=length(20, 60),
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


@pytest.mark.soak
def test_many_at_once_lose_and_make_nothing(
    variant: Callable[..., Server],
    server: Server,
    engine: str,
    customers: Customers,
    length: Callable[[int, int], int],
) -> None:
    """On PostgreSQL by two servers, whose queues know nothing of each other."""
    root = server.api()
    top = customers.reseller()
    root.customerAddFunds(i_customer=top.i_customer, amount=1000, currency="USD")
    pair = [customers.make(top) for _ in range(2)]
    dice = random.Random(7)

    def change() -> Work:
        giver, taker = dice.sample(pair, 2)
        money = {"amount": dice.randint(1, 40), "currency": "USD", "i_wholesaler": top.i_customer}
        kind = dice.randrange(8)
        if kind < 2:
            return call("customerAddFunds", i_customer=giver, **money)
        if kind < 5:
            return call("customerDebit", i_customer=giver, **money)
        if kind < 7:
            return call("transferFunds", i_customer_from=giver, i_customer_to=taker, **money)
        return call("updateCustomer", i_customer=giver, balance=dice.randint(0, 100), i_wholesaler=top.i_customer)

    servers = [variant(trusted_hosts=["127.0.0.1"]).url for _ in range(2 if engine == "postgresql" else 1)]
    answers = Crowd(servers[0], 32, *servers[1:]).do([change() for _ in range(length(300, 10_000))])

    assert {answer for answer in answers if isinstance(answer, int)} <= {NotEnoughCredit.code}
    funded = server.sql("SELECT sum(funded) FROM balances WHERE i_customer IN (:a, :b)", a=pair[0], b=pair[1])[0][0]
    assert root.info(top.i_customer)["balance"] == 1000 - int(funded) / 10**6
    assert findings(server) == []
