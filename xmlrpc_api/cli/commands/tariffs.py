"""`tariffs ask`: what a call costs."""

from datetime import datetime
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import ROOT_ID, AsJson

app = typer.Typer(help="Price lists of tariffs.", no_args_is_help=True)
Owner = Annotated[str, typer.Option(help="On whose behalf: an i_customer or a name.")]
DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@app.callback()
def group() -> None:
    """Price lists of tariffs."""


@app.command()
def ask(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The called number.")],
    tariff: Annotated[int | None, typer.Option(help="By this tariff (i_tariff).")] = None,
    account: Annotated[int | None, typer.Option(help="What this account pays (i_account).")] = None,
    customer: Annotated[int | None, typer.Option(help="What this customer pays (i_customer).")] = None,
    caller: Annotated[str, typer.Option(help="The caller's number; without it no call is local.")] = "",
    at: Annotated[
        datetime | None, typer.Option(formats=DATES, help="When the call begins, in UTC; now if left out.")
    ] = None,
    seconds: Annotated[int, typer.Option(min=0, help="How long it lasts.")] = 60,
    owner: Owner = ROOT_ID,
    as_json: AsJson = False,
) -> None:
    """
    Tell what a call costs: who asks is told what each level pays the next, itself the last.

    One of --tariff, --account and --customer says whose price it is. Exit code 1 if one of them cannot make the call.
    """
    from xmlrpc_api.cli import quotes

    asked = {"i_tariff": tariff, "i_account": account, "i_customer": customer, "cld": number, "cli": caller, "at": at}
    quotes.ask(context, {**asked, "seconds": seconds}, owner, as_json=as_json)
