"""What is costly to tell is made at most once in a while, whoever asks."""

import asyncio
from collections.abc import Awaitable, Callable

from harness import Clock

from xmlrpc_api.fresh import Fresh


def answers(ask: Callable[[Fresh[int], Clock], Awaitable[list[int]]]) -> list[int]:
    """What `ask` is answered, where each making is numbered and keeps for a second."""

    async def main() -> list[int]:
        made: list[int] = []
        clock = Clock()

        def now() -> float:
            return clock.now.timestamp()

        async def make() -> int:
            made.append(len(made) + 1)
            await asyncio.sleep(0)
            return made[-1]

        return await ask(Fresh(make, 1, now), clock)

    return asyncio.run(main())


def test_all_who_ask_at_once_are_told_the_same() -> None:
    async def ask(value: Fresh[int], _clock: Clock) -> list[int]:
        return await asyncio.gather(*(value.get() for _ in range(50)))

    assert answers(ask) == [1] * 50


def test_it_is_made_anew_after_a_second_and_no_sooner() -> None:
    async def ask(value: Fresh[int], clock: Clock) -> list[int]:
        told = []
        for seconds in (0, 0.999, 0.001, 0.5, 0.5):
            clock.move(seconds)
            told.append(await value.get())
        return told

    assert answers(ask) == [1, 1, 2, 2, 3]


def test_who_goes_away_takes_it_from_nobody() -> None:
    async def ask(value: Fresh[int], _clock: Clock) -> list[int]:
        impatient = asyncio.create_task(value.get())
        patient = asyncio.create_task(value.get())
        await asyncio.sleep(0)
        impatient.cancel()
        return [await patient]

    assert answers(ask) == [1]
