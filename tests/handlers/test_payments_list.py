"""Payments are told in lists, and one by one."""

from typing import Any

import pytest
from conftest import Customers, Reseller
from faces import Api
from harness import Server

from xmlrpc_api.declaration.faults import NotFound


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


class TestPaymentsList:
    def test_tells_every_member(self, funded: Reseller, customers: Customers) -> None:
        i_customer = customers.make(funded)
        when = "09:57:29.000 GMT Fri Nov 20 2026"
        funded.customerCredit(
            i_customer=i_customer, amount=2.5, currency="USD", payment_notes="gift", payment_time=when
        )

        (payment,) = funded.getPaymentsList(i_customer=i_customer)["payments"]

        assert payment.pop("i_payment") > 0
        assert payment == {
            "i_account": None,
            "i_customer": i_customer,
            "payment_time": when,
            "amount": 2.5,
            "currency": "USD",
            "type": "credit",
            "tx_id": "",
            "tx_error": "",
            "tx_result": 1,
            "by_credit_debit_card": False,
            "by_voucher": False,
            "notes": "gift",
        }

    def test_filters_by_type_and_time_and_pages(self, funded: Reseller, customers: Customers) -> None:
        i_customer = customers.make(funded)
        for day in range(1, 6):
            method = funded.customerDebit if day == 3 else funded.customerAddFunds
            method(i_customer=i_customer, amount=day, currency="USD", payment_time=f"2026110{day}T00:00:00")

        def amounts(**filters: Any) -> list[float]:
            return [p["amount"] for p in funded.getPaymentsList(i_customer=i_customer, **filters)["payments"]]

        assert amounts() == [5, 4, 3, 2, 1]
        assert amounts(type="debit") == [3]
        assert amounts(type="credit", offset=1, limit=2) == [4, 2]
        assert amounts(start_date="20261102T00:00:00", end_date="00:00:00.000 GMT Wed Nov 4 2026") == [3, 2]

    def test_without_a_customer_it_tells_those_of_all_direct_ones(self, funded: Reseller, customers: Customers) -> None:
        ids = [customers.make(funded) for _ in range(2)]
        for i_customer in ids:
            funded.customerAddFunds(i_customer=i_customer, amount=1, currency="USD")

        listed = [p["i_customer"] for p in funded.getPaymentsList()["payments"]]

        assert listed == [ids[1], ids[0], funded.i_customer]

    def test_initial_and_set_balances_are_no_payments(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, balance=5)
        reseller.updateCustomer(i_customer=i_customer, balance=6)

        assert reseller.getPaymentsList(i_customer=i_customer)["payments"] == []

    def test_one_payment_by_its_id(self, funded: Reseller, customers: Customers, root: Api, refused: Any) -> None:
        i_customer = customers.make(funded)
        funded.customerAddFunds(i_customer=i_customer, amount=9, currency="USD")
        (listed,) = funded.getPaymentsList(i_customer=i_customer)["payments"]

        info = funded.getPaymentInfo(i_payment=listed["i_payment"], i_customer=i_customer)

        assert info == {"result": "OK", **listed}
        for i_payment, who in ((listed["i_payment"], funded.i_customer), (2**31 - 1, i_customer)):
            with refused(NotFound.code, "Payment not found"):
                funded.getPaymentInfo(i_payment=i_payment, i_customer=who)

    @pytest.mark.parametrize("method", ["getPaymentsList", "getLedger", "getLowBalance"])
    def test_books_of_others_are_hidden(
        self, root: Api, reseller: Reseller, customers: Customers, refused: Any, method: str
    ) -> None:
        with refused(NotFound.code, "Customer not found"):
            getattr(reseller, method)(i_customer=customers.make(root))
