"""What happens when a balance runs low."""

from typing import Any

import pytest
from conftest import Customers, Reseller
from faces import Api
from harness import Server

from xmlrpc_api.declaration.faults import BadParameter, WrongReference


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


class TestLowBalance:
    def test_what_is_set_is_told(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller)
        wanted = {
            "threshold": 5.5,
            "notify_by_email": True,
            "charge_amount": 20.0,
            "notification_retry_count": 3,
            "notification_retry_interval": 600,
        }

        reseller.setLowBalance(i_customer=i_customer, **wanted)

        told = reseller.getLowBalance(i_customer=i_customer)
        assert told == {
            "result": "OK",
            "i_balance": told["i_balance"],
            **wanted,
            "charge_card": False,
            "i_debit_credit_card": None,
        }

    def test_falling_below_writes_one_event(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, balance=10)
        reseller.setLowBalance(i_customer=i_customer, threshold=5)

        for _ in range(4):
            reseller.customerDebit(i_customer=i_customer, amount=2, currency="USD")

        (event,) = [e for e in reseller.listEvents()["events"] if e["i_customer"] == i_customer]
        assert event["kind"] == "low_balance"
        assert event["details"]["balance"] == "4"
        assert event["details"]["threshold"] == "5"

    def test_reaching_the_threshold_is_not_below(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, balance=10)
        reseller.setLowBalance(i_customer=i_customer, threshold=5)

        reseller.customerDebit(i_customer=i_customer, amount=5, currency="USD")

        assert reseller.listEvents()["events"] == []

    def test_it_writes_again_after_the_balance_has_recovered(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, balance=10)
        reseller.setLowBalance(i_customer=i_customer, threshold=5)
        for amount in (1, 10, 1):
            reseller.updateCustomer(i_customer=i_customer, balance=amount)

        assert len(reseller.listEvents()["events"]) == 2

    def test_events_are_read_on_from_the_last_one(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, balance=10)
        reseller.setLowBalance(i_customer=i_customer, threshold=5)
        for amount in (1, 10, 1):
            reseller.updateCustomer(i_customer=i_customer, balance=amount)

        first = reseller.listEvents(limit=1)["events"]
        rest = reseller.listEvents(after=first[0]["i_event"])["events"]

        assert [len(first), len(rest)] == [1, 1]

    def test_events_of_others_are_hidden(self, root: Api, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(root, balance=10)
        root.setLowBalance(i_customer=i_customer, threshold=50)
        root.updateCustomer(i_customer=i_customer, balance=100)
        root.updateCustomer(i_customer=i_customer, balance=1)

        assert reseller.listEvents()["events"] == []

    @pytest.mark.parametrize("wish", [{"charge_card": True}, {"i_debit_credit_card": 7}])
    def test_a_card_that_is_not_kept_cannot_be_charged(
        self, reseller: Reseller, customers: Customers, refused: Any, wish: dict[str, Any]
    ) -> None:
        i_customer = customers.make(reseller)

        with refused(WrongReference.code, "Wrong i_debit_credit_card"):
            reseller.setLowBalance(i_customer=i_customer, **wish)

    def test_something_must_be_changed(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        with refused(BadParameter.code, "At least one parameter to change is required"):
            reseller.setLowBalance(i_customer=customers.make(reseller))
