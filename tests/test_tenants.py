"""Two tenants: whatever one asks for, by whichever of the other's ids and names, nothing of the other shows."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Customers
from harness import Server
from nouns import NOUNS, Call, Person

from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.dialects.switch import METHODS

MARK = "canary"
CUSTOMERS = {"i_customer", "i_wholesaler", "i_customer_actor", "i_customer_from", "i_customer_to"}
UNMARKED: set[str] = set()  # nouns without a text of their own
READING = sorted(name for name, method in METHODS.items() if method.effect is Effect.READ and not method.positional)


@pytest.fixture(scope="module")
def other(own: Server) -> Person:
    """Somebody with one of each noun, in all of whose texts he can be known."""
    customers = Customers(own)
    api = customers.reseller(name=f"{MARK}-reseller", company_name=MARK, description=MARK, balance=100)
    person = Person(own, api, api.i_customer)
    for kind, noun in NOUNS.items():
        given = noun.given(person)
        free = {one.name for one in noun.settable(noun.create) if _is_free(one)} - given.keys() - noun.untold
        person.has[kind] = person.made(noun, **{**given, **dict.fromkeys(free, MARK)})
    customers.make(api, name=f"{MARK}-below")
    api.customerAddFunds(i_customer=customers.make(api), amount=1, currency="USD", payment_notes=MARK)
    return person


@pytest.fixture(scope="module")
def asking(own: Server) -> Person:
    """Somebody beside."""
    api = Customers(own).reseller()
    return Person(own, api, api.i_customer)


def _is_free(one: Field) -> bool:
    is_text = one.wire is Wire.STRING and (one.limit or len(MARK)) >= len(MARK)
    return is_text and one.check in (None, "match_rule") and one.reference is None and not one.secret


def test_he_sees_his_own_marks(other: Person) -> None:
    """What is looked for below is there to be seen."""
    told = [name for name in READING if MARK in str(other.answers(_calls(name, other)))]

    assert {noun.info or noun.listing for noun in NOUNS.values() if noun.is_told} - set(told) == UNMARKED


@pytest.mark.parametrize("name", READING)
def test_nothing_of_the_other_shows(other: Person, asking: Person, name: str) -> None:
    calls = list(_calls(name, other))

    answers = asking.answers(calls)

    assert [call for call, answer in zip(calls, answers, strict=True) if _tells(answer, other)] == []


def _calls(name: str, other: Person) -> Iterator[Call]:
    """Calls about what is somebody's: with what is required, and with each id or pattern beside it."""
    method = METHODS[name]
    required = {one.name: _his(other, one) for one in method.params.fields if one.required}
    yield name, required
    for one in method.documented_params:
        his = _his(other, one)
        for value in dict.fromkeys((his, "%", MARK)) if one.wire is Wire.STRING else (his,):
            yield name, {**required, one.name: value}


def _his(other: Person, one: Field) -> Any:
    kinds = {noun.id: kind for kind, noun in NOUNS.items()}
    if one.name in kinds:
        return other.one(kinds[one.name])
    if one.name in CUSTOMERS or (one.reference is not None and one.reference.table.name == "customers"):
        return other.i_customer
    for params in other.has.values():
        if one.name in params:
            return params[one.name]
    return manual.sample(one) if one.wire is not Wire.DOUBLE else 1.0


def _tells(answer: Any, other: Person) -> bool:
    """Whether it holds one of his texts, or names him; a fault may repeat what was sent."""
    if isinstance(answer, dict) and "faultCode" in answer:
        return False
    return MARK in str(answer) or other.i_customer in _members(answer, "i_customer")


def _members(answer: Any, name: str) -> Iterator[Any]:
    if isinstance(answer, dict):
        yield answer.get(name)
    inner = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ()
    for one in inner:
        yield from _members(one, name)
