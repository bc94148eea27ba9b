"""Service plans and minute plans: made, changed, told, listed, removed, and by whom."""

from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from faces import Api
from harness import Server, unique
from sippy import new

from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NotPermitted, WrongReference

GIVEN = {
    "i_tariff": None,
    "name": "Office",
    "description": "Flat to landlines",
    "suspend_all_calls": True,
    "billing_cycle": 1,
    "prepaid": True,
    "recurring_fee": 9.9,
}
BEGINNINGS = {
    "i_tariff": None,
    "description": None,
    "suspend_all_calls": False,
    "billing_cycle": 3,
    "prepaid": False,
    "recurring_fee": 0,
}
MINUTES = {
    "description": "Landlines",
    "prefixes": ["43", "49"],
    "price": 5,
    "seconds_total": 60000,
    "chargeable_seconds": 10,
}
TOLD = ["i_billing_plan", "i_tariff", "i_customer", "name", "description", "suspend_all_calls", "billing_cycle"]
TOLD += ["iso_4217", "prepaid", "recurring_fee", "minute_plans"]


def made(owner: Api, **attributes: Any) -> int:
    return owner.createServicePlan(**{"name": unique("plan"), **attributes})["i_billing_plan"]


def told(owner: Api, i_billing_plan: int) -> dict[str, Any]:
    return owner.getServicePlanInfo(i_billing_plan=i_billing_plan)


class TestServicePlans:
    def test_all_that_is_given_comes_back(self, reseller: Reseller) -> None:
        plan = made(reseller, **GIVEN)

        own = {"i_billing_plan": plan, "i_customer": reseller.i_customer, "iso_4217": "USD", "minute_plans": []}
        assert told(reseller, plan) == {"result": "OK", **GIVEN, **own}

    def test_what_is_left_out_begins_as_documented(self, reseller: Reseller) -> None:
        plan = told(reseller, made(reseller))

        assert {name: plan[name] for name in BEGINNINGS} == BEGINNINGS

    def test_what_is_told_stands_in_the_order_of_the_contract(self, reseller: Reseller) -> None:
        assert list(told(reseller, made(reseller)))[1:] == TOLD

    @pytest.mark.parametrize("name", [name for name in GIVEN if name != "i_tariff"])
    def test_one_is_changed_alone(self, reseller: Reseller, name: str) -> None:
        plan = made(reseller)
        before = told(reseller, plan)

        reseller.updateServicePlan(i_billing_plan=plan, **{name: GIVEN[name]})

        assert told(reseller, plan) == {**before, name: GIVEN[name]}

    def test_nil_clears_what_may_be_nil_and_nothing_else(self, reseller: Reseller, refused: Any) -> None:
        plan = made(reseller, **GIVEN)

        reseller.updateServicePlan(i_billing_plan=plan, description=None)

        assert told(reseller, plan)["description"] is None
        for name in ("name", "recurring_fee", "prepaid", "billing_cycle", "suspend_all_calls"):
            with refused(BadParameter.code, f"Parameter {name} must not be nil"):
                reseller.updateServicePlan(i_billing_plan=plan, **{name: None})

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("billing_cycle", 4, "must be between 1 and 3"),
            ("billing_cycle", 0, "must be between 1 and 3"),
            ("recurring_fee", -1, "must be between 0 and 1000000000000"),
            ("name", "", "must not be empty"),
        ],
    )
    def test_what_is_out_of_range_is_refused_by_name(
        self, reseller: Reseller, refused: Any, name: str, value: Any, text: str
    ) -> None:
        with refused(BadParameter.code, f"Parameter {name} {text}"):
            made(reseller, **{name: value})

    def test_its_prices_are_in_the_currency_of_its_tariff(
        self, customers: Customers, reseller: Reseller, refused: Any
    ) -> None:
        euros, yens = (customers.tariff(reseller, currency) for currency in ("EUR", "JPY"))
        plan = made(reseller, i_tariff=euros)

        assert told(reseller, plan)["iso_4217"] == "EUR"
        with refused(BadParameter.code, "Parameter i_tariff must be in EUR, as the prices of the plan are"):
            reseller.updateServicePlan(i_billing_plan=plan, i_tariff=yens)

    def test_its_tariff_is_one_of_its_customers(self, customers: Customers, reseller: Reseller, refused: Any) -> None:
        child = customers.reseller(reseller)
        plan = made(child)

        for tariff in (customers.tariff(customers.reseller()), customers.tariff(reseller)):
            with refused(WrongReference.code, "Wrong i_tariff"):
                made(child, i_tariff=tariff)
            with refused(WrongReference.code, "Wrong i_tariff"):
                reseller.updateServicePlan(i_billing_plan=plan, i_tariff=tariff)

    def test_that_of_everybody_is_told_and_listed_but_not_changed(self, reseller: Reseller, refused: Any) -> None:
        plan = told(reseller, 1)

        assert (plan["i_customer"], plan["recurring_fee"]) == (None, 0)
        assert reseller.listServicePlans()["list"][0]["i_billing_plan"] == 1
        for call, also in (
            ("updateServicePlan", {"name": "mine"}),
            ("deleteServicePlan", {}),
            ("addMinutePlan", MINUTES),
        ):
            with refused(NotFound.code, "Service plan not found"):
                getattr(reseller, call)(i_billing_plan=1, **also)

    def test_those_above_reach_it_and_nobody_else(self, customers: Customers, reseller: Reseller, refused: Any) -> None:
        child = customers.reseller(reseller)
        plan, foreign = made(child), made(customers.reseller())

        assert told(reseller, plan)["i_customer"] == child.i_customer
        with refused(NotFound.code, "Service plan not found"):
            told(reseller, foreign)
        with refused(NotFound.code, "Service plan not found"):
            told(child, made(reseller))

    def test_one_that_is_used_stays_and_says_by_what(self, reseller: Reseller, refused: Any) -> None:
        plan = made(reseller)
        account = reseller.createAccount(**new(i_billing_plan=plan))["i_account"]

        with refused(Conflict.code, "Service plan is still in use by 1 account (i_billing_plan)"):
            reseller.deleteServicePlan(i_billing_plan=plan)
        reseller.updateAccount(i_account=account, i_billing_plan=1)
        reseller.deleteServicePlan(i_billing_plan=plan)
        with refused(NotFound.code, "Service plan not found"):
            told(reseller, plan)

    def test_they_are_found_by_a_pattern_and_page_by_page(self, reseller: Reseller) -> None:
        plans = [made(reseller, name=f"Office {number}") for number in range(3)]
        made(reseller, name="Home")

        def page(**asked: Any) -> list[int]:
            found = reseller.listServicePlans(name_pattern="office _", **asked)["list"]
            return [one["i_billing_plan"] for one in found]

        assert page() == plans
        assert page(offset=1, limit=1) == plans[1:2]
        assert page(after=plans[1]) == plans[2:]


class TestMinutePlans:
    @pytest.fixture
    def plan(self, reseller: Reseller) -> int:
        return made(reseller)

    def test_all_that_is_given_comes_back(self, reseller: Reseller, plan: int) -> None:
        part = reseller.addMinutePlan(i_billing_plan=plan, **MINUTES)["i_service_plan"]

        own = {"i_service_plan": part, "i_customer": reseller.i_customer, "i_billing_plan": plan}
        assert told(reseller, plan)["minute_plans"] == [{**own, **MINUTES}]

    def test_one_is_changed_and_taken_out(self, reseller: Reseller, plan: int) -> None:
        part = reseller.addMinutePlan(i_billing_plan=plan, **MINUTES)["i_service_plan"]

        reseller.updateMinutePlan(i_service_plan=part, seconds_total=None, prefixes=["7", "1", "7"])
        (changed,) = told(reseller, plan)["minute_plans"]
        reseller.deleteMinutePlan(i_service_plan=part)

        assert (changed["seconds_total"], changed["prefixes"]) == (None, ["1", "7"])
        assert told(reseller, plan)["minute_plans"] == []

    @pytest.mark.parametrize("prefixes", [[], ["4a"], [""], ["1" * 33], [str(number) for number in range(501)]])
    def test_prefixes_are_digits_and_not_too_many(
        self, reseller: Reseller, plan: int, refused: Any, prefixes: list[str]
    ) -> None:
        with refused(BadParameter.code):
            reseller.addMinutePlan(i_billing_plan=plan, **{**MINUTES, "prefixes": prefixes})

    def test_a_plan_has_fifty_at_most(self, reseller: Reseller, plan: int, refused: Any) -> None:
        for _ in range(50):
            reseller.addMinutePlan(i_billing_plan=plan, **MINUTES)

        with refused(Conflict.code, "Service plan has 50 minute plans, which is the most"):
            reseller.addMinutePlan(i_billing_plan=plan, **MINUTES)

    def test_they_go_with_their_plan(self, server: Server, reseller: Reseller, plan: int) -> None:
        reseller.addMinutePlan(i_billing_plan=plan, **MINUTES)

        reseller.deleteServicePlan(i_billing_plan=plan)

        count = "SELECT count(*) FROM minute_plans WHERE i_billing_plan = :plan"
        assert server.sql(count, plan=plan) == [(0,)]

    def test_nobody_else_reaches_them(self, customers: Customers, reseller: Reseller, plan: int, refused: Any) -> None:
        part = reseller.addMinutePlan(i_billing_plan=plan, **MINUTES)["i_service_plan"]
        other = customers.reseller()

        for call, ids in (
            ("addMinutePlan", {"i_billing_plan": plan, **MINUTES}),
            ("updateMinutePlan", {"i_service_plan": part, "price": 1}),
            ("deleteMinutePlan", {"i_service_plan": part}),
        ):
            with refused(NotFound.code):
                getattr(other, call)(**ids)


@pytest.mark.parametrize(
    ("mask", "call"),
    [(6, "createServicePlan"), (5, "updateServicePlan"), (5, "addMinutePlan"), (3, "deleteServicePlan")],
)
def test_each_needs_its_bit(customers: Customers, refused: Any, mask: int, call: str) -> None:
    lacking = customers.reseller(tariffs_mgmt=mask)

    with refused(NotPermitted.code):
        getattr(lacking, call)(i_billing_plan=1, name="x", **MINUTES)


def test_their_customer_is_deleted_with_them_and_the_books_are_right(own: Server) -> None:
    customers = Customers(own)
    owner = customers.reseller()
    plan = made(owner, **{**GIVEN, "i_tariff": customers.tariff(owner)})
    owner.addMinutePlan(i_billing_plan=plan, **MINUTES)
    kept = made(own.api())

    own.api().deleteCustomer(i_customer=owner.i_customer)

    assert told(own.api(), kept)["i_customer"] == 1
    assert findings(own) == []
