"""`call` and `methods`: using the API, and reading about it."""

import json
import os
import sys
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

import handlers  # noqa: F401 (publishes the methods)
from xmlrpc_api.cli import console, setup
from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.registry import nearest
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.installation import ROOT_LOGIN
from xmlrpc_api.transport import client, rest

PASSWORD_VARIABLE = "XMLRPC_API_PASSWORD"  # noqa: S105 (its name, not its value)


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
    config = console.settings(context)
    params = _params(arguments or [])
    password = None if trusted else os.environ.get(PASSWORD_VARIABLE)
    if password is None and not trusted:
        password = typer.prompt(f"API password of {user}", hide_input=True, err=True)
    target = client.Target(
        url=url or setup.url(config),
        socket=None if url and not config.socket else config.socket,
        login=None if trusted else user,
        password=password,
        insecure=insecure,
    )
    try:
        answer = console.run(client.call(target, method, params))
    except client.RemoteFault as fault:
        console.err.print(str(fault), markup=False)
        raise typer.Exit(1) from None
    except client.CallFailed as failure:
        console.err.print(str(failure), markup=False)
        raise typer.Exit(3) from None
    sys.stdout.write(rest.dumps(answer, "\n") + "\n")


def _params(arguments: list[str]) -> list[Any]:
    members: dict[str, Any] = {}
    positional: list[Any] = []
    for argument in arguments:
        if argument == "-":
            members.update(_json("standard input", sys.stdin.read()))
        elif "=" in argument:
            key, _, text = argument.partition("=")
            value = _json(key, text) if key.endswith(":") else text
            members[key.removesuffix(":")] = value
        else:
            positional.append(argument)
    return positional + ([members] if members else [])


def _json(where: str, text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        raise typer.BadParameter(f"{where.rstrip(':')} is not JSON") from None


def methods(
    name: Annotated[str | None, typer.Argument(help="A method to read about; all of them if left out.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Show the reference: all methods, or one with its parameters, answers and faults."""
    if name is not None and name not in METHODS:
        meant = nearest(name, METHODS)
        advice = f"Did you mean {meant}?" if meant else "`xmlrpc-api methods` lists them all."
        console.err.print(f"There is no method {escape(name)}. {advice}")
        raise typer.Exit(1)
    if as_json:
        every = [manual.as_data(METHODS[known]) for known in sorted(METHODS) if name in (None, known)]
        console.print_json(every if name is None else every[0])
        return
    if name is None:
        table = Table("Method", "What it does", box=None, pad_edge=False)
        for known in sorted(METHODS):
            table.add_row(known, METHODS[known].documentation.partition("\n")[0])
        console.out.print(table)
        return
    console.out.print(name, style="bold")
    console.out.print(manual.as_text(METHODS[name]), markup=False)
