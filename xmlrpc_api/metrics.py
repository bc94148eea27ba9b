"""What Prometheus may read of this process."""

import os
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

WORKERS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # the variable by which prometheus-client joins processes
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
POOL_IN_USE = Gauge(
    "xmlrpc_api_pool_in_use", "Database connections at work.", registry=REGISTRY, multiprocess_mode="livesum"
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


def exposition() -> bytes:
    """All metrics in Prometheus' text format, those of all workers if there are several."""
    if WORKERS_DIRECTORY not in os.environ:
        return generate_latest(REGISTRY)
    joined = CollectorRegistry()
    MultiProcessCollector(joined)  # type: ignore[no-untyped-call]
    return generate_latest(joined)
