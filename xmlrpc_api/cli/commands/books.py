"""`verify` and `rates import`: are the books right, and what is a currency worth."""

from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import AsJson

rates = typer.Typer(help="Exchange rates for payments in other currencies.", no_args_is_help=True)


def verify(
    context: typer.Context,
    head: Annotated[
        str | None,
        typer.Option(
            help="SEQ:HASH of a link that the server logged earlier ('audit sealed'); it must still be there."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Prove that ledger, tree, rights, over-commit and change history are right. Exit code 1 if something is off.

    The server may run meanwhile. Run it after a restore, and by a timer; keep the newest link, which it
    prints, somewhere else: whoever owns the database cannot cut the chain off before it unnoticed.
    """
    from xmlrpc_api.cli import books

    books.verify(context, head, as_json=as_json)


@rates.command("import")
def import_rates(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV with the columns from_currency, to_currency and rate.")],
    replace: Annotated[bool, typer.Option("--replace", help="Remove all rates that the file does not have.")] = False,
) -> None:
    """
    Take over exchange rates; a pair that is there already gets the new rate. All rows or none.

    An amount in from_currency times rate is the amount in to_currency. For a pair that is missing, the
    inverse of the opposite pair is taken.
    """
    from xmlrpc_api.cli import books

    books.import_rates(context, file, replace=replace)
