"""The rate of a number: among many rates it costs what it costs among few."""

import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import calls, seed, servers
from benchmarks.calls import XMLRPC, Call
from benchmarks.cases.case import Case, Contenders, compared
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.judging import at_least
from benchmarks.laboratory import OURS, SMALL, Laboratory, each
from benchmarks.measuring import Contender, Ratio

TARIFFS = 10
FEWER = "among 1,000 rates"
FIRST_PREFIX = 100_000
BEHIND = "555123"  # digits of a number behind its prefix


def _fill(tariffs: int, rates: int) -> Callable[[str], None]:
    """Tariffs of the reseller with so many rates each, of prefixes that follow each other."""

    def fill(url: str) -> None:
        seed.make(url, SMALL)
        with servers.product(url, trusted_hosts="127.0.0.1") as running:
            samples = [_sample(f"http://127.0.0.1:{running.port}{XMLRPC}", number) for number in range(tariffs)]
        for number, i_rate in enumerate(samples):
            added = {"i_rate": f"i + {tariffs + 1 + number * rates - FIRST_PREFIX}", "prefix": "CAST(i AS TEXT)"}
            seed.clone(url, "rates", f"i_rate = {i_rate}", added, range(FIRST_PREFIX, FIRST_PREFIX + rates))
        seed.finish(url)

    return fill


def _sample(address: str, number: int) -> int:
    """A tariff and a rate, of which the others are copies."""
    with xmlrpc.client.ServerProxy(address, allow_none=True) as server:
        api: Any = server
        tariff = {"name": f"tariff-{number}", "currency": "USD", "i_customer": seed.RESELLER_ID}
        i_tariff = api.createTariff(tariff)["i_tariff"]
        rate = {"prefix": "9", "price_1": 0.0195, "interval_1": 30, "interval_n": 6, "area_name": "Berlin"}
        made: dict[str, int] = api.addRate({**rate, "i_tariff": i_tariff, "i_customer": seed.RESELLER_ID})
        return made["i_rate"]


def _asked(tariffs: int, rates: int) -> Callable[[], Iterator[Call]]:
    """One number after another, by one tariff after another; its prefix must be told."""

    def sent() -> Iterator[Call]:
        for place in each(0, tariffs * rates):
            prefix = FIRST_PREFIX + place % rates
            wanted = {"i_tariff": 1 + place // rates, "cld": f"{prefix}{BEHIND}"}
            yield calls.document("getRate", wanted), b">%d<" % prefix

    return sent


def _rates(engine: str) -> Contenders:
    @contextmanager
    def contenders(laboratory: Laboratory) -> Iterator[list[Contender]]:
        each_has = laboratory.scale.million // TARIFFS
        many = laboratory.url(engine, "many_rates", _fill(TARIFFS, each_has))
        few = laboratory.url(engine, "few_rates", _fill(1, SMALL))
        with laboratory.ours(many) as ours, laboratory.ours(few, FEWER) as small:
            yield [ours.asked(_asked(TARIFFS, each_has)), small.asked(_asked(1, SMALL))]

    return contenders


def _case(name: str, engine: str, called: str) -> Case:
    return compared(
        name,
        f"getRate among 1,000,000 rates of 10 tariffs, {called}",
        "The rate of any number, and the price of a minute, among 1,000,000 rates beside the same among 1,000.",
        _rates(engine),
        [Ratio(OURS, FEWER, at_least(0.85))],
        connections=(32,),
    )


CASES: tuple[Case, ...] = (
    _case("rate", POSTGRESQL, "PostgreSQL"),
    _case("rate-sqlite", SQLITE, "SQLite"),
)
