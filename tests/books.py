"""Are the books right? Asked of the server's own proof, in the server's own process."""

from collections.abc import Sequence
from typing import Any

from harness import Server

from xmlrpc_api import upkeep
from xmlrpc_api.app import new_platform
from xmlrpc_api.database import Database
from xmlrpc_api.services import verification


def findings(server: Server, head: str | None = None) -> Sequence[str]:
    """What `xmlrpc-api verify` finds."""

    async def work(database: Database) -> list[str]:
        found: list[str] = []
        vault = new_platform(server.config).vault
        async with database.snapshot() as session:
            async for step in verification.verify(session, vault, head):
                found += step.findings
        return found

    return server.run(work)


def seal(server: Server) -> str:
    """Seal what is new in the change history; the newest link."""

    async def work(database: Database) -> Any:
        await upkeep.seal(new_platform(server.config), database)
        async with database.read() as session:
            return await verification.newest_link(session)

    return server.run(work)
