"""Structured logs: JSON lines in production, readable at a terminal. No value of a call is ever logged."""

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from xmlrpc_api.config import Config

QUIET_LOGGERS = ("aiohttp", "aiohttp_xmlrpc", "asyncio", "aiosqlite", "sqlalchemy", "alembic")


class _Stream:
    """Standard error; a log line that cannot be written (pipe closed, disk full) fails no call."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure(config: Config, *, quiet: bool = False, final: bool = False) -> None:
    """
    Set the format and level for this process.

    Args:
        config: The settings.
        quiet: Whether errors alone come through, for commands.
        final: Whether this stays, so that loggers need not ask each time.
    """
    readable = config.log_format == "console" or (config.log_format == "auto" and sys.stderr.isatty())
    level = logging.ERROR if quiet else getattr(logging, config.log_level)
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if readable:  # tracebacks without the values of variables: they may be passwords
        processors.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    else:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        processors += [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stream())),
        cache_logger_on_first_use=final,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s", force=True)
    for name in QUIET_LOGGERS:  # at DEBUG some of these print whole requests and answers
        logging.getLogger(name).setLevel(logging.ERROR)
