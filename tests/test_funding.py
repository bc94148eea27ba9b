"""Nobody's own money grows from below: for any amounts, any sequence of calls, any rates, and many at once."""

import random
import xmlrpc.client
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from books import findings
from conftest import Customers
from crowd import Crowd, Work, call
from harness import Server
from hypothesis import given
from hypothesis import strategies as st

from models import LARGEST_AMOUNT, SCALE, Factor
from xmlrpc_api.declaration.faults import NotEnoughCredit
from xmlrpc_api.services.money import funding

AMOUNTS = st.decimals(Decimal(1).scaleb(-SCALE), LARGEST_AMOUNT, places=SCALE)
BALANCES = st.decimals(-LARGEST_AMOUNT, LARGEST_AMOUNT, places=SCALE)
SMALL = [Decimal(text) for text in ("0.000001", "0.000007", "0.3", "7", "30", "100", "5000")]
CURRENCIES = ("USD", "EUR", "JPY")


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


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


class Walk:
    """
    A reseller who does all he can to his sub-customers, in any currency and at any rate.

    `given` is what he has from above.
    """

    def __init__(self, server: Server, customers: Customers, dice: random.Random) -> None:
        self.server, self.dice = server, dice
        self.root, self.api = server.api(), customers.reseller()
        self.given = Decimal(0)
        self.set_rates()
        tariffs = [customers.tariff(self.api, currency) for currency in CURRENCIES]
        self.children = [customers.make(self.api, i_tariff=tariff) for tariff in (*tariffs, None)]
        self.give()

    def step(self) -> None:
        rare, usual = (self.set_rates, self.give), (self.pay, self.transfer, self.allot)
        self.dice.choice((*rare, *usual * 4))()

    def amount(self) -> str:
        return str(self.dice.choice(SMALL))

    def set_rates(self) -> None:
        eur, jpy = self.dice.choice(["0.9", "1.1", "2.718281"]), self.dice.choice(["0.000003", "0.007", "0.02"])
        between = (Decimal(eur) / Decimal(jpy)).quantize(Decimal(1).scaleb(-Factor.places))
        self.server.sql("DELETE FROM exchange_rates")
        for source, target, rate in ("EUR", "USD", eur), ("JPY", "USD", jpy), ("EUR", "JPY", between):
            self.server.sql(
                "INSERT INTO exchange_rates (from_currency, to_currency, rate, updated)"
                " VALUES (:f, :t, :r, '2026-11-21 00:00:00+00:00')",
                f=source,
                t=target,
                r=int(Decimal(rate).scaleb(Factor.places)),
            )

    def give(self) -> None:
        amount = self.amount()
        self.root.customerAddFunds(i_customer=self.api.i_customer, amount=amount, currency="USD")
        self.given += Decimal(amount)

    def attempt(self, method: str, **params: Any) -> None:
        """It may be refused, for want of money or for being nothing in another currency."""
        refusal = ""
        try:
            getattr(self.api, method)(**params)
        except xmlrpc.client.Fault as fault:
            refusal = fault.faultString
        assert not refusal or "Not enough credit" in refusal or "is too small" in refusal

    def pay(self) -> None:
        method = self.dice.choice(["customerAddFunds", "customerCredit", "customerDebit", "customerDebit"])
        money = {"amount": self.amount(), "currency": self.dice.choice(CURRENCIES)}
        self.attempt(method, i_customer=self.dice.choice(self.children), **money)

    def transfer(self) -> None:
        giver, taker = self.dice.sample(self.children, 2)
        money = {"amount": self.amount(), "currency": self.dice.choice(CURRENCIES)}
        self.attempt("transferFunds", i_customer_from=giver, i_customer_to=taker, **money)

    def allot(self) -> None:
        money = {"balance": self.dice.choice(["0", self.amount()]), "credit_limit": self.amount()}
        self.attempt("updateCustomer", i_customer=self.dice.choice(self.children), **money)

    @property
    def has(self) -> Decimal:
        """His balance and what he may get back."""
        rows = self.server.sql(
            "SELECT sum(CASE c.i_customer WHEN :me THEN b.balance ELSE b.funded END) FROM balances b"
            " JOIN customers c ON c.i_customer = b.i_customer WHERE :me IN (c.i_customer, c.i_wholesaler)",
            me=self.api.i_customer,
        )
        return Decimal(int(rows[0][0])).scaleb(-SCALE)


@pytest.mark.soak
def test_no_sequence_of_calls_makes_money(
    server: Server, customers: Customers, length: Callable[[int, int], int]
) -> None:
    walk = Walk(server, customers, random.Random(3))

    for _ in range(length(120, 10_000)):
        walk.step()

        assert walk.has == walk.given
    assert findings(server) == []


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
