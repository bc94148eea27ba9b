"""`verify` and `customers export` of 100,000 customers, beside the revision before: the same rows, the same result."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import databases, seed, servers
from benchmarks.cases.case import Case
from benchmarks.databases import POSTGRESQL
from benchmarks.judging import Question, at_least, interval
from benchmarks.laboratory import BASELINE, OURS, Laboratory
from benchmarks.measuring import Ratio, Result, Sample
from benchmarks.report import progress
from benchmarks.servers import HERE, UnmeasurableError

LIMIT_SECONDS = 900
GOAL = at_least(3)


def elapsed(sample: Sample) -> float:
    """Seconds that somebody waits."""
    return sample.p50


@dataclass(frozen=True)
class Side:
    """A tree, and a database that it understands."""

    name: str
    source: Path
    url: str


def _sides(laboratory: Laboratory) -> list[Side]:
    """The same rows for both: made before, with a history that was signed then; migrated for now."""
    tree, count = laboratory.tree(), laboratory.scale.large

    def fill(url: str) -> None:
        seed.make(url, count, tree, accounts=1)
        numbers = [str(number) for number in (seed.FIRST_ID, seed.FIRST_ID + 1, seed.FIRST_ID + count - 1)]
        progress("signing the history of the copies")
        command = [sys.executable, "-m", "benchmarks.history", url, *numbers]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnmeasurableError(f"the history cannot be written: {done.stderr.strip()[-300:]}")
        databases.tidy(url)

    then = laboratory.url(POSTGRESQL, "proven_then", fill)

    def migrate(url: str) -> None:
        seed.command(url, "migrate")
        databases.tidy(url)

    if (POSTGRESQL, "proven_now") not in laboratory.made:
        laboratory.made[POSTGRESQL, "proven_now"] = laboratory.databases.copy(then, "proven_now")
        migrate(laboratory.made[POSTGRESQL, "proven_now"])
    return [Side(OURS, HERE, laboratory.made[POSTGRESQL, "proven_now"]), Side(BASELINE, tree, then)]


def _run(side: Side, laboratory: Laboratory, arguments: Sequence[str]) -> Sample:
    """Run a command, and count what it uses."""
    database = laboratory.databases.process(side.url)
    before = database.cpu_seconds()
    started = time.perf_counter()
    with (laboratory.folder / "told.txt").open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "xmlrpc_api", *arguments],
            cwd=side.source,
            env=servers.environment(side.url, {"statement_seconds": LIMIT_SECONDS}),
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    passed = time.perf_counter() - started
    if process.returncode:
        last = (laboratory.folder / "told.txt").read_text()[-300:]
        raise UnmeasurableError(f"{side.name}: {' '.join(arguments)} ends with {process.returncode}: {last}")
    server = used.ru_utime + used.ru_stime
    return Sample(1 / passed, server, database.cpu_seconds() - before, passed, passed)


def _verify(_laboratory: Laboratory, _side: Side) -> tuple[list[str], Callable[[], str]]:
    """What `verify` is called with, and what it must come to: nothing is off."""
    return ["verify"], lambda: "nothing is off"


def _export(laboratory: Laboratory, side: Side) -> tuple[list[str], Callable[[], str]]:
    """What `export` is called with, and what it writes."""
    file = laboratory.folder / "exported.csv"

    def result() -> str:
        lines = file.read_bytes()
        count = lines.count(b"\n") - 1
        if count != laboratory.scale.large:
            raise UnmeasurableError(f"{side.name}: {count} customers were written")
        return hashlib.sha256(lines).hexdigest()

    return ["customers", "export", "--owner", str(seed.RESELLER_ID), str(file)], result


Prepared = Callable[[Laboratory, Side], tuple[list[str], Callable[[], str]]]


def _command(name: str, title: str, about: str, prepared: Prepared) -> Case:
    ratios = {
        "speed, by all CPU": Ratio(OURS, BASELINE, GOAL),
        "speed, by the clock": Ratio(OURS, BASELINE, GOAL, cost=elapsed),
    }

    def plan() -> Iterator[Question]:
        for unit, ratio in ratios.items():
            yield replace(ratio.question(title), unit=unit)

    def run(laboratory: Laboratory) -> Result:
        sides = _sides(laboratory)
        taken: dict[str, list[Sample]] = {side.name: [] for side in sides}
        for turn in range(laboratory.scale.rounds):
            outcomes = set()
            for side in sides:
                progress(f"{title}: {side.name}, {turn + 1}")
                arguments, outcome = prepared(laboratory, side)
                taken[side.name].append(_run(side, laboratory, arguments))
                outcomes.add(outcome())
            if len(outcomes) > 1:
                raise UnmeasurableError(f"{title}: they come to different results")
        result = Result()
        result.take(title, taken, [])
        for question, ratio in zip(plan(), ratios.values(), strict=True):
            values = ratio.of(taken)
            result.add(question, interval(values), values)
        return result

    return Case(name, title, about, plan, run)


CASES: tuple[Case, ...] = (
    _command(
        "verify",
        "verify of 100,000 customers, PostgreSQL",
        "The command, from its start to its end, on the same rows, beside its own revision c002dcb.",
        _verify,
    ),
    _command(
        "export",
        "export of 100,000 customers, PostgreSQL",
        "The command, from its start to its end, on the same rows; both files are the same, byte for byte.",
        _export,
    ),
)
