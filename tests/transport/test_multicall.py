"""system.multicall: one request, a savepoint each, and faults in their places."""

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from faces import Api
from harness import Server, unique
from wire import TEXT_XML, document, post, send

pytestmark = pytest.mark.one_engine

LIST = {"methodName": "listCustomers", "params": [{"limit": 0}]}
EMPTY = [{"result": "OK", "customers": []}]


def create(**attributes: Any) -> dict[str, Any]:
    params = {"name": unique(), "web_password": "s3cret-Web", "i_tariff": None, **attributes}
    return {"methodName": "createCustomer", "params": [params]}


def names(api: Api) -> list[str]:
    return [row["name"] for row in api.listCustomers()["customers"]]


def test_each_answer_comes_in_an_array_of_its_own(root: Api) -> None:
    assert root.proxy.system.multicall([LIST, LIST]) == [EMPTY, EMPTY]


def test_nothing_to_do_is_an_empty_array(root: Api) -> None:
    assert root.proxy.system.multicall([]) == []


def test_pythons_multicall_works(root: Api) -> None:
    batch = xmlrpc.client.MultiCall(root.proxy)
    batch.listCustomers({"limit": 0})
    batch.system.methodHelp("listCustomers")

    rows, text = batch()

    assert rows == EMPTY[0]
    assert "customers" in text


def test_a_fault_stands_in_its_place_as_a_struct(root: Api) -> None:
    results = root.proxy.system.multicall([{"methodName": "canary", "params": []}, LIST])

    assert results == [{"faultCode": -32601, "faultString": "Method not found"}, EMPTY]


@pytest.mark.each_engine
def test_a_failed_call_leaves_the_others(reseller: Any) -> None:
    first, twin, last = create(), create(), create()
    twin["params"][0]["name"] = first["params"][0]["name"]

    results = reseller.proxy.system.multicall([first, twin, last])

    assert results[0][0]["result"] == results[2][0]["result"] == "OK"
    assert results[1]["faultCode"] == 409
    assert names(reseller) == [call["params"][0]["name"] for call in (first, last)]


@pytest.mark.each_engine
def test_a_failed_call_leaves_nothing_of_its_own(reseller: Any, server: Server) -> None:
    """It gets as far as the customer's row before it fails at the money."""
    call = create(balance=-100.0, credit_limit=0.0)

    (result,) = reseller.proxy.system.multicall([call])

    assert result["faultCode"] == 402
    assert names(reseller) == []
    name = call["params"][0]["name"]
    assert server.sql("SELECT 1 FROM customers WHERE name = :name", name=name) == []


@pytest.mark.each_engine
def test_a_call_sees_what_those_before_it_did(reseller: Any) -> None:
    name = unique()
    calls = [
        create(name=name),
        {"methodName": "getCustomerInfo", "params": [{"name": name}]},
    ]

    created, read = reseller.proxy.system.multicall(calls)

    assert read[0]["customer"]["i_customer"] == created[0]["i_customer"]


def test_a_call_cannot_do_more_than_alone(reseller: Any, root: Api, customers: Any) -> None:
    other = customers.reseller()
    root.updateCustomer(i_customer=reseller.i_customer, customers_mgmt=2)
    block = {"methodName": "blockCustomer", "params": [{"i_customer": other.i_customer}]}

    missing, foreign = reseller.proxy.system.multicall([create(), block])

    assert missing["faultCode"] == 403
    assert foreign == {"faultCode": 404, "faultString": "Customer not found"}
    assert other.listCustomers()["result"] == "OK"


NO_CALLS = {
    "a string": ("listCustomers", -32600),
    "an int": (1, -32600),
    "nil": (None, -32600),
    "an array": (["listCustomers", []], -32600),
    "an empty struct": ({}, -32600),
    "a name that is no string": ({"methodName": 1, "params": []}, -32600),
    "a name that is nil": ({"methodName": None, "params": []}, -32600),
    "params that are no array": ({"methodName": "listCustomers", "params": {"limit": 0}}, -32600),
    "params that are nil": ({"methodName": "listCustomers", "params": None}, -32600),
    "a param that is no struct": ({"methodName": "listCustomers", "params": [1]}, -32602),
    "two params": ({"methodName": "listCustomers", "params": [{}, {}]}, -32602),
    "another multicall": ({"methodName": "system.multicall", "params": [[LIST]]}, -32600),
    "an empty name": ({"methodName": "", "params": []}, -32601),
    "a name of control characters": ({"methodName": "\t\n", "params": []}, -32601),
    "a name of Python": ({"methodName": "__class__", "params": []}, -32601),
}


@pytest.mark.parametrize(("entry", "code"), NO_CALLS.values(), ids=NO_CALLS)
def test_what_is_no_call_is_a_fault_in_its_place(root: Api, entry: Any, code: int) -> None:
    before, fault, after = root.proxy.system.multicall([LIST, entry, LIST])

    assert before == after == EMPTY
    assert fault["faultCode"] == code


def test_params_may_be_missing(root: Api) -> None:
    ((names,),) = root.proxy.system.multicall([{"methodName": "system.listMethods"}])

    assert "listCustomers" in names


def test_50_calls_are_allowed_and_51_are_not(root: Api, refused: Any) -> None:
    assert root.proxy.system.multicall([LIST] * 50) == [EMPTY] * 50
    with refused(400, "Parameter calls holds more than 50 calls"):
        root.proxy.system.multicall([LIST] * 51)


@pytest.mark.parametrize(
    ("params", "code"), [((), 400), ((1,), -32602), (({},), -32602), (([], []), -32602), ((None,), 400)]
)
def test_it_takes_one_array(root: Api, params: tuple[Any, ...], code: int, refused: Any) -> None:
    with refused(code):
        root.proxy.system.multicall(*params)


def test_one_authentication_serves_for_all(server: Server, reseller: Any) -> None:
    body = document("system.multicall", "<array><data/></array>")

    assert send(server, body, TEXT_XML).status == 401
    assert post(server, body).value == []


@pytest.mark.each_engine
def test_it_may_hash_passwords_for_longer_than_the_database_may_take(variant: Callable[..., Server]) -> None:
    slow = variant(bcrypt_cost=10, statement_seconds=0.1)

    results = slow.api().proxy.system.multicall([create() for _ in range(45)])

    assert all("i_customer" in result[0] for result in results)
