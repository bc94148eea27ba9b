"""`verify` names what was edited behind the server, however coherently: the signed history says otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from books import findings
from conftest import Customers, serving_ngnpro
from harness import Installed, Server, unique
from sippy import new
from soap import Clients
from worlds import make_vouchers

from xmlrpc_api import installation

EDITS = {
    "UPDATE balances SET credit_limit = 7000000 WHERE i_customer = {child} AND is_default": (
        "customer {child}: credit_limit is 7, but the change history says 0"
    ),
    "UPDATE customers SET blocked = true WHERE i_customer = {second}": (
        "customer {second}: blocked is True, but the change history says False"
    ),
    "UPDATE customers SET impersonate = {first} WHERE i_customer = {child}": (
        "customer {child}: impersonate is {first}, but the change history says nil"
    ),
    "UPDATE customers SET api_password = NULL WHERE i_customer = {first}": (
        "customer {first}: api_password is nil, but the change history says changed"
    ),
    "UPDATE customers SET max_sessions = 9 WHERE i_customer = 1": (
        "customer 1: max_sessions is 9, but the change history says nil"
    ),
    "UPDATE web_users SET email = 'x@example.com' WHERE web_login = 'clerk'": (
        "web user {clerk}: email is x@example.com, but the change history says nil"
    ),
    "UPDATE web_users SET i_customer = {second} WHERE web_login = 'clerk'": (
        "web user {clerk} is customer {second}'s, but the change history says customer {child}'s"
    ),
    "UPDATE web_users SET web_login = 'mine', web_login_key = 'mine' WHERE i_customer = {child} AND is_default": (
        "customer {child}: web_login is mine, but the change history says {name}"
    ),
    "UPDATE web_users SET second_factor = true WHERE i_customer = {second} AND is_default": (
        "web user {user}: second_factor is True, but the change history says False"
    ),
    "UPDATE accounts SET max_sessions = 77, i_customer = {second} WHERE i_account = {account}": (
        "account {account}: max_sessions is 77, but the change history says 3"
    ),
    "INSERT INTO account_groups (i_account, name) VALUES ({account}, 'free-pstn')": (
        "account {account}: groups is ['free-pstn'], but the change history says []"
    ),
    "UPDATE account_groups SET put_by = {child} WHERE name = 'quota'": (
        "account {quota}: quota by is {child}, but the change history says 1"
    ),
    "UPDATE balances SET threshold = 1000000 WHERE i_customer = {child} AND is_default": (
        "balance {balance}: threshold is 1, but the change history says nil"
    ),
    "UPDATE sip_domains SET require_cert = true": (
        "SIP domain {domain}: require_cert is True, but the change history says False"
    ),
    "UPDATE sip_aliases SET target_username = 'mallory'": (
        "SIP alias {alias}: target_username is mallory, but the change history says alice"
    ),
    "UPDATE customer_properties SET value = '1000' WHERE name = 'sip_credit'": (
        "properties of customer {owner}: sip_credit is 1000, but the change history says 10"
    ),
    "UPDATE vouchers SET value = 9000000 WHERE number = 1": ("voucher 1: value is 9, but the change history says 5"),
    "UPDATE vouchers SET used = created, i_account = {account} WHERE number = 2": (
        "voucher 2 was used for account {account}, but the change history says by nobody"
    ),
    "INSERT INTO vouchers (i_customer, series, number, pin, value, currency, created)"
    " SELECT i_customer, series, 9, pin, value, currency, created FROM vouchers WHERE number = 1": (
        "voucher 3 is not in the change history"
    ),
}


def plant(server: Server) -> dict[str, Any]:
    """Two wholesalers with objects of all kinds; `verify` finds nothing wrong."""
    customers, clients = Customers(server), Clients(server)
    first, second = customers.reseller(), customers.reseller()
    child = customers.reseller(first, balance=5)
    first.createWebUser(i_customer=child.i_customer, web_login="clerk", web_password="s3cret-Web")
    owner = clients.reseller(
        properties=[{"name": "sip_credit", "value": "10"}, {"name": "sip_alias_credit", "value": "9"}]
    )
    sip, domain = clients.admin("Sip"), f"{unique('d')}.example.com"
    sip.addDomain(domain={"domain": domain, "customer": owner["id"]})
    target = {"username": "alice", "domain": domain}
    sip.addAlias(alias={"id": {"username": "sales", "domain": domain}, "target": target})
    sip_id = {"username": "heavy", "domain": domain}
    sip.addAccount(account={"id": sip_id, "groups": ["quota"]})
    make_vouchers(server, first.i_customer, 2, value=5)
    assert findings(server) == []
    return {
        "first": first.i_customer,
        "second": second.i_customer,
        "child": child.i_customer,
        "name": child.login,
        "account": first.createAccount(**new(max_sessions=3))["i_account"],
        "owner": owner["id"],
        "quota": _id(server, "SELECT i_account FROM account_groups WHERE name = 'quota'"),
        "clerk": _id(server, "SELECT i_web_user FROM web_users WHERE web_login = 'clerk'"),
        "user": server.api().info(second.i_customer)["i_web_user"],
        "balance": _id(server, f"SELECT i_balance FROM balances WHERE i_customer = {child.i_customer} AND is_default"),
        "domain": _id(server, "SELECT i_domain FROM sip_domains"),
        "alias": _id(server, "SELECT i_alias FROM sip_aliases"),
    }


@pytest.fixture(scope="module")
def planted(engine: str, installed: Callable[[str], Installed], admin_hash: str) -> tuple[Installed, dict[str, Any]]:
    """A database with objects of all kinds, which is only copied; where they are."""
    database = installed(engine)
    with serving_ngnpro(database, admin_hash) as running:
        return database, plant(running)


@pytest.fixture
def forged(
    planted: tuple[Installed, dict[str, Any]], engine: str, new_database: Callable[..., str], admin_hash: str
) -> Iterator[Server]:
    """A server on a copy of its own, which is going to be damaged."""
    database, _tree = planted
    with serving_ngnpro(replace(database, url=new_database(engine, database.url)), admin_hash) as running:
        yield running


@pytest.fixture
def tree(planted: tuple[Installed, dict[str, Any]]) -> dict[str, Any]:
    return planted[1]


def _id(server: Server, statement: str) -> int:
    return int(server.sql(statement)[0][0])


def test_every_edited_attribute_is_named(forged: Server, tree: dict[str, Any]) -> None:
    for statement in EDITS:
        forged.sql(statement.format(**tree))

    found = findings(forged)

    assert {finding.format(**tree) for finding in EDITS.values()} <= set(found)


def test_a_payment_that_is_listed_as_somebody_elses_is_named(forged: Server, tree: dict[str, Any]) -> None:
    """Lists of payments find them by their payee and payer, which no history tells."""
    i_customer = tree["first"]
    forged.api().customerAddFunds(i_customer=i_customer, amount=1, currency="USD")
    i_ledger = _id(forged, "SELECT max(i_ledger) FROM ledger")
    _without_triggers(forged, "ledger")

    for change in ("i_payee = 1", f"i_payee = {i_customer}, i_payer = {i_customer}", "i_payee = NULL, i_payer = NULL"):
        forged.sql(f"UPDATE ledger SET {change} WHERE i_ledger = {i_ledger}")
        assert findings(forged) == [f"booking {i_ledger} is listed as somebody else's"]


def test_a_booking_inserted_together_with_its_balance_is_named(forged: Server, tree: dict[str, Any]) -> None:
    """Balance, ledger and running sums fit."""
    forged.sql(
        "INSERT INTO ledger (i_balance, amount, balance_after, funded_change, kind, payment_time, created)"
        " SELECT balances.i_balance, 1000000, balance + 1000000, 0, 'set', created, created FROM balances"
        " JOIN ledger ON ledger.i_balance = balances.i_balance WHERE balances.i_balance = :b",
        b=tree["balance"],
    )
    forged.sql("UPDATE balances SET balance = balance + 1000000 WHERE i_balance = :b", b=tree["balance"])

    i_ledger = _id(forged, "SELECT max(i_ledger) FROM ledger")

    assert findings(forged) == [f"booking {i_ledger} of customer {tree['child']} is not in the change history"]


def test_a_booking_removed_together_with_its_balance_is_named(forged: Server, tree: dict[str, Any]) -> None:
    i_ledger = _id(forged, f"SELECT i_ledger FROM ledger WHERE i_balance = {tree['balance']}")
    _without_triggers(forged, "ledger")
    forged.sql("DELETE FROM ledger WHERE i_ledger = :i", i=i_ledger)
    forged.sql("UPDATE balances SET balance = 0 WHERE i_balance = :b", b=tree["balance"])

    said = f"booking {i_ledger} of customer {tree['child']} is gone, but the change history tells of it"
    assert findings(forged) == [said]


def test_an_edited_booking_is_named(forged: Server, tree: dict[str, Any]) -> None:
    """Amount, balance, and the sums that follow; and whose it was."""
    _without_triggers(forged, "ledger")
    forged.sql(
        "UPDATE ledger SET amount = 6000000, balance_after = 6000000, i_customer_actor = 1, kind = 'funds'"
        " WHERE i_balance = :b",
        b=tree["balance"],
    )
    forged.sql("UPDATE balances SET balance = 6000000 WHERE i_balance = :b", b=tree["balance"])

    found = " / ".join(findings(forged))

    for name, is_now, was in (("amount", 6, 5), ("balance", 6, 5), ("kind", "funds", "initial")):
        assert f"{name} is {is_now}, but the change history says {was}" in found
    assert f"i_customer_actor is 1, but the change history says {tree['first']}" in found


def _without_triggers(server: Server, table: str) -> None:
    """What an intruder does who owns the database."""
    if not server.config.is_sqlite:
        server.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return
    for (name,) in server.sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t", t=table):
        server.sql(f"DROP TRIGGER {name}")


def test_parents_swapped_together_with_their_paths_are_named(forged: Server, tree: dict[str, Any]) -> None:
    forged.sql(
        "UPDATE customers SET i_wholesaler = :second, path = :path WHERE i_customer = :child",
        second=tree["second"],
        path=f"1.{tree['second']}.",
        child=tree["child"],
    )

    found = findings(forged)

    child = f"customer {tree['child']}"
    said = f"i_wholesaler is {tree['second']}, but the change history says {tree['first']}"
    assert f"{child}: {said}" in found
    assert any(sentence.startswith(f"{child}: the path is 1.{tree['second']}.") for sentence in found)


def test_who_is_there_against_the_history_is_named_and_who_is_not(forged: Server, tree: dict[str, Any]) -> None:
    """One row was inserted, one is back that was deleted, one is gone that was not."""
    first = forged.api().createWebUser(i_customer=tree["second"], web_login="gone", web_password="s3cret-Web")
    forged.api().deleteWebUser(i_web_user=first["i_web_user"])
    ghost = first["i_web_user"] + 1
    for key in (first["i_web_user"], ghost):
        columns = "i_customer, is_default, web_password, i_access_level, blocked, second_factor"
        forged.sql(
            f"INSERT INTO web_users (i_web_user, web_login, web_login_key, {columns})"
            f" SELECT {key}, 'user-{key}', 'user-{key}', {columns} FROM web_users WHERE i_web_user = {tree['clerk']}"
        )
    forged.sql("DELETE FROM web_users WHERE i_web_user = :u", u=tree["clerk"])

    assert findings(forged) == [
        f"web user {first['i_web_user']} is there, but the change history says that it was deleted",
        f"web user {ghost} is not in the change history",
        f"web user {tree['clerk']} is gone, but the change history does not say that it was deleted",
    ]


def test_what_goes_with_a_deleted_customer_is_no_finding(forged: Server, tree: dict[str, Any]) -> None:
    api = forged.api()
    api.createWebUser(i_customer=tree["second"], web_login="another", web_password="s3cret-Web")
    api.deleteCustomer(i_customer=tree["second"])

    assert findings(forged) == []


def test_the_upgrade_notes_what_is_older_than_the_history_and_believes_no_forgery(
    forged: Server, tree: dict[str, Any]
) -> None:
    """A customer without any row is noted as he is; one that the history knows stays a finding."""
    _without_triggers(forged, "audit_log")
    forged.sql("DELETE FROM audit_log WHERE object_type = 'customers' AND object_id = :c", c=tree["second"])
    forged.sql("UPDATE customers SET max_sessions = 9 WHERE i_customer = :c", c=tree["first"])
    forged.sql("DELETE FROM upgrade_steps")
    finding = f"customer {tree['first']}: max_sessions is 9, but the change history says nil"
    assert f"customer {tree['second']} is not in the change history" in findings(forged)

    told = forged.run(lambda database: installation.upgrade_data(forged.platform, database, lambda _step, _rows: None))

    assert told == []
    assert [sentence for sentence in findings(forged) if "audit" not in sentence] == [finding]
    forged.sql("UPDATE customers SET max_sessions = 8 WHERE i_customer = :c", c=tree["second"])
    said = f"customer {tree['second']}: max_sessions is 8, but the change history says nil"
    assert said in findings(forged)
