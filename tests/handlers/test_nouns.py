"""
Every noun of the switch's dialect, by its declarations: what is set is told, what is wrong is refused by name, and who
may do what with whose.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server
from nouns import NOUNS, Noun, Params, Person, elsewhere, values, wrong
from refusals import refused

from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, WrongReference, WrongType
from xmlrpc_api.declaration.fields import Field
from xmlrpc_api.dialects.switch import METHODS

each_noun = pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
MADE_BY = ("create", "add", "reserve")
NO_NOUN = {
    "createVouchers",  # several at once, whose PINs are told then and never again: `test_vouchers`
    "createCustomer",  # whose tests are older, and go further
    "addExtendedRouting",  # for those directly below alone
    "reserveDID",  # which makes nothing
    "addTrustedHost",  # root's alone
}


@pytest.fixture
def person(server: Server, reseller: Reseller) -> Person:
    return Person(server, reseller, reseller.i_customer)


def test_every_method_that_makes_something_makes_a_noun() -> None:
    """A new one gets a line in `nouns`, and is tried here, in `test_matrix` and in `test_tenants`."""
    making = {name for name in METHODS if name.startswith(MADE_BY)}

    assert making == {noun.create for noun in NOUNS.values()} | NO_NOUN


class TestRoundTrip:
    @each_noun
    def test_what_is_given_when_it_is_made_is_told(self, person: Person, noun: Noun) -> None:
        if not noun.is_told:
            pytest.skip("it is not told by its attributes")
        for given in _variants(person, noun, noun.create):
            made = person.made(noun, **given)

            assert _told(person, noun, made, given) == _plain(given)

    @each_noun
    def test_what_is_changed_is_told(self, person: Person, noun: Noun) -> None:
        if not (noun.update and noun.is_told):
            pytest.skip("it is not changed, or not told by its attributes")
        made = person.made(noun)
        for given in _variants(person, noun, noun.update):
            person.call(noun.update, **noun.which(noun.update, made), **given)

            assert _told(person, noun, made, given) == _plain(given)

    @each_noun
    def test_a_change_of_one_attribute_changes_no_other(self, person: Person, noun: Noun) -> None:
        if not (noun.update and noun.is_told):
            pytest.skip("it is not changed, or not told by its attributes")
        made = person.made(noun)
        for name, value in next(_variants(person, noun, noun.update)).items():
            before = person.told(noun, made)
            person.call(noun.update, **noun.which(noun.update, made), **{name: value})

            after = person.told(noun, made)
            differing = {other for other in before if before[other] != after[other]}
            assert differing <= {name, *noun.moving}

    @each_noun
    def test_the_list_tells_it_as_it_is_told_alone(self, person: Person, noun: Noun) -> None:
        if not (noun.listing and noun.info):
            pytest.skip("it is told in one place")
        made = person.made(noun)

        rows = person.call(noun.listing, **noun.which(noun.listing, made))[noun.rows]

        (row,) = (row for row in rows if row[noun.id] == made[noun.id])
        told = person.told(noun, made)
        assert {name: told[name] for name in row if name in told and name not in noun.untold} == {
            name: value for name, value in row.items() if name in told and name not in noun.untold
        }

    @each_noun
    def test_what_is_deleted_is_gone(self, person: Person, noun: Noun) -> None:
        if not noun.delete:
            pytest.skip("it is not deleted")
        made = person.made(noun)

        person.call(noun.delete, **noun.which(noun.delete, made))

        calls = [(name, noun.which(name, made)) for name in (noun.info, noun.delete) if name]
        assert {code for code, _ in person.faults(calls)} == {NotFound.code}


def test_what_is_a_customers_goes_with_it_or_is_named(fresh: Server) -> None:
    """Accounts hold it back, with what is theirs; then nothing does, and the books are right."""
    customers = Customers(fresh)
    owner = customers.reseller()
    api = customers.reseller(owner, balance=0)
    person = Person(fresh, api, api.i_customer)
    for kind in NOUNS:
        person.one(kind)

    with refused(Conflict.code):
        owner.deleteCustomer(i_customer=person.i_customer)
    for i_account in [row["i_account"] for row in api.listAccounts()["accounts"]]:
        api.deleteAccount(i_account=i_account)
    for row in api.listCustomers()["customers"]:
        api.deleteCustomer(i_customer=row["i_customer"])
    owner.deleteCustomer(i_customer=person.i_customer)

    assert findings(fresh) == []


class TestRefusals:
    @each_noun
    def test_a_wrong_type_is_refused_by_name(self, person: Person, noun: Noun) -> None:
        for method, made in _ways(person, noun):
            fields = noun.settable(method)
            calls = [(method, {**made, one.name: wrong(one)}) for one in fields]

            _demand_named(fields, person.faults(calls), {WrongType.code, BadParameter.code})

    @each_noun
    def test_nil_is_refused_by_name_where_it_means_nothing(self, person: Person, noun: Noun) -> None:
        if not noun.update:
            pytest.skip("it is not changed")
        made = person.made(noun)
        fields = [one for one in noun.settable(noun.update) if not one.nullable]
        calls = [(noun.update, {**noun.which(noun.update, made), one.name: None}) for one in fields]

        _demand_named(fields, person.faults(calls), {WrongType.code, BadParameter.code})

    @each_noun
    def test_what_is_left_out_is_named(self, person: Person, noun: Noun) -> None:
        given = noun.given(person)
        fields = [one for one in METHODS[noun.create].params.fields if one.required]
        calls = [(noun.create, {name: given[name] for name in given if name != one.name}) for one in fields]

        _demand_named(fields, person.faults(calls), {BadParameter.code})

    @each_noun
    def test_what_points_nowhere_or_at_others_is_refused(
        self, person: Person, customers: Customers, noun: Noun
    ) -> None:
        other = customers.reseller()
        stranger = Person(person.server, other, other.i_customer)
        for method, made in _ways(person, noun):
            pointing = [one for one in noun.settable(method) if one.reference is not None]
            places = [(one, place) for one in pointing for place in elsewhere(stranger, one)]
            calls = [(method, {**made, one.name: place}) for one, place in places]

            codes = {code for code, _ in person.faults(calls)}
            assert codes <= {WrongReference.code, NotFound.code}


def _ways(person: Person, noun: Noun) -> list[tuple[str, Params]]:
    """The methods that set attributes, and what they are given beside."""
    ways: list[tuple[str, Params]] = [(noun.create, noun.given(person))]
    if noun.update:
        ways.append((noun.update, noun.which(noun.update, person.made(noun))))
    return ways


def _variants(person: Person, noun: Noun, method: str) -> Iterator[Params]:
    """Values for all attributes at once, so often that each value is sent."""
    given = noun.given(person)
    fixed = {*noun.untold, *(given if method == noun.create else ())}
    settable = [one for one in noun.settable(method) if one.name not in fixed]
    columns = {one.name: [value for value in values(person, one) if noun.tells(one, value)] for one in settable}
    for number in range(max(map(len, columns.values()), default=0)):
        yield {name: column[min(number, len(column) - 1)] for name, column in columns.items()}


def _told(person: Person, noun: Noun, made: Params, given: Params) -> Params:
    told = person.told(noun, made)
    return {name: _same(told[name]) for name in given}


def _plain(given: Params) -> Params:
    return {name: _same(value) for name, value in given.items()}


def _same(value: Any) -> Any:
    """A value without its form: 1 is 1.0, and True is 1; dates are told as they are read."""
    return value if isinstance(value, str | list | dict | datetime) or value is None else float(value)


def _demand_named(fields: list[Field], faults: list[tuple[int | None, str]], codes: set[int]) -> None:
    """Each attribute's fault has its name."""
    wrong = {
        one.name: (code, text)
        for one, (code, text) in zip(fields, faults, strict=True)
        if code not in codes or f"Parameter {one.name} " not in text
    }
    assert wrong == {}
