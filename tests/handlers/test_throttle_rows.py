"""Counters of wrong passwords go again."""

from typing import Any

from harness import Server, unique
from portals import Portal

from xmlrpc_api.declaration.faults import AuthenticationFailed, TooManyAttempts
from xmlrpc_api.services.logins import throttle

FAILED = (AuthenticationFailed.code, "Authentication failed")
THROTTLED = (TooManyAttempts.code, "Too many attempts, try again later")


class TestRows:
    def test_those_of_the_fewest_failures_make_room(self, fresh: Server) -> None:
        """Whoever floods with invented logins does not wash out the counter of the one he guesses."""
        clock = fresh.stop_clock()
        portal = Portal(fresh.api())
        login = unique("victim")
        for _ in range(9):
            portal.outcome(login, "wrong")
        known = {row.key for row in fresh.sql("SELECT key FROM throttles")}
        clock.move(1)
        for _ in range(20):
            portal.outcome(unique("nobody"), "wrong")

        async def prune(database: Any) -> int:
            async with database.write() as session:
                return await throttle.prune(session, clock(), most=5)

        assert fresh.run(prune) == 17
        assert fresh.run(prune) == 0
        assert known < {row.key for row in fresh.sql("SELECT key FROM throttles")}
        assert [portal.outcome(login, "wrong") for _ in range(2)] == [FAILED, THROTTLED]

    def test_a_locked_one_stays(self, fresh: Server) -> None:
        clock = fresh.stop_clock()
        portal = Portal(fresh.api())
        login = unique("victim")
        for _ in range(10):
            portal.outcome(login, "wrong")

        async def prune(database: Any) -> int:
            async with database.write() as session:
                return await throttle.prune(session, clock(), most=0)

        assert fresh.run(prune) == 1  # what tells a flood
        assert portal.outcome(login, "wrong") == THROTTLED
