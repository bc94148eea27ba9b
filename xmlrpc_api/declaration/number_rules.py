r"""
Rules that change numbers, and rules that numbers match: tenants write them, so they run on RE2.

A translation rule is a number, which replaces every other, or `s/what/with/` once or several times, separated by `;`.
`what` is a regular expression, `with` may hold `\1` and `\g<1>`, and after the last slash stand `g` (every occurrence,
not the first alone) and `i` (whatever the case of letters). A match rule is a regular expression that is searched for
in the number; `!` before it turns its answer round.

RE2 does work in proportion to the number's length, whatever the rule: there is no pattern that holds a process. It
has no look-around and no back-references in patterns, which is the price.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import re2

NUMBER_LIMIT = 128  # characters of what goes in and what comes out
RULE_LIMIT = 1024  # characters of a rule
MOST_STEPS = 16  # of one rule
MEMORY_LIMIT = 96 * 1024  # bytes of one pattern, compiled, with the states it has met
MOST_INSTRUCTIONS = 400  # of one rule, compiled: 128 characters take some 30 ms at worst
MOST_GROUPS = 20  # in brackets, of one pattern
KEPT = 128  # rules that stay compiled

_NUMBER = re.compile(r"[0-9A-Za-z+*#][0-9A-Za-z+*#@._-]*")
_NO_SLASH = re.compile(r"s[^0-9A-Za-z]")
_FLAGS = re.compile(r"\s*([A-Za-z]*)\s*")
_REFERENCE = re.compile(r"\\(?:([1-9][0-9]?)|g<([0-9]{1,2}|[A-Za-z_][A-Za-z0-9_]*)>|([\\/]))")
_LEAST = re.compile(r"\{,[0-9]+\}")
_UNKNOWN_TO_RE2 = (
    (re.compile(r"\(\?(=|!|<=|<!)"), "look-around"),
    (re.compile(r"\\([1-9]|k<)|\(\?P="), "back-references in a pattern"),
    (re.compile(r"\(\?>|[*+?}]\+"), "possessive and atomic groups"),
    (re.compile(r"\\Z"), "\\Z: the end is $ or \\z"),
)

Piece = str | int  # a text, or the group that stands there


class RuleError(ValueError):
    """
    A rule that cannot be read, or that cannot be carried out.

    Attributes:
        position: At which character of the rule, from 1; 0: nowhere in particular.
    """

    def __init__(self, reason: str, position: int = 0) -> None:
        super().__init__(f"is wrong at character {position}: {reason}" if position else reason)
        self.position = position


@dataclass(frozen=True, slots=True)
class Step:
    """One `s/what/with/`."""

    what: Any
    pieces: tuple[Piece, ...]
    everywhere: bool

    def apply(self, number: str) -> str:
        """The number after it."""
        changed: list[str] = []
        end = length = 0
        for found in self.what.finditer(number):
            if found.end() == end and found.start() == end and changed:
                continue  # nothing, right behind the last occurrence
            made = "".join(piece if isinstance(piece, str) else found[piece] or "" for piece in self.pieces)
            changed += (number[end : found.start()], made)
            length += len(made)
            end = found.end()
            if length > NUMBER_LIMIT or not self.everywhere:
                break
        return "".join((*changed, number[end:]))


@dataclass(frozen=True, slots=True)
class Translation:
    """A translation rule that has been read: a number, or steps."""

    number: str | None = None
    steps: tuple[Step, ...] = ()

    def apply(self, number: str) -> str:
        """
        What becomes of a number.

        Raises:
            RuleError: It, or what becomes of it, is too long.
        """
        _demand_short(number)
        if self.number is not None:
            return self.number
        for step in self.steps:
            number = step.apply(number)
            _demand_short(number)
        return number


@dataclass(frozen=True, slots=True)
class Match:
    """A match rule that has been read."""

    what: Any
    is_negated: bool

    def holds(self, number: str) -> bool:
        """
        Whether a number matches.

        Raises:
            RuleError: The number is too long.
        """
        _demand_short(number)
        return (self.what.search(number) is not None) is not self.is_negated


def translate(rule: str, number: str) -> str:
    """
    What a translation rule makes of a number; an empty rule leaves it.

    Raises:
        RuleError: The rule cannot be read, or makes it too long.
    """
    return translation(rule).apply(number)


def matches(rule: str, number: str) -> bool:
    """
    Whether a number matches a rule; every number matches an empty one.

    Raises:
        RuleError: The rule cannot be read, or the number is too long.
    """
    return match(rule).holds(number)


@lru_cache(KEPT)
def translation(rule: str) -> Translation:
    """
    Read a translation rule.

    Raises:
        RuleError: It cannot be read; the text says where and why.
    """
    _demand_readable(rule)
    alone = rule.strip()
    if _NUMBER.fullmatch(alone) and not _NO_SLASH.match(alone):
        _demand_short(alone)
        return Translation(number=alone)
    steps: list[Step] = []
    instructions = position = 0
    while (position := _skip(rule, position)) < len(rule):
        if len(steps) == MOST_STEPS:
            raise RuleError(f"more than {MOST_STEPS} replacements", position + 1)
        start, (step, position) = position, _step(rule, position)
        instructions += step.what.programsize
        if instructions > MOST_INSTRUCTIONS:
            raise RuleError("RE2 would need too much memory for it", start + 1)
        steps.append(step)
    return Translation(steps=tuple(steps))


@lru_cache(KEPT)
def match(rule: str) -> Match:
    """
    Read a match rule.

    Raises:
        RuleError: It cannot be read; the text says where and why.
    """
    _demand_readable(rule)
    is_negated = rule.startswith("!")
    what = _compiled(rule[is_negated:], int(is_negated))
    if what.programsize > MOST_INSTRUCTIONS:
        raise RuleError("RE2 would need too much memory for it", 1)
    return Match(what, is_negated)


def _options(*, whatever_case: bool) -> re2.Options:
    options = re2.Options()
    options.max_mem = MEMORY_LIMIT
    options.log_errors = False
    options.case_sensitive = not whatever_case
    return options


_OPTIONS = {whatever_case: _options(whatever_case=whatever_case) for whatever_case in (False, True)}


def _demand_short(number: str) -> None:
    if len(number) > NUMBER_LIMIT:
        raise RuleError(f"the number would be longer than {NUMBER_LIMIT} characters")


def _demand_readable(rule: str) -> None:
    if len(rule) > RULE_LIMIT:
        raise RuleError(f"longer than {RULE_LIMIT} characters", RULE_LIMIT + 1)
    try:
        rule.encode()
    except UnicodeEncodeError as error:
        raise RuleError("not a character", error.start + 1) from None


def _skip(rule: str, position: int) -> int:
    """Where the next step begins: behind white space and semicolons."""
    while position < len(rule) and (rule[position].isspace() or rule[position] == ";"):
        position += 1
    return position


def _step(rule: str, start: int) -> tuple[Step, int]:
    """The step that begins there, and where it ends."""
    if not rule.startswith("s/", start):
        raise RuleError("neither a number, which stands alone, nor s/what/with/", start + 1)
    middle = _slash(rule, start + 2, "second")
    end = _slash(rule, middle + 1, "third")
    flags = _FLAGS.match(rule, end + 1)
    assert flags is not None  # noqa: S101 (it matches nothing, too)
    for place, flag in enumerate(flags[1].lower(), flags.start(1) + 1):
        if flag not in "gi":
            raise RuleError("after the last slash stand g, i or both", place)
    if flags.end() < len(rule) and rule[flags.end()] != ";":
        raise RuleError("the next replacement begins behind a semicolon", flags.end() + 1)
    what = _compiled(rule[start + 2 : middle], start + 2, whatever_case="i" in flags[1].lower())
    pieces = _pieces(rule[middle + 1 : end], middle + 1, what)
    return Step(what, pieces, "g" in flags[1].lower()), flags.end()


def _slash(rule: str, start: int, which: str) -> int:
    """Where the next slash stands that no backslash precedes."""
    position = start
    while position < len(rule) and rule[position] != "/":
        position += 2 if rule[position] == "\\" else 1
    if position >= len(rule):
        raise RuleError(f"the {which} slash is missing", len(rule) + 1)
    return position


def _compiled(pattern: str, offset: int, *, whatever_case: bool = False) -> Any:
    """
    A pattern, ready to be searched for.

    Args:
        pattern: It.
        offset: How many characters of the rule precede it.
        whatever_case: Whether letters stand for both their cases.
    """
    if found := _LEAST.search(pattern):  # which is text to RE2, and was a bound where rules come from
        raise RuleError("RE2 needs the lower bound, too: {0,...", offset + found.start() + 1)
    try:
        what = re2.compile(pattern, options=_OPTIONS[whatever_case])
    except re2.error as error:
        _refuse(pattern, offset, error.args[0].decode(errors="replace"))
    if what.groups > MOST_GROUPS:
        raise RuleError(f"more than {MOST_GROUPS} groups: (?:...) is none", offset + 1)
    return what


def _refuse(pattern: str, offset: int, reason: str) -> NoReturn:
    """Tell what RE2 does not like, and where that stands."""
    what, _, fragment = reason.partition(": ")
    places = list(_places(pattern, fragment))
    for place in places:
        for construct, name in _UNKNOWN_TO_RE2:
            if construct.match(pattern, place):
                raise RuleError(f"rules run on RE2, which has no {name}", offset + place + 1)
    raise RuleError(f"RE2 says: {what}", offset + (places or [0])[0] + 1)


def _places(pattern: str, fragment: str) -> Iterator[int]:
    """Where a fragment that RE2 quotes stands, but behind a backslash."""
    position = 0
    while fragment and position < len(pattern):
        if pattern.startswith(fragment, position):
            yield position
        position += 2 if pattern[position] == "\\" else 1


def _pieces(template: str, offset: int, what: Any) -> tuple[Piece, ...]:
    """What stands in for an occurrence: texts, and groups of it."""
    pieces: list[Piece] = []
    end = 0
    while (start := template.find("\\", end)) >= 0:
        found = _REFERENCE.match(template, start)
        if found is None:
            raise RuleError("behind a backslash stand a group, such as 1 or g<1>, / or \\", offset + start + 1)
        digits, named, plain = found.groups()
        pieces += (template[end:start], plain or _group(digits or named, what, offset + start + 1))
        end = found.end()
    return tuple(piece for piece in (*pieces, template[end:]) if piece != "")


def _group(name: str, what: Any, position: int) -> int:
    """The number of a group."""
    if not name.isdigit() and name in what.groupindex:
        return int(what.groupindex[name])
    if not name.isdigit() or int(name) > what.groups:
        raise RuleError("there is no such group", position)
    return int(name)
