"""What the modules of NGNPro's ports share: ids, owners, dates, pages, and how they are read and shown."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.dialects.ngnpro import array, struct
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


ID_PARTS = (
    Field(name="username", wire=Wire.STRING, limit=128, doc="User name.", example="alice"),
    Field(name="domain", wire=Wire.STRING, limit=DOMAIN_LIMIT, doc="Domain.", example="example.com"),
)


def sip_id(name: str) -> Field:
    """A SIP id."""
    return struct(name, "SipId", "User name and domain.", *ID_PARTS)


SIP_ID = sip_id("sipId").require()
GROUPS = Field(name="groups", wire=Wire.ARRAY, items=Wire.STRING, limit=64, doc="Groups it is in; replaced as a whole.")
FAULTS = (NotFound, NotPermitted, WrongReference, Conflict)
TIME_ZONE = Field(
    name="timezone", wire=Wire.STRING, limit=64, doc="Time zone, by its IANA name.", example="Europe/Amsterdam"
)


class Noun:
    """
    What a port is about: how it is sent, told and listed.

    Args:
        type: Its SOAP type.
        name: What a parameter is called that holds one, and so is an answer.
        many: What a list of them is called.
        attributes: What clients may set, by the names of this dialect.
        computed: What is told beside.
        ours: What rows call that, where they call it otherwise.
        called: What it is, where that is not its name.
        behind: Which attributes the computed stand behind; behind them all, if they are not here.

    Attributes:
        members: All that is told, in this order.
        sent: The parameter.
        told: The answer that holds one.
        page: The answer that holds a page of them, and how many there are in all.
    """

    def __init__(
        self,
        type: str,
        name: str,
        many: str,
        *,
        attributes: Mapping[str, Field],
        computed: Iterable[Field] = (),
        ours: Mapping[str, str] = MappingProxyType({}),
        called: str = "",
        behind: Mapping[str, str] = {},
    ) -> None:
        self._attributes = attributes
        members = list(attributes.values())
        for field in computed:
            place = members.index(attributes[behind[field.name]]) + 1 if field.name in behind else len(members)
            members.insert(place, field)
        self.members = tuple(members)
        self._ours = {field.name: ours.get(field.name, field.attribute or field.name) for field in self.members}
        self.told = struct(name, type, f"The {called or name}.", *self.members)
        self.sent = self.told.require()
        page, list_type = (f"{called}s", f"{called.title()}List") if called else (many, f"{type}List")
        rows = array(many, type, f"The {page}.", *self.members)
        self.page = struct(page, list_type, "A page of the matches.", queries.TOTAL, rows)

    def one(self, row: Struct) -> Struct:
        """What a method answers that tells one."""
        return {self.told.name: self._shown(row)}

    def some(self, found: Found) -> Struct:
        """What a method answers that lists them."""
        total, rows = self.page.members
        return {self.page.name: {total.name: found.total, rows.name: [self._shown(row) for row in found.rows]}}

    def _shown(self, row: Struct) -> Struct:
        shown = {name: row.get(known) for name, known in self._ours.items()}
        return {name: date(value) if isinstance(value, datetime) else value for name, value in shown.items()}

    def ours(self, sent: Struct, *, unfilled: Collection[str] = (), pointers: Collection[str] = ()) -> Struct:
        """
        The attributes that were sent, by our names.

        Args:
            sent: What was sent.
            unfilled: Which of ours count as left out where they are empty: a form was not filled in.
            pointers: Which of ours point nowhere where they are 0.
        """
        known = self._attributes
        values = {known[name].attribute or name: value for name, value in sent.items() if name in known}
        values |= {name: values[name] or None for name in pointers if name in values}
        return {name: value for name, value in values.items() if value or name not in unfilled}


async def with_zone(call: Call, values: Struct, sent: Struct) -> Struct:
    """
    Attributes with the time zone that was sent by its name, if one was.

    Raises:
        BadParameter: There is none of this name.
    """
    name = sent.get("timezone")
    return {**values, "i_time_zone": await customers.zone(call, name)} if name else values


def date(time: datetime) -> str:
    """A time as it is shown."""
    return f"{time:%Y-%m-%d %H:%M:%S}"


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
