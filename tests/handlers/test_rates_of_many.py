"""Rates changed by many at once, and many rates changed at once: what there is stays what the history says."""

import json
import random
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from books import findings
from callers import NOBODY
from conftest import Customers, Reseller
from crowd import OK, Crowd, call
from harness import Server, test_config, unique
from sqlalchemy import delete, insert, update

from models import Rate
from xmlrpc_api.call import Call, Origin
from xmlrpc_api.declaration.faults import Conflict, NotFound, WrongReference
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.services.catalogue import rates
from xmlrpc_api.services.catalogue.rate_sums import RateSum
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.transport import http

FROM, UNTIL = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
AS_SENT = "20300101T00:00:00"
Work = Callable[[Call, RateSum], Any]


def rate(i_tariff: int, prefix: object, **attributes: Any) -> dict[str, Any]:
    """All that a rate is, as an upload would write it."""
    steps = {"price_1": Decimal("0.0123456789"), "price_n": Decimal(1), "interval_1": 60, "interval_n": 1}
    flags = {"forbidden": False, "grace_period_enable": False, "area_name": "Köln", "i_upload": None}
    dates = {"activation_date": FROM, "expiration_date": None}
    return {"i_tariff": i_tariff, "prefix": str(prefix), **steps, **flags, **dates, **attributes}


class Bulk:
    """Changes many rates of a tariff of somebody's, as an upload does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reseller = Customers(server).reseller()
        self.i_tariff = Customers(server).tariff(self.reseller)

    def perform(self, change: Work) -> None:
        async def work(call: Call) -> None:
            changed = RateSum()
            tariff = await rates.hold(call, self.i_tariff)
            await change(call, changed)
            await rates.note_many(call, tariff, changed, {"sha256": "0" * 64})

        async def run(database: Any) -> None:
            caller = await ownership.load_caller(database, self.reseller.i_customer)
            assert caller is not None
            origin = Origin(request_id="test", face=Face.CLI, address=NOBODY, login=caller)
            await self.server.app[http.GATE].dispatcher.perform(origin, "test", caller, work)

        self.server.run(run)

    def add(self, *prefixes: object) -> list[Mapping[str, Any]]:
        added = [rate(self.i_tariff, prefix) for prefix in prefixes]

        async def change(call: Call, changed: RateSum) -> None:
            await call.session.execute(insert(Rate), added)
            for one in added:
                changed.add(one)

        self.perform(change)
        return added

    def close(self, closed: Iterable[Mapping[str, Any]]) -> None:
        async def change(call: Call, changed: RateSum) -> None:
            for one in closed:
                key = (Rate.i_tariff == one["i_tariff"], Rate.prefix == one["prefix"])
                await call.session.execute(update(Rate).where(*key).values(expiration_date=UNTIL))
                changed.take(one)
                changed.add({**one, "expiration_date": UNTIL})

        self.perform(change)

    def drop(self, gone: Iterable[Mapping[str, Any]]) -> None:
        async def change(call: Call, changed: RateSum) -> None:
            for one in gone:
                await call.session.execute(delete(Rate).where(Rate.prefix == one["prefix"]))
                changed.take(one)

        self.perform(change)


@pytest.fixture
def bulk(spoilt: Server) -> Bulk:
    return Bulk(spoilt)


def found(bulk: Bulk) -> list[str]:
    return [one for one in findings(bulk.server) if f"tariff {bulk.i_tariff} " in one]


def test_an_upload_is_one_row_of_the_history_and_is_proved(bulk: Bulk) -> None:
    first, second, third = bulk.add(1, 2, 3)
    single = bulk.reseller.addRate(i_tariff=bulk.i_tariff, prefix="4", price_1=1)["i_rate"]
    bulk.reseller.updateRate(i_rate=single, price_1=2)
    bulk.close([first, second])
    bulk.drop([third])

    (rows,) = bulk.server.sql(
        "SELECT COUNT(*) FROM audit_log WHERE object_type = 'tariffs' AND object_id = :i AND action = 'RATES'",
        i=bulk.i_tariff,
    )
    assert (rows[0], found(bulk)) == (3, [])


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE rates SET price_1 = price_1 + 1 WHERE i_tariff = :i AND prefix = '1'",
        "UPDATE rates SET expiration_date = NULL WHERE i_tariff = :i AND prefix = '2'",
        "UPDATE rates SET prefix = '9' WHERE i_tariff = :i AND prefix = '2'",
        "DELETE FROM rates WHERE i_tariff = :i AND prefix = '1'",
    ],
)
def test_a_forged_rate_of_an_upload_is_found_and_stays_so_behind_the_next(bulk: Bulk, forged: str) -> None:
    added = bulk.add(1, 2, 3)
    bulk.close(added[1:])

    bulk.server.sql(forged, i=bulk.i_tariff)

    assert len(found(bulk)) == 1
    bulk.add(4, 5)
    bulk.reseller.addRate(i_tariff=bulk.i_tariff, prefix="7", price_1=1)
    assert len(found(bulk)) == 1
    bulk.reseller.deleteAllRatesInTariff(i_tariff=bulk.i_tariff)
    assert found(bulk) == []


def test_of_many_who_add_the_same_at_once_one_does(
    reseller: Reseller, customers: Customers, variant: Callable[..., Server]
) -> None:
    mine = {"i_customer": reseller.i_customer, "i_tariff": customers.tariff(reseller)}
    new = {**mine, "prefix": "49", "price_1": 1, "activation_date": AS_SENT}

    answers = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 8).do([call("addRate", **new)] * 16)

    assert sorted(map(str, (one["result"] if isinstance(one, dict) else one for one in answers))) == [
        *["409"] * 15,
        OK,
    ]


def test_whoever_changes_rates_at_once_the_history_has_them_in_order(own: Server) -> None:
    customers, chance = Customers(own), random.Random(7)
    reseller = customers.reseller()
    server = Server(test_config(own.config.database_url, trusted_hosts=["127.0.0.1"]), own.root_password)
    mine = {"i_customer": reseller.i_customer, "i_tariff": customers.tariff(reseller)}
    key = {**mine, "activation_date": AS_SENT}

    def work() -> Any:
        prefix = str(chance.randint(1, 5))
        return chance.choice(
            [
                call("addRate", **key, prefix=prefix, price_1=1),
                call("addRate", **key, prefix=prefix, price_1=1),
                call("updateRate", **key, prefix=prefix, price_1=chance.randint(0, 9)),
                call("deleteRate", **key, prefix=prefix),
                call("deleteAllRatesInTariff", **mine),
            ]
        )

    answers = Crowd(server.url, 8).do([work() for _ in range(120)])
    server.close()

    assert {one for one in answers if isinstance(one, int)} <= {NotFound.code, Conflict.code}
    assert findings(own) == []


def test_a_tariff_is_given_or_deleted_but_not_both(
    reseller: Reseller, customers: Customers, variant: Callable[..., Server]
) -> None:
    crowd = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 8)
    whose = {"i_customer": reseller.i_customer}
    for _ in range(8):
        i_tariff = customers.tariff(reseller)
        new = {"name": unique(), "web_password": "s3cret-Web", "i_tariff": i_tariff}
        made = call("createCustomer", i_wholesaler=reseller.i_customer, **new)

        given, deleted = crowd.do([made, call("deleteTariff", **whose, i_tariff=i_tariff)])

        assert (deleted == Conflict.code) is isinstance(given, dict)
        assert isinstance(given, dict) or given in (WrongReference.code, Conflict.code)


@pytest.mark.one_engine
def test_scripts_send_a_bare_number(reseller: Reseller, customers: Customers, server: Server) -> None:
    i_tariff = customers.tariff(reseller)

    def answer(action: str, sent: object) -> Any:
        login = {"username": reseller.login, "apipassword": "s3cret-Api"}
        body = urllib.parse.urlencode({**login, "action": action, "JSONString": json.dumps(sent)}).encode()
        with urllib.request.urlopen(f"{server.address}/api.php", body) as reply:
            return json.loads(reply.read())

    assert answer("getTariffInfo", i_tariff)["tariff"]["i_tariff"] == i_tariff
    assert answer("getTariffInfo", True)["faultString"] == "getTariffInfo takes one struct"
    assert answer("updateTariff", i_tariff)["faultString"] == "updateTariff takes one struct"
    assert answer("deleteTariff", i_tariff) == {"result": "OK"}
    assert answer("getTariffInfo", i_tariff)["faultCode"] == NotFound.code
