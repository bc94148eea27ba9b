"""`dids import` and `dids export`: numbers as CSV."""

from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import ROOT_ID, DryRun, Source

app = typer.Typer(help="Move DIDs in and out as CSV.", no_args_is_help=True)
Owner = Annotated[str, typer.Option(help="Whose DIDs: an i_customer or a name.")]


@app.callback()
def group() -> None:
    """Move DIDs in and out as CSV."""


@app.command("import")
def import_dids(context: typer.Context, file: Source, owner: Owner = ROOT_ID, dry_run: DryRun = False) -> None:
    """
    Add a DID for every row; columns are named as the parameters of addDID, incoming_did may be left out.

    All rows are added, or none: every wrong line is told, with the reason. Columns are separated by commas, semicolons
    or tabs.
    """
    from xmlrpc_api.cli.sheets import dids

    dids.import_dids(context, file, owner, dry_run=dry_run)


@app.command("export")
def export_dids(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write; - is standard output.")],
    owner: Owner = ROOT_ID,
) -> None:
    """Write all DIDs of a customer, and those that are delegated to it, as it is told of them."""
    from xmlrpc_api.cli.sheets import dids

    dids.export_dids(context, file, owner)
