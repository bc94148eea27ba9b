"""One caller's calls wait for their turns, so that he cannot take the whole database from the others."""

import threading
import time
import xmlrpc.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from conftest import Customers, Reseller
from harness import Server, unique

from xmlrpc_api.faults import Unavailable

REFUSED = (Unavailable.code, "Too many calls are waiting for this caller, try again later")


def outcome(server: Server, caller: Reseller) -> object:
    try:
        return server.api(caller.login, "s3cret-Api").listCustomers(limit=0)["result"]
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString


def occupy(server: Server, caller: Reseller) -> threading.Thread:
    """Have him make 50 customers in one call, which takes a while."""
    new = [{"name": unique(), "web_password": "s3cret-Web", "i_tariff": None} for _ in range(50)]
    calls = [{"methodName": "createCustomer", "params": [one]} for one in new]
    api = server.api(caller.login, "s3cret-Api")
    thread = threading.Thread(target=lambda: api.proxy.system.multicall(calls))
    thread.start()
    time.sleep(0.1)
    return thread


def test_who_has_no_turn_waits_and_who_finds_too_many_waiting_is_refused(
    variant: Callable[..., Server], customers: Customers
) -> None:
    server = variant(caller_calls=1, caller_queue=1)
    busy = customers.reseller()

    thread = occupy(server, busy)
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda _: outcome(server, busy), range(6)))
    thread.join()

    assert sorted(set(outcomes), key=str) == [REFUSED, "OK"]
    assert outcome(server, busy) == "OK"


def test_the_turns_of_others_are_not_touched(variant: Callable[..., Server], customers: Customers) -> None:
    server = variant(caller_calls=1, caller_queue=1)
    busy, other = customers.reseller(), customers.reseller()

    thread = occupy(server, busy)
    outcomes = {outcome(server, other) for _ in range(5)}
    was_busy = thread.is_alive()
    thread.join()

    assert was_busy
    assert outcomes == {"OK"}
