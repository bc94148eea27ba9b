"""`call` and `methods`: using the API, and reading about it."""

import json
import os
import sys
from decimal import Decimal
from typing import Any, NoReturn

import typer

from xmlrpc_api.config import Config, load
from xmlrpc_api.transport import client, plain_json, xml

PASSWORD_VARIABLE = "XMLRPC_API_PASSWORD"  # noqa: S105 (its name, not its value)
EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 (compared with, not bound to)


def call(
    context: typer.Context, method: str, arguments: list[str], *, url: str | None, user: str | None, insecure: bool
) -> None:
    """Call a method, on behalf of nobody if this host is trusted, and print what it answers."""
    config = load(context.find_root().params.get("config"))
    params = _params(arguments)
    password = os.environ.get(PASSWORD_VARIABLE) if user else None
    if user and password is None:
        password = typer.prompt(f"API password of {user}", hide_input=True, err=True)
    target = client.Target(
        url=url or endpoint(config),
        socket=None if url and not config.socket else config.socket,
        login=user,
        password=password,
        insecure=insecure,
    )
    try:
        answer = client.call(target, method, params)
    except client.RemoteFault as fault:
        _end(str(fault), 1)
    except client.CallFailed as failure:
        _end(str(failure), 3)
    sys.stdout.write(plain_json.dumps(answer, "\n") + "\n")


def _end(text: str, code: int) -> NoReturn:
    from xmlrpc_api.cli import console

    console.err.print(text, markup=False)
    raise typer.Exit(code) from None


def endpoint(config: Config) -> str:
    """Where a client on this machine calls."""
    if config.socket is not None:
        return f"http://localhost{xml.PATH}"
    host = "127.0.0.1" if config.host in EVERYWHERE else config.host
    scheme = "https" if config.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.port}{xml.PATH}"


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


def methods(name: str | None, *, as_json: bool) -> None:
    """Show all methods, or one."""
    from rich.markup import escape
    from rich.table import Table

    import handlers  # noqa: F401 (publishes the methods)
    from xmlrpc_api.cli import console
    from xmlrpc_api.declaration import manual
    from xmlrpc_api.declaration.registry import nearest
    from xmlrpc_api.dialects.switch import METHODS

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
