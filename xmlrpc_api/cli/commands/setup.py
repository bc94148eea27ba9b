"""`init`, `serve`, `migrate`, `check` and `hash-password`: from nothing to a running server."""

from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import AsJson


def init(
    context: typer.Context,
    currency: Annotated[str, typer.Option(help="Currency of the root customer (ISO 4217).")] = "USD",
) -> None:
    """
    Make a new installation: key file, tables, root customer.

    What is there already is kept. Root's API password is printed once and stored nowhere in clear.
    """
    from xmlrpc_api.cli import setup

    setup.init(context, currency)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port to listen on.")] = None,
    socket: Annotated[Path | None, typer.Option(help="Unix socket to listen on instead.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file with the certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file with its key.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port; needs PostgreSQL.")] = None,
) -> None:
    """
    Serve calls until SIGTERM or Ctrl-C.

    What is not given here comes from the configuration.
    """
    from xmlrpc_api.cli import setup

    setup.serve(
        context,
        host=host,
        port=port,
        socket=socket,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        workers=workers,
    )


def migrate(
    context: typer.Context,
    revision: Annotated[str, typer.Option(help="Where to go.")] = "head",
) -> None:
    """
    Bring the database to this version: the tables to the newest revision, then the rows.

    Stop older servers before. It may be interrupted and run again at any time.
    """
    from xmlrpc_api.cli import setup

    setup.migrate(context, revision)


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Test configuration, key and database, and tell what to do. Exit code 1 if something fails."""
    from xmlrpc_api.cli import checks

    checks.check(context, as_json=as_json)


def hash_password(context: typer.Context) -> None:
    """Hash a password for the settings, such as ngnpro_admin_password_hash. It is asked for, or read from a pipe."""
    from xmlrpc_api.cli import setup

    setup.hash_password(context)
