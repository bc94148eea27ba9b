"""
The public API as data, and the pages that are written from the declarations.

`make reference` writes all of them; tests fail when one has changed by accident.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import handlers  # noqa: F401 (fills the registry)
from xmlrpc_api.config import Config
from xmlrpc_api.declaration import faults
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.declaration.fields import Field
from xmlrpc_api.declaration.registry import Method
from xmlrpc_api.dialects import ngnpro
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.services.customers import CUSTOMER

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "tests/api.lock.json"
EFFECTS = ROOT / "tests/effects.json"  # what this server does with each attribute of a customer
README = ROOT / "README.md"
DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
MARK = "<!-- `make reference` writes what follows -->\n\n"
FEWEST_SHARED = 3  # a struct with fewer members is told where it stands
LIMITS = ("low", "high", "limit", "check")

Lines = dict[str, str]


class Structs:
    """
    All structs, each once, one line a field.

    What a method takes or answers is told as the structs that it has as a whole ("all of"), and its own lines.
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self.told: dict[str, Lines] = {}
        self.used: set[str] = set()
        self._params: list[str] = []
        self._answers: list[str] = []
        for entity in entities:
            for kind, fields in (("create", entity.create), ("update", entity.update), ("read", entity.read)):
                if len(fields) >= FEWEST_SHARED:
                    name = f"{entity.name}.{kind}"
                    self.told[name] = self._lines(name, fields)
                    (self._answers if kind == "read" else self._params).append(name)

    def params(self, name: str, fields: Iterable[Field]) -> dict[str, Any]:
        """What a method takes."""
        return self._shortest(self._lines(name, fields), self._params)

    def answer(self, name: str, fields: Iterable[Field]) -> dict[str, Any]:
        """What a method answers."""
        return self._shortest(self._lines(name, fields), self._answers)

    def _lines(self, place: str, fields: Iterable[Field]) -> Lines:
        return {field.name: self._line(f"{place}.{field.name}", field) for field in fields}

    def _line(self, place: str, field: Field) -> str:
        words = [field.type_name, *(word for word in ("required", "secret") if getattr(field, word))]
        words += [f"{limit} {getattr(field, limit)}" for limit in LIMITS if getattr(field, limit) is not None]
        if field.members:
            words.append(f"of {self._struct(field.type or place, self._lines(field.type or place, field.members))}")
        return ", ".join(words)

    def _struct(self, name: str, lines: Lines) -> str:
        same = (known for known, told in self.told.items() if told == lines)
        found = next(same, name)
        if self.told.setdefault(found, lines) != lines:
            raise ValueError(f"two structs are called {name}")
        self.used.add(found)
        return found

    def _shortest(self, lines: Lines, shared: Iterable[str]) -> dict[str, Any]:
        left, whole = dict(lines), []
        for name in sorted(shared, key=lambda name: -len(self.told[name])):
            if self.told[name].items() <= left.items():
                left = {known: line for known, line in left.items() if known not in self.told[name]}
                whole.append(name)
        self.used.update(whole)
        return {**({"all of": whole} if whole else {}), **left}


def _method(method: Method, structs: Structs) -> dict[str, Any]:
    returns = method.returns
    return {
        "params": structs.params(method.name, method.documented_params),
        "positional": method.positional,
        "returns": structs.answer(method.name, returns) if isinstance(returns, tuple) else returns.value,
        "right": method.right.name,
        "access": method.effect.name,
        "faults": " ".join(str(code) for code in sorted({fault.code for fault in method.expected_faults})),
    }


def entities() -> list[Entity]:
    """Every model that a dialect knows."""
    modules = [vars(module) for name, module in sys.modules.items() if name.startswith("xmlrpc_api.")]
    found = {one.name: one for names in modules for one in list(names.values()) if isinstance(one, Entity)}
    return [found[name] for name in sorted(found)]


def api() -> dict[str, Any]:
    """Everything a client may rely on."""
    known = {f.__name__: f.code for f in vars(faults).values() if isinstance(f, type) and hasattr(f, "code")}
    structs = Structs(entities())
    tables: Mapping[str, Mapping[str, Method]] = {"methods": METHODS, "operations": OPERATIONS}
    told = {kind: {name: _method(t[name], structs) for name in sorted(t)} for kind, t in tables.items()}
    used = {name: structs.told[name] for name in sorted(structs.used)}
    return {"faults": known, "structs": used, **told}


def shown_default(default: Any) -> str:
    """A default as TOML has it."""
    return "" if default is None else json.dumps(default, default=str)


def default_toml() -> str:
    """All settings with their defaults, as `config/default.toml` shows them."""
    lines = [
        "# Every setting with its default. Copy what you change into a file of your own and start with",
        "# `xmlrpc-api --config FILE …`; each one is also an environment variable: XMLRPC_API_ and the name",
        "# in capitals (lists as JSON or with commas). Secrets belong into the environment, not here.",
    ]
    for name, setting in Config.model_fields.items():
        shown = shown_default(setting.get_default())
        lines += ["", f"# {setting.description}", f"{name} = {shown}" if shown else f"# {name} ="]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """docs/settings.md: all settings as a table."""
    introduction = (
        "# Settings\n\n"
        "From `--config FILE` (TOML; [config/default.toml](../config/default.toml) shows all), then from environment\n"
        "variables `XMLRPC_API_<NAME>`. `xmlrpc-api check` tests them.\n\n"
    )
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, setting in Config.model_fields.items():
        shown = shown_default(setting.get_default())
        lines.append(f"| `{name}` | {f'`{shown}`' if shown else ''} | {setting.description} |")
    return introduction + MARK + "\n".join(lines) + "\n"


def decisions() -> str:
    """docs/decisions/README.md."""
    lines = [
        "# Decisions",
        "",
        "What was decided, why, and what follows; one idea each. A decision that is no longer in force stays, and",
        "says which one took its place. A new one gets the next number; `make reference` adds it here.",
        "",
    ]
    for file in sorted(DECISIONS.glob("[0-9]*.md")):
        number, _, title = file.read_text().partition("\n")[0].removeprefix("# ").partition(". ")
        lines.append(f"{number}. [{title}]({file.name})")
    return "\n".join(lines) + "\n"


def area(method: Method) -> str:
    """What a method is about: the module in which it is published."""
    return method.handler.__module__.rpartition(".")[2].removeprefix("sip_").replace("_", " ")


def dialects() -> str:
    """docs/dialects.md: what stands above the mark stays."""
    introduction, _, _ = (DOCS / "dialects.md").read_text().partition(MARK)
    return introduction + MARK + "\n".join([*_methods_table(), *_attributes_tables(), *_faults_table()]) + "\n"


def _methods_table() -> Iterable[str]:
    shown = [list(methods.values()) for methods in (METHODS, OPERATIONS)]
    yield from ("## Methods", "", "| about | XML-RPC, JSON, shell | NGNPro's SOAP |", "|---|---|---|")
    for about in sorted({area(method) for methods in shown for method in methods}):
        cells = [[f"`{m.name}`" for m in methods if area(m) == about] for methods in shown]
        yield f"| {about} | {' | '.join(', '.join(cell) or '—' for cell in cells)} |"


def _attributes_tables() -> Iterable[str]:
    yield from ("", "## Attributes", "", "Those that can be set or are told, by each dialect's names.")
    params = {field.name for method in METHODS.values() for field in method.documented_params}
    for entity in entities():
        names = ngnpro.NAMES.get(entity.model, {})
        ours = (
            {field.name for fields in (entity.create, entity.read) for field in fields}
            if entity.key_name in params
            else set()
        )
        if not names and not ours:
            continue
        yield from ("", f"### {entity.name.replace('_', ' ').capitalize()}", "")
        yield from ("| XML-RPC, JSON, shell | NGNPro's SOAP | what it is |", "|---|---|---|")
        for name, field in entity.fields.items():
            cells = [f"`{name}`" if name in ours else "—", f"`{names[name]}`" if name in names else "—"]
            if cells != ["—", "—"]:
                yield f"| {' | '.join(cells)} | {field.doc} |"


def _faults_table() -> Iterable[str]:
    yield from ("", "## Faults", "", "| XML-RPC, JSON, shell | NGNPro's SOAP | when |", "|---|---|---|")
    known = [fault for fault in vars(faults).values() if isinstance(fault, type) and hasattr(fault, "summary")]
    for fault in sorted(known, key=lambda fault: abs(fault.code)):
        yield f"| {fault.code} | {ngnpro.CODES.get(fault, ngnpro.GENERAL)} | {fault.summary} |"
    for (what, thing), code in ngnpro.CODES_OF_THINGS.items():
        ours, when = (what.code, what.summary) if isinstance(what, type) else (faults.Conflict.code, what.value)
        yield f"| {ours} | {code} | {thing.thing}: {when} |"


STORED = "Stored only."


def customer_attributes() -> str:
    """docs/customer_attributes.md: what each attribute of a customer means, and what is done with it."""
    effects = {name: told for told, names in json.loads(EFFECTS.read_text()).items() for name in names}
    lines = [
        "# Attributes of a customer",
        "",
        "What each means, and what this server does with it. Where it is stored only, clients and portals use it.",
        "",
        "| attribute | meaning | what is done with it |",
        "|---|---|---|",
    ]
    for name, field in CUSTOMER.fields.items():
        lines.append(f"| `{name}` | {field.doc} | {effects.get(name, STORED)} |")
    return "\n".join(lines) + "\n"


@cache
def written() -> dict[Path, str]:
    """Every page that is written from the declarations."""
    return {
        LOCK: json.dumps(api(), indent=1) + "\n",
        ROOT / "config/default.toml": default_toml(),
        DOCS / "settings.md": settings(),
        DOCS / "dialects.md": dialects(),
        DOCS / "customer_attributes.md": customer_attributes(),
        DECISIONS / "README.md": decisions(),
    }


def links() -> list[tuple[Path, str]]:
    """Each file that a page names, and the page."""
    return [(page, name) for page in PAGES for name in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]


def sources() -> list[tuple[Path, str]]:
    """Each file of the tree that a page names in its text, and the page; those apart that it says how to make."""
    found = []
    for page in PAGES:
        text = page.read_text()
        made = set(re.findall(r"^`([\w/.]+)`:$", text, re.MULTILINE))
        found += [(page, name) for name in re.findall(r"`([\w/]+/[\w.-]+\.\w+)`", text) if name not in made]
    return found


if __name__ == "__main__":
    for file, text in written().items():
        file.write_text(text)
