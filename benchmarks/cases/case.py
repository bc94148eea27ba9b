"""What a case is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.judging import Question
from benchmarks.laboratory import Laboratory
from benchmarks.measuring import Contender, Ratio, Result, measure

Contenders = Callable[[Laboratory], AbstractContextManager[Sequence[Contender]]]
BOTH = (32, 4)


@dataclass(frozen=True)
class Case:
    """
    A case.

    Attributes:
        name: By which it is chosen.
        title: What is called, where.
        about: What is compared, in a sentence.
        plan: All its questions, so that they can be told as failed when it could not be measured.
        run: Measures it.
    """

    name: str
    title: str
    about: str
    plan: Callable[[], Iterator[Question]]
    run: Callable[[Laboratory], Result]


def compared(
    name: str,
    title: str,
    about: str,
    contenders: Contenders,
    ratios: Sequence[Ratio],
    *,
    connections: Sequence[int] = BOTH,
    longer: float = 1.0,
) -> Case:
    """A case in which servers get the same load; slow ones are measured `longer` times as long."""

    def what(clients: int) -> str:
        return f"{title}, {clients} connections"

    def plan() -> Iterator[Question]:
        for clients in connections:
            for ratio in ratios:
                yield ratio.question(what(clients))

    def run(laboratory: Laboratory) -> Result:
        result = Result()
        scale = laboratory.scale
        with contenders(laboratory) as ready:
            for clients in connections:
                rounds = measure(title, ready, clients, scale.seconds * longer, scale.rounds)
                result.take(what(clients), rounds, ratios)
        return result

    return Case(name, title, about, plan, run)
