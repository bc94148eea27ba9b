"""Rules that change numbers, and rules that numbers match."""

import random
from collections.abc import Callable

import pytest

from xmlrpc_api.declaration import number_rules
from xmlrpc_api.declaration.number_rules import RuleError, matches, translate

CHANGED = [
    ("", "0049", "0049"),
    (" ; ", "0049", "0049"),
    ("123456", "9", "123456"),
    (" +49#7 ", "9", "+49#7"),
    ("s/^0011//", "0011491", "491"),
    ("s/^/53872#/", "491", "53872#491"),
    ("s/$/#/", "491", "491#"),
    ("s///", "491", "491"),
    ("s/^.{0,9}$/0123456789/", "123", "0123456789"),
    ("s/^.{0,9}$/0123456789/", "1234567890", "1234567890"),
    ("s/^[+]//", "+491", "491"),
    (r"s/^(.{10})$/1\1/", "0123456789", "10123456789"),
    (r"s/^.*([ ]|\-|\.).*$/block/", "12-3", "block"),
    ("s/[ ]//", "1 2 3", "12 3"),
    ("s/[ ]//g", "1 2 3", "123"),
    ("s/x*/-/g", "abxd", "-a-b-d-"),
    ("s/1/2/;s/2/3/g", "1123", "3133"),
    ("s/^00// ; s/^0/49/;", "0305", "49305"),
    ("s/a;b/c;d/", "a;b", "c;d"),
    (r"s/a\/b/c\/d\\/", "a/b", "c/d\\"),
    ("s/A/b/gi", "aAa", "bbb"),
    ("s/A/b/I", "aAa", "bAa"),
    (r"s/(?P<area>\d\d)(x)?\d/\g<area>\g<2>\g<0>&/", "123", "12123&"),
    (r"s/(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)/\10\1/", "0123456789", "90"),
    ("s/ü/ue/", "Ü ü 𝄞", "Ü ue 𝄞"),
]
WRONG = [
    ("s/^[13]{2}(?=[0-9]{8}$)/6113/", 11, "rules run on RE2, which has no look-around"),
    ("s/^1(?<!2)/6113/", 5, "rules run on RE2, which has no look-around"),
    (r"s/\\1(a)\1/x/", 9, "rules run on RE2, which has no back-references in a pattern"),
    ("s/(?P<a>1)(?P=a)/x/", 11, "rules run on RE2, which has no back-references in a pattern"),
    ("s/1/2/;s/a++/b/", 11, "rules run on RE2, which has no possessive and atomic groups"),
    (r"s/^1\Z/b/", 5, r"rules run on RE2, which has no \Z: the end is $ or \z"),
    ("s/a", 4, "the second slash is missing"),
    (r"s/a\/b/", 8, "the third slash is missing"),
    ("s/a/b\\", 7, "the third slash is missing"),
    ("s/a/b/gx", 8, "after the last slash stand g, i or both"),
    ("s/a/b/g 5", 9, "the next replacement begins behind a semicolon"),
    ("x/a/b/", 1, "neither a number, which stands alone, nor s/what/with/"),
    ("s#a#b#", 1, "neither a number, which stands alone, nor s/what/with/"),
    ("s/a/b/;5", 8, "neither a number, which stands alone, nor s/what/with/"),
    ("s/(a/b/", 3, "RE2 says: missing )"),
    ("s/1(a**)/b/", 6, "RE2 says: bad repetition operator"),
    ("s/[z-a]/b/", 4, "RE2 says: invalid character class range"),
    ("s/1a{2000}/b/", 5, "RE2 says: invalid repetition size"),
    ("s/a{,3}/b/", 4, "RE2 needs the lower bound, too: {0,..."),
    (r"s/(a)/\2/", 7, "there is no such group"),
    (r"s/(a)/\g<b>/", 7, "there is no such group"),
    (r"s/a/b\0/", 6, "behind a backslash stand a group, such as 1 or g<1>, / or \\"),
    ("s/1/2/;" * 17, 113, "more than 16 replacements"),
    ("s/[a-c]{150}/x/;s/[a-c]{150}/x/;s/.{30}/x/", 33, "RE2 would need too much memory for it"),
    ("s/1/2/;s/" + "(1)" * 21 + "/x/", 10, "more than 20 groups: (?:...) is none"),
    ("s/[^a]{900}/x/", 3, "RE2 says: pattern too large - compile failed"),
    ("1" * 1025, 1025, "longer than 1024 characters"),
    ("s/\ud800//", 3, "not a character"),
]
MATCHED = [("", True), ("^0049", True), ("49", True), ("^49", False), ("!^49", True), ("!", False), ("(?i)A|9$", False)]
ALPHABET = [
    *"s/;;gi\\\\()[]{}?*+^$|!.,-019aA \x00é𝄞",
    "s/",
    "/;s/",
    "(?",
    "(?P<n>",
    "\\g<1>",
    "\\1",
    "{2,3}",
    "[^",
    "\\d",
]


@pytest.mark.parametrize(("rule", "number", "changed"), CHANGED)
def test_what_a_rule_makes_of_a_number(rule: str, number: str, changed: str) -> None:
    assert translate(rule, number) == changed


@pytest.mark.parametrize(("rule", "position", "reason"), WRONG)
def test_a_wrong_rule_is_told_with_its_position(rule: str, position: int, reason: str) -> None:
    with pytest.raises(RuleError) as told:
        number_rules.translation(rule)

    assert str(told.value) == f"is wrong at character {position}: {reason}"


@pytest.mark.parametrize(("rule", "holds"), MATCHED)
def test_whether_a_number_matches(rule: str, holds: bool) -> None:
    assert matches(rule, "00491") is holds


def test_a_negated_rule_counts_its_sign() -> None:
    with pytest.raises(RuleError, match="is wrong at character 5: rules run on RE2"):
        matches("!111(?=2)", "1")


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(RuleError, match="would be longer than 128"):
        translate("s/1/" + "2" * 100 + "/g", "1" * 100)
    with pytest.raises(RuleError, match="would be longer than 128"):
        translate("", "1" * 129)
    with pytest.raises(RuleError, match="would be longer than 128"):
        translate("1" * 129, "1")


def random_rule(chance: random.Random) -> str:
    return "".join(chance.choices(ALPHABET, k=chance.randint(0, 40)))


def outcome(carry_out: Callable[[str, str], object], rule: str, number: str) -> object:
    try:
        return carry_out(rule, number)
    except RuleError as error:
        return error


def test_random_rules_are_read_or_refused_and_nothing_else() -> None:
    """Whatever is read can be carried out, and makes no number longer than any may be."""
    chance = random.Random(14)
    made: list[object] = []
    for _ in range(10_000):
        rule = random_rule(chance) if chance.random() < 0.5 else f"s/{random_rule(chance)}/{random_rule(chance)}/g"
        number = random_rule(chance)
        made += (outcome(translate, rule, number), outcome(matches, rule, number))

    texts = [one for one in made if isinstance(one, str)]
    assert len(texts) > 200
    assert max(map(len, texts)) <= number_rules.NUMBER_LIMIT
    refused = [one for one in made if isinstance(one, RuleError)]
    assert all(0 <= one.position <= number_rules.RULE_LIMIT + 1 for one in refused)
