"""A page of a list costs what it holds, however many rows there are, wherever it begins, and whose others are."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import Customers, Reseller
from harness import Server
from listed import LISTS, Listed, with_rows
from sqlalchemy import Table, make_url

from models import (
    Account,
    AuditEntry,
    AuthRule,
    Balance,
    Base,
    BillingPlan,
    Customer,
    Did,
    DidChargingGroup,
    DidDelegation,
    DidUse,
    Event,
    ExtendedRouting,
    LedgerEntry,
    PostAuthRule,
    Rate,
    Tariff,
    Voucher,
    WebUser,
)
from xmlrpc_api.transport import pages

PAGE = 10
MANY = 2000
NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) SELECT i FROM n"
NUMBER = "49301234567890"
AT_ONCE = {"Sort", "Incremental Sort", "Hash Join"}  # what reads to the end before it tells the first row
DEAREST_ROW = {"sqlite": 500, "postgresql": 8}  # instructions; rows that are read for it, with those it is joined with


class Spy:
    """Stands before a driver and keeps what it is asked."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.in_use = driver, 0
        self.asked: list[tuple[str, list[Any]]] = []

    async def fetch(self, sql: str, values: list[Any], *, is_short: bool) -> list[Any]:
        self.asked.append((sql, values))
        found: list[Any] = await self.driver.fetch(sql, values, is_short=is_short)
        return found

    async def close(self) -> None:
        await self.driver.close()


@dataclass(frozen=True)
class Statement:
    """What reads a page."""

    server: Server
    sql: str
    values: list[Any]

    @property
    def is_sqlite(self) -> bool:
        return self.server.config.is_sqlite

    def plan(self) -> list[Any]:
        """The steps of its plan: on SQLite sentences, on PostgreSQL nodes, those within others behind them."""
        explain = "EXPLAIN QUERY PLAN " if self.is_sqlite else "EXPLAIN (ANALYZE, FORMAT JSON) "
        driver = self.server.app[pages.DATABASE]._driver
        found = self.server.run(lambda _: driver.fetch(explain + self.sql, self.values, is_short=False))
        return [row[-1] for row in found] if self.is_sqlite else list(_nodes(json.loads(found[0][0])[0]["Plan"]))

    def cost(self) -> float:
        """The instructions that it takes, on SQLite; the rows that it reads, on PostgreSQL."""
        if not self.is_sqlite:
            return sum(
                node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
                for node in self.plan()
                if "Relation Name" in node
            )
        instructions = 0

        def count() -> int:
            nonlocal instructions
            instructions += 1
            return 0

        connection = sqlite3.connect(str(make_url(self.server.config.database_url).database))
        connection.set_progress_handler(count, 1)
        connection.execute(self.sql, self.values).fetchall()
        connection.close()
        return instructions


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


@dataclass(frozen=True)
class Big:
    """Many rows of one reseller, and as many of another before and behind them."""

    server: Server
    reseller: Reseller
    i_customer: int

    def page(self, listed: Listed, **asked: Any) -> Statement:
        """The statement that reads a page of this reseller."""
        database = self.server.app[pages.DATABASE]
        spy = database._driver = Spy(database._driver)
        try:
            assert len(self._ids(listed, limit=PAGE, **asked)) == PAGE
        finally:
            database._driver = spy.driver
        return Statement(self.server, *spy.asked[-1])

    def last_page(self, listed: Listed) -> Statement:
        """The same of the last whole page."""
        whole = page = self._ids(listed, limit=listed.most)
        while page := self._ids(listed, limit=listed.most, after=page[-1]):
            whole += page
        assert len(whole) > MANY
        return self.page(listed, after=whole[-PAGE - 1])

    def _ids(self, listed: Listed, **asked: Any) -> list[int]:
        api = self.server.api() if listed.of_subtree else self.reseller
        return listed.ids(api, self.i_customer, **asked)


@pytest.fixture(scope="module")
def big(own: Server) -> Big:
    customers = Customers(own)
    (mine, of_mine), others = (with_rows(customers, customers.reseller(balance=1000)) for _ in range(2))
    for part, whose in enumerate((others, (mine, of_mine), others)):
        fill(own, *whose, f"part-{part}")
    if not own.config.is_sqlite:
        own.sql("ANALYZE")
    return Big(own, mine, of_mine)


def fill(server: Server, reseller: Reseller, i_customer: int, part: str) -> None:
    """Many rows for each list of a reseller."""
    him, name = f"i_customer = {reseller.i_customer}", f"'{part}-' || n.i"
    balance = f"i_balance = (SELECT i_balance FROM balances WHERE i_customer = {i_customer} AND is_default)"
    new = "NOT IN (SELECT i_customer FROM"
    of_customers = (
        f"SELECT i_customer AS i FROM customers WHERE i_wholesaler = {reseller.i_customer} AND i_customer {new}"
    )
    of_accounts = f"SELECT i_account AS i FROM accounts WHERE {him} AND i_account NOT IN"
    login, of_default = ({"web_login": one, "web_login_key": one} for one in (name, f"'default-' || {name}"))
    used = f"'{part}-used-' || n.i"
    of_dids = f"SELECT i_did AS i FROM dids WHERE {him} AND did_key LIKE '{part}-used-%'"
    of_root = "SELECT i_did AS i FROM dids WHERE i_customer = 1 AND i_did NOT IN (SELECT i_did FROM"
    for model, like, numbers, values in (
        (LedgerEntry, f"{balance} AND i_payee IS NOT NULL", NUMBERS, {}),
        (AuditEntry, f"i_customer = {i_customer}", NUMBERS, {"uid": name, "seq": "NULL", "hash": "NULL"}),
        (Event, f"i_customer = {i_customer}", NUMBERS, {}),
        (WebUser, f"{him} AND NOT is_default", NUMBERS, login),
        (Tariff, him, NUMBERS, {"name": name}),
        (Did, "i_customer = 1", NUMBERS, {"did_key": f"'{part}-{i_customer}-' || n.i"}),
        (DidDelegation, him, f"{of_root} did_delegations)", {"i_did": "n.i"}),
        (BillingPlan, him, NUMBERS, {"name": name}),
        (Voucher, him, NUMBERS, {"series": name, "pin": name}),
        (DidChargingGroup, him, NUMBERS, {"name": name}),
        *((Did, him, NUMBERS, {"did_key": one, "end_key": one}) for one in (name, used)),
        (DidUse, f"{him} AND i_account IS NOT NULL", of_dids, {"i_did": "n.i"}),
        (AuthRule, him, NUMBERS, {"incoming_cli": name}),
        (PostAuthRule, him, NUMBERS, {"cli": name}),
        (ExtendedRouting, f"i_customer = {i_customer}", NUMBERS, {}),
        (Account, him, NUMBERS, {"username": name, "username_key": name, "authname": name}),
        (Customer, f"i_customer = {i_customer}", NUMBERS, {"name": name, "name_key": name}),
        (Balance, balance, f"{of_customers} balances)", {"i_customer": "n.i"}),
        (WebUser, f"i_customer = {i_customer}", f"{of_customers} web_users)", {"i_customer": "n.i", **of_default}),
        (
            Balance,
            balance,
            f"{of_accounts} (SELECT i_account FROM balances WHERE i_account IS NOT NULL)",
            {"i_account": "n.i", "is_default": "false"},
        ),
    ):
        multiply(server, model, like, numbers, values)


def multiply(server: Server, model: type[Base], like: str, numbers: str, replaced: dict[str, str]) -> None:
    """Make a row like the first of these for each of the numbers n.i, with these expressions in place of its values."""
    table = model.__table__
    assert isinstance(table, Table)
    key = table.primary_key.columns[0].name
    names = [column.name for column in table.columns if column.name != key]
    values = ", ".join(replaced.get(name, f"t.{name}") for name in names)
    one = f"SELECT * FROM {table.name} WHERE {key} = (SELECT min({key}) FROM {table.name} WHERE {like})"
    server.sql(f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {values} FROM ({one}) AS t, ({numbers}) AS n")


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_the_last_page_costs_what_it_holds_as_the_first(big: Big, engine: str, listed: Listed) -> None:
    first, last = big.page(listed), big.last_page(listed)

    assert first.cost() <= DEAREST_ROW[engine] * PAGE
    assert last.cost() <= DEAREST_ROW[engine] * PAGE


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_nothing_but_a_page_is_sorted_or_looked_at(big: Big, listed: Listed) -> None:
    for page in (big.page(listed), big.last_page(listed)):
        plan = page.plan()
        if page.is_sqlite:
            assert listed.is_sorted or not any("TEMP B-TREE" in step for step in plan), plan
        else:
            whole = [inner for node in plan if node["Node Type"] in AT_ONCE for inner in node["Plans"]]
            assert all(inner["Actual Rows"] <= PAGE * (1 + listed.is_sorted) for inner in whole), plan
            assert not any(node["Node Type"] == "Seq Scan" for node in plan), plan


def test_the_history_of_an_object_is_not_sought_among_that_of_others(big: Big, engine: str) -> None:
    listed, asked = LISTS["audit log"], {"resource": f"customers:i_customer={big.i_customer}"}
    newest = listed.ids(big.server.api(), big.i_customer, limit=PAGE, **asked)

    for page in (big.page(listed, **asked), big.page(listed, after=newest[-1], **asked)):
        assert page.cost() <= DEAREST_ROW[engine] * PAGE


@pytest.fixture(scope="module")
def i_tariff(big: Big) -> int:
    """Rates, as many as rows of a list; of each prefix of a number one that has ended, but for the first."""
    made = Customers(big.server).tariff(big.reseller)
    dates = {"activation_date": "20200101T00:00:00", "expiration_date": "20210101T00:00:00"}
    big.reseller.addRate(i_tariff=made, prefix=NUMBER[0], price_1=1)
    for digits in range(2, len(NUMBER) + 1):
        big.reseller.addRate(i_tariff=made, prefix=NUMBER[:digits], price_1=1, **dates)
    multiply(big.server, Rate, f"i_tariff = {made}", NUMBERS, {"prefix": "CAST(5000 + n.i AS VARCHAR)"})
    big.server.sql("ANALYZE")
    return made


def test_a_rate_is_found_by_one_look_into_one_index_for_each_digit(big: Big, i_tariff: int) -> None:
    spy = big.server.app[pages.DATABASE]._driver = Spy(big.server.app[pages.DATABASE]._driver)
    told = big.reseller.getRate(i_tariff=i_tariff, cld=NUMBER)["rate"]
    big.server.app[pages.DATABASE]._driver = spy.driver
    statement = Statement(big.server, *next(asked for asked in spy.asked if "rates" in asked[0]))

    plan = statement.plan()

    assert told["prefix"] == NUMBER[0]
    if statement.is_sqlite:
        by_key, by_id = sorted(step for step in plan if "rates" in step)
        assert by_key.startswith("SEARCH rates USING COVERING INDEX sqlite_autoindex_rates_1 (i_tariff=? AND prefix=?")
        assert by_id == "SEARCH rates USING INTEGER PRIMARY KEY (rowid=?)"
    else:
        (look,) = (node for node in plan if node.get("Relation Name") == "rates")
        assert (look["Index Name"], look["Actual Loops"]) == ("uq_rates_i_tariff_prefix_activation_date", len(NUMBER))
        assert statement.cost() <= len(NUMBER)
