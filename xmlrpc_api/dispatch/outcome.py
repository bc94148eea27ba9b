"""What became of a call: any error is a `Fault` here, and every outcome is counted and logged."""

import time
from types import TracebackType

import structlog
from sqlalchemy import CheckConstraint, Constraint, Index, UniqueConstraint

from models import model_of
from xmlrpc_api import metrics
from xmlrpc_api.call import Origin
from xmlrpc_api.declaration.faults import BadParameter, Conflict, Fault, InternalError, Kept, Kind, Unavailable
from xmlrpc_api.dispatch.preparation import LOGGED_NAME_LENGTH, methods_of
from xmlrpc_api.logs import Calls
from xmlrpc_api.storage.errors import ERRORS, is_refusal, is_retryable, is_unavailable, violated_constraint
from xmlrpc_api.turns import TooManyWaiting

log = structlog.get_logger()


class Outcome:
    """
    A block that is one call: whatever error ends it becomes a fault; its outcome is counted and logged.

    A part of a transaction that lost a race has no outcome yet: the transaction is run again.
    """

    __slots__ = ("_name", "_origin", "_started")

    def __init__(self, origin: Origin, name: str) -> None:
        self._origin = origin
        self._name = name

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is not None and isinstance(error, ERRORS) and is_retryable(error):
            return
        fault = to_fault(error, self._origin) if isinstance(error, Exception) else None
        note(self._origin, self._name, fault, time.perf_counter() - self._started)
        if fault is not None and fault is not error:
            raise fault from None


def note(origin: Origin, name: str, fault: Fault | None, seconds: float = 0) -> None:
    """Count and log a call."""
    known = name if name in methods_of(origin) else metrics.UNKNOWN_METHOD
    face, login = origin.face.value, origin.login
    metrics.note_call(known, face, seconds, fault.code if fault else None)
    Calls.write(
        method=name[:LOGGED_NAME_LENGTH],
        caller=login.i_customer if login else None,
        login=login.web_login if login else None,
        address=origin.address,
        dialect=face,
        request_id=origin.request_id,
        fault=fault.code if fault else None,
        text=fault.text if fault else None,
        ms=round(seconds * 1000, 1),
    )


def to_fault(error: Exception, origin: Origin) -> Fault:
    """What the client is told of an error. Bugs are logged with their traceback and told as an id."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, Kept):
        return error.fault
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
        column = list(constraint.columns)[-1]
        name = column.name if "field" in column.info else column.name.removesuffix("_key")
        return Conflict.taken(model_of(constraint.table), name)
    return Conflict("The object is still in use, or what it points at is gone", kind=Kind.IN_USE)
