"""Recurring fees: what accounts are charged for their service plans, each day once; by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from books import findings
from harness import Clock, Server
from office import Office

from xmlrpc_api.declaration.faults import NotFound, NotPermitted

START = datetime(2028, 1, 31, 10, tzinfo=UTC)  # of a leap year


@pytest.fixture
def clock(own: Server) -> Iterator[Clock]:
    before = own.platform.clock
    clock = own.stop_clock()
    clock.now = START
    yield clock
    own.platform.clock = before


@pytest.fixture
def office(own: Server, clock: Clock) -> Office:
    return Office(own, clock)


@pytest.fixture(autouse=True, scope="module")
def _books(own: Server) -> Iterator[None]:
    yield
    assert findings(own) == []


class TestAfterwards:
    def test_a_cycle_is_charged_when_it_is_over(self, office: Office) -> None:
        account = office.account(office.plan())

        office.at("02-28T23:59:59")
        assert office.fees(account) == []
        office.at("02-29T00:00:00")
        office.at("02-29T00:00:05")
        assert office.fees(account) == [31]
        office.at("03-31T00:00:00")
        assert office.fees(account) == [31, 31]

    def test_cycles_that_nobody_looked_at_are_charged_one_by_one(self, office: Office) -> None:
        account = office.account(office.plan(7, billing_cycle=1))

        office.at("03-10T00:00:00")

        assert office.fees(account) == [7] * 5

    def test_it_is_booked_below_the_credit_limit_too(self, office: Office) -> None:
        account = office.account(office.plan(), balance=1)

        office.at("02-29T00:00:00")

        assert office.told(account)["balance"] == -30

    def test_days_on_another_plan_are_charged_by_that(self, office: Office) -> None:
        """31 January to 28 February are 29 days: 11 on the first plan, 18 on the second."""
        account = office.account(office.plan(29))
        office.at("02-11T15:00:00")
        office.api.updateAccount(i_account=account, i_billing_plan=office.plan(58))

        office.at("02-11T15:00:05")
        assert office.fees(account) == [11]
        office.at("02-29T00:00:00")
        assert office.fees(account) == [11, 36]

    def test_a_plan_that_was_tried_within_a_day_costs_nothing(self, office: Office) -> None:
        plan = office.plan(29)
        account = office.account(plan)
        office.at("02-11T15:00:00")
        office.api.updateAccount(i_account=account, i_billing_plan=office.plan(1000))
        office.api.updateAccount(i_account=account, i_billing_plan=plan)

        office.at("02-29T00:00:00")

        assert office.fees(account) == [11, 18]

    def test_days_on_which_it_was_blocked_cost_nothing(self, office: Office) -> None:
        account = office.account(office.plan(29))
        office.at("02-11T15:00:00")
        office.api.blockAccount(i_account=account)
        office.at("02-21T15:00:00")
        assert office.told(account)["next_billing_time"] is None
        office.api.unblockAccount(i_account=account)

        office.at("02-29T00:00:00")

        assert office.fees(account) == [11, 8]

    def test_that_of_everybody_costs_nothing(self, office: Office) -> None:
        account = office.account(1)

        office.at("12-31T00:00:00")

        assert office.fees(account) == []
        assert office.told(account)["next_billing_time"] is None

    def test_each_minute_plan_is_charged_by_itself(self, office: Office) -> None:
        plan = office.plan(0)
        for price in (3, 0, 5):
            office.api.addMinutePlan(i_billing_plan=plan, description="x", prefixes=["49"], price=price)
        account = office.account(plan)

        office.at("02-29T00:00:00")

        assert office.fees(account) == [3, 5]

    def test_prices_are_converted(self, office: Office, own: Server) -> None:
        rate = (
            "INSERT INTO exchange_rates VALUES ('EUR', 'USD', 1100000000000, CURRENT_TIMESTAMP) ON CONFLICT DO NOTHING"
        )
        own.sql(rate)
        account = office.account(office.plan(10, i_tariff=office.customers.tariff(office.api, "EUR")))

        office.at("02-29T00:00:00")

        assert office.fees(account) == [11]
        (row,) = (row for row in office.api.getLedger(i_account=account)["ledger"] if row["kind"] == "fee")
        assert (row["paid_amount"], row["paid_currency"]) == (10, "EUR")

    def test_one_that_cannot_be_charged_holds_nobody_up(self, office: Office) -> None:
        tariff = office.customers.tariff(office.api, "JPY")
        stuck, account = office.account(office.plan(10, i_tariff=tariff)), office.account(office.plan(10))

        office.at("02-29T00:00:00")

        assert (office.fees(stuck), office.fees(account)) == ([], [10])


class TestAhead:
    def test_a_cycle_is_charged_when_it_begins(self, office: Office) -> None:
        account = office.account(office.plan(prepaid=True))

        office.bill()
        assert office.fees(account) == [31]
        office.at("02-28T23:59:59")
        assert office.fees(account) == [31]
        office.at("02-29T00:00:00")
        assert office.fees(account) == [31, 31]

    def test_what_was_paid_for_days_to_come_is_given_back(self, office: Office) -> None:
        account = office.account(office.plan(29, prepaid=True))
        office.bill()
        office.at("02-11T15:00:00")
        office.api.updateAccount(i_account=account, i_billing_plan=office.plan(58, prepaid=True))

        office.at("02-11T15:00:05")

        assert office.fees(account) == [29, -18, 36]

    def test_a_day_blocked_and_unblocked_costs_what_it_did(self, office: Office) -> None:
        account = office.account(office.plan(29, prepaid=True))
        office.bill()
        office.api.blockAccount(i_account=account)
        office.bill()
        office.api.unblockAccount(i_account=account)
        office.bill()

        assert office.fees(account) == [29, -29, 29]

    def test_a_plan_that_cannot_be_paid_rests_and_goes_on_when_it_can(self, office: Office) -> None:
        account = office.account(office.plan(29, prepaid=True), balance=10, credit_limit=5)
        office.bill()
        told = office.told(account)
        assert (told["billing_plan_suspended"], told["try_unsuspend"], told["balance"]) == (True, True, 10)

        office.at("02-11T15:00:00")
        office.api.accountAddFunds(i_account=account, amount=2.9, currency="USD")
        office.bill()
        assert office.fees(account) == []
        office.api.accountAddFunds(i_account=account, amount=0.1, currency="USD")
        office.bill()

        told = office.told(account)
        assert (told["billing_plan_suspended"], told["balance"], office.fees(account)) == (False, -5, [18])
        kinds = [event["kind"] for event in office.api.listEvents()["events"]]
        assert kinds == ["plan_suspended", "plan_resumed"]

    def test_of_a_plan_that_rests_nothing_is_charged_or_given_back(self, office: Office) -> None:
        account = office.account(office.plan(29, prepaid=True), balance=0)
        office.bill()
        office.at("02-11T15:00:00")
        office.api.updateAccount(i_account=account, i_billing_plan=1)
        office.bill()

        assert office.fees(account) == []

    def test_one_that_becomes_prepaid_pays_what_it_has_had(self, office: Office) -> None:
        plan = office.plan(29)
        account = office.account(plan, balance=11)
        office.at("02-11T15:00:00")
        office.api.updateServicePlan(i_billing_plan=plan, prepaid=True)

        office.bill()

        assert (office.fees(account), office.told(account)["billing_plan_suspended"]) == ([11], True)


class TestBillingRun:
    def test_charges_up_to_today_once(self, office: Office) -> None:
        account = office.account(office.plan(29))
        office.at("02-11T15:00:00")

        for _ in range(2):
            office.api.billingRun(i_account=account)
        assert office.fees(account) == [11]
        office.at("02-29T00:00:00")
        assert office.fees(account) == [11, 18]

    def test_is_for_those_above_who_may_edit_accounts(self, office: Office, refused: Any) -> None:
        account = office.account(office.plan(29))

        with refused(NotFound.code, "Account not found"):
            office.customers.reseller().billingRun(i_account=account)
        with refused(NotPermitted.code, "Not permitted: bit 1 (edit) of accounts_mgmt is missing"):
            office.customers.reseller(accounts_mgmt=5).billingRun(i_account=account)

    def test_those_who_have_left_a_plan_pay_before_it_is_deleted(self, office: Office) -> None:
        plan = office.plan(29)
        account = office.account(plan)
        office.clock.now = datetime(2028, 2, 11, tzinfo=UTC)
        office.api.updateAccount(i_account=account, i_billing_plan=1)

        office.api.deleteServicePlan(i_billing_plan=plan)

        assert office.fees(account) == [11]


class TestDays:
    def test_begin_in_the_zone_of_the_account(self, office: Office, own: Server) -> None:
        ((berlin,),) = own.sql("SELECT i_time_zone FROM time_zones WHERE name = 'Europe/Berlin'")
        office.clock.now = datetime(2028, 3, 1, 23, 30, tzinfo=UTC)  # the second there
        account = office.account(office.plan(), i_time_zone=berlin)
        office.bill()

        assert str(office.told(account)["next_billing_time"]) == "2028-04-01 22:00:00"  # summer time has begun
        office.at("04-01T21:59:59")
        assert office.fees(account) == []
        office.at("04-01T22:00:00")
        assert office.fees(account) == [31]

    def test_a_new_zone_counts_at_once(self, office: Office, own: Server) -> None:
        ((auckland,),) = own.sql("SELECT i_time_zone FROM time_zones WHERE name = 'Pacific/Auckland'")
        account = office.account(office.plan())
        office.bill()
        office.api.updateAccount(i_account=account, i_time_zone=auckland)
        office.bill()

        assert str(office.told(account)["next_billing_time"]) == "2028-02-28 11:00:00"
