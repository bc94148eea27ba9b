"""The JSON gateway: credentials, exact numbers, hostile JSON, and nothing secret in the logs."""

import json
import logging
import re
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
import structlog
from faces import Api
from harness import Server, unique
from harness import test_config as new_config
from wire import Reply, first_line, raw, send, signed

from xmlrpc_api import logs

pytestmark = pytest.mark.one_engine

PATH = "/api.php"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
OK = {"result": "OK", "customers": []}


def fault(code: int, text: str) -> dict[str, Any]:
    """A fault in JSON: `result` is its text, since published clients take an answer without it for success."""
    return {"faultCode": code, "faultString": text, "result": text}


def read(reply: Reply) -> Any:
    """The JSON of an answer."""
    assert reply.header("Content-Type").startswith("application/json")
    return json.loads(reply.body, parse_float=Decimal)


class Gateway:
    """Calls as root, with GET or POST."""

    def __init__(self, server: Server, method: str) -> None:
        self.server, self.method = server, method
        self.credentials = {"username": "ssp-root", "apipassword": server.root_password}

    def send(self, pairs: Any, *headers: tuple[str, str]) -> Reply:
        text = urlencode(pairs)
        if self.method == "GET":
            return send(self.server, b"", *headers, method="GET", target=f"{PATH}?{text}")
        return send(self.server, text.encode(), FORM, *headers, target=PATH)

    def call(self, action: str, params: str = "{}") -> Any:
        reply = self.send({**self.credentials, "action": action, "JSONString": params})
        assert reply.status == 200
        return read(reply)


@pytest.fixture(params=["GET", "POST"])
def gateway(request: pytest.FixtureRequest, server: Server) -> Gateway:
    return Gateway(server, request.param)


def test_credentials_in_the_query_or_the_form_let_in(gateway: Gateway) -> None:
    assert gateway.call("listCustomers", '{"limit": 0}') == OK


def test_credentials_may_come_in_the_query_and_the_rest_in_the_form(gateway: Gateway) -> None:
    target = f"{PATH}?{urlencode(gateway.credentials)}"
    form = urlencode({"action": "listCustomers", "JSONString": '{"limit": 0}'})

    assert read(send(gateway.server, form.encode(), FORM, target=target)) == OK


def test_digest_lets_in(server: Server) -> None:
    target = f"{PATH}?action=listCustomers&JSONString=%7B%22limit%22:0%7D"

    reply = send(server, b"", signed(server, method="GET", uri=target), method="GET", target=target)

    assert read(reply) == OK


def test_curl_finds_its_way_with_digest(server: Server) -> None:
    url = f"{server.address}{PATH}?action=listCustomers&JSONString=%7B%22limit%22:0%7D"
    command = ["curl", "-sS", "--fail", "--digest", "-u", f"ssp-root:{server.root_password}", url]

    assert json.loads(subprocess.check_output(command, timeout=20)) == OK


def test_a_trusted_host_needs_none(trusting: Server, reseller: Any) -> None:
    target = f"{PATH}?" + urlencode(
        {"action": "listCustomers", "JSONString": json.dumps({"i_wholesaler": reseller.i_customer})}
    )

    assert read(send(trusting, b"", method="GET", target=target)) == OK


WRONG = {
    "password": {"apipassword": "wrong"},
    "login": {"username": "nobody"},
    "no password": {"apipassword": None},
    "no login": {"username": None},
    "neither": {"username": None, "apipassword": None},
    "empty password": {"apipassword": ""},
    "empty login": {"username": ""},
    "NUL in the login": {"username": "\0"},
    "long login": {"username": "x" * 5000},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_wrong_credentials_get_a_401_with_a_fault_and_a_challenge(
    gateway: Gateway, changes: dict[str, str | None]
) -> None:
    fields = {**gateway.credentials, "action": "listCustomers", **changes}

    reply = gateway.send({name: value for name, value in fields.items() if value is not None})

    assert reply.status == 401
    assert read(reply) == fault(401, "Authentication failed")
    assert reply.header("WWW-Authenticate").startswith("Digest ")
    assert reply.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("name", ["username", "apipassword", "action", "JSONString"])
def test_a_field_given_twice_is_refused(gateway: Gateway, name: str) -> None:
    fields = {**gateway.credentials, "action": "listCustomers", "JSONString": "{}"}

    twice = gateway.send([*fields.items(), (name, fields[name])])
    target = f"{PATH}?{urlencode({name: fields[name]})}"
    both = send(gateway.server, urlencode(fields).encode(), FORM, target=target)

    assert read(twice)["faultCode"] == read(both)["faultCode"] == -32602


def test_unknown_fields_do_not_matter(gateway: Gateway) -> None:
    fields = [*gateway.credentials.items(), ("action", "listCustomers"), ("_", "1"), ("_", "2")]

    assert read(gateway.send(fields))["result"] == "OK"


AMOUNTS = ["0.1", "99.2", "123456789.123456", "0.000001", "1e-6", "100", "-0.5", "1E+3", "12345678901.000001"]


@pytest.mark.each_engine
@pytest.mark.parametrize("amount", AMOUNTS)
def test_amounts_are_exact_both_ways(gateway: Gateway, amount: str) -> None:
    params = {"name": unique(), "web_password": "s3cret-Web", "i_tariff": None, "credit_limit": 1000}
    text = json.dumps(params)[:-1] + f', "balance": {amount}}}'

    created = gateway.call("createCustomer", text)
    info = gateway.call("getCustomerInfo", json.dumps({"i_customer": created["i_customer"]}))

    assert info["customer"]["balance"] == Decimal(amount)


def test_null_and_absent_are_different(gateway: Gateway, customers: Any, root: Api) -> None:
    i_customer = customers.make(root, max_sessions=4)

    gateway.call("updateCustomer", json.dumps({"i_customer": i_customer, "description": "x"}))
    assert root.info(i_customer)["max_sessions"] == 4
    gateway.call("updateCustomer", json.dumps({"i_customer": i_customer, "max_sessions": None}))
    assert root.info(i_customer)["max_sessions"] is None


@pytest.mark.each_engine
def test_text_is_whole(gateway: Gateway, customers: Any, root: Api) -> None:
    text = "  żółć \U0001f600 <&> \"'\\ \t "
    i_customer = customers.make(root)

    gateway.call("updateCustomer", json.dumps({"i_customer": i_customer, "description": text}))

    assert root.info(i_customer)["description"] == text
    read_back = gateway.call("getCustomerInfo", json.dumps({"i_customer": i_customer}))
    assert read_back["customer"]["description"] == text


PARAMS = {
    "nothing": ("", None),
    "white space": (" ", None),
    "an empty object": ("{}", None),
    "an array of an object": ("[{}]", None),
    "an empty array": ("[]", None),
    "the same name in two places": ('{"a": {"x": 1}, "b": {"x": 1}}', None),
    "half an object": ('{"a":', -32700),
    "a word": ("canary", -32700),
    "more after it": ("{} x", -32700),
    "single quotes": ("{'a': 1}", -32700),
    "a comma too many": ('{"a": 1,}', -32700),
    "NaN": ('{"limit": NaN}', -32700),
    "Infinity": ('{"limit": -Infinity}', -32700),
    "a control character": ('{"a": "\x01"}', -32700),
    "XML": ("<methodCall/>", -32700),
    "a name twice": ('{"limit": 1, "limit": 2}', -32602),
    "a name twice within": ('{"a": [{"b": 1, "b": 1}]}', -32602),
    "a number": ("1", -32602),
    "a string": ('"a"', -32602),
    "null": ("null", -32602),
    "two objects": ("[{}, {}]", -32602),
    "too large a number": ('{"limit": 1e999}', -32602),
    "too small a number": ('{"limit": 1e-999}', -32602),
    "an int of 20 digits": ('{"limit": 99999999999999999999}', -32602),
    "an int of 4,000 digits": (f'{{"limit": {"9" * 4000}}}', -32602),
    "an int of 5,000 digits": (f'{{"limit": {"9" * 5000}}}', -32602),
    "an id that no database holds": ('{"limit": 9223372036854775807}', 400),
    **{f"{depth} arrays": (f'{{"a": {"[" * depth}{"]" * depth}}}', -32602) for depth in (17, 300, 600, 990, 1200)},
    "500 objects": ('{"a":' * 500 + "1" + "}" * 500, -32602),
    "an array of 1,001": (json.dumps({"a": [1] * 1001}), -32602),
}


@pytest.mark.parametrize(("params", "code"), PARAMS.values(), ids=PARAMS)
def test_what_is_no_struct_is_a_fault(gateway: Gateway, params: str, code: int | None) -> None:
    answer = gateway.call("listCustomers", params)

    assert answer.get("faultCode") == code
    assert not re.search("canary|line 1|char 0|expect", answer.get("faultString", ""), re.IGNORECASE)


LARGE = {
    "100,000 arrays": "[" * 100_000,
    "100,000 arrays, closed": "[" * 100_000 + "]" * 100_000,
    "500,000 ints": "[" + "1," * 400_000 + "1]",
    "21,000 values": json.dumps([[[0] * 999] * 21]),
    "a long string": json.dumps("x" * 900_000),
    "escapes": json.dumps("\0" * 100_000),
}


@pytest.mark.parametrize("params", LARGE.values(), ids=LARGE)
def test_a_large_document_is_a_fault(server: Server, params: str) -> None:
    fields = {**Gateway(server, "POST").credentials, "action": "system.multicall"}
    form = "&".join(f"{name}={quote(value)}" for name, value in fields.items()) + f"&JSONString={params}"

    reply = send(server, form.encode(), FORM, target=PATH)

    assert reply.status == 200
    assert read(reply)["faultCode"] in (-32602, -32700, 400)


@pytest.mark.parametrize("action", ["canary", "__init__", "../x", "a b", "\r\nX: y", "\x1b[31m", "ż", "a" * 999])
def test_an_unknown_method_is_a_fault(gateway: Gateway, action: str) -> None:
    assert gateway.call(action) == fault(-32601, "Method not found")


def test_a_fault_of_a_call_has_a_result_that_is_not_ok(gateway: Gateway) -> None:
    """The published C# client reads `result` alone, and its own default for it is OK."""
    missing = gateway.call("getCustomerInfo", '{"i_customer": 2147483647}')

    assert missing == fault(404, "Customer not found")


@pytest.mark.parametrize("fields", [{}, {"action": ""}])
def test_the_action_is_required(gateway: Gateway, fields: dict[str, str]) -> None:
    answer = read(gateway.send({**gateway.credentials, **fields}))

    assert answer == fault(400, "Parameter action is required")


def test_a_half_character_is_refused(gateway: Gateway, customers: Any, root: Api) -> None:
    params = json.dumps({"i_customer": customers.make(root)})[:-1] + ', "description": "\\ud800"}'

    assert gateway.call("updateCustomer", params)["faultCode"] == 400


def test_multicall_takes_an_array_of_arrays(gateway: Gateway) -> None:
    calls = [[{"methodName": "listCustomers", "params": [{"limit": 0}]}, {"methodName": "canary"}]]

    answer = gateway.call("system.multicall", json.dumps(calls))

    assert answer == [[OK], {"faultCode": -32601, "faultString": "Method not found"}]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_get_and_post_are_allowed(server: Server, method: str) -> None:
    assert send(server, method=method, target=PATH).status == 405


@pytest.mark.parametrize("media_type", ["application/json", "text/xml", "multipart/form-data; boundary=x", ""])
def test_a_form_must_be_a_form(server: Server, media_type: str) -> None:
    assert send(server, b"a=b", ("Content-Type", media_type), target=PATH).status == 415


@pytest.mark.parametrize("body", [b"username=\xff", b"&".join([b"a=b"] * 100)])
def test_a_form_that_cannot_be_read_is_refused(server: Server, body: bytes) -> None:
    assert send(server, body, FORM, target=PATH).status == 400


@pytest.mark.parametrize("query", [b"a=\xff", b"username=%ff&apipassword=%00", b"%", b"username=%zz", b"?&&==&"])
def test_no_bytes_in_the_query_make_it_fail(server: Server, query: bytes) -> None:
    line = first_line(server, b"GET /api.php?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert re.match(rb"HTTP/1\.[01] 4\d\d ", line)


@pytest.fixture
def logged(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], str]]:
    """What the process logs at DEBUG."""
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    monkeypatch.setattr(logs.Calls, "is_json", logs.Calls.is_json)  # as it was, afterwards
    logs.configure(new_config(server.config.database_url, log_level="DEBUG"))
    yield lambda: capsys.readouterr().err
    structlog.configure(**before)
    logging.root.handlers[:] = handlers


def test_no_secret_is_logged(server: Server, gateway: Gateway, customers: Any, logged: Callable[[], str]) -> None:
    reseller = customers.reseller(api_password="c4nary-Api&1", web_password="c4nary-Web 2")
    reseller.password = "c4nary-Api&1"
    Api(server.url, reseller.login, reseller.password).listCustomers()
    for password in ("c4nary-Api&1", "c4nary-wrong"):
        gateway.credentials = {"username": reseller.login, "apipassword": password}
        gateway.send({**gateway.credentials, "action": "listCustomers"})
        gateway.send({**gateway.credentials, "action": "c4nary", "JSONString": '{"c4nary": "c4nary"'})
    Gateway(server, "POST").call("createCustomer", '{"name": "c4nary-3", "web_password": "c4nary-4"}')

    text = logged()

    assert '"method": "listCustomers"' in text
    assert server.root_password not in text
    secrets = [f"c4nary-{end}" for end in ("Api", "Web", "wrong", "3", "4")]
    assert not any(form in text for secret in secrets for form in (secret, quote_plus(secret)))


def lines(text: str, event: str) -> list[dict[str, Any]]:
    """What was logged of an event."""
    return [line for line in map(json.loads, text.splitlines()) if line["event"] == event]


def test_a_call_is_logged_with_its_login_and_the_text_of_its_fault(
    gateway: Gateway, logged: Callable[[], str], reseller: Any
) -> None:
    gateway.credentials = {"username": f" {reseller.login.upper()}", "apipassword": reseller.password}

    gateway.call("getCustomerInfo", '{"i_customer": 2147483647}')

    line = lines(logged(), "call")[-1]
    assert (line["login"], line["caller"]) == (reseller.login, reseller.i_customer)
    assert (line["fault"], line["text"]) == (404, "Customer not found")


def test_a_wrong_password_is_logged_with_a_login_that_is_known_alone(
    server: Server, gateway: Gateway, logged: Callable[[], str], reseller: Any
) -> None:
    for login in (reseller.login, "s3cret-Api typed into the wrong field"):
        gateway.credentials = {"username": login, "apipassword": "wrong"}
        gateway.send({**gateway.credentials, "action": "listCustomers"})
        target = f"{PATH}?action=listCustomers"
        send(server, b"", signed(server, login, "wrong", method="GET", uri=target), method="GET", target=target)

    refused = lines(logged(), "refused")
    assert [line["login"] for line in refused] == [reseller.login, reseller.login, None, None]
    assert {line["reason"] for line in refused} == {"credentials are wrong"}


def test_a_challenge_is_no_refusal(server: Server, logged: Callable[[], str]) -> None:
    """Every client is challenged first: it is logged at DEBUG."""
    nonce = send(server).nonce
    for _ in range(2):
        send(server, b"", signed(server, nonce=nonce))

    text = logged()
    assert [line["level"] for line in lines(text, "challenge")] == ["debug", "debug"]
    assert lines(text, "refused") == []


def test_no_secret_is_logged_of_a_request_that_cannot_be_read(server: Server, logged: Callable[[], str]) -> None:
    raw(server, b"GET /api.php?apipassword=c4nary HTTP/1.1 \x01\r\n\r\n")
    raw(server, b"GET / HTTP/1.1\r\nAuthorization Digest c4nary\r\n\r\n")

    assert "c4nary" not in logged()


def test_a_fault_of_the_call_itself_travels_in_http_200(variant: Callable[..., Server]) -> None:
    portal = Gateway(variant(login_failures=1), "POST")
    guess = json.dumps({"username": "nobody", "password": "wrong"})

    assert [portal.call("authCustomer", guess)["faultCode"] for _ in range(2)] == [401, 429]
