"""The dialect of PortaSwitch, FlySIP and Sippy: XML-RPC, and its JSON gateway. Its names are those of the model."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.fields import I_WHOLESALER, Field, Wire
from xmlrpc_api.declaration.registry import Dialect, publish

RESULT = Field(name="result", wire=Wire.STRING, doc="OK if the call succeeded.", example="OK")
SWITCH = Dialect(RESULT)
METHODS = SWITCH.methods
method = partial(publish, SWITCH, scope=I_WHOLESALER)


def enveloped(answer: Any) -> Any:
    """An answer as its clients expect it: a struct begins with its result."""
    return {RESULT.name: RESULT.example, **answer} if isinstance(answer, Mapping) else answer


def as_struct(fault: Fault) -> dict[str, Any]:
    """A fault as its clients expect it."""
    return {"faultCode": fault.code, "faultString": fault.text}
