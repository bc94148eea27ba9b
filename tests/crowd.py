"""Many clients at once, each with a connection of its own, from a trusted host."""

import itertools
import threading
import xmlrpc.client
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

OK = "OK"
Answer = Any
Work = Callable[[Any], Any]


class Crowd:
    """
    Threads that call one server, or several.

    Args:
        url: Where it answers; it must trust this host.
        size: How many clients there are.
        others: Where other servers on the same database answer; the clients are shared out.
    """

    def __init__(self, url: str, size: int, *others: str) -> None:
        self._urls, self._size = itertools.cycle([url, *others]), size
        self._local = threading.local()
        self._clients: list[Any] = []

    def _client(self) -> Any:
        if not hasattr(self._local, "client"):
            self._local.client = xmlrpc.client.ServerProxy(next(self._urls), allow_none=True, use_builtin_types=True)
            self._clients.append(self._local.client)
        return self._local.client

    def do(self, works: Iterable[Work]) -> list[Answer]:
        """Run all of these, in any order; what each was answered, a fault as its code."""

        def run(work: Work) -> Answer:
            try:
                return work(self._client())
            except xmlrpc.client.Fault as fault:
                return fault.faultCode

        with ThreadPoolExecutor(self._size) as pool:
            answers = list(pool.map(run, works))
        while self._clients:
            self._clients.pop()("close")()
        return answers


def call(method: str, **params: Any) -> Work:
    """One call."""
    return lambda client: getattr(client, method)(params)
