"""Random sequences: assigned, delegated, taken back, customers deleted. Everybody is told what a plain model tells."""

import random
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import phonebook
import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server

from xmlrpc_api.declaration.faults import Conflict, NotFound, WrongReference


@dataclass
class Model:
    """What should be: who stands below whom, who has a DID in hand, and who uses it."""

    parents: dict[int, int | None] = field(default_factory=dict)
    hands: dict[int, list[int]] = field(default_factory=dict)
    steps: dict[int, list[int]] = field(default_factory=dict)
    users: dict[int, int | None] = field(default_factory=dict)

    def leaves(self) -> list[int]:
        return sorted(set(self.parents) - set(self.parents.values()))

    def take_back(self, i_did: int, kept: int) -> None:
        del self.hands[i_did][kept:], self.steps[i_did][kept - 1 :]
        self.users[i_did] = None


class Sequence:
    """A keeper of numbers, customers below it who come and go, and what each of them does."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        self.customers, self.chance, self.model = Customers(server), chance, Model()
        self.apis: dict[int, Reseller] = {}
        keeper = self.join(None)
        for _ in range(3):
            i_did = phonebook.added(self.apis[keeper])
            self.model.hands[i_did], self.model.steps[i_did], self.model.users[i_did] = [keeper], [], None

    def join(self, parent: int | None) -> int:
        """Somebody new, directly below another."""
        owner = None if parent is None else self.apis[parent]
        depth = 6 if parent is None else 5 - len(self.above(parent))
        api = self.customers.reseller(owner, max_depth=depth)
        self.apis[api.i_customer], self.model.parents[api.i_customer] = api, parent
        return api.i_customer

    def step(self) -> None:
        self.chance.choice((*[self.assign] * 2, *[self.delegate] * 3, self.take, self.come, self.go))()

    def anybody(self) -> int:
        return self.chance.choice(sorted(self.apis))

    def did(self) -> int:
        return self.chance.choice(sorted(self.model.hands))

    def expected(self, i_customer: int, i_did: int) -> int | None:
        """The code that stops somebody from doing something with a DID in his hand, if one does."""
        hands = self.model.hands[i_did]
        if i_customer not in hands:
            return NotFound.code
        return None if hands[-1] == i_customer else Conflict.code

    def done(self, code: int | None, work: Callable[..., Any], **params: Any) -> Any:
        answer = outcome(work, **params)
        assert answer["code"] == code, (params, answer)
        return answer

    def assign(self) -> None:
        i_customer, i_did = self.anybody(), self.did()
        user = self.chance.choice((None, i_customer))
        code = self.expected(i_customer, i_did)
        if code == Conflict.code and self.model.users[i_did] == user:
            code = None  # nothing changes
        application = None if user is None else self.chance.randint(1, 5)
        self.done(code, self.apis[i_customer].updateDID, i_did=i_did, i_account=None, i_ivr_application=application)
        if code is None and self.model.hands[i_did][-1] == i_customer:
            self.model.users[i_did] = user

    def delegate(self) -> None:
        i_customer, to, i_did = self.anybody(), self.anybody(), self.did()
        code = self.expected(i_customer, i_did)
        if code is None and self.model.users[i_did] is not None:
            code = Conflict.code
        if code is None and self.model.parents[to] != i_customer:
            code = WrongReference.code
        answer = self.done(
            code, self.apis[i_customer].addDIDDelegation, i_did=i_did, delegated_to=to, parent_i_did_delegation=None
        )
        if code is None:
            self.model.hands[i_did].append(to)
            self.model.steps[i_did].append(answer["i_did_delegation"])

    def take(self) -> None:
        i_customer, i_did = self.anybody(), self.did()
        steps = self.model.steps[i_did]
        if not steps:
            return
        place = self.chance.randrange(len(steps))
        taker = self.model.hands[i_did][place + 1]
        is_above = i_customer in self.above(taker)
        code = None if is_above else NotFound.code
        self.done(code, self.apis[i_customer].deleteDIDDelegation, i_did_delegation=steps[place])
        if code is None:
            self.model.take_back(i_did, place + 1)

    def above(self, i_customer: int) -> list[int]:
        found, parent = [], self.model.parents[i_customer]
        while parent is not None:
            found.append(parent)
            parent = self.model.parents[parent]
        return found

    def come(self) -> None:
        deep = [one for one in self.apis if len(self.above(one)) < 4]
        if len(self.apis) < 10:
            self.join(self.chance.choice(sorted(deep)))

    def go(self) -> None:
        leaf = self.chance.choice(self.model.leaves())
        parent = self.model.parents[leaf]
        if parent is None:
            return
        assert self.apis[parent].deleteCustomer(i_customer=leaf)["result"] == "OK"
        del self.apis[leaf], self.model.parents[leaf]
        for i_did, hands in self.model.hands.items():
            if leaf in hands:
                self.model.take_back(i_did, hands.index(leaf))

    def check(self) -> None:
        """Everybody is told what should be."""
        for i_customer, api in self.apis.items():
            told = {row["i_did"]: row for row in api.getDIDsList()["dids"]}
            assert set(told) == {i_did for i_did, hands in self.model.hands.items() if i_customer in hands}
            for i_did, row in told.items():
                hands = [*self.model.hands[i_did], None]
                assert row["delegated_to"] == hands[hands.index(i_customer) + 1]
                assert (row["i_ivr_application"] is None) == (self.model.users[i_did] is None)


def outcome(work: Callable[..., Any], **params: Any) -> dict[str, Any]:
    """What is answered, with the code of the fault, if it is one."""
    try:
        return {"code": None, **work(**params)}
    except xmlrpc.client.Fault as fault:
        return {"code": fault.faultCode, "text": fault.faultString}


def test_what_happens_one_after_the_other_is_as_expected(
    own: Server, length: Any, request: pytest.FixtureRequest
) -> None:
    seed = request.config.getoption("--seed")
    for example in range(length(2, 40)):
        sequence = Sequence(own, random.Random(seed * 1000 + example))
        for _ in range(length(40, 150)):
            sequence.step()
        sequence.check()
    assert findings(own) == []
