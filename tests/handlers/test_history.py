"""Versions, the change history, and what somebody who owns the database cannot hide."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from books import findings, seal
from conftest import Customers, Reseller
from faces import Api
from harness import Clock, Server

from xmlrpc_api.call import utc_now
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound

SECRETS = ("c4nary-Web", "c4nary-Api", "c4nary-New")


class TestVersions:
    def test_counts_every_change(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller)
        reseller.updateCustomer(i_customer=i_customer, city="Berlin")
        reseller.updateCustomer(i_customer=i_customer, city="Berlin")
        reseller.blockCustomer(i_customer=i_customer)

        assert reseller.info(i_customer)["version"] == 3

    def test_a_stale_update_is_refused_with_the_present_version(
        self, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        i_customer = customers.make(reseller)
        reseller.updateCustomer(i_customer=i_customer, city="Berlin", if_version=1)

        with refused(Conflict.code, "Customer has changed meanwhile: his version is 2"):
            reseller.updateCustomer(i_customer=i_customer, city="Paris", if_version=1)
        assert reseller.info(i_customer)["city"] == "Berlin"

    def test_a_stale_delete_is_refused(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        i_customer = customers.make(reseller)
        reseller.updateCustomer(i_customer=i_customer, city="Berlin")

        with refused(Conflict.code):
            reseller.deleteCustomer(i_customer=i_customer, if_version=1)
        reseller.deleteCustomer(i_customer=i_customer, if_version=2)

    def test_a_balance_is_not_set_over_another_booking(
        self, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        i_customer = customers.make(reseller, balance=10)
        reseller.customerDebit(i_customer=i_customer, amount=1, currency="USD")

        with refused(Conflict.code, "Balance has changed meanwhile: it is 9"):
            reseller.updateCustomer(i_customer=i_customer, balance=20, if_balance=10)
        reseller.updateCustomer(i_customer=i_customer, balance=20, if_balance=9)

    def test_a_condition_alone_is_no_change(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        with refused(BadParameter.code, "At least one parameter to change is required"):
            reseller.updateCustomer(i_customer=customers.make(reseller), if_version=1)


class TestHistory:
    def test_tells_who_changed_what(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, city="Rome")
        reseller.updateCustomer(i_customer=i_customer, city="Berlin")

        row = reseller.getCustomerHistory(i_customer=i_customer)["records"][0]

        assert row["action"] == "U"
        assert row["method"] == "updateCustomer"
        assert row["i_customer_actor"] == reseller.i_customer
        assert (row["trusted"], row["address"], row["dialect"]) == (False, "127.0.0.1", "xmlrpc")
        assert row["resource"] == f"customers:i_customer={i_customer}"
        assert row["before"] == {"city": "Rome", "version": 1}
        assert row["after"] == {"city": "Berlin", "version": 2}

    def test_every_kind_of_change_leaves_a_row(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, balance=2)
        reseller.updateCustomer(i_customer=i_customer, city="Berlin")
        reseller.blockCustomer(i_customer=i_customer)
        reseller.setLowBalance(i_customer=i_customer, threshold=1)
        reseller.updateCustomer(i_customer=i_customer, balance=0)
        reseller.deleteCustomer(i_customer=i_customer)

        actions = [row["action"] for row in reseller.getCustomerHistory(i_customer=i_customer)["records"]]

        assert actions == ["D", "FUNDS", "U", "U", "U", "FUNDS", "A"]

    def test_what_is_taken_away_below_is_noted_for_each(
        self, root: Api, reseller: Reseller, customers: Customers
    ) -> None:
        child = customers.reseller(reseller)
        root.updateCustomer(i_customer=reseller.i_customer, customers_mgmt=3)

        row = root.getCustomerHistory(i_customer=child.i_customer)["records"][0]

        assert row["before"] == {"customers_mgmt": 7, "version": 1}
        assert row["after"] == {"customers_mgmt": 3, "version": 2}

    def test_a_refused_change_leaves_none(self, reseller: Reseller, customers: Customers, refused: Any) -> None:
        i_customer = customers.make(reseller)
        with refused(BadParameter.code):
            reseller.updateCustomer(i_customer=i_customer, email="nonsense")

        assert len(reseller.getCustomerHistory(i_customer=i_customer)["records"]) == 1

    def test_holds_no_secret(self, server: Server, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, web_password=SECRETS[0], api_password=SECRETS[1], api_access=1)
        reseller.updateCustomer(i_customer=i_customer, web_password=SECRETS[2])

        row = reseller.getCustomerHistory(i_customer=i_customer)["records"][0]
        dump = str(server.sql("SELECT * FROM audit_log WHERE i_customer = :c", c=i_customer))

        assert row["after"]["web_password"] == "changed"
        assert not any(secret in dump for secret in SECRETS)
        assert "$2b$" not in dump

    def test_shows_a_customer_his_own_subtree_alone(
        self, root: Api, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        foreign = customers.make(root)
        grandchild = customers.make(customers.reseller(reseller))

        seen = {row["i_customer"] for row in reseller.getAuditLogs()["records"]}

        assert grandchild in seen
        assert foreign not in seen
        with refused(NotFound.code, "Customer not found"):
            reseller.getCustomerHistory(i_customer=foreign)

    def test_filters(self, reseller: Reseller, customers: Customers) -> None:
        one, other = customers.make(reseller), customers.make(reseller)
        reseller.updateCustomer(i_customer=one, city="Berlin")

        def rows(**filters: Any) -> list[tuple[int, str]]:
            return [(row["i_customer"], row["action"]) for row in reseller.getAuditLogs(**filters)["records"]]

        assert rows(resource=f"customers:i_customer={one}") == [(one, "U"), (one, "A")]
        assert rows(action="U") == [(one, "U")]
        assert rows(i_customer_actor=reseller.i_customer, limit=1, offset=1) == [(other, "A")]
        assert rows(resource="customers:i_customer=nonsense") == []
        assert rows(start_date=(utc_now() + timedelta(hours=1)).strftime("%Y%m%dT%H:%M:%S")) == []


class TestTime:
    def test_a_call_has_one_for_all_that_it_writes(self, fresh: Server) -> None:
        """However long it takes: here time goes on whenever it is looked at."""
        seconds, start = itertools.count(), utc_now().replace(microsecond=0)
        fresh.platform.clock = lambda: start + timedelta(seconds=next(seconds))

        made = fresh.api().createCustomer(name="one", web_password="s3cret-Web", i_tariff=None, balance=5)

        i_customer = made["i_customer"]
        written = [
            *fresh.sql("SELECT created FROM audit_log WHERE i_customer = :one", one=i_customer),
            *fresh.sql("SELECT created FROM ledger"),
            *fresh.sql("SELECT payment_time FROM ledger"),
            *fresh.sql("SELECT changed FROM customers WHERE i_customer = :one", one=i_customer),
        ]
        assert len(written) == 5
        assert len({row[0] for row in written}) == 1


class TestAsOf:
    @pytest.fixture
    def clock(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """The server's time, which stands still until it is moved."""
        clock = Clock()
        monkeypatch.setattr(server.platform, "clock", clock)
        return clock

    def test_tells_a_customer_as_he_was(self, clock: Clock, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, city="Rome", balance=5, max_calls_per_second=1.5)
        before = reseller.info(i_customer)
        then = clock.tick()
        reseller.updateCustomer(i_customer=i_customer, city="Berlin", balance=7, max_calls_per_second=None)

        assert reseller.getCustomerInfo(i_customer=i_customer, as_of=then)["customer"] == before

    def test_also_one_who_is_deleted(self, clock: Clock, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller, city="Rome")
        before = reseller.info(i_customer)
        then = clock.tick()
        reseller.deleteCustomer(i_customer=i_customer)

        assert reseller.getCustomerInfo(i_customer=i_customer, as_of=then)["customer"] == before

    def test_what_the_history_does_not_know_is_as_it_is_by_default(self, fresh: Server) -> None:
        """He was deleted by an older version, which did not have these attributes yet."""
        root, unknown = fresh.api(), {"start_page": 1, "callshop_enabled": False, "city": None}
        clock = Clock()
        fresh.platform.clock = clock
        made = root.createCustomer(name="old", web_password="s3cret-Web", i_tariff=None, company_name="Old")
        i_customer = made["i_customer"]
        before = root.info(i_customer)
        then = clock.tick()
        root.deleteCustomer(i_customer=i_customer)
        ((noted,),) = fresh.sql("SELECT before FROM audit_log WHERE action = 'D'")
        known = {name: value for name, value in json.loads(noted).items() if name not in unknown}
        tamper(fresh, f"UPDATE audit_log SET before = '{json.dumps(known)}' WHERE action = 'D'")

        told = root.getCustomerInfo(i_customer=i_customer, as_of=then)["customer"]

        assert told == {**before, **unknown}

    def test_not_before_he_was_created_nor_one_of_others(
        self, clock: Clock, root: Api, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        mine, foreign = customers.make(reseller), customers.make(root)
        with refused(NotFound.code, "Customer not found"):
            reseller.getCustomerInfo(i_customer=mine, as_of="20200101T00:00:00")
        with refused(NotFound.code, "Customer not found"):
            reseller.getCustomerInfo(i_customer=foreign, as_of=clock.tick())

    def test_needs_the_id(self, reseller: Reseller, refused: Any) -> None:
        with refused(BadParameter.code, "Parameter i_customer must be the id where as_of is given"):
            reseller.getCustomerInfo(name="acme", as_of="20200101T00:00:00")


def tamper(server: Server, statement: str) -> None:
    """What an intruder does who owns the database: off with the triggers."""
    if server.config.is_sqlite:
        for name in ("no_delete", "no_update", "sealed_once"):
            server.sql(f"DROP TRIGGER audit_log_{name}")
    else:
        server.sql("ALTER TABLE audit_log DISABLE TRIGGER USER")
    server.sql(statement)


class TestChain:
    @pytest.fixture
    def sealed(self, fresh: Server) -> Server:
        root = fresh.api()
        for number in range(5):
            root.createCustomer(name=f"c{number}", web_password="s3cret-Web", i_tariff=None)
        seal(fresh)
        return fresh

    def test_nothing_is_found_where_nothing_is_wrong(self, sealed: Server) -> None:
        assert findings(sealed, seal(sealed)) == []

    @pytest.mark.parametrize("statement", ["UPDATE audit_log SET method = 'x'", "DELETE FROM audit_log"])
    def test_the_database_refuses_to_alter_it(self, sealed: Server, statement: str) -> None:
        with pytest.raises(Exception, match="the audit log is append-only"):
            sealed.sql(statement)

    def test_a_changed_row_is_found(self, sealed: Server) -> None:
        tamper(sealed, "UPDATE audit_log SET i_customer_actor = 99 WHERE seq = 2")

        assert findings(sealed) == ["audit row 2 was changed, or did not come from this server"]

    def test_a_removed_row_is_found(self, sealed: Server) -> None:
        tamper(sealed, "DELETE FROM audit_log WHERE seq = 3")

        assert findings(sealed) == [
            "customer 3 is not in the change history",
            "audit rows are missing before row 4: link 3 of the chain",
        ]

    def test_a_row_removed_at_the_end_is_found(self, sealed: Server) -> None:
        tamper(sealed, "DELETE FROM audit_log WHERE seq = 6")

        assert findings(sealed) == [
            "customer 6 is not in the change history",
            "the audit chain ends at link 5, but more were made: rows are missing at its end",
        ]

    def test_an_inserted_row_is_found(self, sealed: Server) -> None:
        names = (
            "created, i_customer, scope, i_customer_actor, trusted, address, dialect, request_id, method, action,"
            " object_type, object_id, before, after, mac"
        )
        tamper(
            sealed,
            f"INSERT INTO audit_log (i_audit, uid, {names}) SELECT 99, 'forged', {names} FROM audit_log WHERE seq = 2",
        )

        assert findings(sealed) == ["audit row 99 was changed, or did not come from this server"]
        seal(sealed)
        assert findings(sealed) == ["audit row 99 was changed, or did not come from this server"]

    def test_a_chain_cut_off_before_a_noted_link_is_found(self, sealed: Server) -> None:
        noted = seal(sealed)
        tamper(sealed, "DELETE FROM audit_log WHERE seq = 6")
        sealed.sql("UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit_log WHERE seq = 5)")
        sealed.sql("DELETE FROM balances WHERE i_customer = 6")
        sealed.sql("DELETE FROM customers WHERE i_customer = 6")

        assert findings(sealed) == []
        assert findings(sealed, noted) == [f"the link {noted} is not in the audit chain any more"]


class TestBooks:
    @pytest.mark.parametrize(
        ("statement", "finding"),
        [
            ("UPDATE balances SET balance = 1 WHERE i_customer = 2", "but its ledger adds up to"),
            ("UPDATE customers SET path = '7.' WHERE i_customer = 2", "does not lead to his parent"),
            ("UPDATE customers SET max_depth = 32 WHERE i_customer = 2", "is not less than that of his parent"),
            ("DELETE FROM web_users WHERE i_customer = 2", "customer 2 has no web user"),
        ],
    )
    def test_what_was_changed_behind_the_server_is_found(self, fresh: Server, statement: str, finding: str) -> None:
        fresh.api().createCustomer(name="acme", web_password="s3cret-Web", i_tariff=None, balance=5)
        assert findings(fresh) == []

        fresh.sql(statement)

        assert any(finding in found for found in findings(fresh))
