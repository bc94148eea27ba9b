"""Hashing what callers set waits, in turns that are fair; checking guesses is refused when too many wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from harness import unique

from xmlrpc_api.crypto.passwords import PasswordHasher, bcrypt_runs
from xmlrpc_api.turns import TooManyWaiting

FIRST, SECOND = 7, 8
WAITING = 8


def run(work: Callable[[PasswordHasher], Awaitable[Any]]) -> Any:
    """Await work with one thread for each kind, where one guess may wait, and eight passwords of one caller."""

    async def main() -> Any:
        hasher = PasswordHasher(4, 1, caller_queue=WAITING)
        try:
            return await work(hasher)
        finally:
            hasher.close()

    return asyncio.run(main())


def test_a_flood_of_guesses_refuses_guesses_alone() -> None:
    async def flood(hasher: PasswordHasher) -> Any:
        guesses = [hasher.check("guess", None) for _ in range(40)]
        hashes = [hasher.hash(unique(), FIRST) for _ in range(WAITING + 1)]
        return await asyncio.gather(*guesses, *hashes, return_exceptions=True)

    outcomes = run(flood)

    assert [type(outcome) for outcome in outcomes[:40]] == [bool] * 2 + [TooManyWaiting] * 38
    assert all(hashed.startswith("$2b$04$") for hashed in outcomes[40:])


def test_a_flood_of_new_passwords_refuses_no_guess() -> None:
    async def flood(hasher: PasswordHasher) -> Any:
        hashes = [hasher.hash(unique(), FIRST) for _ in range(WAITING + 1)]
        return await asyncio.gather(*hashes, hasher.check("guess", None))

    assert run(flood)[-1] is False


def test_who_lets_too_many_wait_is_refused_and_others_are_not() -> None:
    async def flood(hasher: PasswordHasher) -> Any:
        hashes = [hasher.hash(unique(), FIRST) for _ in range(WAITING + 4)]
        return await asyncio.gather(*hashes, hasher.hash(unique(), SECOND), return_exceptions=True)

    outcomes = run(flood)

    assert [type(outcome) for outcome in outcomes] == [str] * (WAITING + 1) + [TooManyWaiting] * 3 + [str]


def test_callers_take_turns() -> None:
    """Eight were there first; the ninth is somebody else's and is next but one."""
    done: list[int] = []

    async def flood(hasher: PasswordHasher) -> None:
        async def hash_for(caller: int) -> None:
            await hasher.hash(unique(), caller)
            done.append(caller)

        await asyncio.gather(*(hash_for(FIRST) for _ in range(WAITING)), hash_for(SECOND))

    run(flood)

    assert done.index(SECOND) <= 1


@pytest.mark.parametrize(
    ("cost", "threads", "queue", "waiting"),
    [(12, 1, 500, 21), (12, 2, 500, 43), (14, 1, 500, 5), (20, 1, 500, 1), (4, 2, 500, 500)],
)
def test_as_many_may_wait_as_bcrypt_does_in_five_seconds(cost: int, threads: int, queue: int, waiting: int) -> None:
    """And no more than calls of one caller may wait at all."""
    assert bcrypt_runs(cost, threads, queue) == waiting
