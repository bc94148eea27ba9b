"""Dictionaries: the values that parameters such as i_time_zone may take."""

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services import dictionaries

NAME = Field(
    name="name",
    wire=Wire.STRING,
    required=True,
    limit=32,
    doc="Name of the dictionary, such as timezones, currencies, languages, export_types, payment_methods.",
    example="export_types",
)
DICTIONARY = (Field(name="dictionary", wire=Wire.STRUCT, doc="Labels by id.", example={"1": "CSV", "2": "Excel"}),)
TYPE = Field(name="type", wire=Wire.STRING, limit=32, doc="For languages: web or ivr; all if left out.")


@method(
    "getSystemDictionary",
    NAME,
    TYPE,
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
    returns=DICTIONARY,
)
async def get_system_dictionary(call: Call, *, name: str, type: str | None = None) -> Answer:
    """Tell the same as getDictionary: some clients call it so."""
    return {"dictionary": await dictionaries.read(call, name, type)}


@method(
    "getDictionary",
    NAME,
    TYPE,
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=DICTIONARY,
)
async def get_dictionary(call: Call, *, name: str, type: str | None = None) -> Answer:
    """Tell the ids that a parameter may take, each with its label."""
    return {"dictionary": await dictionaries.read(call, name, type)}
