"""`tariffs ask`: what a call costs, as getRate tells it."""

import secrets
import sys
from typing import Any

import typer
from rich.table import Table

import handlers  # noqa: F401 (publishes the methods)
from xmlrpc_api.call import Call, Origin
from xmlrpc_api.cli import console, rows, running
from xmlrpc_api.config import Config, ConfigError
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.catalogue.quotes import STATES
from xmlrpc_api.storage.rows import Row
from xmlrpc_api.transport import plain_json

METHOD = METHODS["getRate"]
COLUMNS = ("pays", "to", "tariff", "prefix", "area", "per minute", "intervals", "cost", "")


def ask(context: typer.Context, asked: dict[str, Any], owner: str, *, as_json: bool) -> None:
    """Tell what a call costs."""
    config = running.settings(context)
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        answer = running.run(_ask(config, METHOD.params.load(given), owner))
    except Fault as fault:
        raise ConfigError(fault.text) from None
    if as_json:
        sys.stdout.write(plain_json.dumps(answer, "\n") + "\n")
    else:
        _show(answer["levels"])
    if any(level["cost"] is None for level in answer["levels"]):
        raise typer.Exit(1)


async def _ask(config: Config, params: dict[str, Any], owner: str) -> Any:
    async with running.open_platform(config) as (platform, database):
        caller = await rows.find_owner(database, owner)
        origin = Origin(request_id=secrets.token_hex(8), face=Face.CLI, address="local", login=caller)

        async def work(call: Call) -> Any:
            return await METHOD.handler(call, **params)

        return await Dispatcher(platform, database).perform(origin, "tariffs ask", caller, work)


def _show(levels: list[Row]) -> None:
    table = Table(*COLUMNS, box=None, pad_edge=False)
    for level in levels:
        table.add_row(*map(str, _cells(level)))
    console.out.print(table)


def _cells(level: Row) -> list[object]:
    status = level["status"]
    told = "" if level["cost"] is not None and status == "ok" else STATES[status]
    times = [_dash(level["i_tariff"]), *(_dash(level[name]) for name in ("prefix", "area_name"))]
    return [
        _payer(level),
        "" if level["i_customer_paid"] is None else f"customer {level['i_customer_paid']}",
        *times,
        _both(_plain(level["price_1"]), _plain(level["price_n"])),
        _both(_dash(level["interval_1"]), _dash(level["interval_n"])),
        "-" if level["cost"] is None else f"{_plain(level['cost'])} {level['currency']}",
        told,
    ]


def _payer(level: Row) -> str:
    if level["i_account"] is not None:
        return f"account {level['i_account']}"
    return "whoever has it" if level["i_customer"] is None else f"customer {level['i_customer']}"


def _dash(value: object) -> str:
    return "-" if value in (None, "") else str(value)


def _plain(amount: Any) -> str:
    return "-" if amount is None else f"{amount.normalize():f}"


def _both(first: str, then: str) -> str:
    return first if first == then == "-" else f"{first}/{then}"
