"""`vouchers generate`: makes a series of vouchers, and the file that goes to the printer."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import ROOT_ID

app = typer.Typer(help="Money on paper.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Money on paper."""


@app.command()
def generate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV file to write; it must not be there yet. It holds the PINs.")],
    series: Annotated[str, typer.Option(help="Name of the series; numbers go on where it ends.")],
    value: Annotated[str, typer.Option(help="What each is worth.")],
    currency: Annotated[str, typer.Option(help="Its currency (ISO 4217).")],
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many.")] = 1,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; none if left out.")] = None,
    owner: Annotated[str, typer.Option(help="Whose: an i_customer or a name.")] = ROOT_ID,
) -> None:
    """
    Make vouchers; each is good once, for an account of the owner or of a customer below it.

    The PINs are written to the file, which only its owner can read, and are stored nowhere in clear.
    """
    from xmlrpc_api.cli import vouchers

    vouchers.generate(context, file, series, value, currency, count, expires, owner)
