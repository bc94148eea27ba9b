"""`verify` and `rates import`: are the books right, and what is a currency worth."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import delete, insert, select

from models import Currency, ExchangeRate, Factor
from xmlrpc_api.call import utc_now
from xmlrpc_api.cli import console, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.services.verification import proof

MOST_SHOWN = 100
COLUMNS = ("from_currency", "to_currency", "rate")
KEYS_ADVICE = (
    "Put the missing keys back into the key file, below the first, and verify again. If this server never had one of"
    " that name, restore a backup, and find out who changed the database."
)
LINK = re.compile("0:|[1-9][0-9]{0,17}:[0-9a-f]{8}:[0-9a-f]{64}")
LARGEST_RATE = Decimal(9_000_000)


def verify(context: typer.Context, head: str | None, *, as_json: bool) -> None:
    """Look at everything, and tell what is wrong."""
    config = running.settings(context)
    if head is not None and not LINK.fullmatch(head):
        raise typer.BadParameter("it must be SEQ:HASH, as `verify` and the log print it", param_hint="--head")
    findings, newest, are_about_keys = running.run(_verify(config, head))
    if as_json:
        console.print_json({"findings": findings, "newest_link": newest})
        raise typer.Exit(1 if findings else 0)
    for finding in findings[:MOST_SHOWN]:
        console.out.print(finding, markup=False)
    if findings:
        advice = KEYS_ADVICE if are_about_keys else "Restore a backup, and find out who changed the database."
        console.err.print(f"[red]{len(findings)} findings.[/] {advice}")
        raise typer.Exit(1)
    console.out.print(f"Nothing is wrong. Newest link of the audit chain: {newest}")


async def _verify(config: Config, head: str | None) -> tuple[list[str], str, bool]:
    """What was found, the newest link, and whether all of it is about keys that are missing."""
    findings: list[str] = []
    are_about_keys = True
    async with running.open_platform(config) as (platform, database), database.snapshot() as session:
        with console.progress("rows") as progress:
            task = progress.add_task("Verifying", total=await proof.size(session))
            async for step in proof.verify(session, platform.vault, head):
                findings += step.findings
                are_about_keys &= step.is_about_keys or not step.findings
                progress.advance(task, step.rows)
        return findings, await proof.newest_link(session), are_about_keys


def import_rates(context: typer.Context, file: Path, *, replace: bool) -> None:
    """Take rates over from a file."""
    config = running.settings(context)
    count = running.run(_import_rates(config, file, replace))
    console.err.print(f"{count} rates imported.")


async def _import_rates(config: Config, file: Path, replace: bool) -> int:
    if not file.is_file():
        raise ConfigError(f"There is no file {file}")
    async with running.open_platform(config) as (_, database), database.write() as session:
        known = set((await session.execute(select(Currency.code))).scalars())
        rows = list(_read_rates(file, known))
        pairs = delete(ExchangeRate)
        for row in [] if replace else rows:
            await session.execute(
                pairs.where(
                    ExchangeRate.from_currency == row["from_currency"], ExchangeRate.to_currency == row["to_currency"]
                )
            )
        if replace:
            await session.execute(pairs)
        if rows:
            await session.execute(insert(ExchangeRate), rows)
    return len(rows)


def _read_rates(file: Path, known: set[str]) -> Iterator[dict[str, Any]]:
    """
    The rows of a file.

    Raises:
        ConfigError: One of them cannot be used; the text names its line.
    """
    now = utc_now()
    seen: set[tuple[str, str]] = set()
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise ConfigError(f"{file} must have the columns {', '.join(COLUMNS)}")
        for row in reader:
            pair = (row["from_currency"].strip().upper(), row["to_currency"].strip().upper())
            if unknown := [code for code in pair if code not in known]:
                raise ConfigError(f"{file}, line {reader.line_num}: there is no currency {unknown[0]}")
            if pair in seen or pair[0] == pair[1]:
                raise ConfigError(f"{file}, line {reader.line_num}: {pair[0]} to {pair[1]} is not a new pair")
            seen.add(pair)
            rate = _rate(row["rate"], f"{file}, line {reader.line_num}")
            yield {"from_currency": pair[0], "to_currency": pair[1], "rate": rate, "updated": now}


def _rate(text: str, place: str) -> Decimal:
    try:
        rate = Decimal(text.strip())
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not 0 < rate <= LARGEST_RATE or rate != round(rate, Factor.places):
        raise ConfigError(f"{place}: rate must be above 0, up to {LARGEST_RATE}, with at most {Factor.places} decimals")
    return rate
