"""
What a public method is, and how it is declared: once, in the dialect that has it.

What does not fit together (a name used twice, a parameter that the handler does not take, a missing
docstring) is an error at import, not at the first call.
"""

import difflib
import enum
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from xmlrpc_api.declaration import faults
from xmlrpc_api.declaration.fields import IDEMPOTENCY_KEY, Field, Params, Wire
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.storage.foresight import Foreseen
from xmlrpc_api.turns import Key

LONGEST_COMPARED = 64
LIKENESS = 0.8
Answer = dict[str, object]  # members by their names
Handler = Callable[..., Awaitable[Any]]
Finder = Callable[[Any, dict[str, Any]], Awaitable[set[Key]]]  # of the call, and its parameters
Foresee = Callable[[Mapping[str, Any]], Foreseen | None]  # of the members that were sent
H = TypeVar("H", bound=Handler)


class Effect(enum.Enum):
    """What a method does to the database."""

    NONE = "does not touch it"
    READ = "reads"
    WRITE = "changes it, in one transaction"


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is slow and needs no transaction, and by which keyword the handler takes what it answers."""

    step: Handler
    taken_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """
    A public method.

    The handler answers a dict of members, None for none, or one value where `returns` is a wire type. A fault that
    it raises undoes its changes; `Kept` keeps them (a counted failure, a used password).

    Attributes:
        params: Its parameters; members of the one struct, or, if `positional`, in this order.
        returns: Members of the struct it answers, or the one value of another type.
        right: What the caller must hold.
        effect: What it does to the database.
        scope: The parameter that says on whose behalf a trusted host calls; None if it takes none.
        scope_optional: Whether a trusted host may leave it out, and then calls as root.
        ahead: Is done before the transaction begins: it is given the parameters, and a store that only reads. What
            it answers the handler takes by the one keyword of its type.
        repeatable: Whether it takes an idempotency_key; True for all that change something, unless said otherwise.
        balances: Finds out on whose balances it books, so that whoever waits for a busy one holds no connection; see
            `services.money.balances`.
        bare: The parameter that a value means which is sent in place of the struct.
        foresee: Tells what it will ask for first, so that it can be asked together with the credentials.
        raises: Faults to expect beside those that any method may raise.
    """

    name: str
    handler: Handler
    params: Params
    returns: tuple[Field, ...] | Wire
    right: Right
    effect: Effect
    scope: Field | None
    scope_optional: bool
    ahead: Ahead | None
    positional: bool
    repeatable: bool
    balances: Finder | None
    foresee: Foresee | None
    bare: str | None
    raises: tuple[type[faults.Fault], ...]

    @property
    def documented_params(self) -> tuple[Field, ...]:
        """All parameters a client may send."""
        scope = (self.scope,) if self.scope else ()
        return (*self.params.fields, *scope, *((IDEMPOTENCY_KEY,) if self.repeatable else ()))

    @property
    def documentation(self) -> str:
        """The handler's docstring, which is written for the client."""
        return inspect.getdoc(self.handler) or ""

    @property
    def return_type(self) -> str:
        """XML-RPC type of the answer."""
        return self.returns.value if isinstance(self.returns, Wire) else Wire.STRUCT.value

    @property
    def signatures(self) -> list[list[str]]:
        """Each form in which it can be called: type of the answer, then the types of the parameters."""
        if self.positional:
            return [[self.return_type, *(field.wire.value for field in self.params)]]
        forms = [[self.return_type, Wire.STRUCT.value]]
        return forms if any(field.required for field in self.params) else [*forms, [self.return_type]]

    @property
    def expected_faults(self) -> tuple[type[faults.Fault], ...]:
        """Faults that this method may raise, those of its parameters and rights included."""
        found: list[type[faults.Fault]] = []
        if self.params.fields:
            found += [faults.WrongType, faults.BadParameter]
        if self.scope:
            found.append(faults.WrongReference)
        if self.right is not Right.ANYONE:
            found.append(faults.NotPermitted)
        if self.repeatable:
            found.append(faults.Conflict)
        return tuple(dict.fromkeys([*found, *self.raises]))


class Dialect:
    """
    What those speak who know the same methods.

    Args:
        envelope: Members with which each struct begins that a method answers there.
    """

    def __init__(self, *envelope: Field) -> None:
        self.envelope = envelope
        self.methods: dict[str, Method] = {}

    @cached_property
    def answered_only(self) -> frozenset[str]:
        """What stands in answers and is nobody's to set: clients that send whole records back send it, too."""
        accepted = {field.name for known in self.methods.values() for field in known.documented_params}
        answers = [known.returns for known in self.methods.values() if isinstance(known.returns, tuple)]
        found = (field for answer in answers for field in _members(answer))
        return frozenset(field.name for field in found if field.read_only or field.name not in accepted)


def publish(
    dialect: Dialect,
    name: str,
    *params: Field,
    right: Right,
    effect: Effect,
    returns: tuple[Field, ...] | Wire = (),
    scope: Field | None = None,
    scope_optional: bool = False,
    ahead: Handler | None = None,
    positional: bool = False,
    repeatable: bool | None = None,
    balances: Finder | None = None,
    foresee: Foresee | None = None,
    bare: str | None = None,
    raises: tuple[type[faults.Fault], ...] = (),
) -> Callable[[H], H]:
    """
    Publish a handler in `dialect` under `name`; see `Method` for the arguments.

    `returns` is given without the dialect's envelope.

    Raises:
        TypeError: The declaration contradicts itself or the handler.
    """

    def declare(handler: H) -> H:
        if name in dialect.methods:
            raise TypeError(f"{name} is published twice")
        if not inspect.getdoc(handler):
            raise TypeError(f"{name} needs a docstring: it is the client's documentation")
        if balances and effect is not Effect.WRITE:
            raise TypeError(f"{name} does not change anything, but is said to book")
        made_ahead = _ahead(name, ahead, handler) if ahead else None
        _compare(name, params, handler, made_ahead)
        dialect.methods[name] = Method(
            name=name,
            handler=handler,
            params=Params(name, params),
            returns=returns if isinstance(returns, Wire) else (*dialect.envelope, *returns),
            right=right,
            effect=effect,
            scope=scope,
            scope_optional=scope_optional,
            ahead=made_ahead,
            positional=positional,
            repeatable=effect is Effect.WRITE if repeatable is None else repeatable,
            balances=balances,
            foresee=foresee,
            bare=bare,
            raises=raises,
        )
        return handler

    return declare


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that a misspelt one was probably meant to be."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name[:LONGEST_COMPARED].lower(), by_lower, 1, LIKENESS)
    return by_lower[found[0]] if found else None


def _members(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _members(field.members)


def _ahead(name: str, step: Handler, handler: Handler) -> Ahead:
    """What is done ahead, if the handler takes what it answers."""
    answered = inspect.signature(step).return_annotation
    taken = inspect.signature(handler).parameters.values()
    keywords = [p.name for p in taken if p.kind is inspect.Parameter.KEYWORD_ONLY and p.annotation == answered]
    if len(keywords) != 1:
        raise TypeError(f"{name}: the handler must take what `ahead` answers by one keyword of its type")
    return Ahead(step, keywords[0])


def _compare(name: str, params: tuple[Field, ...], handler: Handler, ahead: Ahead | None) -> None:
    """Refuse a handler whose keyword arguments are not the declared parameters, and what is done ahead."""
    signature = inspect.signature(handler).parameters.values()
    taken = {p.name: p for p in signature if p.kind is inspect.Parameter.KEYWORD_ONLY}
    if ahead is not None:
        del taken[ahead.taken_as]
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature)
    declared = {field.name: field for field in params}
    if unknown := taken.keys() - declared.keys():
        raise TypeError(f"{name}: the handler takes {sorted(unknown)}, which is not declared")
    for field in params:
        if field.name not in taken:
            if not takes_all:
                raise TypeError(f"{name}: {field.name} is declared, but the handler does not take it")
        elif field.required is not (taken[field.name].default is inspect.Parameter.empty):
            raise TypeError(f"{name}: {field.name} is required in one place and optional in the other")
