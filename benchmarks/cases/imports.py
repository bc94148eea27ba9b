"""A price list of 100,000 rates, beside the obvious loop over an ORM, on both engines."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import seed, servers
from benchmarks.cases.case import Case
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.judging import Goal, Question, at_least, interval
from benchmarks.laboratory import OURS, Laboratory
from benchmarks.measuring import Ratio, Result, Sample
from benchmarks.peers import importing
from benchmarks.report import progress
from benchmarks.servers import UnmeasurableError

LOOP = "loop over an ORM"
WAYS = {OURS: importing.OURS, LOOP: importing.LOOP}
HEADER = "prefix;price_1;price_n;interval_1;interval_n;activation_date;area_name\n"
GOALS = {POSTGRESQL: at_least(20_000), SQLITE: at_least(10_000)}
LIMIT_SECONDS = 600


def _file(laboratory: Laboratory, count: int) -> Path:
    """A price list."""
    file = laboratory.folder / f"prices_{count}.csv"
    if not file.exists():
        chance = random.Random(count)
        prices = [f"0.{chance.randrange(10**5):05}" for _ in range(10**4)]
        lines = (
            f"{10**6 + number};{chance.choice(prices)};{chance.choice(prices)};60;6;2027-01-01;Area {number // 50}\n"
            for number in range(count)
        )
        file.write_text(HEADER + "".join(lines))
    return file


def _run(laboratory: Laboratory, url: str, way: str, file: Path) -> Sample:
    """Take it over into a new tariff."""
    database = laboratory.databases.process(url)
    before = database.cpu_seconds()
    command = [sys.executable, "-m", "benchmarks.peers.importing", url, way, str(file)]
    told = laboratory.folder / "imported.txt"
    with told.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=servers.environment(url, {"statement_seconds": LIMIT_SECONDS, "log_level": "ERROR"}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    last = told.read_text().splitlines()[-1:]
    if process.returncode or not last or not last[0].startswith("seconds "):
        raise UnmeasurableError(f"{way}: it ends with {process.returncode}: {last}")
    passed = float(last[0].split()[1])
    return Sample(1 / passed, used.ru_utime + used.ru_stime, database.cpu_seconds() - before, passed, passed)


def _elapsed(sample: Sample) -> float:
    return sample.p50


def _plan(title: str, goal: Goal) -> Iterator[Question]:
    yield Question(title, "the clock", "rates a second", goal)
    yield replace(Ratio(OURS, LOOP, at_least(1), cost=_elapsed).question(title), unit="speed, by the clock")


def _measure(laboratory: Laboratory, engine: str, title: str, plan: Callable[[], Iterator[Question]]) -> Result:
    count = laboratory.scale.large
    url = laboratory.url(engine, "imported", lambda url: seed.command(url, "init"))
    file = _file(laboratory, count)
    taken: dict[str, list[Sample]] = {name: [] for name in WAYS}
    for turn in range(laboratory.scale.rounds):
        for name, way in WAYS.items():
            progress(f"{title}: {name}, {turn + 1}")
            taken[name].append(_run(laboratory, url, way, file))
    result = Result()
    result.take(title, taken, [])
    speed, ratio = plan()
    speeds = [count / sample.p50 for sample in taken[OURS]]
    result.add(speed, interval(speeds), speeds)
    ratios = Ratio(OURS, LOOP, ratio.goal, cost=_elapsed).of(taken)
    result.add(ratio, interval(ratios), ratios)
    return result


def _case(engine: str) -> Case:
    title = f"import of 100,000 rates, {engine}"
    plan = partial(_plan, title, GOALS[engine])
    return Case(
        f"import {engine.lower()}",
        title,
        "From an open file to the commit; ours checks each cell, compares with what is there, proves it and notes it.",
        plan,
        lambda laboratory: _measure(laboratory, engine, title, plan),
    )


CASES: tuple[Case, ...] = tuple(_case(engine) for engine in GOALS)
