"""Children of this process: forked, started again when they die, ended with it."""

import os
import signal
import sys
from collections.abc import Callable, Iterable

from xmlrpc_api.config import ConfigError


class Children:
    """
    Processes that do what this one is for.

    Args:
        work: What a child does; it is given its number, and a pipe that ends with the parent.
        ended: Is told the number of one that has died by itself, before another takes its place.
    """

    def __init__(self, work: Callable[[int, int], None], ended: Callable[[int], None]) -> None:
        self._work, self._ended = work, ended
        self._alive, self._held = os.pipe()  # nothing is ever written: it ends when this process does
        self._numbers: dict[int, int] = {}
        self._is_stopping = False

    def keep(self, numbers: Iterable[int], ready: Callable[[], None]) -> None:
        """Have one child of each number, until a signal ends all of them."""
        for number in numbers:
            self._start(number)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        ready()
        while self._numbers:
            child, _status = os.wait()
            ended = self._numbers.pop(child, None)
            if ended is not None and not self._is_stopping:
                self._ended(ended)
                self._start(ended)

    def _stop(self, _number: int, _frame: object) -> None:
        self._is_stopping = True
        for child in self._numbers:
            os.kill(child, signal.SIGTERM)

    def _start(self, number: int) -> None:
        """Start a child; it ends by itself when the parent, who holds the other end of its pipe, is gone."""
        child = os.fork()
        if child:
            self._numbers[child] = number
            return
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.close(self._held)
            self._work(number, self._alive)
            code = 0
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
        finally:
            os._exit(code)
