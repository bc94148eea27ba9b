"""
The commands: their names, arguments and help. What each does is imported when it is run.

To ask for help, or for one call, must not take the second that the server's modules take to import; a test tells what
may be imported.
"""

from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands import books, calls, dids, keys, setup, tariffs, transfer, vouchers

NAME = "xmlrpc-api"

app = typer.Typer(
    help="A provisioning core for VoIP wholesalers and resellers that speaks XML-RPC.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{NAME} {version(NAME)}")
        raise typer.Exit


@app.callback()
def common(
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="XMLRPC_API_CONFIG",
            help="TOML file with settings; config/default.toml shows all of them. "
            "Each one is also an environment variable, XMLRPC_API_ and its name in capitals.",
        ),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell which version this is.")
    ] = False,
) -> None:
    """Settings for all commands."""


app.command()(setup.init)
app.command()(setup.serve)
app.command()(setup.migrate)
app.command()(setup.hash_password)
app.command()(keys.reset_root)
app.command()(keys.rotate_key)
app.command()(setup.check)
app.command()(books.verify)
app.command()(calls.call)
app.command()(calls.methods)
app.add_typer(transfer.customers, name="customers")
app.add_typer(transfer.users, name="users")
app.add_typer(books.rates, name="rates")
app.add_typer(tariffs.app, name="tariffs")
app.add_typer(dids.app, name="dids")
app.add_typer(vouchers.app, name="vouchers")
