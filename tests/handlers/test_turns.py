"""One caller's calls wait for their turns, so that he cannot take the whole database from the others."""

import asyncio
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from conftest import Customers, Reseller
from harness import Server, until
from sqlalchemy import text

from xmlrpc_api.declaration.faults import Unavailable
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport import http

REFUSED = (Unavailable.code, "Too many calls are waiting for this caller, try again later")
PATIENT = {"lock_seconds": 60, "pool_wait_seconds": 60, "statement_seconds": 60}


@pytest.fixture
def narrow(variant: Callable[..., Server]) -> Server:
    """Lets one call of a caller into the database, and one more wait."""
    return variant(caller_calls=1, caller_queue=1, **PATIENT)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def read(server: Server, caller: Reseller) -> object:
    try:
        return server.api(caller.login, "s3cret-Api").listCustomers(limit=0)["result"]
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString


def change(server: Server, caller: Reseller, customers: Customers) -> int:
    return customers.make(server.api(caller.login, "s3cret-Api"))


@contextmanager
def locked(server: Server, caller: Reseller) -> Iterator[None]:
    """No change of his gets on meanwhile: his row, or SQLite's only writer, is held."""
    is_held, is_over = threading.Event(), asyncio.Event()

    async def hold(database: Database) -> None:
        async with database.write() as session:
            statement = "SELECT 1 FROM customers WHERE i_customer = :i_customer"
            wanted = statement if database.is_sqlite else f"{statement} FOR UPDATE"
            await session.execute(text(wanted), {"i_customer": caller.i_customer})
            is_held.set()
            await is_over.wait()

    holder = threading.Thread(target=server.run, args=(hold,))
    holder.start()
    try:
        assert is_held.wait(60)
        yield
    finally:
        server.call_soon(is_over.set)
        holder.join()


def turns(server: Server, caller: Reseller) -> int:
    """How many calls of his have a turn or wait for one."""
    return server.app[http.GATE].dispatcher._execution._callers._users.get(caller.i_customer, 0)


def test_who_has_no_turn_waits_and_who_finds_too_many_waiting_is_refused(
    narrow: Server, customers: Customers, pool: ThreadPoolExecutor
) -> None:
    busy = customers.reseller()

    with locked(narrow, busy):
        at_work = pool.submit(change, narrow, busy, customers)
        until(lambda: turns(narrow, busy) == 1)
        waiting = pool.submit(read, narrow, busy)
        until(lambda: turns(narrow, busy) == 2)
        assert read(narrow, busy) == REFUSED
        assert not at_work.done()
        assert not waiting.done()

    assert at_work.result() > busy.i_customer
    assert waiting.result() == "OK"


def test_the_turns_of_others_are_not_touched(narrow: Server, customers: Customers, pool: ThreadPoolExecutor) -> None:
    busy, other = customers.reseller(), customers.reseller()

    with locked(narrow, busy):
        at_work = pool.submit(change, narrow, busy, customers)
        until(lambda: turns(narrow, busy) == 1)
        assert [read(narrow, other) for _ in range(5)] == ["OK"] * 5
        assert not at_work.done()

    assert at_work.result() > busy.i_customer
