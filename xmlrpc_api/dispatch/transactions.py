"""How a transaction ends: by a fault that keeps what was changed, by one that undoes it, or undone in any case."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from xmlrpc_api.declaration.faults import Kept
from xmlrpc_api.storage.transaction import Transaction

T = TypeVar("T")


@asynccontextmanager
async def keeping(transaction: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """
    The same transaction, which `Kept` ends like success; its fault is raised when that is done.

    Raises:
        Fault: That of `Kept`.
    """
    kept: Kept | None = None
    async with transaction as begun:
        try:
            yield begun
        except Kept as told:
            kept = told
    if kept is not None:
        raise kept.fault


@asynccontextmanager
async def undone(transaction: Transaction) -> AsyncIterator[Transaction]:
    """The same transaction, which is undone at its end, however it ends."""
    async with transaction:
        yield transaction
        await transaction.rollback()


@asynccontextmanager
async def savepoint(store: Transaction) -> AsyncIterator[None]:
    """
    A part of a transaction that undoes itself alone. What was loaded until then is not believed after that.

    Raises:
        Fault: That of `Kept`.
    """
    try:
        async with keeping(store.session.begin_nested()):
            await store.session.connection()  # only now the database knows of it, whichever way it is asked next
            yield
    except BaseException:
        store.session.expire_all()
        raise
