"""The reference of a method as text, and the examples that it shows. All of it comes from the registry."""

from typing import Any

from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Method
from xmlrpc_api.declaration.rights import Right

SAMPLES: dict[Wire, Any] = {
    Wire.INT: 1,
    Wire.DOUBLE: 1,
    Wire.STRING: "text",
    Wire.BOOLEAN: True,
    Wire.DATETIME: "20261120T09:57:29",
    Wire.STRUCT: {},
    Wire.ARRAY: [],
    Wire.ID_OR_NAME: 1,
    Wire.ANY: "any",
}


def as_text(method: Method) -> str:
    """The whole reference of a method, in plain text."""
    parts = [method.documentation]
    if method.documented_params:
        parts.append("Parameters:\n" + _lines(method.documented_params, required=True))
    if not isinstance(method.returns, Wire):
        parts.append("Returns:\n" + _lines(method.returns))
    if method.right is not Right.ANYONE:
        parts.append(f"Needs {method.right.explanation}.")
    if method.expected_faults:
        parts.append("Faults:\n" + "\n".join(f"  {f.code} {f.summary}" for f in method.expected_faults))
    return "\n\n".join(parts)


def _lines(fields: tuple[Field, ...], indent: str = "  ", *, required: bool = False) -> str:
    lines = []
    for field in fields:
        need = (", required" if field.required else ", optional") if required else ""
        lines.append(f"{indent}{field.name} ({field.type_name}{need}): {field.doc}")
        if field.members:
            lines.append(_lines(field.members, indent + "  "))
    return "\n".join(lines)


def as_data(method: Method) -> dict[str, Any]:
    """The whole reference of a method, for programs."""
    returns = method.returns
    return {
        "name": method.name,
        "documentation": method.documentation,
        "params": [{**_described(field), "required": field.required} for field in method.documented_params],
        "positional": method.positional,
        "returns": returns.value if isinstance(returns, Wire) else [_described(field) for field in returns],
        "needs": None if method.right is Right.ANYONE else method.right.explanation,
        "faults": [{"code": fault.code, "summary": fault.summary} for fault in method.expected_faults],
    }


def _described(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": field.type_name, "documentation": field.doc}
    if field.members:
        described["members"] = [_described(member) for member in field.members]
    return described


def sample(field: Field) -> Any:
    """A value of this field, for an example."""
    if field.members:
        members = {member.name: sample(member) for member in field.members}
        return [members] if field.wire is Wire.ARRAY else members
    if field.example is not None or field.nullable:
        return field.example
    return SAMPLES[field.wire]


def example_params(method: Method) -> list[Any]:
    """Parameters of an example call: what is required, and a few others."""
    if method.positional:
        return [sample(field) for field in method.params]
    required = [field for field in method.params if field.required]
    optional = [field for field in method.params if not field.required and field.example is not None]
    shown = [*required, *optional[: max(1, 5 - len(required))]]
    return [{field.name: sample(field) for field in shown}] if shown else []


def example_answer(method: Method) -> Any:
    """The answer to the example call."""
    if isinstance(method.returns, Wire):
        return SAMPLES[method.returns]
    return {field.name: sample(field) for field in method.returns}
