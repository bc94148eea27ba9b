"""What the modules of SipPort share: ids, owners, dates, and how they are read."""

from collections.abc import Mapping
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotFound,
    NotPermitted,
    WrongReference,
)
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.ngnpro import accounts as sip_accounts
from xmlrpc_api.turns import Key

DATE = "%Y-%m-%d %H:%M:%S"
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


def by_our_names(known: Mapping[str, Field], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent of the attributes that are known, by our names."""
    return {known[name].attribute or name: value for name, value in sent.items() if name in known}


def whole(sip_id: Mapping[str, Any]) -> dict[str, str]:
    """
    A SIP id with both of its parts.

    Raises:
        BadParameter: One of them is missing.
    """
    for name in ("username", "domain"):
        if not sip_id.get(name):
            raise BadParameter.required(name)
    return dict(sip_id)


async def balance_of_id(call: Call, params: Mapping[str, Any]) -> set[Key]:
    """On whose balance a call books that names an account by its SIP id."""
    return await sip_accounts.balance_key(call, params["sipId"])
