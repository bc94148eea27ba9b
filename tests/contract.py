"""
The public API as data, and the places where the settings are shown.

`make reference` writes all of them; tests fail when one has changed by accident.
"""

import json
import re
from pathlib import Path
from typing import Any

import handlers  # noqa: F401 (fills the registry)
from xmlrpc_api import config
from xmlrpc_api.declaration import faults
from xmlrpc_api.declaration.fields import Field
from xmlrpc_api.declaration.registry import METHODS, TABLES, Family, Method

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "tests/api.lock.json"
SETTINGS = ROOT / "config/default.toml"
README = ROOT / "README.md"
TABLE = re.compile(r"\| setting \|.*?\n\n", re.DOTALL)


def _field(field: Field) -> dict[str, Any]:
    limits = {"low": field.low, "high": field.high, "limit": field.limit, "check": field.check}
    described: dict[str, Any] = {"type": field.type_name, "required": field.required, "secret": field.secret}
    described |= {name: value for name, value in limits.items() if value is not None}
    if field.members:
        described["members"] = {member.name: _field(member) for member in field.members}
    return described


def _method(method: Method) -> dict[str, Any]:
    returns = method.returns
    return {
        "params": {field.name: _field(field) for field in method.documented_params},
        "positional": method.positional,
        "returns": {f.name: _field(f) for f in returns} if isinstance(returns, tuple) else returns.value,
        "right": method.right.name,
        "access": method.effect.name,
        "faults": sorted({fault.code for fault in method.expected_faults}),
    }


def api() -> dict[str, Any]:
    """Everything a client may rely on."""
    known = {f.__name__: f.code for f in vars(faults).values() if isinstance(f, type) and hasattr(f, "code")}
    tables = {"methods": METHODS, "operations": TABLES[Family.NGNPRO]}
    return {"faults": known, **{kind: {name: _method(t[name]) for name in sorted(t)} for kind, t in tables.items()}}


if __name__ == "__main__":
    LOCK.write_text(json.dumps(api(), indent=1) + "\n")
    SETTINGS.write_text(config.as_toml())
    README.write_text(TABLE.sub(lambda _old: config.as_markdown() + "\n", README.read_text(), count=1))
