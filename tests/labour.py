"""What a server does for a call: its statements, and its runs of bcrypt. What costs the same work takes as long."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import bcrypt
from harness import Server
from sqlalchemy import event

from xmlrpc_api import background
from xmlrpc_api.storage.transaction import Transaction
from xmlrpc_api.transport import pages

LIST = re.compile(r"\bIN \([^)]*\)")


@contextmanager
def transacted(server: Server, note: Callable[[str], None]) -> Iterator[None]:
    """Notes each statement that a transaction sends, or a session that reads; not what the server does beside."""
    database = server.app[pages.DATABASE]
    run_on_driver = Transaction._run

    def statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if not text.startswith("BEGIN") and not _is_beside():
            note(text)

    async def run(transaction: Transaction, text: str, values: list[Any]) -> Any:
        if transaction._driver is not None and not _is_beside():  # else SQLAlchemy runs it, and tells above
            note(text)
        return await run_on_driver(transaction, text, values)

    with ExitStack() as stack:
        for engine in {database._writer.sync_engine, database._reader.sync_engine}:
            event.listen(engine, "before_cursor_execute", statement)
            stack.callback(event.remove, engine, "before_cursor_execute", statement)
        stack.enter_context(patch.object(Transaction, "_run", run))
        yield


def _is_beside() -> bool:
    """Whether it is none of a call's doing, but of the server's background."""
    task = asyncio.current_task()
    return task is not None and task.get_name() == background.TASK


@contextmanager
def recorded(server: Server) -> Iterator[Counter[str]]:
    """
    Counts what is done meanwhile: each statement by its text, and the runs of bcrypt by their cost.

    What the server does beside its calls is left out, and so is how deep in the tree somebody stands.
    """
    done: Counter[str] = Counter()
    database = server.app[pages.DATABASE]
    fetch, check = database._driver.fetch, bcrypt.checkpw

    def note(text: str) -> None:
        done[LIST.sub("IN (…)", text)] += 1

    async def fetched(text: str, *arguments: Any, **options: Any) -> Any:
        if not _is_beside():
            note(text)
        return await fetch(text, *arguments, **options)

    def checked(password: bytes, hashed: bytes) -> bool:
        done[hashed[:7].decode()] += 1
        return check(password, hashed)

    with (
        transacted(server, note),
        patch.object(database._driver, "fetch", fetched),
        patch.object(bcrypt, "checkpw", checked),
    ):
        yield done
