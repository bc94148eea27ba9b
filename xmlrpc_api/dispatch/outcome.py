"""What became of a call: any error is a `Fault` here, and every outcome is counted and logged."""

import time
from collections.abc import Awaitable
from typing import Any

import structlog
from sqlalchemy import CheckConstraint, Constraint, Index, UniqueConstraint

from xmlrpc_api import metrics
from xmlrpc_api.call import Origin
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Fault, InternalError, Unavailable
from xmlrpc_api.dispatch.preparation import methods_of
from xmlrpc_api.storage.errors import ERRORS, is_refusal, is_retryable, is_unavailable, violated_constraint
from xmlrpc_api.turns import TooManyWaiting

LOGGED_NAME_LENGTH = 64

log = structlog.get_logger()


async def observed(origin: Origin, name: str, work: Awaitable[Any]) -> Any:
    """Await a call; turn any error into a fault; count and log the outcome."""
    started = time.perf_counter()
    fault: Fault | None = None
    known = name if name in methods_of(origin) else metrics.UNKNOWN_METHOD
    try:
        return await work
    except Exception as error:
        if isinstance(error, ERRORS) and is_retryable(error):
            raise
        fault = to_fault(error, origin)
        raise fault from None
    finally:
        seconds = time.perf_counter() - started
        metrics.note_call(known, origin.face.value, seconds, fault.code if fault else None)
        log.info(
            "call",
            method=name[:LOGGED_NAME_LENGTH],
            caller=origin.login.i_customer if origin.login else None,
            login=origin.login.web_login if origin.login else None,
            address=origin.address,
            dialect=origin.face.value,
            request_id=origin.request_id,
            fault=fault.code if fault else None,
            text=fault.text if fault else None,
            ms=round(seconds * 1000, 1),
        )


def to_fault(error: Exception, origin: Origin) -> Fault:
    """What the client is told of an error. Bugs are logged with their traceback and told as an id."""
    if isinstance(error, Fault):
        return error
    if is_refusal(error):
        return _from_constraint(violated_constraint(error))
    if isinstance(error, TooManyWaiting):
        return Unavailable(str(error))
    if is_unavailable(error):
        log.warning("unavailable", error=type(error).__name__, request_id=origin.request_id)
        return Unavailable()
    log.error("internal error", request_id=origin.request_id, exc_info=error)
    return InternalError(origin.request_id)


def _from_constraint(constraint: Constraint | Index | None) -> Fault:
    """The fault for a change that the database refused."""
    if isinstance(constraint, CheckConstraint):
        return BadParameter(str(constraint.name).rpartition(f"{constraint.table.name}_")[2], "is out of range")
    if isinstance(constraint, UniqueConstraint):
        return Conflict.taken(list(constraint.columns)[-1].name.removesuffix("_key"))
    return Conflict("The object is still in use, or what it points at is gone")
