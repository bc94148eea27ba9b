"""A server of its own under load from outside: what is slow does not hold up what is not."""

import http.client
import math
import statistics
import threading
import time
import xmlrpc.client
from collections.abc import Callable

import hostile
import pytest
from canary import MEGABYTE, Canary, resident
from commandline import CommandLine
from wire import PATH, TEXT_XML

from xmlrpc_api.declaration.faults import AuthenticationFailed

GUESSERS = 64
ANSWERS_FOR_EACH_CHECK = 20


@pytest.mark.timing
def test_wrong_passwords_do_not_hold_up_other_calls(cli_on_each: CommandLine) -> None:
    """64 clients send wrong passwords; another one gets 20 answers for each password that is checked."""
    cli_on_each.environ |= {
        "XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1",
        "XMLRPC_API_BCRYPT_COST": "12",
        "XMLRPC_API_CALLER_FAILURES": "100000",
        "XMLRPC_API_LOG_LEVEL": "ERROR",
    }
    url = f"http://127.0.0.1:{cli_on_each.environ['XMLRPC_API_PORT']}/xmlapi/xmlapi"
    stop = threading.Event()
    checked: list[int] = []

    def guess(number: int) -> None:
        with xmlrpc.client.ServerProxy(url) as portal:
            while not stop.is_set():
                try:
                    portal.authCustomer({"username": f"nobody-{number}-{len(checked)}", "password": "wrong"})
                except xmlrpc.client.Fault as fault:
                    if fault.faultCode == AuthenticationFailed.code:
                        checked.append(number)
                    else:
                        stop.wait(0.5)  # told to come back later

    with cli_on_each.serving(), xmlrpc.client.ServerProxy(url, allow_none=True) as api:
        guessers = [threading.Thread(target=guess, args=(number,)) for number in range(GUESSERS)]
        for guesser in guessers:
            guesser.start()
        while not checked:
            time.sleep(0.05)
        before, seconds = len(checked), []
        until = time.monotonic() + 60
        while time.monotonic() < until:
            started = time.perf_counter()
            api.getCustomerInfo({"i_customer": 1, "i_wholesaler": 1})
            seconds.append(time.perf_counter() - started)
        checks = len(checked) - before
        stop.set()
        for guesser in guessers:
            guesser.join()

    p99 = statistics.quantiles(seconds, n=100)[98]
    assert checks > 0
    assert len(seconds) >= ANSWERS_FOR_EACH_CHECK * checks, f"p99 {p99 * 1000:.0f} ms"


def _send_all(port: int) -> dict[str, float]:
    """Every hostile document, one after another; how long its answer took."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    seconds = {}
    for path, documents in ((PATH, hostile.calls()), ("/ngnpro/", hostile.envelopes())):
        for name, (body, _code) in documents.items():
            started = time.perf_counter()
            line.request("POST", path, body, dict([TEXT_XML]))
            line.getresponse().read()
            seconds[name] = time.perf_counter() - started
    line.close()
    return seconds


@pytest.mark.soak
def test_no_hostile_document_takes_long_or_leaves_memory_behind(
    cli: CommandLine, length: Callable[[float, float], float]
) -> None:
    cli.environ |= {"XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1", "XMLRPC_API_LOG_LEVEL": "ERROR"}

    with cli.serving() as process:
        _send_all(cli.port)  # what is made once is made
        before = resident(process.pid)
        canary = Canary(cli.port)
        canary.start()
        seconds = _send_all(cli.port)
        canary.stop()
        growth = resident(process.pid) - before

    assert max(seconds.values()) < length(math.inf, 0.3), max(seconds, key=lambda name: seconds[name])
    assert max(canary.health) < length(math.inf, 0.25)
    assert growth < 32 * MEGABYTE
