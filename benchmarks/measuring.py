"""
Rounds: contenders get the same load in turns, A B A B …, and what each used is counted, PostgreSQL's CPU included.
"""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

from benchmarks import load
from benchmarks.calls import Call
from benchmarks.judging import Goal, Interval, Question, State, interval, judge
from benchmarks.report import progress
from benchmarks.servers import Running, UnmeasurableError

WARMING_SECONDS = 1.0
SPARE = 1.6  # how many more requests are prepared than were answered in the round before
FEWEST = 64
MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Contender:
    """
    A server in a comparison.

    Attributes:
        name: What the report calls it.
        running: Its processes.
        database: Those of its database.
        calls: Calls without end, each another one, as far as there are others.
        wrap: Makes requests for its port of them.
    """

    name: str
    running: Running
    database: Running
    calls: Callable[[], Iterable[Call]]
    wrap: Callable[[int, Iterable[Call]], Iterator[Call]]

    def requests(self, count: int) -> list[Call]:
        """So many requests, with credentials as the server wants them."""
        return list(self.wrap(self.running.port, islice(self.calls(), count)))


@dataclass(frozen=True)
class Sample:
    """One round of one server: requests a second, CPU seconds of a request, and how long it took."""

    rate: float
    server: float
    database: float
    p50: float
    p99: float

    @property
    def all(self) -> float:
        """CPU seconds of a request, wherever they were spent."""
        return self.server + self.database


Rounds = Mapping[str, list[Sample]]
Cost = Callable[[Sample], float]


def all_cpu(sample: Sample) -> float:
    """Server and database."""
    return sample.all


def server_cpu(sample: Sample) -> float:
    """The server alone."""
    return sample.server


@dataclass(frozen=True)
class Ratio:
    """
    A comparison that a case is made for.

    Attributes:
        ours: Name of the contender that has the goal.
        theirs: Name of the other.
        goal: What is to be reached; None: it is only shown.
        is_cost: Whether it tells how much of the other's cost ours is, instead of how many times as much it answers
            for the same.
        cost: What counts.
    """

    ours: str
    theirs: str
    goal: Goal | None
    is_cost: bool = False
    cost: Cost = all_cpu

    def of(self, rounds: Rounds) -> list[float]:
        """The ratio of each round."""
        pairs = [(self.cost(a), self.cost(b)) for a, b in zip(rounds[self.ours], rounds[self.theirs], strict=True)]
        if any(not ours or not theirs for ours, theirs in pairs):
            raise UnmeasurableError("a round used no CPU that could be counted: it is too short")
        return [ours / theirs if self.is_cost else theirs / ours for ours, theirs in pairs]

    @property
    def unit(self) -> str:
        """What it is a ratio of."""
        what = "the server's CPU alone" if self.cost is server_cpu else "all CPU"
        return f"{what} a call" if self.is_cost else f"calls for {what}"

    def question(self, what: str) -> Question:
        """What is asked in a case, or with so many connections."""
        return Question(f"{what}: {self.ours}", self.theirs, self.unit, self.goal)


@dataclass(frozen=True)
class Verdict:
    """A question as it is kept, and what was measured."""

    what: str
    against: str
    unit: str
    goal: str
    state: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    rounds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """One server in one case: medians of its rounds, CPU in microseconds, times in milliseconds."""

    what: str
    server: str
    rate: float
    server_us: float
    database_us: float
    p50_ms: float
    p99_ms: float
    spread: float  # of the CPU: half of the way from the smallest to the largest round, as a part of the median
    rounds: list[dict[str, Any]]


@dataclass
class Result:
    """What became of a case."""

    verdicts: list[Verdict] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: str | None = None

    def take(self, what: str, rounds: Rounds, ratios: Sequence[Ratio]) -> None:
        """Judge the ratios of rounds, and keep their medians."""
        self.figures += [_figure(what, name, samples) for name, samples in rounds.items()]
        for ratio in ratios:
            values = ratio.of(rounds)
            self.add(ratio.question(what), interval(values), values)

    def add(self, question: Question, found: Interval, rounds: Sequence[float] = ()) -> None:
        """Judge one quantity."""
        told = _told(question, judge(question.goal, found))
        self.verdicts.append(replace(told, mean=found.mean, low=found.low, high=found.high, rounds=list(rounds)))

    def fail(self, reason: str, questions: Iterable[Question]) -> None:
        """Every goal of the case failed."""
        self.failed = reason
        self.verdicts = [_told(question, State.FAILED) for question in questions]


def _told(question: Question, state: State) -> Verdict:
    return Verdict(question.what, question.against, question.unit, str(question.goal or "–"), state.value)


def measure(what: str, contenders: Sequence[Contender], connections: int, seconds: float, rounds: int) -> Rounds:
    """
    Measure contenders in turns; the first round warms them up, and tells how many requests to prepare.

    Raises:
        UnmeasurableError: An answer is missing, wrong, or a fault.
    """
    taken: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    counts: dict[str, int] = {}
    for turn in range(rounds + 1):
        for contender in contenders:
            progress(f"{what}, {connections} connections: {contender.name}, {turn or 'warming up'}")
            length = seconds if turn else min(seconds, WARMING_SECONDS)
            count = int(counts[contender.name] * length * SPARE) if turn else 3000
            sample = _sample(contender, max(count, FEWEST), length, connections)
            counts[contender.name] = int(sample.rate) + FEWEST
            if turn:
                taken[contender.name].append(sample)
    return taken


def _sample(contender: Contender, count: int, seconds: float, connections: int) -> Sample:
    requests = contender.requests(count)
    server, database = contender.running.cpu_seconds(), contender.database.cpu_seconds()
    found = load.run(contender.running.port, requests, seconds, connections)
    if found.complaint:
        raise UnmeasurableError(f"{contender.name}, {connections} connections: {found.complaint}")
    return Sample(
        rate=found.answers / found.seconds,
        server=(contender.running.cpu_seconds() - server) / found.answers,
        database=(contender.database.cpu_seconds() - database) / found.answers,
        p50=found.p50,
        p99=found.p99,
    )


def _figure(what: str, server: str, samples: list[Sample]) -> Figure:
    def median(cost: Cost) -> float:
        return statistics.median(cost(sample) for sample in samples)

    costs = [sample.all for sample in samples]
    return Figure(
        what,
        server,
        rate=median(lambda sample: sample.rate),
        server_us=median(server_cpu) * MICROSECONDS,
        database_us=median(lambda sample: sample.database) * MICROSECONDS,
        p50_ms=median(lambda sample: sample.p50) * 1000,
        p99_ms=median(lambda sample: sample.p99) * 1000,
        spread=(max(costs) - min(costs)) / 2 / (statistics.median(costs) or 1),
        rounds=[asdict(sample) for sample in samples],
    )
