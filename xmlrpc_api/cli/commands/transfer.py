"""`customers export`, `customers import` and `users import`: what moves in and out."""

from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import ROOT_ID, DryRun, FormatOption, Results, Source

customers = typer.Typer(help="Move customers in and out as CSV or JSON lines.", no_args_is_help=True)
users = typer.Typer(help="Move the logins to the self-care portal.", no_args_is_help=True)

Owner = Annotated[str, typer.Option(help="Whose sub-customers: an i_customer or a name.")]


@customers.command("export")
def export_customers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write; - is standard output.")],
    owner: Owner = ROOT_ID,
    form: FormatOption = None,
) -> None:
    r"""
    Write all direct sub-customers of one customer, with every readable attribute.

    In CSV an empty cell is an empty text and \N is nil.
    """
    from xmlrpc_api.cli import transfer

    transfer.export_customers(context, file, owner, form)


@customers.command("import")
def import_customers(
    context: typer.Context,
    file: Source,
    owner: Owner = ROOT_ID,
    form: FormatOption = None,
    dry_run: DryRun = False,
    update: Annotated[bool, typer.Option("--update", help="Update customers that exist already.")] = False,
    results: Results = None,
) -> None:
    r"""
    Create a sub-customer for every row; columns are named as the parameters of createCustomer.

    Rows whose name is there already are skipped, so an interrupted import can simply be run again. Rows go
    in transactions of 100; one that is refused does not stop the others. Instead of web_password there may
    be web_password_hash, as another system made it: the hashes that `users import` knows. Where both are
    missing a password is made up and written to the results file, which only its owner can read; every run
    has a file of its own. In CSV an empty cell is left out and \N is nil. Columns that are not parameters
    are ignored.
    """
    from xmlrpc_api.cli import transfer

    transfer.import_customers(context, file, owner, form, results, dry_run=dry_run, update=update)


@users.callback()
def group() -> None:
    """Move the logins to the self-care portal."""


@users.command("import")
def import_users(
    context: typer.Context,
    file: Source,
    owner: Annotated[str, typer.Option(help="On whose behalf: an i_customer or a name.")] = ROOT_ID,
    form: FormatOption = None,
    dry_run: DryRun = False,
    results: Results = None,
) -> None:
    r"""
    Take over logins and passwords; every row names a web_login and its password_hash.

    Known are bcrypt ($2a$, $2b$, $2y$), SHA-crypt ($5$, $6$) and MD5-crypt ($1$, $apr1$); at the first login each
    becomes a hash of our own. Instead of a hash there may be the password itself, in web_password. A login that is
    not there yet is created where the row names its customer (id or name), with i_access_level, email and
    description if they are given. No password policy is asked: people keep what they have.
    """
    from xmlrpc_api.cli import users

    users.import_users(context, file, owner, form, results, dry_run=dry_run)
