"""`xmlrpc-api`, also as `python -m xmlrpc_api`."""

import gc
import sys
from typing import NoReturn

from xmlrpc_api.cli.commands import app

GARBAGE_THRESHOLD = 100_000  # modules and pages of rows are no garbage; to look through them takes a fifth of all time


def main() -> None:
    """Run the command line; what went wrong is told in a line, not in a traceback."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        app()
    except SystemExit:  # as most commands end: those that look after what goes wrong need not be imported
        raise
    except _config_error() as error:
        _end(str(error), 2)
    except _unusable_error() as error:
        _end(str(error), 1)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}", 1)


def _config_error() -> type[Exception]:
    from xmlrpc_api.config import ConfigError

    return ConfigError


def _unusable_error() -> type[Exception]:
    from xmlrpc_api.storage.database import UnusableError

    return UnusableError


def _end(text: str, code: int) -> NoReturn:
    from xmlrpc_api.cli.console import err

    err.print(text, style="red", markup=False)
    sys.exit(code)


if __name__ == "__main__":
    main()
