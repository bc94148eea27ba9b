"""Introspection and batches, as XML-RPC clients expect them under `system.`."""

from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.faults import BadParameter, Fault
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Effect, Method, nearest
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import METHODS, as_struct, enveloped, method

METHOD_NAME = Field(
    name="methodName",
    wire=Wire.STRING,
    required=True,
    limit=64,
    doc="Name of a method.",
    example="createCustomer",
)
CALLS = Field(
    name="calls",
    wire=Wire.ARRAY,
    required=True,
    doc="Structs with methodName and params, an array with at most one struct.",
    example=[{"methodName": "listCustomers", "params": [{"limit": 10}]}],
)


def _known(name: str) -> Method:
    if name not in METHODS:
        meant = nearest(name, METHODS)
        raise BadParameter("methodName", "is not the name of a method" + (f": did you mean {meant}?" if meant else ""))
    return METHODS[name]


@method("system.listMethods", right=Right.ANYONE, effect=Effect.NONE, scope=None, returns=Wire.ARRAY)
async def list_methods(_call: Call) -> list[str]:
    """Tell the names of all methods."""
    return sorted(METHODS)


@method(
    "system.methodHelp",
    METHOD_NAME,
    right=Right.ANYONE,
    effect=Effect.NONE,
    scope=None,
    positional=True,
    returns=Wire.STRING,
)
async def method_help(_call: Call, *, methodName: str) -> str:
    """Tell what a method does, with its parameters, answers and faults."""
    return manual.as_text(_known(methodName))


@method(
    "system.methodSignature",
    METHOD_NAME,
    right=Right.ANYONE,
    effect=Effect.NONE,
    scope=None,
    positional=True,
    returns=Wire.ARRAY,
)
async def method_signature(_call: Call, *, methodName: str) -> list[list[str]]:
    """Tell the forms in which a method can be called: type of the answer, then types of the parameters."""
    return _known(methodName).signatures


@method(
    "system.multicall",
    CALLS,
    right=Right.ANYONE,
    effect=Effect.NONE,
    scope=None,
    positional=True,
    returns=Wire.ARRAY,
)
async def multicall(call: Call, *, calls: list[Any]) -> list[Any]:
    """
    Run several calls in one transaction, a savepoint each.

    Answers an array: for a call that succeeded an array with its answer, for one that failed the
    struct of its fault. A multicall cannot hold another.
    """
    limit = call.platform.config.multicall_limit
    if len(calls) > limit:
        raise BadParameter("calls", f"holds more than {limit} calls")
    answers = await call.perform_all(calls)
    return [as_struct(answer) if isinstance(answer, Fault) else [enveloped(answer)] for answer in answers]
