"""Numbers with binary noise, as clients compute them, on every face; texts are taken as they are."""

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest
from conftest import Customers, Reseller
from faces import Api
from harness import Server
from soap import ADMIN, ADMIN_PASSWORD, Clients, auth, envelope, send

from xmlrpc_api.declaration.faults import BadParameter, NotEnoughCredit, WrongType

pytestmark = pytest.mark.one_engine

NOISE = [
    (0.1 * 3, 0.3),
    (1 / 3, 0.333333),
    (2 / 3, 0.666667),
    (0.0000005, 0),
    (0.0000015, 0.000002),
    (0.0000025, 0.000002),
    (1e-9, 0),
]


class TestDoubles:
    @pytest.mark.parametrize(("sent", "kept"), NOISE)
    def test_are_rounded_half_to_even(self, root: Api, customers: Customers, sent: float, kept: float) -> None:
        i_customer = customers.make(root, max_calls_per_second=sent, balance=sent)

        info = root.info(i_customer)
        assert (info["max_calls_per_second"], info["balance"]) == (kept, kept)

    def test_an_over_commit_limit_that_is_nothing_is_0(self, root: Api, customers: Customers) -> None:
        i_customer = customers.make(root, overcommit_limit=1e-9)

        assert root.info(i_customer)["overcommit_limit"] == 0

    def test_noise_below_a_bound_is_the_bound(self, root: Api, customers: Customers) -> None:
        i_customer = customers.make(root, commission_size=100.00000000000001, credit_limit=-1e-12)

        info = root.info(i_customer)
        assert (info["commission_size"], info["credit_limit"]) == (100, 0)

    @pytest.mark.parametrize(("sent", "booked"), [(0.1 * 3, 0.3), (1 / 3, 0.333333)])
    def test_an_amount_is_rounded(self, root: Api, customers: Customers, sent: float, booked: float) -> None:
        i_customer = customers.make(root)

        root.customerAddFunds(i_customer=i_customer, amount=sent, currency="USD")

        assert root.info(i_customer)["balance"] == booked

    def test_an_amount_that_is_nothing_is_refused_as_zero_is(
        self, root: Api, customers: Customers, refused: Any
    ) -> None:
        with refused(BadParameter.code, "Parameter amount must be greater than zero"):
            root.customerAddFunds(i_customer=customers.make(root), amount=1e-9, currency="USD")

    @pytest.mark.parametrize("written", ["1e401", "-1e999", "1e99999"])
    def test_what_no_double_holds_is_refused(self, server: Server, written: str) -> None:
        call = {"action": "updateCustomer", "username": "ssp-root", "apipassword": server.root_password}
        sent = {**call, "JSONString": f'{{"i_customer": 1, "max_calls_per_second": {written}}}'}
        with urllib.request.urlopen(f"{server.address}/api.php", urllib.parse.urlencode(sent).encode()) as answer:
            assert json.loads(answer.read())["faultCode"] in (BadParameter.code, WrongType.code)

    @pytest.mark.each_engine
    def test_a_double_written_out_in_full_is_read(self, root: Api, server: Server, customers: Customers) -> None:
        """The specification knows no exponents, so some libraries write 1e-9 in 80 characters."""
        i_customer = customers.make(root)
        written = f"{1e-9:.80f}", f"{1 / 3:.54f}"

        call = {"action": "updateCustomer", "username": "ssp-root", "apipassword": server.root_password}
        for number in written:
            sent = {**call, "JSONString": f'{{"i_customer": {i_customer}, "max_calls_per_second": {number}}}'}
            body = urllib.parse.urlencode(sent).encode()
            with urllib.request.urlopen(f"{server.address}/api.php", body) as answer:
                assert json.loads(answer.read())["result"] == "OK"

        assert root.info(i_customer)["max_calls_per_second"] == 0.333333

    def test_what_is_compared_is_rounded_too(self, root: Api, customers: Customers) -> None:
        i_customer = customers.make(root, balance=0.3)

        assert root.updateCustomer(i_customer=i_customer, if_balance=0.1 * 3, city="Rome") == {"result": "OK"}

    def test_too_large_is_too_large(self, root: Api, customers: Customers, refused: Any) -> None:
        with refused(BadParameter.code, "Parameter balance must be between -1000000000000 and 1000000000000"):
            customers.make(root, balance=1e300)


class TestTexts:
    @pytest.mark.parametrize("amount", ["0.0000001", "0.30000000000000004", "1e-9"])
    def test_must_have_at_most_six_decimals(self, root: Api, customers: Customers, refused: Any, amount: str) -> None:
        with refused(BadParameter.code, "Parameter amount must have at most six decimals"):
            root.customerAddFunds(i_customer=customers.make(root), amount=amount, currency="USD")

    def test_may_be_longer_if_they_say_no_more(self, root: Api, customers: Customers) -> None:
        i_customer = customers.make(root)

        root.customerAddFunds(i_customer=i_customer, amount="0.3000000000", currency="USD")

        assert root.info(i_customer)["balance"] == 0.3

    def test_are_no_longer_than_forty_characters(self, root: Api, customers: Customers, refused: Any) -> None:
        with refused(WrongType.code, "Parameter amount must be a number"):
            root.customerAddFunds(i_customer=customers.make(root), amount="0." + "0" * 39, currency="USD")


class TestSoap:
    """There a double is text whose declaration, and not its type, says what it is."""

    def test_doubles_are_rounded(self, clients: Clients) -> None:
        made = clients.reseller(balance=0.1 * 3, credit=1 / 3)

        assert (made["balance"], made["credit"]) == (0.3, 0.333333)

    @pytest.mark.parametrize(("kind", "credit"), [("float", "0.300000"), ("double", "0.300000"), ("string", None)])
    def test_what_says_that_it_is_a_text_is_taken_as_one(
        self, server: Server, clients: Clients, kind: str, credit: str | None
    ) -> None:
        reseller = clients.reseller()
        arguments = (
            f'<account><id xsi:type="xsd:int">{reseller["id"]}</id>'
            f'<credit xsi:type="xsd:{kind}">0.30000000000000004</credit></account>'
        )
        body = envelope("Customer", "updateAccount", arguments, auth(ADMIN, ADMIN_PASSWORD, admin=True))

        reply = send(server.port, body)

        assert (reply.status == 200) is (credit is not None)
        if credit is not None:
            assert clients.admin().getAccount(id=reseller["id"])["credit"] == float(credit)


@pytest.mark.each_engine
def test_rounding_gives_nothing_away(root: Api, reseller: Reseller, customers: Customers, refused: Any) -> None:
    """What is booked on both sides is the rounded amount."""
    i_customer = customers.make(reseller)
    root.customerAddFunds(i_customer=reseller.i_customer, amount=0.333333, currency="USD")

    reseller.customerAddFunds(i_customer=i_customer, amount=1 / 3, currency="USD")

    with refused(NotEnoughCredit.code):
        reseller.customerAddFunds(i_customer=i_customer, amount=0.0000006, currency="USD")
    assert root.info(reseller.i_customer)["balance"] == 0
