"""`xmlrpc-api`, also as `python -m xmlrpc_api`."""

import sys

from xmlrpc_api.cli import app
from xmlrpc_api.cli.console import err
from xmlrpc_api.config import ConfigError
from xmlrpc_api.database import is_unavailable


def main() -> None:
    """Run the command line; what went wrong is told in a line, not in a traceback."""
    try:
        app()
    except ConfigError as error:
        err.print(str(error), style="red", markup=False)
        sys.exit(2)
    except Exception as error:
        if not is_unavailable(error):
            raise
        err.print("The database does not answer. Try: xmlrpc-api check", style="red")
        sys.exit(2)


if __name__ == "__main__":
    main()
