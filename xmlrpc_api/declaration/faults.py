"""
Every error a client may see, declared once.

Codes and texts are part of the API: changing one is a breaking change.

=========== =============================================================================
code        when
=========== =============================================================================
-32700      the document is not well formed
-32701      its encoding is not supported
-32702      it holds a character that XML does not allow
-32600      it is XML, but not a call
-32601      the method does not exist
-32602      a parameter has the wrong type or shape
-32603      a bug of ours; the text holds a request id and nothing else
-32400      temporarily unavailable: try again later
400         a value is missing or invalid
401         login refused, or a reference to something that is not there for the caller
402         not enough credit
403         a management right, depth or quota is missing
404         no such object for the caller
405         JSON gateway only: what changes something is sent with POST
409         conflict: taken, still in use, changed meanwhile
410         authCustomer: the one-time password was right (a success signal);
            matchAccountMinutePlan: no minute plan covers the number
429         too many attempts
=========== =============================================================================
"""

import enum
from collections.abc import Mapping
from typing import ClassVar, Protocol


class Name(str):
    """Within a text, the name of an attribute or parameter, which a dialect may call something else."""

    __slots__ = ()


class Named(Protocol):
    """What people have a word for: a model. Faults know no more of it, so that a client need not import models."""

    thing: ClassVar[str]


Thing = type[Named]
Part = str | Thing


class Kind(enum.Enum):
    """What is wrong, where one class of faults stands for several situations."""

    REQUIRED = "a parameter was left out"
    TAKEN = "another one has this value, which must be unique"
    IN_USE = "others point at it"


class Fault(Exception):  # noqa: N818 (it is what XML-RPC calls it)
    """
    An error with a numeric code and a text for the client.

    Subclasses are situations. What is raised is shown to the client as it stands, so no text may
    hold a secret or an internal.

    Attributes:
        usual: Its text, where none is given.
        kind: Which of several situations it is.
        thing: What it is about: one of this model.
        parts: Its text, with the names and things that a dialect may call something else.
    """

    code: ClassVar[int]
    summary: ClassVar[str]
    usual: ClassVar[str] = ""
    kind: Kind | None = None
    thing: Thing | None = None

    def __init__(self, *parts: Part) -> None:
        self.parts = parts or (self.usual,)
        self.text = self.told({})
        super().__init__(self.text)

    def told(self, words: Mapping[Part, str]) -> str:
        """Its text, in which names and things are called as `words` say, or else as we do."""
        return "".join(_word(part, words) for part in self.parts)


def _word(part: Part, words: Mapping[Part, str]) -> str:
    if isinstance(part, type):
        return words.get(part, part.thing)
    return words.get(part, part) if isinstance(part, Name) else part


class Kept(Exception):  # noqa: N818 (it is a fault, and more)
    """Ends a call with a fault whose changes are kept, such as a counted failure or a used password."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


class NotWellFormed(Fault):
    """The document cannot be read."""

    code = -32700
    summary = "the document is not well formed"
    usual = "The document is not well formed"


class UnsupportedEncoding(Fault):
    """The document's encoding is unknown or broken."""

    code = -32701
    summary = "the encoding is not supported"
    usual = "The encoding of the document is not supported: use UTF-8"


class InvalidCharacter(Fault):
    """The document holds a character that XML does not allow."""

    code = -32702
    summary = "a character is not allowed"
    usual = "The document holds a character that XML does not allow"


class InvalidRequest(Fault):
    """The document is well formed, but not a call."""

    code = -32600
    summary = "the document is not a call"


class MethodNotFound(Fault):
    """No method of this name is public."""

    code = -32601
    summary = "the method does not exist"

    def __init__(self, nearest: str | None = None) -> None:
        super().__init__("Method not found" + (f": did you mean {nearest}?" if nearest else ""))


class WrongType(Fault):
    """A parameter has a type or shape that cannot be read as the declared one."""

    code = -32602
    summary = "a parameter has the wrong type or shape"

    @classmethod
    def of(cls, name: str, reason: str) -> "WrongType":
        """The fault for one parameter."""
        return cls("Parameter ", Name(name), f" {reason}")


class InternalError(Fault):
    """A bug of ours. The text tells the request id and nothing else."""

    code = -32603
    summary = "internal error"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Internal error, request {request_id}")


class Unavailable(Fault):
    """Database down, overload or time-out: nothing was changed, the call may be tried again."""

    code = -32400
    summary = "temporarily unavailable, try again"
    usual = "Temporarily unavailable, try again later"


class BadParameter(Fault):
    """A value is missing or invalid; the text starts with `Parameter <name>`, or the label of a form's field."""

    code = 400
    summary = "a parameter is missing or its value is invalid"

    def __init__(self, name: str, reason: str, label: str | None = None, kind: Kind | None = None) -> None:
        super().__init__(*((label,) if label else ("Parameter ", Name(name))), f" {reason}")
        self.name = name
        self.kind = kind

    @classmethod
    def required(cls, name: str) -> "BadParameter":
        """The fault for a parameter that was left out."""
        return cls(name, "is required", kind=Kind.REQUIRED)


class NothingToChange(Fault):
    """An update without a single attribute."""

    code = 400
    summary = BadParameter.summary

    def __init__(self, unknown: str | None = None) -> None:
        told = f", and {unknown} is not known to this method" if unknown else ""
        super().__init__(f"At least one parameter to change is required{told}")


class WrongReference(Fault):
    """A reference to a row that is not there for the caller."""

    code = 401
    summary = "a reference to something that is not there for the caller"

    def __init__(self, name: str) -> None:
        super().__init__("Wrong ", Name(name))


class AuthenticationFailed(Fault):
    """A login was refused, for whatever reason."""

    code = 401
    summary = "authentication failed"
    usual = "Authentication failed"


class NotEnoughCredit(Fault):
    """Balance, credit limit or over-commit would be exceeded."""

    code = 402
    summary = "not enough credit"
    usual = "Not enough credit"


class NotPermitted(Fault):
    """A management right, depth or quota is missing; the text says which."""

    code = 403
    summary = "a management right or depth is missing"

    def __init__(self, *reason: Part) -> None:
        super().__init__("Not permitted: ", *reason)


class NotFound(Fault):
    """The object is missing, or not the caller's: nobody can tell which."""

    code = 404
    summary = "no such object for the caller"

    def __init__(self, thing: Thing) -> None:
        super().__init__(thing, " not found")
        self.thing = thing


class PostRequired(Fault):
    """A change was asked for with GET, by somebody who is known by more than what it sent."""

    code = 405
    summary = "what changes something is sent with POST"
    usual = "This method changes something: send it with POST"


class Conflict(Fault):
    """Taken, still in use, or changed meanwhile."""

    code = 409
    summary = "taken, still in use, or changed meanwhile"

    def __init__(self, *parts: Part, kind: Kind | None = None, thing: Thing | None = None) -> None:
        super().__init__(*parts)
        self.kind, self.thing = kind, thing

    @classmethod
    def taken(cls, thing: Thing | None, name: str, origin: str | None = None) -> "Conflict":
        """The fault for a value that a `thing` has already; `origin` is the parameter it was taken from."""
        source = f" (taken from {origin})" if origin else ""
        return cls("Parameter ", Name(name), f" is already taken{source}", kind=Kind.TAKEN, thing=thing)


class OneTimePasswordAccepted(Fault):
    """The password was a one-time password: the login is proven, and a new password should be set."""

    code = 410
    summary = "the one-time password was right (a signal of success)"
    usual = "Authenticated by one-time password"


class NoMinutePlan(Fault):
    """No minute plan covers a number."""

    code = 410
    summary = "no minute plan covers the number"
    usual = "No minute plan matches"


class TooManyAttempts(Fault):
    """Too many wrong passwords of late; the right one is refused, too, while it lasts."""

    code = 429
    summary = "too many attempts"
    usual = "Too many attempts, try again later"
