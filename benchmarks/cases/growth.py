"""What a process takes and keeps, and what bcrypt does to others: the limits of logins and of memory."""

import http.client
import os
import statistics
import threading
import time
import uuid
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat

import bcrypt

from benchmarks import calls, load, seed, servers
from benchmarks.calls import Call
from benchmarks.cases.case import Case
from benchmarks.cases.reads import infos
from benchmarks.databases import POSTGRESQL
from benchmarks.judging import Question, at_least, at_most, exactly, interval
from benchmarks.laboratory import SMALL, Laboratory, Server
from benchmarks.measuring import Result
from benchmarks.report import progress
from benchmarks.servers import UnmeasurableError

MEGABYTE = 2**20
BCRYPT_COST = 12  # the default
LOGINS_AT_ONCE = 8
LONGER = 1.5
FEWEST_ASKED = 20
IDLE, KEPT, CHECKS, OTHERS = at_most(120), at_most(5), at_least(0.9), at_most(20)
BATCH = 20_000
Pace = tuple[list[float], list[float]]


def _memory_plan() -> Iterator[Question]:
    yield Question("idle process, PostgreSQL", "resident", "MiB", IDLE)
    yield Question("growth over 100,000 calls, PostgreSQL", "resident", "MiB", KEPT)


def _memory(laboratory: Laboratory) -> Result:
    result = Result()
    idle, growth = _memory_plan()
    with laboratory.ours(laboratory.customers(POSTGRESQL, SMALL)) as server:
        result.add(idle, exactly(server.running.memory() / MEGABYTE))
        count = laboratory.scale.calls
        _send(server, count // 10)
        before = server.running.memory()
        _send(server, count)
        grown = (server.running.memory() - before) / MEGABYTE
    result.add(replace(growth, what=f"growth over {count:,} calls, PostgreSQL"), exactly(grown))
    return result


def _send(server: Server, count: int) -> None:
    """So many calls."""
    sent = 0
    while sent < count:
        progress(f"memory: {sent:,} of {count:,} calls")
        requests = server.asked(lambda: infos(SMALL)).requests(min(BATCH, count - sent))
        found = load.run(server.running.port, requests, 600, 32)
        if found.complaint:
            raise UnmeasurableError(found.complaint)
        sent += found.answers


def _login_plan() -> Iterator[Question]:
    bare = f"bcrypt.checkpw in {os.cpu_count()} threads"
    yield Question("authCustomer, PostgreSQL", bare, "checks a second", CHECKS)
    yield Question("authCustomer, PostgreSQL", "p99 of other calls", "ms", OTHERS)


def _logins(laboratory: Laboratory) -> Result:
    cores = os.cpu_count() or 1
    url = laboratory.customers(POSTGRESQL, SMALL, "written")
    with servers.product(url, bcrypt_cost=BCRYPT_COST, trusted_hosts="127.0.0.1") as running:
        (checks, limits), others = _rounds(laboratory, running.port, cores)
    ratios = [check / limit for check, limit in zip(checks, limits, strict=True)]
    speed, delay = _login_plan()
    result = Result()
    result.add(speed, interval(ratios), ratios)
    if len(others) < FEWEST_ASKED:
        raise UnmeasurableError(f"only {len(others)} other calls were answered meanwhile")
    result.add(delay, exactly(statistics.quantiles(others, n=100)[98] * 1000))
    return result


def _rounds(laboratory: Laboratory, port: int, cores: int) -> tuple[Pace, list[float]]:
    login = _new_login(f"http://127.0.0.1:{port}{calls.XMLRPC}")
    one = calls.document("authCustomer", {**login, "i_wholesaler": seed.ROOT_ID}), b"<name>i_customer</name>"
    checks: list[float] = []
    limits: list[float] = []
    others: list[float] = []
    seconds = laboratory.scale.seconds * LONGER
    for turn in range(laboratory.scale.rounds):
        progress(f"authCustomer: {turn + 1}")
        limits.append(bare_bcrypt(cores, seconds))
        stop = threading.Event()
        canary = threading.Thread(target=_ask_on, args=(port, stop, others))
        canary.start()
        found = load.run(port, calls.plain(port, repeat(one, 1000)), seconds, LOGINS_AT_ONCE)
        stop.set()
        canary.join()
        if found.complaint:
            raise UnmeasurableError(found.complaint)
        checks.append(found.answers / found.seconds)
    return (checks, limits), others


def _new_login(address: str) -> dict[str, object]:
    name = f"login-{uuid.uuid4().hex[:8]}"
    with xmlrpc.client.ServerProxy(address, allow_none=True) as api:
        new = {"name": name, "web_password": "s3cret-Pa55", "i_tariff": None, "i_wholesaler": seed.ROOT_ID}
        api.createCustomer(new)
    return {"username": name, "password": "s3cret-Pa55"}


def bare_bcrypt(threads: int, seconds: float) -> float:
    """Checks a second of bcrypt alone."""
    hashed = bcrypt.hashpw(b"s3cret-Pa55", bcrypt.gensalt(BCRYPT_COST))
    counts = [0] * threads
    started = time.perf_counter()

    def check(number: int) -> None:
        while time.perf_counter() < started + seconds:
            bcrypt.checkpw(b"s3cret-Pa55", hashed)
            counts[number] += 1

    workers = [threading.Thread(target=check, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - started)


def _ask_on(port: int, stop: threading.Event, seconds: list[float]) -> None:
    """One call after another, as another client."""
    wanted = {"i_customer": seed.FIRST_ID, "i_wholesaler": seed.RESELLER_ID}
    body: Call = calls.document("getCustomerInfo", wanted), b""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.wait(0.05):
        started = time.perf_counter()
        line.request("POST", calls.XMLRPC, body[0], {"Content-Type": "text/xml"})
        answer = line.getresponse()
        if answer.status == 200 and b"<fault>" not in answer.read():
            seconds.append(time.perf_counter() - started)
    line.close()


CASES: tuple[Case, ...] = (
    Case("idle", "memory", "What an idle process takes, and what it keeps of many calls.", _memory_plan, _memory),
    Case(
        "logins",
        "authCustomer",
        "Checks of passwords at cost 12 beside bcrypt alone in as many threads as there are cores, and what other"
        " calls notice of it.",
        _login_plan,
        _logins,
    ),
)
