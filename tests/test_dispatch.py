"""The one way of every call: who may call what, what is made of a name that nobody knows, and how it ends."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from conftest import Reseller
from faces import Api
from harness import Server
from soap import ADMIN, ADMIN_PASSWORD, auth, envelope, send
from sqlalchemy import select, update

from models import ROOT_ID, Balance, Customer
from xmlrpc_api.call import Call, Origin
from xmlrpc_api.declaration.faults import Conflict, Kept, MethodNotFound, Unavailable
from xmlrpc_api.declaration.registry import Ahead, Dialect, Effect, publish
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.money import balances, ledger
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import http

Work = Callable[[Call], Awaitable[Any]]


@pytest.mark.parametrize("name", ["listCustomers", "CustomerPort.getAccount"])
def test_a_face_without_a_dialect_has_no_methods(server: Server, name: str) -> None:
    """Whoever adds a face says which methods it has; it does not inherit them all."""
    origin = Origin(request_id="1", face=Face.UPGRADE, address="127.0.0.1", login=None)
    assert name in {*METHODS, *OPERATIONS}

    async def call(_database: object) -> None:
        await server.app[http.GATE].dispatcher.call(origin, name, [{}])

    with pytest.raises(MethodNotFound):
        server.run(call)


MISSPELT = {
    "createcustomer": "createCustomer",
    "updateCustomers": "updateCustomer",
    "getCustmerInfo": "getCustomerInfo",
    "system.listMethod": "system.listMethods",
    "canary": None,
    "x" * 64: None,
}


@pytest.mark.parametrize(("name", "meant"), MISSPELT.items())
def test_a_misspelt_method_is_told_the_nearest_name(root: Api, refused: Any, name: str, meant: str | None) -> None:
    with refused(-32601, f"Method not found: did you mean {meant}?" if meant else "Method not found"):
        getattr(root.proxy, name)({})


def test_the_nearest_name_is_one_of_the_same_dialect(ngnpro: Server) -> None:
    body = envelope("Customer", "getAcount", "", auth(ADMIN, ADMIN_PASSWORD, admin=True))

    reply = send(ngnpro.port, body)

    assert (reply.code, reply.operation.findtext("faultstring")) == (900, "Method not found: did you mean getAccount?")


def perform(server: Server, *works: Work, keep: bool = True) -> Any:
    """Run a piece of work as root by the way of the CLI, or several in savepoints."""

    async def begin(database: Database) -> Any:
        caller = await ownership.load_caller(database, ROOT_ID)
        assert caller is not None
        origin = Origin(request_id="1", face=Face.CLI, address="local", login=caller)
        dispatcher = Dispatcher(server.platform, database, keep=keep)
        if len(works) > 1:
            return await dispatcher.perform_each(origin, "work", caller, works)
        return await dispatcher.perform(origin, "work", caller, works[0])

    return server.run(begin)


async def change_and_refuse(call: Call) -> None:
    await call.session.execute(update(Customer).where(Customer.i_customer == ROOT_ID).values(description="changed"))
    raise Kept(Conflict("refused"))


@pytest.mark.each_engine
@pytest.mark.parametrize("keep", [True, False])
def test_a_fault_keeps_what_was_changed_unless_nothing_is_kept(spoilt: Server, *, keep: bool) -> None:
    spoilt.sql("UPDATE customers SET description = '' WHERE i_customer = 1")

    with pytest.raises(Conflict, match="refused"):
        perform(spoilt, change_and_refuse, keep=keep)

    assert spoilt.sql("SELECT description FROM customers WHERE i_customer = 1") == [("changed" if keep else "",)]


def test_who_loses_every_race_is_told_to_try_again(server: Server) -> None:
    attempts = []

    async def lose(call: Call) -> None:
        attempts.append(call)
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    with pytest.raises(Unavailable):
        perform(server, lose)

    assert len(attempts) == 4


@pytest.mark.each_engine
def test_what_was_booked_and_undone_is_not_believed_by_those_who_come_after(server: Server) -> None:
    money = select(Balance).where(Balance.i_customer == ROOT_ID, Balance.is_default)
    ((before,),) = server.sql("SELECT balance FROM balances WHERE i_customer = 1 AND is_default")
    seen = []

    async def book(call: Call) -> None:
        balance = (await call.session.execute(money)).scalar_one()
        await ledger.book(call, balance, ledger.Booking(amount=Decimal(5), kind=ledger.FUNDS))
        raise Conflict("refused")

    async def look(call: Call) -> None:
        seen.append((await call.session.execute(money)).scalar_one().balance)

    perform(server, look, book, look)

    assert seen[0] == seen[1]
    assert server.sql("SELECT balance FROM balances WHERE i_customer = 1 AND is_default") == [(before,)]


@pytest.mark.parametrize("name", ["getCustomerInfo", "updateCustomer"])
def test_a_handler_is_reached_in_three_steps(
    root: Api, reseller: Reseller, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A step is a function of dispatch; a change is awaited by two more, which give it up when it takes too long."""
    method, steps = METHODS[name], []

    async def handler(call: Call, **params: Any) -> Any:
        frame = sys._getframe(1)
        while frame is not None:
            if "/dispatch/" in frame.f_code.co_filename:
                steps.append(frame.f_code.co_name)
            frame = frame.f_back
        return await method.handler(call, **params)

    monkeypatch.setitem(METHODS, name, replace(method, handler=handler))

    getattr(root, name)(i_customer=reseller.i_customer, **({} if name == "getCustomerInfo" else {"description": "1"}))

    assert len(steps) == 3


async def count(_call: Call) -> int:
    """Look ahead."""
    return 1


async def takes_nothing(_call: Call) -> None:
    """Do nothing."""


async def takes_another(_call: Call, *, found: str) -> str:
    """Do nothing."""
    return found


async def takes_it(_call: Call, *, found: int) -> int:
    """Do nothing."""
    return found


@pytest.mark.parametrize("handler", [takes_nothing, takes_another])
def test_what_is_found_ahead_must_be_taken_by_its_type(handler: Any) -> None:
    dialect = Dialect()
    declare = publish(dialect, "m", right=Right.ANYONE, effect=Effect.READ, ahead=count)

    with pytest.raises(TypeError, match="must take what `ahead` answers"):
        declare(handler)

    declare(takes_it)
    assert dialect.methods["m"].ahead == Ahead(count, "found")


def test_what_only_reads_cannot_be_declared_to_book() -> None:
    declare = publish(Dialect(), "m", right=Right.ANYONE, effect=Effect.READ, balances=balances.own)

    with pytest.raises(TypeError, match="is said to book"):
        declare(takes_nothing)
