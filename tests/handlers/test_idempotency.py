"""Calls that may be sent again: one effect, one answer."""

import json
import xmlrpc.client
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import soap
from conftest import Customers, Reseller
from crowd import Crowd, call
from faces import Api
from harness import Server, unique
from wire import TEXT_XML, post, send

from xmlrpc_api.call import utc_now
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotEnoughCredit


def new_customer(**attributes: Any) -> dict[str, Any]:
    return {"name": unique(), "web_password": "s3cret-Web", "i_tariff": None, **attributes}


def test_the_same_call_again_gives_the_first_answer(reseller: Reseller) -> None:
    params = new_customer(idempotency_key="a")

    first, again = reseller.createCustomer(**params), reseller.createCustomer(**params)

    assert first == again
    assert len(reseller.listCustomers()["customers"]) == 1


def test_money_is_booked_once(reseller: Reseller, customers: Customers) -> None:
    i_customer = customers.make(reseller, balance=10)

    for _ in range(3):
        reseller.customerDebit(i_customer=i_customer, amount=1, currency="USD", idempotency_key="pay-1")

    assert reseller.info(i_customer)["balance"] == 9
    (entry,) = [e for e in reseller.getLedger(i_customer=i_customer)["ledger"] if e["kind"] == "debit"]
    assert entry["idempotency_key"] == "pay-1"


@pytest.mark.parametrize("change", [{"amount": 2}, {"currency": "EUR"}, {"payment_notes": "other"}])
def test_another_content_under_the_same_key_is_refused(
    reseller: Reseller, customers: Customers, refused: Any, change: dict[str, Any]
) -> None:
    params = {"i_customer": customers.make(reseller, balance=10), "amount": 1, "currency": "USD"}
    reseller.customerDebit(**params, idempotency_key="k")

    with refused(Conflict.code, "Parameter idempotency_key was used for another call"):
        reseller.customerDebit(**{**params, **change}, idempotency_key="k")


def test_another_method_under_the_same_key_is_refused(reseller: Reseller, customers: Customers, refused: Any) -> None:
    i_customer = customers.make(reseller)
    reseller.blockCustomer(i_customer=i_customer, idempotency_key="k")

    with refused(Conflict.code):
        reseller.unblockCustomer(i_customer=i_customer, idempotency_key="k")


def test_a_refused_call_leaves_its_key_free(reseller: Reseller, customers: Customers, refused: Any) -> None:
    i_customer = customers.make(reseller)
    params = {"i_customer": i_customer, "amount": 1, "currency": "USD", "idempotency_key": "k"}
    with refused(NotEnoughCredit.code):
        reseller.customerDebit(**params)
    reseller.updateCustomer(i_customer=i_customer, balance=5)

    reseller.customerDebit(**params)

    assert reseller.info(i_customer)["balance"] == 4


def test_two_callers_with_the_same_key_do_not_meet(customers: Customers) -> None:
    answers = [customers.reseller().createCustomer(**new_customer(idempotency_key="k")) for _ in range(2)]

    assert answers[0] != answers[1]


def test_the_http_header_means_the_same(server: Server, reseller: Reseller) -> None:
    with_header = Api(server.url, reseller.login, reseller.password, Idempotency_Key="h")
    params = new_customer()

    answers = [
        with_header.createCustomer(**params),
        with_header.createCustomer(**params),
        reseller.createCustomer(**params, idempotency_key="h"),
    ]

    assert answers[0] == answers[1] == answers[2]


def test_header_and_parameter_must_not_contradict_each_other(server: Server, reseller: Reseller, refused: Any) -> None:
    with_header = Api(server.url, reseller.login, reseller.password, Idempotency_Key="h")

    with refused(BadParameter.code, "Parameter idempotency_key is not the key of the Idempotency-Key header"):
        with_header.createCustomer(**new_customer(idempotency_key="other"))


def test_the_header_covers_every_call_of_a_multicall(server: Server, reseller: Reseller) -> None:
    with_header = Api(server.url, reseller.login, reseller.password, Idempotency_Key="m")
    calls = [{"methodName": "createCustomer", "params": [new_customer()]} for _ in range(3)]

    first, again = with_header.proxy.system.multicall(calls), with_header.proxy.system.multicall(calls)

    assert first == again
    assert len(reseller.listCustomers()["customers"]) == 3


@pytest.mark.parametrize(("key", "reason"), [("", "must not be empty"), ("x" * 256, "is longer than 255 characters")])
def test_a_key_that_is_none_is_refused(reseller: Reseller, refused: Any, key: str, reason: str) -> None:
    with refused(BadParameter.code, f"Parameter idempotency_key {reason}"):
        reseller.createCustomer(**new_customer(idempotency_key=key))


def test_a_key_is_forgotten_after_its_time(server: Server, reseller: Reseller, refused: Any) -> None:
    reseller.createCustomer(**new_customer(idempotency_key="k"))
    old = utc_now() - timedelta(hours=server.config.idempotency_hours, seconds=1)
    statement = "UPDATE idempotency_keys SET created = :old WHERE i_customer = :c"
    server.sql(statement, old=old if "postgresql" in server.config.database_url else str(old), c=reseller.i_customer)

    reseller.createCustomer(**new_customer(idempotency_key="k"))

    assert len(reseller.listCustomers()["customers"]) == 2


def test_answers_are_not_kept_in_clear(server: Server, reseller: Reseller) -> None:
    reseller.createCustomer(**new_customer(idempotency_key="k"))

    ((answer,),) = server.sql("SELECT answer FROM idempotency_keys WHERE i_customer = :c", c=reseller.i_customer)

    assert '"' not in answer  # no JSON
    assert "i_customer" not in answer


def written_before_answers_left_their_envelope_out(server: Server, key: str) -> None:
    """Make a kept answer what it would have been before: with the switch's `result` in it, whatever the dialect."""
    ((i_customer, kept),) = server.sql(
        "SELECT i_customer, answer FROM idempotency_keys WHERE idempotency_key = :k", k=key
    )
    place, vault = f"idempotency_keys.answer:{i_customer}:{key}", server.platform.vault
    answer = vault.encrypt(json.dumps({"result": "OK", **json.loads(vault.decrypt(kept, place))}), place)
    server.sql("UPDATE idempotency_keys SET answer = :a WHERE idempotency_key = :k", a=answer, k=key)


def by_xmlrpc(server: Server, params: dict[str, Any], key: str) -> bytes:
    body = xmlrpc.client.dumps((params,), "createCustomer", allow_none=True).encode()
    return post(server, body, TEXT_XML, ("Idempotency-Key", key)).body


def by_gateway(server: Server, params: dict[str, Any], key: str) -> bytes:
    login = {"username": "ssp-root", "apipassword": server.root_password}
    form = urlencode({**login, "action": "createCustomer", "JSONString": json.dumps(params)}).encode()
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    return send(server, form, kind, ("Idempotency-Key", key), target="/api.php").body


def by_soap(server: Server, params: dict[str, Any], key: str) -> bytes:
    account = f"<account><username>{params['name']}</username></account>"
    header = soap.auth(soap.ADMIN, soap.ADMIN_PASSWORD, admin=True)
    body = soap.envelope("Customer", "addAccount", account, header)
    return soap.send(server.port, body, **{"Idempotency-Key": key}).body


@pytest.mark.parametrize("way", [by_xmlrpc, by_gateway, by_soap])
def test_what_an_older_version_kept_is_answered_as_it_was(server: Server, way: Callable[..., bytes]) -> None:
    key, params = unique("key"), {"name": unique(), "web_password": "s3cret-Web", "i_tariff": None}
    first = way(server, params, key)
    written_before_answers_left_their_envelope_out(server, key)

    assert way(server, params, key) == first
    assert b"fault" not in first.lower()


@pytest.mark.soak
def test_sixteen_callers_with_one_key_have_one_effect(
    variant: Callable[..., Server], reseller: Reseller, customers: Customers, length: Callable[[int, int], int]
) -> None:
    crowd = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 16)
    i_customer = customers.make(reseller, balance=1000)
    rounds = length(5, 100)
    for number in range(rounds):
        params = {"i_customer": i_customer, "amount": 1, "currency": "USD", "idempotency_key": f"r{number}"}
        answers = crowd.do([call("customerDebit", **params, i_wholesaler=reseller.i_customer)] * 16)
        assert answers == [{"result": "OK", "returned": 0}] * 16

    assert reseller.info(i_customer)["balance"] == 1000 - rounds
