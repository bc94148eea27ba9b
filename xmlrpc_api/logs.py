"""Structured logs: JSON lines in production, readable at a terminal. No value of a call is ever logged."""

import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
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


_STREAM = _Stream()


class Calls:
    """
    The line that each call leaves. As JSON it is put together here, since that is most of what is ever logged.

    Attributes:
        is_json: Whether lines are JSON, and those of this level are wanted at all.
    """

    is_json = False

    @classmethod
    def write(cls, **members: str | float | None) -> None:
        """Log what is told of a call: the same, byte for byte, as structlog would write it."""
        if not cls.is_json:
            structlog.get_logger().info("call", **members)
            return
        told = "".join([f'"{name}": {_json(value)}, ' for name, value in members.items()])
        time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        _STREAM.write(f'{{{told}"event": "call", "level": "info", "timestamp": "{time}"}}\n')


def _json(value: str | float | None) -> str:
    if value is None:
        return "null"
    return encode_basestring_ascii(value) if isinstance(value, str) else repr(value)


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
    Calls.is_json = not readable and level <= logging.INFO
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _STREAM)),
        cache_logger_on_first_use=final,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s", force=True)
    for name in QUIET_LOGGERS:  # at DEBUG some of these print whole requests and answers
        logging.getLogger(name).setLevel(logging.ERROR)
