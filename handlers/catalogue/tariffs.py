"""Tariffs and their rates: what calls cost those to whom a tariff is given."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, WrongReference
from xmlrpc_api.declaration.fields import I_ACCOUNT, I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import LIMIT, OFFSET, PAGE, TOTAL, WITH_TOTAL, pattern_of, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects import switch
from xmlrpc_api.services.catalogue import quotes, rate_lists, rates, tariffs
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


WHOSE = (
    replace(I_TARIFF, required=False, doc="By this tariff."),
    Field(name="i_account", wire=Wire.INT, low=1, doc="What this account pays, and those above it.", example=None),
    Field(name="i_customer", wire=Wire.INT, low=1, doc="What this customer pays, and those above it.", example=None),
)
CALLED = (
    Field(
        name="cld",
        wire=Wire.STRING,
        required=True,
        limit=128,
        check="not_empty",
        doc="The called number, as it is after translation: digits, with or without a plus.",
        example="493012345",
    ),
    Field(name="cli", wire=Wire.STRING, limit=128, doc="The caller's number; without it no call is local.", example=""),
    Field(name="at", wire=Wire.DATETIME, doc="When the call begins; now if left out."),
    Field(name="seconds", wire=Wire.INT, low=0, high=10**6, doc="How long it lasts; 60 s if left out.", example=60),
)


def _told(name: str, **own: Any) -> Field:
    """An attribute of a tariff or a rate, where there is one."""
    return replace((RATE.fields.get(name) or TARIFF[name]), nullable=True, read_only=True, **own)


LEVEL = (
    Field(
        name="i_account", wire=Wire.INT, nullable=True, doc="The account who pays; nil: it is a customer.", example=11
    ),
    Field(
        name="i_customer", wire=Wire.INT, nullable=True, doc="The customer who pays, or whose account does.", example=29
    ),
    Field(name="i_customer_paid", wire=Wire.INT, nullable=True, doc="The customer who is paid.", example=1),
    Field(
        name="status",
        wire=Wire.STRING,
        doc="; ".join(f"{state}: {what}" for state, what in quotes.STATES.items()) + ".",
        example=quotes.OK,
    ),
    Field(
        name="cost",
        wire=Wire.DOUBLE,
        nullable=True,
        doc="What the whole call costs, in the currency of the level; nil: it is not possible.",
        example=Decimal("0.0195"),
    ),
    Field(name="seconds_paid", wire=Wire.INT, doc="How many seconds are paid, in whole intervals.", example=60),
    Field(name="is_local", wire=Wire.BOOLEAN, doc="Whether it is a local call there.", example=False),
    _told("i_tariff", doc="The tariff; nil: there is none, or it is of somebody above the caller."),
    *(_told(name) for name in (*quotes.OF_TARIFF, *quotes.OF_RATE, *quotes.OF_TIME)),
)
QUOTE = (
    Field(name="rate", wire=Wire.STRUCT, type="RateLevel", doc="What the one who is asked about pays.", members=LEVEL),
    Field(
        name="levels",
        wire=Wire.ARRAY,
        type="RateLevel",
        doc="The same, and what each above pays the next; the caller itself is the last that it sees.",
        members=LEVEL,
    ),
)
OF_ACCOUNT = (
    Field(name="currency", wire=Wire.STRING, doc="Currency of the rates, ISO 4217.", example="USD"),
    Field(
        name="rates",
        wire=Wire.ARRAY,
        doc="The rates, by prefix; those that forbid a call are left out.",
        members=(
            Field(name="prefix", wire=Wire.STRING, doc="With what the called numbers begin.", example="4930"),
            Field(name="country", wire=Wire.STRING, doc="Always empty: the area is in description.", example=""),
            Field(name="description", wire=Wire.STRING, doc="What the destination is called.", example="Berlin"),
            Field(
                name="rate",
                wire=Wire.DOUBLE,
                doc="Price of a minute, after the first interval.",
                example=Decimal("0.0195"),
            ),
            Field(name="local_rate", wire=Wire.DOUBLE, doc="The same of local calls.", example=Decimal("0.0195")),
        ),
    ),
    TOTAL,
)


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
    returns=rows_of("tariffs", "The tariffs, oldest first.", tariffs.LISTED),
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
    returns=rows_of("rates", "The rates, by prefix, and those of one prefix as they begin.", rate_lists.LISTED),
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


@switch.method("getRate", *WHOSE, *CALLED, right=Right.ANYONE, effect=Effect.READ, returns=QUOTE, raises=GONE)
async def get_rate(
    call: Call,
    *,
    cld: str,
    i_tariff: int | None = None,
    i_account: int | None = None,
    i_customer: int | None = None,
    cli: str = "",
    at: datetime | None = None,
    seconds: int = 60,
) -> Answer:
    """
    Tell what a call costs: by a tariff; or what an account or a customer pays for it, and each of those above.

    The rate is that of the longest prefix with a valid rate, of the moment in which the call begins. What the caller
    itself pays is the last that it is told.
    """
    known = {"i_tariff": i_tariff, "i_account": i_account, "i_customer": i_customer}
    asked = quotes.Asked(cld=cld, cli=cli, at=at or call.now, seconds=seconds)
    levels = await quotes.levels(call, known, asked)
    return {"rate": levels[0], "levels": levels}


@switch.method(
    "getAccountRates",
    I_ACCOUNT,
    WITHIN,
    replace(WITHIN, name="after", doc="Only those behind this prefix, the last of the page before."),
    OFFSET,
    LIMIT,
    WITH_TOTAL,
    scope=None,
    right=Right.ANYONE,
    effect=Effect.READ,
    returns=OF_ACCOUNT,
    raises=GONE,
)
async def get_account_rates(call: Call, *, i_account: int, **asked: Any) -> Answer:
    """List what an account pays by now, by the tariff of its plan or else by the nearest one above."""
    return await rate_lists.of_account(call, i_account, asked)
