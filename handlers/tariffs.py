"""Tariffs and their rates: what calls cost those to whom a tariff is given."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, WrongReference
from xmlrpc_api.declaration.fields import (
    I_CUSTOMER_OWNER,
    LIMIT,
    OFFSET,
    PAGE,
    TOTAL,
    WITH_TOTAL,
    Field,
    Wire,
    pattern_of,
    sorted_by,
)
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects import switch
from xmlrpc_api.services.catalogue import rate_lists, rates, tariffs
from xmlrpc_api.services.catalogue.rate_sums import RATE

TARIFF = tariffs.TARIFF
I_TARIFF, I_RATE = TARIFF.require("i_tariff"), RATE["i_rate"]
GONE = (NotFound,)
method = partial(switch.method, scope=I_CUSTOMER_OWNER)
edit = partial(method, right=Right.TARIFFS_EDIT, effect=Effect.WRITE)
read = partial(method, right=Right.ANYONE, effect=Effect.READ)
KEY = (
    I_RATE,
    replace(RATE["i_tariff"], doc="Without i_rate: the tariff of the rate."),
)
AT = Field(name="at", wire=Wire.DATETIME, doc="Only those that are valid at this time, one for each prefix.")
WITHIN = Field(
    name="prefix", wire=Wire.STRING, limit=32, check="digits", doc="Only those whose prefix begins so.", example="49"
)
AFTER = Field(
    name="after",
    wire=Wire.INT,
    low=1,
    doc="Only those behind the one with this id, the last of the page before: a far page costs what the first does.",
    example=None,
)
SOME = replace(
    LIMIT, high=rate_lists.MOST, doc=f"How many to answer, up to {rate_lists.MOST}; {rate_lists.USUAL} if left out."
)


def _list(name: str, doc: str, members: tuple[Field, ...]) -> tuple[Field, ...]:
    return Field(name=name, wire=Wire.ARRAY, doc=doc, members=members), TOTAL


@method(
    "createTariff",
    *TARIFF.create,
    right=Right.TARIFFS_ADD,
    effect=Effect.WRITE,
    returns=(I_TARIFF,),
    raises=(WrongReference, Conflict),
)
async def create_tariff(call: Call, **attributes: Any) -> Answer:
    """
    Create a tariff of the caller, which it may give to its customers. It has no rates yet.

    Its currency becomes the base currency of the customers who are created with it.
    """
    return {"i_tariff": await tariffs.TARIFFS.create(call, attributes)}


@edit("updateTariff", I_TARIFF, *TARIFF.update, raises=(NotFound, WrongReference, Conflict))
async def update_tariff(call: Call, *, i_tariff: int, **changes: Any) -> None:
    """Change attributes of a tariff; at least one must be given. currency and i_tariff_type stay as they are."""
    await tariffs.change(call, i_tariff, changes)


@method(
    "deleteTariff", I_TARIFF, right=Right.TARIFFS_DELETE, effect=Effect.WRITE, bare="i_tariff", raises=(*GONE, Conflict)
)
async def delete_tariff(call: Call, *, i_tariff: int) -> None:
    """Delete a tariff and its rates. One that somebody pays by is kept: the fault tells how many of what use it."""
    await tariffs.TARIFFS.remove(call, i_tariff)


@read(
    "getTariffInfo",
    I_TARIFF,
    bare="i_tariff",
    returns=(Field(name="tariff", wire=Wire.STRUCT, doc="The tariff.", members=TARIFF.read),),
    raises=GONE,
)
async def get_tariff_info(call: Call, *, i_tariff: int) -> Answer:
    """Tell all attributes of a tariff."""
    return {"tariff": await tariffs.TARIFFS.info(call, i_tariff)}


@read(
    "getTariffsList",
    pattern_of("name_pattern", "name"),
    sorted_by("name"),
    *PAGE,
    WITH_TOTAL,
    returns=_list("tariffs", "The tariffs, oldest first.", tariffs.LISTED),
)
async def get_tariffs_list(call: Call, **asked: Any) -> Answer:
    """List the caller's tariffs."""
    return await tariffs.page(call, asked)


@read(
    "getTariffRatesList",
    I_TARIFF,
    WITHIN,
    AT,
    AFTER,
    OFFSET,
    SOME,
    WITH_TOTAL,
    returns=_list("rates", "The rates, by prefix, and those of one prefix as they begin.", rate_lists.LISTED),
    raises=GONE,
)
async def get_tariff_rates_list(call: Call, *, i_tariff: int, **asked: Any) -> Answer:
    """List the rates of a tariff by prefix, past and future ones included."""
    return await rate_lists.page(call, i_tariff, asked)


@edit("deleteAllRatesInTariff", I_TARIFF, raises=GONE)
async def delete_all_rates_in_tariff(call: Call, *, i_tariff: int) -> None:
    """Delete all rates of a tariff, past and future ones included. It has one row in the history."""
    await rates.remove_all(call, i_tariff)


@edit("addRate", I_TARIFF, *RATE.create, returns=(I_RATE,), raises=(NotFound, Conflict))
async def add_rate(call: Call, *, i_tariff: int, **attributes: Any) -> Answer:
    """
    Add a rate to a tariff.

    The rate of its prefix that is valid until then ends when it begins.
    """
    return {"i_rate": await rates.add(call, i_tariff, attributes)}


@edit("updateRate", *KEY, *RATE.update, raises=(NotFound, Conflict))
async def update_rate(call: Call, *, i_rate: int | None = None, i_tariff: int | None = None, **changes: Any) -> None:
    """
    Change a rate; at least one attribute must be given.

    It is told by i_rate; or else by i_tariff, prefix and activation_date, which are not changed then.
    """
    key = {} if i_rate is not None else {name: changes.pop(name, None) for name in ("prefix", "activation_date")}
    rate = await rates.lock(call, i_rate, {"i_tariff": i_tariff, **key})
    await rates.change(call, rate, changes)


@edit("deleteRate", *KEY, RATE["prefix"], RATE["activation_date"], raises=GONE)
async def delete_rate(
    call: Call,
    *,
    i_rate: int | None = None,
    i_tariff: int | None = None,
    prefix: str | None = None,
    activation_date: datetime | None = None,
) -> None:
    """Delete a rate: by i_rate, or else by i_tariff, prefix and activation_date."""
    key = {"i_tariff": i_tariff, "prefix": prefix, "activation_date": activation_date}
    await rates.remove(call, await rates.lock(call, i_rate, key))
