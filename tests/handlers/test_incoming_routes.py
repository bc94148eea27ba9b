"""Incoming routes: how calls come to an account at each of its DIDs."""

from typing import Any

import phonebook
import pytest
from books import findings
from conftest import Customers, Reseller
from harness import Server

from xmlrpc_api.declaration.faults import BadParameter, NotFound, NothingToChange, WrongReference

USUAL = {"i_trunk": None, "trunk_name": "", "i_forward_did_mode": 1, "self_managed": False}


def routes(api: Reseller, i_account: int, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.getIncomingRoutesList(i_account=i_account, **asked)["incoming_routes"]
    return found


@pytest.fixture
def account(reseller: Reseller) -> int:
    return phonebook.account(reseller)


def test_each_did_of_an_account_is_one(reseller: Reseller, account: int) -> None:
    assert routes(reseller, account) == []
    first, second = (phonebook.added(reseller, i_account=account) for _ in range(2))
    phonebook.added(reseller, i_account=phonebook.account(reseller))

    told = routes(reseller, account)

    assert [row["i_did"] for row in told] == [first, second]
    assert [row["i_did"] for row in routes(reseller, account, i_did=second)] == [second]
    known = reseller.getDIDInfo(i_did=first)["did"]
    assert told[0] == {"i_incoming_route": told[0]["i_incoming_route"], "i_did": first, "did": known, **USUAL}


def test_one_is_changed_and_begins_anew_with_another_account(reseller: Reseller, account: int) -> None:
    i_did, other = phonebook.added(reseller, i_account=account), phonebook.account(reseller)
    (route,) = routes(reseller, account)
    changed = {"i_forward_did_mode": 2, "self_managed": True}

    reseller.updateIncomingRoute(i_incoming_route=route["i_incoming_route"], i_trunk=None, **changed)

    assert routes(reseller, account) == [{**route, **changed}]
    reseller.updateDID(i_did=i_did, i_account=other)
    assert routes(reseller, account) == []
    assert routes(reseller, other) == [route]


def test_wrong_values_are_refused_by_name(reseller: Reseller, account: int, refused: Any) -> None:
    phonebook.added(reseller, i_account=account)
    named = {"i_incoming_route": routes(reseller, account)[0]["i_incoming_route"]}

    with refused(NothingToChange.code):
        reseller.updateIncomingRoute(**named)
    with refused(WrongReference.code, "Wrong i_trunk"):
        reseller.updateIncomingRoute(**named, i_trunk=1)
    for value in (0, 4, None):
        with refused(BadParameter.code):
            reseller.updateIncomingRoute(**named, i_forward_did_mode=value)


def test_one_of_somebody_else_or_of_nobody_is_missing(
    reseller: Reseller, customers: Customers, account: int, refused: Any
) -> None:
    i_did = phonebook.added(reseller, i_account=account)
    (route,) = routes(reseller, account)
    change = {"i_incoming_route": route["i_incoming_route"], "self_managed": True}

    with refused(NotFound.code, "Incoming route not found"):
        customers.reseller().updateIncomingRoute(**change)
    with refused(NotFound.code, "Account not found"):
        routes(customers.reseller(), account)
    reseller.updateDID(i_did=i_did, i_account=None)
    with refused(NotFound.code, "Incoming route not found"):
        reseller.updateIncomingRoute(**change)


def test_the_books_are_right(fresh: Server) -> None:
    reseller = Customers(fresh).reseller()
    account = phonebook.account(reseller)
    i_did = phonebook.added(reseller, i_account=account)
    i_route = routes(reseller, account)[0]["i_incoming_route"]

    reseller.updateIncomingRoute(i_incoming_route=i_route, i_forward_did_mode=3)
    reseller.updateDID(i_did=i_did, i_account=phonebook.account(reseller))
    reseller.updateAccount(i_account=account, balance=0)
    reseller.deleteAccount(i_account=account)

    assert findings(fresh) == []
