"""
What is measured against what must be shown.

A ratio is taken of two servers in the same round, so that what else the machine does weighs on both. Of the logarithms
of these ratios Student's t gives the interval that holds their mean with 95 % certainty. A goal is held only if all of
the interval holds it.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201)  # 95 %, two sides, by n - 2
MOST_ROUNDS = len(STUDENT) + 1


class State(Enum):
    """What became of a goal."""

    HELD = "held"
    MISSED = "MISSED"
    FAILED = "FAILED"
    SHOWN = "–"


@dataclass(frozen=True)
class Interval:
    """Where a ratio lies: its geometric mean, and bounds that hold it with 95 % certainty."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Goal:
    """What has to be reached."""

    bound: float
    is_ceiling: bool = False  # at most the bound instead of at least
    is_lenient: bool = False  # it is enough that the interval reaches it

    def is_held(self, found: Interval) -> bool:
        """Whether all of an interval reaches it; one that is lenient, whether any of it does."""
        if self.is_ceiling:
            return (found.low if self.is_lenient else found.high) <= self.bound
        return (found.high if self.is_lenient else found.low) >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.is_ceiling else "≥"
        return f"interval includes {sign} {self.bound:g}" if self.is_lenient else f"{sign} {self.bound:g}"


@dataclass(frozen=True)
class Question:
    """
    What a verdict is about.

    Attributes:
        what: Who does what.
        against: What it is compared with.
        unit: What is measured, or what it is a ratio of.
        goal: What is to be reached; None: it is only shown.
    """

    what: str
    against: str
    unit: str
    goal: Goal | None


def at_least(bound: float) -> Goal:
    """So much or more."""
    return Goal(bound)


def at_most(bound: float) -> Goal:
    """So much or less."""
    return Goal(bound, is_ceiling=True)


def includes_at_most(bound: float) -> Goal:
    """The interval includes so much or less."""
    return Goal(bound, is_ceiling=True, is_lenient=True)


def interval(ratios: Sequence[float]) -> Interval:
    """
    Where such ratios lie.

    Raises:
        ValueError: There are too few of them to tell, too many, or one of them is no ratio.
    """
    if not 2 <= len(ratios) <= MOST_ROUNDS:
        raise ValueError(f"{len(ratios)} rounds: 2 to {MOST_ROUNDS} can be judged")
    if any(not (math.isfinite(ratio) and ratio > 0) for ratio in ratios):
        raise ValueError("a ratio must be above zero: too little was measured")
    logarithms = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logarithms)
    half = STUDENT[len(ratios) - 2] * statistics.stdev(logarithms) / math.sqrt(len(ratios))
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half))


def exactly(value: float) -> Interval:
    """A quantity that is measured once, such as memory."""
    return Interval(value, value, value)


def judge(goal: Goal | None, found: Interval) -> State:
    """What became of a goal; without one, a value is only shown."""
    if goal is None:
        return State.SHOWN
    return State.HELD if goal.is_held(found) else State.MISSED
