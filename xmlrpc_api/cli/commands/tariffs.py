"""`tariffs ask`, `tariffs import` and `tariffs export`: what a call costs, and price lists."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from xmlrpc_api.cli.commands.options import ROOT_ID, AsJson, Source

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


@app.command("import")
def import_rates(
    context: typer.Context,
    file: Source,
    tariff: Annotated[str, typer.Option(help="The tariff: its i_tariff, or its name among those of the owner.")],
    owner: Owner = ROOT_ID,
    effective: Annotated[
        datetime | None,
        typer.Option(formats=DATES, help="When rates begin that have no date of their own, in UTC; now if left out."),
    ] = None,
    close_missing: Annotated[
        bool, typer.Option("--close-missing", help="End rates of prefixes that the file does not have.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, change nothing.")] = False,
    notice: Annotated[
        Path | None, typer.Option(help="New CSV file for the notice: what becomes new, dearer, cheaper, is closed.")
    ] = None,
    mail: Annotated[
        str | None, typer.Option(help="Addresses, with commas between them, to which the notice is mailed, too.")
    ] = None,
) -> None:
    """
    Take a price list over: CSV with names of columns in its first line. All lines or none.

    Columns are found by their usual names: prefix or code; price_1, price or rate; price_n; interval_1 and interval_n,
    or increment (60/6); forbidden; activation_date or effective date; expiration_date; area_name or destination. What
    the file has no column for stays as it is. Every wrong line is told, with the reason; exit code 1.
    """
    from xmlrpc_api.cli.sheets import tariffs

    tariffs.import_rates(
        context, file, tariff, owner, effective, notice, mail, close_missing=close_missing, dry_run=dry_run
    )


@app.command("export")
def export_rates(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV file to write; - is standard output.")],
    tariff: Annotated[str, typer.Option(help="The tariff: its i_tariff, or its name among those of the owner.")],
    owner: Owner = ROOT_ID,
    since: Annotated[
        datetime | None,
        typer.Option(formats=DATES, help="Leave out what has expired by then, in UTC; all rates if left out."),
    ] = None,
) -> None:
    """Write the rates of a tariff as a price list, which `tariffs import` reads."""
    from xmlrpc_api.cli.sheets import tariffs

    tariffs.export_rates(context, file, tariff, owner, since)
