"""`xmlrpc-api`, also as `python -m xmlrpc_api`."""

import sys
from typing import NoReturn

from xmlrpc_api.cli import app
from xmlrpc_api.cli.console import err
from xmlrpc_api.config import ConfigError
from xmlrpc_api.storage.database import UnusableError


def main() -> None:
    """Run the command line; what went wrong is told in a line, not in a traceback."""
    try:
        app()
    except ConfigError as error:
        _end(str(error), 2)
    except UnusableError as error:
        _end(str(error), 1)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}", 1)


def _end(text: str, code: int) -> NoReturn:
    err.print(text, style="red", markup=False)
    sys.exit(code)


if __name__ == "__main__":
    main()
