"""
Who may do what with whose: each method of each noun, by each set of rights, with what is one's own, of those below, of
others and of those above. What is expected is said here and in `nouns`, not asked of the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from capability import MASKS
from conftest import Customers
from harness import Server
from nouns import ADD, DELETE, EDIT, NOUNS, Noun, Params, Person

from models import ROOT_ID
from xmlrpc_api.declaration.faults import NotFound, NotPermitted, WrongReference

RIGHTS = (0, ADD, EDIT, DELETE, ADD | EDIT | DELETE)
OWN, CHILD, GRANDCHILD, FOREIGN, ABOVE = "his own", "a child's", "a grandchild's", "somebody else's", "those above's"
BELOW = frozenset({OWN, CHILD, GRANDCHILD})
PLACES = (OWN, CHILD, GRANDCHILD, FOREIGN, ABOVE)
KINDS = ("info", "listing", "create", "update", "delete")


@dataclass(frozen=True)
class Family:
    """The one who calls and the others, each with some of each noun: one that stays, and one for each deletion."""

    people: Mapping[str, Person]
    rows: Mapping[tuple[str, str], list[Params]]

    def with_rights(self, rights: int) -> Person:
        """Who calls, with these bits of every mask."""
        caller = self.people[OWN]
        masks = dict.fromkeys(MASKS, rights)
        self.people[ABOVE].call("updateCustomer", i_customer=caller.i_customer, **masks)
        return caller


@pytest.fixture(scope="module")
def family(own: Server) -> Family:
    customers = Customers(own)
    caller = customers.reseller(max_depth=5)
    child = customers.reseller(caller, max_depth=3)
    apis = {OWN: caller, CHILD: child, GRANDCHILD: customers.reseller(child), FOREIGN: customers.reseller()}
    people = {place: Person(own, api, api.i_customer) for place, api in apis.items()}
    people[ABOVE] = Person(own, own.api(), ROOT_ID)
    count = len(RIGHTS) + 1
    rows = {(place, kind): people[place].several(noun, count) for place in PLACES for kind, noun in NOUNS.items()}
    return Family(people, rows)


@pytest.mark.parametrize("rights", RIGHTS)
def test_who_may_do_what_with_whose(family: Family, rights: int) -> None:
    caller = family.with_rights(rights)
    calls, expected = [], {}
    for kind in KINDS:
        for table, noun in NOUNS.items():
            for place in PLACES if getattr(noun, kind) else ():
                kept, *spare = family.rows[place, table]
                row = spare[RIGHTS.index(rights)] if kind == "delete" else kept
                calls.append((getattr(noun, kind), _params(noun, kind, family.people[place], row)))
                expected[table, getattr(noun, kind), place] = _expected(noun, kind, place, rights)

    codes = dict(zip(expected, (code for code, _ in caller.faults(calls)), strict=True))

    assert {key: code for key, code in codes.items() if code not in expected[key]} == {}


def _params(noun: Noun, kind: str, owner: Person, row: Params) -> Params:
    whose = {} if "i_account" in noun.needs else {"i_customer": owner.i_customer}
    if kind == "create":
        return {**whose, **noun.given(owner)}
    if kind == "listing":
        return {**whose, **noun.which(noun.listing, row)}
    return {**noun.which(getattr(noun, kind), row), **(noun.change if kind == "update" else {})}


def _expected(noun: Noun, kind: str, place: str, rights: int) -> set[int | None]:
    """The code of the fault, or None; two where either may be noticed first."""
    there: set[int | None] = {None} if place in BELOW else {NotFound.code}
    if kind in ("create", "listing") and noun.is_callers and place != OWN:
        there = {WrongReference.code}
    needed = noun.bits.get(kind, 0) if noun.mask and not (noun.own_free and place == OWN) else 0
    if not needed & ~rights:
        return there
    return {NotPermitted.code} | (there - {None} if noun.own_free or noun.is_callers else set())
