"""
Nobody's own money grows from below, whatever those below him do, on whatever face and in whatever order.

Three levels of resellers and their customers move and set money at random. What a customer has in hand, and what he
paid those directly below him and may get back, is together raised by calls of those above him alone.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from books import findings, purses
from callers import MULTICALL, PASSWORD, SOAP_WAYS, SWITCH_WAYS, Switchboard, Way, trusting
from harness import Server, unique
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sippy import new
from worlds import CALLS, Person, World, make_vouchers

from models import ExchangeRate, ancestors
from xmlrpc_api.declaration.fields import Wire
from xmlrpc_api.declaration.registry import Effect

CURRENCIES = ("USD", "EUR", "JPY", "KWD")
SEEDS = st.integers(0, 2**24 - 1)  # of wider ranges small numbers are taken, again and again
ODD = (0.000001, 0.1 * 3, 1 / 3, 0.000003, 7.123456, 1e6, 1e9, 1e12)


@dataclass(frozen=True)
class Wish:
    """
    What is wanted of a money call.

    Attributes:
        who, other: Customers, mostly directly below the caller.
        account: An account, mostly of one of them.
        amount: In `currency`.
        tariff: One of the caller's, or none.
    """

    world: "Tree"
    who: Person
    other: Person
    account: tuple[int, str]
    amount: float
    currency: str
    tariff: int | None

    @property
    def payment(self) -> dict[str, Any]:
        return {"amount": self.amount, "currency": self.currency}


def _pay(wish: Wish) -> dict[str, Any]:
    return {"i_customer": wish.who.i_customer, **wish.payment}


def _pay_account(wish: Wish) -> dict[str, Any]:
    return {"i_account": wish.account[0], **wish.payment}


def _set(name: str) -> Callable[[Wish], dict[str, Any]]:
    return lambda wish: {"i_customer": wish.who.i_customer, name: wish.amount}


def _protect(wish: Wish) -> dict[str, Any]:
    is_on = wish.amount > 50
    return {"i_customer": wish.who.i_customer, "overcommit_protection": is_on, "overcommit_limit": min(wish.amount, 99)}


def _create(wish: Wish) -> dict[str, Any]:
    return {
        "name": unique("made"),
        "web_password": "s3cret-Web",
        "api_password": PASSWORD,
        "api_access": 1,
        "customers_mgmt": 7,
        "accounts_mgmt": 7,
        "i_tariff": wish.tariff,
        "balance": wish.amount,
        "credit_limit": wish.amount / 2,
    }


def _transfer(wish: Wish) -> dict[str, Any]:
    return {"i_customer_from": wish.who.i_customer, "i_customer_to": wish.other.i_customer, **wish.payment}


def _ngnpro(**names: str) -> Callable[[Wish], dict[str, Any]]:
    return lambda wish: {
        "account": {"id": wish.who.i_customer, **{name: getattr(wish, known) for name, known in names.items()}}
    }


def _sip_id(wish: Wish) -> dict[str, Any]:
    return {"username": wish.account[1].partition("@")[0], "domain": wish.account[1].partition("@")[2]}


SWITCH_MOVES: dict[str, tuple[Callable[[Wish], dict[str, Any]], ...]] = {
    "customerAddFunds": (_pay,),
    "customerCredit": (_pay,),
    "customerDebit": (_pay, _pay),
    "transferFunds": (_transfer,),
    "updateCustomer": (_set("balance"), _set("balance"), _set("credit_limit"), _protect),
    "createCustomer": (_create,),
    "deleteCustomer": (lambda wish: {"i_customer": wish.who.i_customer},),
    "accountAddFunds": (_pay_account,),
    "accountCredit": (_pay_account,),
    "accountDebit": (_pay_account,),
    "updateAccount": (lambda wish: {"i_account": wish.account[0], "balance": wish.amount},),
    "createAccount": (lambda wish: new(balance=wish.amount, payment_currency=wish.currency),),
    "deleteAccount": (lambda wish: {"i_account": wish.account[0]},),
    "createVouchers": (
        lambda wish: {"series": unique("series"), "value": wish.amount, "currency": wish.currency, "count": 1},
    ),
}
OFTEN = ("customerAddFunds", "customerDebit", "transferFunds", "updateCustomer")
SOAP_MOVES: dict[str, tuple[Callable[[Wish], dict[str, Any]], ...]] = {
    "CustomerPort.addAccount": (
        lambda wish: {
            "account": {"username": unique("made"), "password": PASSWORD, "balance": wish.amount, "credit": wish.amount}
        },
    ),
    "CustomerPort.updateAccount": (_ngnpro(balance="amount"), _ngnpro(credit="amount")),
    "CustomerPort.deleteAccount": (lambda wish: {"id": wish.who.i_customer},),
    "SipPort.addBalance": (
        lambda wish: {"sipId": _sip_id(wish), "value": wish.amount},
        lambda wish: {"sipId": _sip_id(wish), "value": -wish.amount},
    ),
    "SipPort.addBalanceFromVoucher": (
        lambda wish: {
            "sipId": _sip_id(wish),
            "card": {"id": wish.world.card.i_voucher, "number": wish.world.card.pin},
        },
    ),
}


class Tree(World):
    """root > wholesaler > reseller > sub-reseller, each with customers, in currencies of their own."""

    def __init__(self, server: Server, board: Switchboard, chance: random.Random) -> None:
        super().__init__(server, board)
        self._chance = chance
        self.tariffs: dict[int, dict[str, int]] = {}
        self.top = self.level(self.root)
        self.middle = self.level(self.top)
        self.bottom = self.level(self.middle)
        for owner in (self.top, self.middle, self.bottom):
            for _ in range(2):
                self.make_customer(owner, **self.money(owner))
        self.lend(self.people_of(self.top)[-1], self.top)
        self.lend(self.people_of(self.middle)[-1], self.middle)
        for level in (self.top, self.middle, self.bottom):
            self.protect(level)
        for payer, paid in ((self.top, self.middle), (self.middle, self.bottom)):
            payment = {"i_customer": paid.i_customer, "amount": chance.randint(1, 500), "currency": "USD"}
            self.call(payer, Way.TRUSTED, "customerAddFunds", payment)
        (self.card,) = make_vouchers(server, self.top.i_customer)
        self.accounts = [self.account(person) for person in self.mine()[2:5]]

    def money(self, owner: Person) -> dict[str, Any]:
        """What a new customer is given."""
        chance = self._chance
        return {
            "i_tariff": chance.choice([None, *self.tariffs.get(owner.i_customer, {}).values()]),
            "balance": chance.choice([0, 1000, 1000]) if owner is self.root else 0,
            "credit_limit": chance.choice([0, 0, 25, 100]),
        }

    def level(self, owner: Person) -> Person:
        """A reseller with tariffs."""
        made = self.make(owner, **self.money(owner))
        self.tariffs[made.i_customer] = {currency: self._tariff(made, currency) for currency in CURRENCIES}
        return made

    def protect(self, person: Person) -> None:
        """Protect him against over-commit, or not; not if he has handed out too much by now."""
        chance = self._chance
        protection = {"overcommit_protection": chance.random() < 0.5, "overcommit_limit": chance.choice([0, 10, 50])}
        owner = self.people[ancestors(person.path)[-1]]
        self.call(owner, Way.TRUSTED, "updateCustomer", {"i_customer": person.i_customer, **protection})

    def _tariff(self, owner: Person, currency: str) -> int:
        i_tariff: int = self.must(owner, Way.TRUSTED, "createTariff", name=unique("tariff"), currency=currency)[
            "i_tariff"
        ]
        return i_tariff

    def account(self, owner: Person) -> tuple[int, str]:
        """An account on a domain of its own: its id and username."""
        domain = f"{unique('d')}.example"
        self.must(owner, Way.IMPERSONATED, "SipPort.addDomain", domain={"domain": domain})
        username = f"alice@{domain}"
        made = self.must(owner, Way.TRUSTED, "createAccount", **new(username=username, authname=username))
        return made["i_account"], username

    def people_of(self, owner: Person) -> list[Person]:
        """Those directly below somebody."""
        path = f"{owner.path}{owner.i_customer}."
        return [person for person in self.mine() if person.path == path]


class Machine(RuleBasedStateMachine):
    """Everybody in a tree moves money that may or may not be his."""

    server: ClassVar[Server]
    board: ClassVar[Switchboard]
    finished: ClassVar[Iterator[int]]
    proof_every: ClassVar[int]
    tree: Tree
    repeated: tuple[Person, Way, str, Any] | None = None

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        self.first, self.seeds = seed, Counter[int]()
        self.tree = Tree(self.server, self.board, random.Random(seed))
        self.purses = purses(self.server, self.tree.top.i_customer)

    def wish(self, chance: random.Random, caller: Person) -> Wish:
        """Mostly about those whom the caller may pay; about anybody else now and then."""
        tree = self.tree
        children = tree.people_of(caller)
        people = children if children and chance.random() < 0.9 else tree.mine()
        amount = chance.choice(ODD) if chance.random() < 0.2 else chance.randint(1, 10_000) / 100
        return Wish(
            tree,
            chance.choice(people),
            chance.choice(people),
            chance.choice(tree.accounts),
            amount,
            chance.choice(CURRENCIES),
            chance.choice([None, *tree.tariffs.get(caller.i_customer, {}).values()]),
        )

    def do(self, caller: Person, way: Way, name: str, params: Any) -> None:
        """Call, and look who has more money than before."""
        tree = self.tree
        effective = tree.effective(caller, way)
        answer = tree.call(caller, way, name, params)
        outcome = "done" if not answer.is_refused else answer.fault
        note(f"{caller.i_customer} as {effective.i_customer}, {way.value}: {name}({params}): {outcome}")
        assert answer.fault not in (-32603, 200), answer.text
        if not answer.is_refused:
            tree.look()
        before, self.purses = self.purses, purses(self.server, tree.top.i_customer)
        for i_customer, purse in self.purses.items():
            owner = tree.people[i_customer]
            whose = f"{i_customer} (path {owner.path}): {before.get(i_customer)} became {purse}"
            assert purse.balance <= purse.from_above, f"more than came from above: {whose}"
            if i_customer in before and not effective.is_above(owner):
                assert purse.total <= before[i_customer].total, f"money grew from below: {whose}"

    @rule(seed=SEEDS)
    def call(self, seed: int) -> None:
        """Anything, by anybody."""
        self.seeds[seed] += 1  # the same one means another call each time
        chance = random.Random(f"{self.first}/{seed}/{self.seeds[seed]}")
        tree = self.tree
        caller = chance.choice([tree.root, *3 * [tree.top, tree.middle, tree.bottom], *tree.mine()])
        if caller.i_customer in tree.people:
            forms = [self.by_switch, self.by_switch, self.by_switch, self.by_soap, self.by_soap, self.in_one]
            chance.choice(forms)(chance, tree.people[caller.i_customer])

    def by_switch(self, chance: random.Random, caller: Person) -> None:
        way = Way.TRUSTED if caller == self.tree.root else chance.choice(SWITCH_WAYS)
        name, params = self.move(chance, caller)
        if chance.random() < 0.3:
            params["idempotency_key"] = unique("key")
            self.repeated = (caller, way, name, params)
        self.do(caller, way, name, params)

    def by_soap(self, chance: random.Random, caller: Person) -> None:
        way = Way.IMPERSONATED if caller == self.tree.root else chance.choice(SOAP_WAYS)
        name = chance.choice(sorted(SOAP_MOVES))
        wish = self.wish(chance, self.tree.effective(caller, way))
        self.do(caller, way, name, chance.choice(SOAP_MOVES[name])(wish))

    def in_one(self, chance: random.Random, caller: Person) -> None:
        way = Way.TRUSTED if caller == self.tree.root else chance.choice(SWITCH_WAYS)
        moves = [self.move(chance, caller) for _ in range(chance.randint(2, 4))]
        self.do(caller, way, MULTICALL, [[{"methodName": name, "params": [params]} for name, params in moves]])

    def move(self, chance: random.Random, caller: Person) -> tuple[str, dict[str, Any]]:
        name = chance.choice([*OFTEN, *sorted(SWITCH_MOVES)])
        return name, dict(chance.choice(SWITCH_MOVES[name])(self.wish(chance, caller)))

    @precondition(lambda self: self.repeated is not None)
    @rule()
    def again(self) -> None:
        """What is sent again with its key, after whatever else happened, has had its effect."""
        repeated, self.repeated = self.repeated, None
        if repeated is not None and repeated[0].i_customer in self.tree.people:
            before, had_effect = self.purses, self.is_known(repeated[3]["idempotency_key"])
            self.do(*repeated)
            assert not had_effect or self.purses == before

    def is_known(self, key: str) -> bool:
        """Whether a call with this key had an effect."""
        return bool(self.server.sql("SELECT answer FROM idempotency_keys WHERE idempotency_key = :k", k=key))

    def teardown(self) -> None:
        """Prove the books: of all examples so far, which takes longer each time."""
        if next(self.finished) % self.proof_every == 0:
            assert findings(self.server) == []


@pytest.fixture
def market(engine: str, fresh: Server, admin_hash: str) -> Iterator[Server]:
    """A server with exchange rates that contradict each other: who changes money to and fro, gains."""
    running = trusting(fresh.config.database_url, admin_hash)
    chance = random.Random(1)
    pairs = [(a, b) for a, b in itertools.permutations(CURRENCIES, 2) if chance.random() < 0.8]
    rates = [(a, b, Decimal(chance.randint(3000, 30_000)) / 10_000) for a, b in pairs]

    async def work(database: Any) -> None:
        async with database.write() as session:
            session.add_all(
                ExchangeRate(from_currency=a, to_currency=b, rate=rate, updated=datetime.now(UTC))
                for a, b, rate in rates
            )

    running.run(work)
    yield running
    running.close()


def test_every_method_that_is_given_an_amount_is_tried() -> None:
    names = {"amount", "balance", "credit", "credit_limit", "value"}
    given = {
        method.name
        for method in CALLS.values()
        if method.effect is Effect.WRITE
        for one in method.params.fields
        if any(part.name in names and part.wire is Wire.DOUBLE for part in (one, *one.members))
    }

    assert given <= {*SWITCH_MOVES, *SOAP_MOVES}


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nobodys_own_money_grows_from_below(market: Server, length: Any) -> None:
    board = Switchboard(market)
    proof = {"finished": itertools.count(1), "proof_every": length(1, 20)}
    machine = type("Bound", (Machine,), {"server": market, "board": board, **proof})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=length(8, 160),
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            report_multiple_bugs=False,
            phases=length((Phase.generate,), (Phase.generate, Phase.shrink)),
        ),
    )
    board.close()
