"""New passwords of those who are logged in wait for their hash; only guesses are sent away."""

import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from crowd import OK, Crowd, call
from harness import Server, unique

from xmlrpc_api.declaration.faults import AuthenticationFailed, Unavailable
from xmlrpc_api.transport import http

AT_ONCE = 40
SLOW = {"bcrypt_cost": 8, "bcrypt_queue": 1}  # slow enough for all of them to wait


@pytest.fixture
def slow(variant: Callable[..., Server]) -> Server:
    return variant(**SLOW, trusted_hosts="127.0.0.1")


def create(owner: Reseller) -> Callable[[Any], Any]:
    new = {"name": unique(), "web_password": WEB_PASSWORD, "i_tariff": None, "i_wholesaler": owner.i_customer}
    return call("createCustomer", **new)


def results(answers: list[Any]) -> list[Any]:
    return [answer["result"] if isinstance(answer, dict) else answer for answer in answers]


def test_many_customers_made_at_once_are_all_made(slow: Server, reseller: Reseller) -> None:
    answers = Crowd(slow.url, AT_ONCE).do([create(reseller) for _ in range(AT_ONCE)])

    assert results(answers) == [OK] * AT_ONCE


def test_a_flood_of_guesses_does_not_refuse_new_customers(slow: Server, reseller: Reseller) -> None:
    def guess(number: int) -> Callable[[Any], Any]:
        return call("authCustomer", username=f"nobody-{number}", password="wrong", i_wholesaler=reseller.i_customer)

    with ThreadPoolExecutor(2) as pool:
        guesses = pool.submit(Crowd(slow.url, AT_ONCE).do, [guess(number) for number in range(2 * AT_ONCE)])
        made = pool.submit(Crowd(slow.url, AT_ONCE).do, [create(reseller) for _ in range(AT_ONCE)])

    assert results(made.result()) == [OK] * AT_ONCE
    assert Unavailable.code in guesses.result()


@pytest.mark.parametrize("proof", ["old_password", "one_time_password"])
def test_a_new_password_is_hashed_after_the_proof_alone(
    variant: Callable[..., Server], customers: Customers, reseller: Reseller, proof: str
) -> None:
    """Else guesses would take the place of those who are logged in."""
    server = variant()
    hasher = server.app[http.GATE].dispatcher.platform.hasher
    api = server.api(reseller.login, "s3cret-Api")
    login = api.info(customers.make(api))["web_login"]
    right = WEB_PASSWORD if proof == "old_password" else api.resetCustomerOneTimePassword(web_login=login)["password"]
    before = hasher.hashed

    for name, password in ((login, "wrong"), (unique("nobody"), right)):
        with pytest.raises(xmlrpc.client.Fault) as caught:
            api.changeWebPassword(web_login=name, new_password="An-0ther", **{proof: password})
        assert caught.value.faultCode == AuthenticationFailed.code
    guessed = hasher.hashed - before
    api.changeWebPassword(web_login=login, new_password="An-0ther", **{proof: right})

    assert (guessed, hasher.hashed - before) == (0, 1)
