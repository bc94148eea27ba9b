"""
What Prometheus may read of this process, or of all workers together.

Workers keep their numbers in files, one set a worker, which whoever takes a dead one's place goes on with.
"""

import os
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.values import MultiProcessValue

REGISTRY = CollectorRegistry()  # not the default one: that tells the version of Python
ProcessCollector(registry=REGISTRY)

CALLS = Counter("xmlrpc_api_calls", "Calls by method and dialect.", ["method", "dialect"], registry=REGISTRY)
FAULTS = Counter(
    "xmlrpc_api_faults",
    "Faults by method, dialect and code.",
    ["method", "dialect", "code"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "xmlrpc_api_call_seconds",
    "Duration of calls by method.",
    ["method"],
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
UNAUTHENTICATED = Counter(
    "xmlrpc_api_unauthenticated", "Requests answered with a 401 challenge.", ["dialect"], registry=REGISTRY
)
UNQUEUED = Counter(
    "xmlrpc_api_unqueued_bookings",
    "Bookings on balances that their method did not announce: whoever waits for these holds a connection.",
    ["method"],
    registry=REGISTRY,
)
UNKNOWN_METHOD = "(unknown)"


@cache
def _counter(method: str, dialect: str) -> Counter:
    return CALLS.labels(method, dialect)


@cache
def _histogram(method: str) -> Histogram:
    return SECONDS.labels(method)


def note_call(method: str, dialect: str, seconds: float, fault: int | None) -> None:
    """Count a call of a known method, or of `UNKNOWN_METHOD`, and its fault."""
    _counter(method, dialect).inc()
    _histogram(method).observe(seconds)
    if fault is not None:
        FAULTS.labels(method, dialect, fault).inc()


@cache
def _pool_in_use() -> Gauge:
    """Made when it is first set: one without labels keeps its number where it was made, be that before a fork."""
    name, text = "xmlrpc_api_pool_in_use", "Database connections at work."
    return Gauge(name, text, registry=REGISTRY, multiprocess_mode="livesum")


def note_pool(in_use: int) -> None:
    """Tell how many database connections are at work."""
    _pool_in_use().set(in_use)


def share(directory: str, worker: int) -> None:
    """From now on keep all numbers in files of a directory, under the worker's; to be called before the first."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory  # where the library looks, from here on
    # The library looked at import whether there are workers, which was too early.
    values.ValueClass = MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]


def end_worker(directory: str, worker: int) -> None:
    """Forget what counts for a living worker alone."""
    mark_process_dead(worker, directory)  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """All metrics of this process in Prometheus' text format."""
    return generate_latest(REGISTRY)


def joint_exposition(directory: str) -> bytes:
    """Those of all workers that share a directory."""
    joined = CollectorRegistry()
    MultiProcessCollector(joined, directory)  # type: ignore[no-untyped-call]
    return generate_latest(joined)
