"""What accounts have left of their minute plans, and which of them covers a number."""

from datetime import date
from typing import Any

import pytest
from harness import Server
from office import Office

from xmlrpc_api.declaration.faults import NoMinutePlan, NotFound


@pytest.fixture
def office(own: Server) -> Office:
    office = Office(own, own.stop_clock())
    office.at("01-31T10:00:00")
    return office


def part(office: Office, plan: int, *prefixes: str, **attributes: Any) -> int:
    given = {"description": "x", "prefixes": list(prefixes), "seconds_total": 600, **attributes}
    added: int = office.api.addMinutePlan(i_billing_plan=plan, **given)["i_service_plan"]
    return added


def use(office: Office, account: int, minutes: int, begins: date, seconds: int) -> None:
    """What rating writes."""
    statement = "INSERT INTO minute_uses (i_account, i_service_plan, begins, seconds) VALUES (:a, :m, :b, :s)"
    office.server.sql(statement, a=account, m=minutes, b=begins, s=seconds)


def left(office: Office, account: int) -> list[Any]:
    return [row["seconds_left"] for row in office.api.getAccountMinutePlans(i_account=account)["minute_plans"]]


def test_they_are_told_as_documented(office: Office) -> None:
    plan = office.plan()
    minutes = part(office, plan, "49", description="Landlines", price=5, chargeable_seconds=10)

    told = office.api.getAccountMinutePlans(i_account=office.account(plan))["minute_plans"]

    assert told == [
        {
            "i_service_plan": minutes,
            "description": "Landlines",
            "price": 5,
            "seconds_total": 600,
            "seconds_left": 600,
            "chargeable_seconds": 10,
        }
    ]
    assert office.api.getAccountMinutePlans(i_account=office.account(1))["minute_plans"] == []


def test_what_was_used_counts_until_the_cycle_is_over(office: Office) -> None:
    plan = office.plan()
    some, endless = part(office, plan, "49"), part(office, plan, "43", seconds_total=None)
    account = office.account(plan)
    use(office, account, some, date(2028, 1, 31), 250)
    use(office, account, endless, date(2028, 1, 31), 250)

    assert left(office, account) == [350, None]
    office.at("02-28T23:59:59")
    assert left(office, account) == [350, None]
    office.at("02-29T00:00:00")
    assert left(office, account) == [600, None]
    use(office, account, some, date(2028, 2, 29), 700)
    assert left(office, account) == [0, None]


def test_the_longest_prefix_covers_a_number(office: Office, refused: Any) -> None:
    plan = office.plan()
    country, city = part(office, plan, "43", "49"), part(office, plan, "4930", seconds_total=None)
    account = office.account(plan)

    def match(cld: str) -> Any:
        return office.api.matchAccountMinutePlan(i_account=account, cld=cld)

    assert match("+49301234") == {"result": "OK", "i_service_plan": city, "seconds_total": None, "seconds_left": None}
    assert match("4989")["i_service_plan"] == match("431")["i_service_plan"] == country
    for cld in ("1", "", "4", "sip:4930@example.com"):
        with refused(NoMinutePlan.code, "No minute plan matches"):
            match(cld)


def test_of_equals_one_with_seconds_left_covers_it(office: Office) -> None:
    plan = office.plan()
    used, spare = part(office, plan, "49"), part(office, plan, "49")
    account = office.account(plan)
    use(office, account, used, date(2028, 1, 31), 600)

    assert office.api.matchAccountMinutePlan(i_account=account, cld="49")["i_service_plan"] == spare


def test_while_the_plan_rests_nothing_is_left(office: Office) -> None:
    plan = office.plan(29, prepaid=True)
    part(office, plan, "49", seconds_total=None)
    account = office.account(plan, balance=0)

    office.bill()

    assert left(office, account) == [0]


def test_nobody_else_sees_them(office: Office, refused: Any) -> None:
    account = office.account(office.plan())
    other = office.customers.reseller()

    for method, also in (("getAccountMinutePlans", {}), ("matchAccountMinutePlan", {"cld": "49"})):
        with refused(NotFound.code, "Account not found"):
            getattr(other, method)(i_account=account, **also)
