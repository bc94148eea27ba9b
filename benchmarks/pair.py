"""
Measures this server beside an earlier revision of itself: what a change costs a call.

    python -m benchmarks.pair REVISION

Both run at once, on databases that were filled alike, and are measured in turns. What is compared is the CPU time of
the server's processes and of PostgreSQL's for each call; told is the ratio of this tree to the revision with the
interval that holds it with 95 % certainty. 1.00 is the same, 0.90 is a tenth less.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks import seed, servers
from benchmarks.calls import Call
from benchmarks.cases.reads import full_lists, infos
from benchmarks.cases.writes import new_customers, payments
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.judging import MOST_ROUNDS, interval
from benchmarks.laboratory import SMALL, Laboratory, Scale, Server
from benchmarks.measuring import Ratio, measure

HEADER = """
{engine}: microseconds of CPU a call

| call | {revision} | now | ratio | 95 % |
|---|---|---|---|---|"""
CASES: dict[str, tuple[Callable[[], Iterable[Call]], int]] = {  # calls, and how many connections
    "getCustomerInfo": (lambda: infos(SMALL), 8),
    "listCustomers": (full_lists, 4),
    "createCustomer": (new_customers, 8),
    "customerAddFunds": (payments, 4),
}


def compare(case: str, servers_: tuple[Server, Server], scale: Scale) -> str:
    """A row of the table: microseconds of both, the ratio and its interval."""
    sent, connections = CASES[case]
    ours, theirs = servers_
    contenders = [server.asked(sent) for server in servers_]
    rounds = measure(case, contenders, connections, scale.seconds, scale.rounds)
    found = interval(Ratio(ours.name, theirs.name, None, is_cost=True).of(rounds))
    mine, other = (statistics.median(each.all for each in rounds[server.name]) * 1e6 for server in servers_)
    return f"| {case} | {other:.0f} | {mine:.0f} | {found.mean:.3f} | {found.low:.3f} .. {found.high:.3f} |"


def compare_all(laboratory: Laboratory, engine: str, revision: str, tree: Path, cases: Iterable[str]) -> None:
    """A table, for one engine."""
    now = laboratory.url(engine, "pair_now", lambda url: seed.make(url, SMALL))
    then = laboratory.url(engine, "pair_then", lambda url: seed.make(url, SMALL, tree))
    print(HEADER.format(engine=engine, revision=revision))
    with ExitStack() as stack:
        ours = stack.enter_context(laboratory.ours(now, is_stubbed=True))
        theirs = stack.enter_context(laboratory.ours(then, revision, tree, is_stubbed=True))
        for case in cases:
            print(compare(case, (ours, theirs), laboratory.scale), flush=True)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pair", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revision", help="what to compare with, such as a tag")
    parser.add_argument("--engine", choices=[SQLITE, POSTGRESQL], action="append", help="only this database")
    parser.add_argument("--case", choices=CASES, action="append", help="only this call")
    parser.add_argument("--rounds", type=int, default=12, choices=range(2, MOST_ROUNDS + 1), metavar="ROUNDS")
    parser.add_argument("--seconds", type=float, default=2, help="length of one measurement")
    chosen = parser.parse_args()
    scale = replace(Scale(), rounds=chosen.rounds, seconds=chosen.seconds)
    with Laboratory(scale) as laboratory, servers.tree(chosen.revision) as tree:
        for engine in chosen.engine or [POSTGRESQL, SQLITE]:
            compare_all(laboratory, engine, chosen.revision, tree, chosen.case or CASES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
