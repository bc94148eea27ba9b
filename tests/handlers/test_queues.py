"""Whoever waits for a busy balance holds no connection: every booking is announced by its method's declaration."""

from typing import Any

import pytest
from conftest import Customers, Reseller, unqueued
from faces import Api
from harness import Server, unique
from soap import Clients

from xmlrpc_api import metrics
from xmlrpc_api.call import Call, Origin
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.money import ledger
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database


@pytest.fixture
def top(root: Api, customers: Customers) -> Reseller:
    reseller = customers.reseller()
    root.customerAddFunds(i_customer=reseller.i_customer, amount=100, currency="USD")
    return reseller


def test_on_every_balance_of_customers(top: Reseller, customers: Customers) -> None:
    i_customer, other = customers.make(top, balance=5, credit_limit=5), customers.make(top)
    money: dict[str, Any] = {"amount": 1, "currency": "USD"}
    for method in ("customerAddFunds", "customerCredit", "customerDebit"):
        getattr(top, method)(i_customer=i_customer, **money)
    top.transferFunds(i_customer_from=i_customer, i_customer_to=other, **money)
    top.customerAddFunds(i_customer=i_customer, **money)
    top.updateCustomer(i_customer=i_customer, balance=0, credit_limit=1)
    top.deleteCustomer(i_customer=i_customer)

    assert unqueued() == set()


def test_in_a_multicall_too(top: Reseller, customers: Customers) -> None:
    i_customer = customers.make(top)
    calls = [
        {"methodName": "updateCustomer", "params": [{"i_customer": i_customer, "balance": 7}]},
        {"methodName": "customerDebit", "params": [{"i_customer": i_customer, "amount": 1, "currency": "USD"}]},
    ]

    assert len(top.proxy.system.multicall(calls)) == 2
    assert unqueued() == set()


def test_by_soap(clients: Clients, root: Api) -> None:
    reseller = clients.reseller(balance=100)
    i_customer = clients.admin().addAccount(
        account={"username": unique(), "reseller": reseller["id"], "balance": 5, "credit": 3}
    )["id"]
    clients.admin().updateAccount(account={"id": i_customer, "balance": 7})
    domain = f"{unique()}.example.com"
    port = clients.of(reseller, "Sip")
    port.addDomain(domain={"domain": domain})
    sip_id = {"username": "alice", "domain": domain}
    port.addAccount(account={"id": sip_id})
    port.addBalance(sipId=sip_id, value=5, description="")

    assert unqueued() == set()


def test_a_booking_that_was_not_announced_is_counted(server: Server, customers: Customers, root: Api) -> None:
    i_customer = customers.make(root, balance=5)

    async def work(call: Call) -> None:
        balances = await ledger.lock(call, {i_customer})
        await ledger.book(call, balances[i_customer], ledger.Booking(amount=-balances[i_customer].balance, kind="set"))

    async def perform(database: Database) -> None:
        caller = await ownership.load_caller(database, 1)
        assert caller is not None
        origin = Origin(request_id="0", face=Face.CLI, address="local", login=caller)
        await Dispatcher(server.platform, database).perform(origin, "unannounced", caller, work)

    server.run(perform)

    assert unqueued() == {"unannounced"}
    metrics.UNQUEUED.clear()
