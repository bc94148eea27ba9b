"""kill -9 in the middle of writes: what was acknowledged is there, and nothing is there twice."""

import math
import subprocess
import threading
import time
import xmlrpc.client
from collections import Counter
from collections.abc import Callable

import pytest
from commandline import CommandLine
from harness import until

from xmlrpc_api.declaration.faults import Unavailable

READY_SECONDS = 5
WRITERS = 8


class Writer(threading.Thread):
    """Books with a new key each time, until the server is gone; keeps the keys that were acknowledged."""

    def __init__(self, url: str, i_customer: int, prefix: str) -> None:
        super().__init__(daemon=True)
        self._url, self._i_customer, self._prefix = url, i_customer, prefix
        self.acknowledged: list[str] = []

    def run(self) -> None:
        with xmlrpc.client.ServerProxy(self._url) as api:
            for number in range(100_000):
                key = f"{self._prefix}-{number}"
                money = {"i_customer": self._i_customer, "amount": 1, "currency": "USD", "i_wholesaler": 1}
                try:
                    api.customerAddFunds({**money, "idempotency_key": key})
                except (OSError, xmlrpc.client.ProtocolError, EOFError):
                    return
                except xmlrpc.client.Fault as fault:
                    assert fault.faultCode == Unavailable.code  # noqa: PT017 (the locks of the killed may still be there)
                else:
                    self.acknowledged.append(key)


def _write_until_killed(process: "subprocess.Popen[str]", writers: list[Writer]) -> list[str]:
    """Kill the server as soon as each of them has written; what was acknowledged."""
    for writer in writers:
        writer.start()
    until(lambda: all(writer.acknowledged for writer in writers))
    process.kill()
    for writer in writers:
        writer.join(30)
    return [key for writer in writers for key in writer.acknowledged]


@pytest.mark.soak
def test_every_acknowledged_change_survives_and_none_is_there_twice(
    cli_on_each: CommandLine, length: Callable[[int, int], int]
) -> None:
    cli_on_each.environ |= {"XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1", "XMLRPC_API_LIST_LIMIT": "1000000"}
    url = f"http://127.0.0.1:{cli_on_each.environ['XMLRPC_API_PORT']}/xmlapi/xmlapi"
    acknowledged: list[str] = []
    with cli_on_each.serving(), xmlrpc.client.ServerProxy(url, allow_none=True) as api:
        new = {"name": "acme", "web_password": "s3cret-Web", "i_tariff": None, "i_wholesaler": 1}
        i_customer = api.createCustomer(new)["i_customer"]

    for cycle in range(length(2, 20)):
        started = time.monotonic()
        with cli_on_each.serving() as process:
            assert time.monotonic() - started < length(math.inf, READY_SECONDS)
            writers = [Writer(url, i_customer, f"{cycle}-{number}") for number in range(WRITERS)]
            acknowledged += _write_until_killed(process, writers)

    with cli_on_each.serving(), xmlrpc.client.ServerProxy(url, allow_none=True) as api:
        entries = api.getLedger({"i_customer": i_customer, "i_wholesaler": 1})["ledger"]
        balance = api.getCustomerInfo({"i_customer": i_customer, "i_wholesaler": 1})["customer"]["balance"]
    booked = Counter(entry["idempotency_key"] for entry in entries)
    assert len(acknowledged) > WRITERS
    assert set(acknowledged) <= booked.keys()
    assert max(booked.values()) == 1
    assert balance == len(entries)
    assert "Nothing is wrong" in cli_on_each.run("verify").stdout
