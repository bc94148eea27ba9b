"""Sixteen clients at once, with one DID, one range, one customer: each DID has one user, and all are told the same."""

import random
from collections.abc import Iterator
from typing import Any

import phonebook
import pytest
from books import findings
from conftest import Customers, Reseller
from crowd import OK, Crowd, Work, call
from harness import Server, test_config, unique

from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted, WrongReference

AT_ONCE = 16
EXPECTED = {OK, NotFound.code, Conflict.code, WrongReference.code, NotPermitted.code}
CHAINS = """
    SELECT dids.i_did, dids.i_customer, did_delegations.i_customer, did_delegations.step, customers.i_wholesaler
    FROM dids JOIN did_delegations ON did_delegations.i_did = dids.i_did
    JOIN customers ON customers.i_customer = did_delegations.i_customer ORDER BY dids.i_did, did_delegations.step
"""
USERS = """
    SELECT did_uses.i_did, did_uses.i_customer, accounts.i_customer
    FROM did_uses LEFT JOIN accounts ON accounts.i_account = did_uses.i_account
"""
OVERLAPPING = """
    SELECT one.did, other.did FROM dids AS one JOIN dids AS other
    ON one.i_did < other.i_did AND one.allocated_key = other.allocated_key AND one.incoming_cli = other.incoming_cli
    AND one.did_key <= other.end_key AND other.did_key <= one.end_key
"""


def ok(work: Work) -> Work:
    """The same, of whose answer only counts that it is one."""
    return lambda client: work(client)["result"]


@pytest.fixture(scope="module")
def trusting(own: Server) -> Iterator[Server]:
    """A server on the same database, which needs no credentials from here."""
    running = Server(test_config(own.config.database_url, trusted_hosts=["127.0.0.1"]), "")
    yield running
    running.close()


class Tree:
    """A keeper, with two customers below it who have two each; numbers, and an account of each."""

    def __init__(self, server: Server) -> None:
        customers = Customers(server)
        keeper = customers.reseller(max_depth=3)
        middle = [customers.reseller(keeper, max_depth=1) for _ in range(2)]
        leaves = [customers.reseller(one) for one in middle for _ in range(2)]
        self.keeper = keeper.i_customer
        self.children = {keeper.i_customer: [one.i_customer for one in middle]}
        for place, one in enumerate(middle):
            self.children[one.i_customer] = [leaf.i_customer for leaf in leaves[2 * place : 2 * place + 2]]
        people: list[Reseller] = [keeper, *middle, *leaves]
        self.accounts = {one.i_customer: phonebook.account(one) for one in people}
        self.dids = [phonebook.added(keeper) for _ in range(3)]

    def anything(self, chance: random.Random) -> Work:
        """Something that somebody does with a DID."""
        who = chance.choice(sorted(self.accounts))
        about = {"i_customer": who, "i_did": chance.choice(self.dids)}
        to = chance.choice(self.children.get(who, [who]))
        return chance.choice(
            (
                call("updateDID", **about, i_account=self.accounts[who], i_ivr_application=None),
                call("updateDID", **about, i_account=None, i_ivr_application=None),
                call("addDIDDelegation", **about, delegated_to=to, parent_i_did_delegation=None),
                self.taking_back(about),
            )
        )

    def taking_back(self, about: dict[str, Any]) -> Work:
        def work(client: Any) -> Any:
            told = client.getDIDInfo(about)
            if told["i_did_delegation"] is None:
                return {"result": OK}
            return client.deleteDIDDelegation(
                {"i_customer": about["i_customer"], "i_did_delegation": told["i_did_delegation"]}
            )

        return work


def test_nobody_shares_a_did(own: Server, trusting: Server, length: Any, request: pytest.FixtureRequest) -> None:
    tree, chance = Tree(own), random.Random(request.config.getoption("--seed"))
    crowd = Crowd(trusting.url, AT_ONCE)

    for _ in range(length(2, 60)):
        answers = crowd.do(ok(tree.anything(chance)) for _ in range(AT_ONCE * 6))

        assert set(answers) <= EXPECTED
        last = dict.fromkeys(tree.dids, tree.keeper)
        steps = dict.fromkeys(tree.dids, 0)
        for i_did, _owner, i_customer, step, above in own.sql(CHAINS):
            if i_did in last:
                assert (above, step) == (last[i_did], steps[i_did] + 1)
                last[i_did], steps[i_did] = i_customer, step
        users = [row for row in own.sql(USERS) if row[0] in last]
        assert len({row[0] for row in users}) == len(users)
        assert all(i_customer == last[i_did] and whose in (None, i_customer) for i_did, i_customer, whose in users)
    assert findings(own) == []


def test_one_of_all_who_take_it_gets_it(own: Server, trusting: Server) -> None:
    keeper = Customers(own).reseller()
    i_did = phonebook.added(keeper)
    orders = [
        call("reserveDID", i_customer=keeper.i_customer, i_did=i_did, reserved_for=f"order {number}")
        for number in range(AT_ONCE)
    ]

    answers = Crowd(trusting.url, AT_ONCE).do(map(ok, orders))

    assert sorted(answers, key=str) == [Conflict.code] * (AT_ONCE - 1) + [OK]


def test_one_of_all_to_whom_it_is_delegated_gets_it(own: Server, trusting: Server) -> None:
    customers = Customers(own)
    keeper = customers.reseller()
    i_did, to = phonebook.added(keeper), [customers.make(keeper) for _ in range(AT_ONCE)]

    answers = Crowd(trusting.url, AT_ONCE).do(
        ok(call("addDIDDelegation", i_customer=keeper.i_customer, i_did=i_did, delegated_to=one)) for one in to
    )

    assert sorted(answers, key=str) == [Conflict.code] * (AT_ONCE - 1) + [OK]


@pytest.mark.parametrize("is_allocated", [False, True])
def test_no_two_numbers_overlap(
    own: Server, trusting: Server, is_allocated: bool, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(request.config.getoption("--seed"))
    customers = Customers(own)
    keepers = [customers.reseller() for _ in range(1 if is_allocated else 4)]
    i_range, first = phonebook.ranged(keepers[0]) if is_allocated else (None, phonebook.block())

    def adding() -> Work:
        begin = first + chance.randrange(90)
        end = {"did_range_end": str(begin + chance.randrange(1, 9))} if chance.random() < 0.5 else {}
        given = {"did": str(begin), "incoming_did": unique(), "i_did_allocated_from": i_range, **end}
        return ok(call("addDID", i_customer=chance.choice(keepers).i_customer, **given))

    answers = Crowd(trusting.url, AT_ONCE).do(adding() for _ in range(AT_ONCE * 6))

    assert set(answers) == {OK, Conflict.code}
    assert own.sql(OVERLAPPING) == []


def test_who_is_deleted_has_nothing(own: Server, trusting: Server) -> None:
    customers = Customers(own)
    keeper = customers.reseller()
    for _ in range(4):
        dids, child = [phonebook.added(keeper) for _ in range(7)], customers.make(keeper)
        works = [
            call("addDIDDelegation", i_customer=keeper.i_customer, i_did=i_did, delegated_to=child) for i_did in dids
        ]
        works.insert(4, call("deleteCustomer", i_wholesaler=keeper.i_customer, i_customer=child))

        answers = Crowd(trusting.url, 8).do(map(ok, works))

        assert set(answers) <= {OK, WrongReference.code, Conflict.code}
        assert {row["delegated_to"] for row in keeper.getDIDsList()["dids"] if row["i_did"] in dids} == {None}
    assert findings(own) == []


def test_an_account_that_goes_is_called_at_nothing(own: Server, trusting: Server) -> None:
    keeper = Customers(own).reseller()
    for _ in range(4):
        dids, i_account = [phonebook.added(keeper) for _ in range(7)], phonebook.account(keeper)
        works = [call("updateDID", i_customer=keeper.i_customer, i_did=i_did, i_account=i_account) for i_did in dids]
        works.insert(4, call("deleteAccount", i_customer=keeper.i_customer, i_account=i_account))

        answers = Crowd(trusting.url, 8).do(map(ok, works))

        assert set(answers) <= {OK, WrongReference.code, Conflict.code}
        assert {row["i_account"] for row in keeper.getDIDsList()["dids"] if row["i_did"] in dids} <= {None, i_account}
    assert own.sql("SELECT count(*) FROM did_uses WHERE i_account NOT IN (SELECT i_account FROM accounts)")[0][0] == 0
    assert findings(own) == []
