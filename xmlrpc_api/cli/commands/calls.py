"""`call` and `methods`: using the API, and reading about it."""

from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import ROOT_LOGIN, AsJson


def call(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help="Name of the method, such as getCustomerInfo.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=TEXT | KEY:=JSON | -]...",
            help="Parameters: key=text, key:=JSON value, - reads a JSON object from standard input. "
            "Bare words are positional (system.methodHelp createCustomer).",
        ),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Endpoint; the configured server if left out.")] = None,
    user: Annotated[str, typer.Option(help="Web login of the caller.")] = ROOT_LOGIN,
    trusted: Annotated[bool, typer.Option("--trusted", help="Send no credentials: this host is trusted.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="Do not check the TLS certificate.")] = False,
) -> None:
    """
    Call a method of a running server and print its answer as JSON.

    The API password comes from the environment variable XMLRPC_API_PASSWORD, or is asked for. Exit code 1
    is a fault of the server, 3 no answer.
    """
    from xmlrpc_api.cli import calls

    calls.call(context, method, arguments or [], url=url, user=None if trusted else user, insecure=insecure)


def methods(
    name: Annotated[str | None, typer.Argument(help="A method to read about; all of them if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the reference: all methods, or one with its parameters, answers and faults."""
    from xmlrpc_api.cli import calls

    calls.methods(name, as_json=as_json)
