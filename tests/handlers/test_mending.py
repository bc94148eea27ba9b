"""What `migrate` makes of limits and lent rights from before they were noted."""

import secrets
from functools import partial
from typing import Any

import pytest
from books import findings
from conftest import WEB_PASSWORD, Customers, Reseller
from harness import Server, unique
from soap import Clients

from xmlrpc_api.call import Call, Origin
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.services.tree.ownership import load_caller
from xmlrpc_api.services.upgrade import mending
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport.http import GATE

ROOT = 1


class Old:
    """A reseller, his customer and his, whose things were limited by an older version."""

    def __init__(self, server: Server, clients: Clients, customers: Customers) -> None:
        self.server, self.clients = server, clients
        self.root = server.api()
        self.top: Reseller = customers.reseller()
        self.middle = customers.reseller(self.top)
        self.bottom = customers.reseller(self.middle)
        self.domain = f"{unique('d')}.example.com"
        self.sip_id = {"username": unique("user"), "domain": self.domain}
        clients.admin("Sip").addDomain(domain={"domain": self.domain, "customer": self.bottom.i_customer})
        clients.admin("Sip").addAccount(account={"id": self.sip_id})
        name = f"{self.sip_id['username']}@{self.domain}"
        self.i_account = self.root.getAccountInfo(username=name)["i_account"]

    def forget(self) -> None:
        """As it was before anybody noted who."""
        customer, account = {"c": self.bottom.i_customer}, {"a": self.i_account}
        self.server.sql("UPDATE customers SET blocked_by = NULL WHERE i_customer = :c", **customer)
        self.server.sql("UPDATE web_users SET blocked_by = NULL WHERE i_customer = :c", **customer)
        self.server.sql("UPDATE accounts SET blocked_by = NULL, quota_by = NULL WHERE i_account = :a", **account)
        self.server.sql("UPDATE account_groups SET put_by = NULL WHERE i_account = :a", **account)

    def upgrade(self) -> list[str]:
        """All that `migrate` does with rows here, in batches; what it could not mend."""
        told: list[str] = []

        async def work(database: Database) -> None:
            root = await load_caller(database, ROOT)
            assert root is not None
            origin = Origin(request_id=secrets.token_hex(8), face=Face.UPGRADE, address="local", login=root)
            dispatcher = self.server.app[GATE].dispatcher

            async def batch(call: Call, step: Any, last: int) -> mending.Mended:
                answer: mending.Mended = await step(call, last)
                await call.store.flush()
                return answer

            for name, _title, step in mending.STEPS:
                last: int | None = 0
                while last is not None:
                    next_batch = partial(batch, step=step, last=last)
                    last, _count, found = await dispatcher.perform(origin, f"upgrade {name}", root, next_batch)
                    told.extend(found)

        self.server.run(work)
        return told

    def stored(self, table: str, name: str, key: str, value: int) -> Any:
        return self.server.sql(f"SELECT {name} FROM {table} WHERE {key} = :v", v=value)[0][0]


@pytest.fixture
def old(server: Server, clients: Clients, customers: Customers) -> Old:
    return Old(server, clients, customers)


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "BATCH", 1)


class TestBlocks:
    def test_of_customers_are_those_of_who_blocked_last(self, old: Old) -> None:
        old.root.blockCustomer(i_customer=old.bottom.i_customer)
        old.root.unblockCustomer(i_customer=old.bottom.i_customer)
        old.top.blockCustomer(i_customer=old.bottom.i_customer)
        old.forget()

        assert old.upgrade() == []

        assert old.stored("customers", "blocked_by", "i_customer", old.bottom.i_customer) == old.top.i_customer

    def test_of_which_nothing_is_known_are_the_parents(self, old: Old) -> None:
        old.server.sql("UPDATE customers SET blocked = true WHERE i_customer = :c", c=old.bottom.i_customer)

        old.upgrade()

        assert old.stored("customers", "blocked_by", "i_customer", old.bottom.i_customer) == old.middle.i_customer
        old.middle.unblockCustomer(i_customer=old.bottom.i_customer)  # so that the history is right again

    def test_of_web_users(self, old: Old) -> None:
        made = old.bottom.createWebUser(web_login=unique("user"), web_password=WEB_PASSWORD)["i_web_user"]
        old.middle.blockWebUser(i_web_user=made)
        old.forget()

        old.upgrade()

        assert old.stored("web_users", "blocked_by", "i_web_user", made) == old.middle.i_customer

    def test_of_accounts_and_their_quotas(self, old: Old) -> None:
        sip = {who: old.clients.of({"username": getattr(old, who).login}, "Sip") for who in ("top", "middle", "bottom")}
        old.bottom.blockAccount(i_account=old.i_account)
        sip["top"].updateAccount(account={"id": old.sip_id, "quota": 50})
        sip["bottom"].updateAccount(account={"id": old.sip_id, "quota": 40})
        sip["middle"].addToGroup(sipId=old.sip_id, group="quota")
        old.forget()

        old.upgrade()

        row = old.server.sql("SELECT blocked_by, quota_by FROM accounts WHERE i_account = :a", a=old.i_account)[0]
        assert tuple(row) == (old.bottom.i_customer, old.top.i_customer)
        assert old.stored("account_groups", "put_by", "i_account", old.i_account) == old.middle.i_customer

    def test_are_noted_in_the_history_and_once(self, old: Old) -> None:
        old.middle.blockCustomer(i_customer=old.bottom.i_customer)
        old.forget()

        old.upgrade()
        old.upgrade()

        rows = old.root.getAuditLogs(resource=f"customers:i_customer={old.bottom.i_customer}")["records"]
        mended = [(row["method"], row["after"]) for row in rows if row["dialect"] == "upgrade"]
        assert mended == [("upgrade blocks of customers", {"blocked_by": old.middle.i_customer})]


class TestProperties:
    def make(self, old: Old, **permissions: str) -> None:
        """Properties with permissions of an older version."""
        given = [{"name": name, "value": "1", "category": "sip", "permission": "customer"} for name in permissions]
        old.clients.admin().setProperties(customer=old.bottom.i_customer, properties=given)
        statement = "UPDATE customer_properties SET permission = :p WHERE i_customer = :c AND name = :n"
        for name, permission in permissions.items():
            old.server.sql(statement, c=old.bottom.i_customer, n=name, p=permission)

    def test_that_limit_are_raised_and_no_others(self, old: Old) -> None:
        self.make(old, sip_credit="customer", digest_settings_page="", pstn_access="admin", x="customer")

        assert old.upgrade() == []

        rows = old.server.sql(
            "SELECT name, permission FROM customer_properties WHERE i_customer = :c ORDER BY name",
            c=old.bottom.i_customer,
        )
        assert [tuple(row) for row in rows] == [
            ("digest_settings_page", "reseller"),
            ("pstn_access", "admin"),
            ("sip_credit", "admin"),
            ("x", "customer"),
        ]
        noted = old.root.getAuditLogs(resource=f"customer_properties:i_customer={old.bottom.i_customer}")["records"]
        assert [row["after"] for row in noted if row["dialect"] == "upgrade"] == [
            {"sip_credit": "1"},
            {"digest_settings_page": "1"},
        ]
        assert findings(old.server) == []

    def test_values_that_cannot_be_set_any_more_are_told(self, old: Old) -> None:
        self.make(old, sip_credit="admin")
        statement = "UPDATE customer_properties SET value = :v WHERE i_customer = :c AND name = 'sip_credit'"
        old.server.sql(statement, v="Infinity", c=old.bottom.i_customer)

        told = old.upgrade()

        who = old.bottom.i_customer
        assert told == [f"The property sip_credit of customer {who} has a value that cannot be set any more"]
        old.server.sql(statement, v="1", c=old.bottom.i_customer)  # what the history tells


class TestLentRights:
    def lend(self, old: Old, lender: int) -> None:
        old.server.sql("UPDATE customers SET impersonate = :l WHERE i_customer = :b", l=lender, b=old.bottom.i_customer)

    def lender(self, old: Old) -> int | None:
        return old.stored("customers", "impersonate", "i_customer", old.bottom.i_customer)

    def test_that_nobody_could_lend_are_taken_back(self, old: Old, customers: Customers) -> None:
        for lender in (ROOT, customers.reseller().i_customer):
            self.lend(old, lender)
            assert any(f"customer {old.bottom.i_customer} is to act as" in found for found in findings(old.server))

            old.upgrade()

            assert self.lender(old) is None

    def test_so_are_those_that_were_lent_by_somebody_below_the_lender(self, old: Old) -> None:
        """As the history tells: CustomerPort.addAccount let him."""
        lent = {"id": old.bottom.i_customer, "impersonate": old.middle.i_customer}
        old.clients.of({"username": old.middle.login}).updateAccount(account=lent)
        self.lend(old, old.top.i_customer)

        old.upgrade()

        assert self.lender(old) is None

    def test_all_others_stay(self, old: Old) -> None:
        lent = {"id": old.bottom.i_customer, "impersonate": old.middle.i_customer}
        old.clients.of({"username": old.top.login}).updateAccount(account=lent)

        old.upgrade()

        assert self.lender(old) == old.middle.i_customer
