"""
Measures this server beside an earlier revision of itself: what a change costs a call.

    python -m benchmarks.pair REVISION

Both run at once, on databases that were filled alike, and are measured in turns. What is compared is the CPU time of
the server's processes for each call, database excluded; told is the ratio of this tree to the revision, round by round,
with the interval that holds its mean with 95 % certainty (bootstrapped). 1.00 is the same, 0.90 is a tenth less.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path

from benchmarks import load, seed, servers
from benchmarks.__main__ import MIDDLE, databases
from benchmarks.servers import Running

Bodies = Callable[[], Iterator[bytes]]
CUSTOMERS = 1000
RESAMPLES = 10_000
HEADER = """
{engine}: microseconds of CPU a call

| call | {revision} | now | ratio | 95 % |
|---|---|---|---|---|"""
HERE = Path(__file__).resolve().parent.parent


def _payments() -> Iterator[bytes]:
    """To one customer after another, so little that it can be gone on with."""
    for number in count():
        payment = {"i_customer": seed.FIRST_ID + number % CUSTOMERS, "amount": "0.000001", "currency": "USD"}
        yield load.document("customerAddFunds", payment)


def _new_customers() -> Iterator[bytes]:
    while True:
        new = {"name": uuid.uuid4().hex, "web_password": "s3cret-Pa55", "i_tariff": None}
        yield load.document("createCustomer", new)


CASES: dict[str, tuple[Bodies, int, int]] = {  # calls to prepare for a second, clients at once
    "getCustomerInfo": (lambda: load.repeat(load.document("getCustomerInfo", {"i_customer": MIDDLE}), 10**9), 4000, 8),
    "listCustomers": (lambda: load.repeat(load.document("listCustomers", {"limit": 1000}), 10**9), 500, 4),
    "createCustomer": (_new_customers, 1000, 8),
    "customerAddFunds": (_payments, 1000, 4),
}


@contextmanager
def _tree(revision: str) -> Iterator[Path]:
    """The files of a revision, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="xmlrpc-api-pair-") as name:
        archive = subprocess.run(["git", "archive", revision], cwd=HERE, capture_output=True, check=True)
        subprocess.run(["tar", "x", "-C", name], input=archive.stdout, check=True)
        yield Path(name)


def _fill(source: Path, url: str) -> None:
    """Make the database as that source does."""
    code = "import sys; from benchmarks import seed; seed.seed(sys.argv[1], int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, url, str(CUSTOMERS)], cwd=source, check=True)


def _cpu_of_a_call(running: Running, case: str, seconds: int) -> float:
    bodies, per_second, clients = CASES[case]
    prepared = islice(bodies(), per_second * (seconds + 1))
    requests = load.with_digest(running.port, seed.RESELLER, seed.PASSWORD, prepared)
    before = running.cpu_seconds()
    found = load.run(running.port, requests, seconds, clients)
    if found.errors:
        raise RuntimeError(f"{case}: {found.errors} calls were not answered")
    return (running.cpu_seconds() - before) / found.requests


def interval(ratios: list[float]) -> tuple[float, float]:
    """Where the mean of such ratios lies, with 95 % certainty."""
    chance = random.Random(1)
    means = sorted(statistics.fmean(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return means[RESAMPLES * 25 // 1000], means[RESAMPLES * 975 // 1000]


def compare(case: str, ours: Running, theirs: Running, rounds: int, seconds: int) -> str:
    """A row of the table: microseconds of both, the ratio and its interval."""
    taken: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        sys.stderr.write(f"{case}: {turn or 'warming up'} of {rounds}\n")
        order = (ours, theirs) if turn % 2 else (theirs, ours)
        used = {running.port: _cpu_of_a_call(running, case, seconds) for running in order}
        if turn:
            taken.append((used[ours.port], used[theirs.port]))
    ratios = [mine / other for mine, other in taken]
    low, high = interval(ratios)
    mine, other = (statistics.median(values) * 1e6 for values in zip(*taken, strict=True))
    return f"| {case} | {other:.0f} | {mine:.0f} | {statistics.fmean(ratios):.3f} | {low:.3f} .. {high:.3f} |"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pair", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revision", help="what to compare with, such as a tag")
    parser.add_argument("--engine", choices=["SQLite", "PostgreSQL"], action="append", help="only this database")
    parser.add_argument("--case", choices=CASES, action="append", help="only this call")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2, help="length of one measurement")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xmlrpc-api-bench-")))
        folder.chmod(0o755)
        new_database = stack.enter_context(databases(folder))
        earlier = stack.enter_context(_tree(chosen.revision))
        for engine in chosen.engine or ["PostgreSQL", "SQLite"]:
            urls = new_database(engine, "ours"), new_database(engine, "theirs")
            _fill(HERE, urls[0])
            _fill(earlier, urls[1])
            print(HEADER.format(engine=engine, revision=chosen.revision))
            with servers.product(urls[0]) as ours, servers.product(urls[1], source=earlier) as theirs:
                for case in chosen.case or CASES:
                    print(compare(case, ours, theirs, chosen.rounds, chosen.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
