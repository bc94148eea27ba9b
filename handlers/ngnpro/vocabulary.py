"""What the modules of NGNPro's ports share: ids, owners, dates, pages, and how they are read and shown."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.ngnpro import balances, customers, queries
from xmlrpc_api.services.sip.ids import SipId
from xmlrpc_api.services.tree.lists import Found
from xmlrpc_api.turns import Key

Struct = dict[str, Any]  # a struct as it was sent, or is answered; its members are checked by their declarations
DOMAIN_LIMIT = 253
CHANGE_DATE = Field(name="changeDate", wire=Wire.STRING, doc="When it was changed last.", example="2026-11-21 05:00:00")
RESELLER = Field(
    name="reseller", wire=Wire.INT, low=0, doc="The reseller to whom it belongs; 0: the platform.", example=7
)
CUSTOMER = Field(
    name="customer", wire=Wire.INT, low=0, doc="The customer to whom it belongs; 0: the platform.", example=7
)


def sip_id(name: str, *, required: bool = False) -> Field:
    """A SIP id, which is a struct."""
    return Field(
        name=name,
        wire=Wire.STRUCT,
        type="SipId",
        required=required,
        doc="User name and domain.",
        members=(
            Field(name="username", wire=Wire.STRING, limit=128, doc="User name.", example="alice"),
            Field(name="domain", wire=Wire.STRING, limit=DOMAIN_LIMIT, doc="Domain.", example="example.com"),
        ),
    )


SIP_ID = sip_id("sipId", required=True)
GROUPS = Field(name="groups", wire=Wire.ARRAY, items=Wire.STRING, limit=64, doc="Groups it is in; replaced as a whole.")
FAULTS = (NotFound, NotPermitted, WrongReference, Conflict)
TIME_ZONE = Field(
    name="timezone", wire=Wire.STRING, limit=64, doc="Time zone, by its IANA name.", example="Europe/Amsterdam"
)


def struct(name: str, type: str, doc: str, members: tuple[Field, ...], *, required: bool = False) -> Field:
    """A parameter or an answer that is a struct."""
    return Field(name=name, wire=Wire.STRUCT, type=type, required=required, doc=doc, members=members)


def page_of(rows: str, noun: str, members: tuple[Field, ...], *, name: str = "") -> Field:
    """The answer of a list method: a page of the matches, whose SOAP type is `noun`, and how many there are in all."""
    array = Field(name=rows, wire=Wire.ARRAY, type=noun, doc=f"The {name or rows}.", members=members)
    return struct(name or rows, f"{noun}List", "A page of the matches.", (queries.TOTAL, array))


def listed(found: Found, shown: Callable[[Struct], Struct], rows: str, name: str = "") -> Struct:
    """What a list method answers; see `page_of`."""
    return {name or rows: {"total": found.total, rows: [shown(row) for row in found.rows]}}


def by_our_names(
    known: Mapping[str, Field], sent: Struct, *, unfilled: Collection[str] = (), pointers: Collection[str] = ()
) -> Struct:
    """
    What was sent of the attributes that are known, by our names.

    Args:
        known: Those, by the names of this dialect.
        sent: What was sent.
        unfilled: Which of ours count as left out where they are empty: a form was not filled in.
        pointers: Which of ours point nowhere where they are 0.
    """
    ours = {known[name].attribute or name: value for name, value in sent.items() if name in known}
    ours |= {name: ours[name] or None for name in pointers if name in ours}
    return {name: value for name, value in ours.items() if value or name not in unfilled}


async def with_zone(call: Call, values: Struct, sent: Struct) -> Struct:
    """
    Attributes with the time zone that was sent by its name, if one was.

    Raises:
        BadParameter: There is none of this name.
    """
    name = sent.get("timezone")
    return {**values, "i_time_zone": await customers.zone(call, name)} if name else values


def by_their_names(known: Mapping[str, Field], row: Struct) -> Struct:
    """A row by the names of this dialect."""
    return {name: row.get(field.attribute or name) for name, field in known.items()}


def date(time: datetime | None) -> str | None:
    """A time as it is shown."""
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else None


def whole(sip_id: Struct) -> SipId:
    """
    A SIP id with both of its parts.

    Raises:
        BadParameter: One of them is missing.
    """
    for name in SipId._fields:
        if not sip_id.get(name):
            raise BadParameter.required(name)
    return SipId(**sip_id)


async def balance_of_id(call: Call, params: Struct) -> set[Key]:
    """On whose balance a call books that names an account by its SIP id."""
    return await _balance_of(call, params["sipId"])


async def balance_of_account(call: Call, params: Struct) -> set[Key]:
    """On whose balance a call books that sends an account."""
    return await _balance_of(call, params["account"].get("id", {}))


async def _balance_of(call: Call, sip_id: Struct) -> set[Key]:
    is_whole = all(sip_id.get(name) for name in SipId._fields)
    return await balances.key_of(call, SipId(**sip_id)) if is_whole else set()
