"""Each day is charged once: by many at once, after a failure in the middle; and `verify` proves it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from books import findings
from harness import Server
from office import Office

from xmlrpc_api import background

AT_ONCE = 16
FAILING = {
    "sqlite": (
        """CREATE TRIGGER fails BEFORE INSERT ON plan_charges WHEN NEW.item = 'minutes'
        BEGIN SELECT RAISE(ABORT, 'failed'); END""",
    ),
    "postgresql": (
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'failed'; END $$",
        """CREATE TRIGGER fails BEFORE INSERT ON plan_charges FOR EACH ROW WHEN (NEW.item = 'minutes')
        EXECUTE FUNCTION fail()""",
    ),
}
WORKING = {"sqlite": "DROP TRIGGER fails", "postgresql": "DROP TRIGGER fails ON plan_charges"}


@pytest.fixture
def office(fresh: Server) -> Office:
    office = Office(fresh, fresh.stop_clock())
    office.at("01-31T10:00:00")
    return office


def together(works: list[Callable[[], Any]]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


class TestManyAtOnce:
    def test_billing_of_many_processes(self, office: Office, fresh: Server) -> None:
        plan = office.plan(29)
        accounts = [office.account(plan) for _ in range(5)]
        office.clock.move(29 * 86400)

        async def work(database: Any) -> None:
            await asyncio.gather(*(background.bill(fresh.platform, database) for _ in range(AT_ONCE)))

        fresh.run(work)

        assert [office.fees(account) for account in accounts] == [[29]] * 5
        assert findings(fresh) == []

    @pytest.mark.parametrize("is_prepaid", [False, True])
    def test_runs_that_are_asked_for_while_billing_goes_on(self, office: Office, is_prepaid: bool) -> None:
        account = office.account(office.plan(29, prepaid=is_prepaid))
        office.clock.move(11 * 86400)

        def run() -> None:
            office.another().billingRun(i_account=account)

        together([run] * AT_ONCE + [office.bill] * 2)

        assert sum(office.fees(account)) == (29 if is_prepaid else 11)
        assert findings(office.server) == []

    def test_plans_changed_to_and_fro_while_billing_goes_on(self, office: Office) -> None:
        """Whoever was last: its price counts from today, what was paid ahead for another comes back."""
        plans = [office.plan(29, prepaid=True), office.plan(58, prepaid=True)]
        account = office.account(plans[0])
        office.bill()
        office.clock.move(11 * 86400)

        def change(plan: int) -> Callable[[], Any]:
            return lambda: office.another().updateAccount(i_account=account, i_billing_plan=plan)

        together([change(plans[number % 2]) for number in range(AT_ONCE)] + [office.bill] * 4)
        office.bill()

        last = office.told(account)["i_billing_plan"]
        assert sum(office.fees(account)) == (29 if last == plans[0] else 11 + 36)
        assert findings(office.server) == []


@pytest.mark.each_engine
def test_what_fails_in_the_middle_is_done_whole_later(office: Office, fresh: Server, engine: str) -> None:
    plan = office.plan(29)
    office.api.addMinutePlan(i_billing_plan=plan, description="x", prefixes=["49"], price=5.8)
    account = office.account(plan)
    for statement in FAILING[engine]:
        fresh.sql(statement)

    office.at("02-29T00:00:00")
    assert office.fees(account) == []
    fresh.sql(WORKING[engine])
    office.at("02-29T00:30:00")
    assert office.fees(account) == []
    office.at("02-29T01:00:00")

    assert office.fees(account) == [29, 5.8]
    assert findings(fresh) == []


def test_what_is_edited_by_sql_is_found(office: Office, fresh: Server) -> None:
    account = office.account(office.plan(29, prepaid=True))
    office.bill()
    ((charge, booking),) = fresh.sql("SELECT i_plan_charge, i_ledger FROM plan_charges")

    fresh.sql("UPDATE plan_charges SET amount = 1000000, refunded = 2000000")
    assert findings(fresh) == [
        f"booking {booking} is not that of its charge",
        f"charge {charge} was given back with more",
    ]
    fresh.sql(
        "INSERT INTO plan_charges"
        " (i_customer, i_account, i_plan_span, item, i_item, begins, ends, amount, i_ledger, refunded)"
        " SELECT i_customer, i_account, i_plan_span, item, i_item, :day, ends, 0, :other, 0 FROM plan_charges",
        day=date(2028, 2, 5),
        other=fresh.sql("SELECT min(i_ledger) FROM ledger")[0][0],
    )

    assert f"charge {charge} is for days charged twice" in findings(fresh)
    assert office.fees(account) == [29]
