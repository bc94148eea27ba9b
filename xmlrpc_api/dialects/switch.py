"""The dialect of PortaSwitch, FlySIP and Sippy: XML-RPC, and its JSON gateway. It calls everything as we do."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from models import Account, Base, Customer, CustomerProperty, Did, DidDelegation, DidUse, SipAlias, SipDomain
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.fields import I_WHOLESALER, Field, Wire
from xmlrpc_api.declaration.registry import Dialect, publish

RESULT = Field(name="result", wire=Wire.STRING, doc="OK if the call succeeded.", example="OK")
SWITCH = Dialect(RESULT)
METHODS = SWITCH.methods
method = partial(publish, SWITCH, scope=I_WHOLESALER)

LACKED: Mapping[type[Base], frozenset[str]] = {  # the attributes that it does not have
    Customer: frozenset(
        {
            "impersonate",
            "vat_number",
            "web",
            "mobile",
            "sip",
            "enum",
            "bank_account",
            "billing_address",
            "billing_email",
            "company_code",
            "reseller_active",
        }
    ),
    Account: frozenset({"owner", "rpid", "quickdial_prefix", "region", "quota", "prepaid"}),
    **dict.fromkeys((Did, DidDelegation, DidUse), frozenset({"i_customer"})),
    **{model: frozenset(Entity(model).fields) for model in (CustomerProperty, SipDomain, SipAlias)},
}


def enveloped(answer: Any) -> Any:
    """An answer as its clients expect it: a struct begins with its result."""
    return {RESULT.name: RESULT.example, **answer} if isinstance(answer, Mapping) else answer


def as_struct(fault: Fault) -> dict[str, Any]:
    """A fault as its clients expect it."""
    return {"faultCode": fault.code, "faultString": fault.text}
