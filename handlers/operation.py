"""The switch itself, as those who run it see it; and rules, tried out."""

from dataclasses import replace

from xmlrpc_api.call import Call
from xmlrpc_api.declaration import number_rules
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method

RULE = Field(
    name="rule",
    wire=Wire.STRING,
    required=True,
    limit=number_rules.RULE_LIMIT,
    check="translation_rule",
    doc="The rule: s/what/with/, several separated by semicolons; or a number, which stands in for any other.",
    example=r"s/^00//;s/^0(\d+)$/49\1/",
)
MATCH_RULE = replace(
    RULE,
    check="match_rule",
    doc="The rule: a regular expression; ! before it turns it round.",
    example=r"^49\d{3,}$",
)
NUMBER = Field(
    name="number",
    wire=Wire.STRING,
    required=True,
    limit=number_rules.NUMBER_LIMIT,
    doc="The number.",
    example="0305550100",
)
CHANGED = replace(NUMBER, required=False, doc="What becomes of it.", example="49305550100")
MATCHES = Field(name="match", wire=Wire.BOOLEAN, doc="Whether it matches.", example=True)


@method("applyTranslationRule", RULE, NUMBER, right=Right.ANYONE, effect=Effect.NONE, returns=(CHANGED,))
async def apply_translation_rule(_call: Call, *, rule: str, number: str) -> Answer:
    r"""
    Tell what a translation rule makes of a number.

    A rule is s/what/with/, or several of these, separated by semicolons: each takes what the one before it has left.
    What is a regular expression, and its first occurrence is replaced; with g behind the last slash every one, with i
    whatever the case of its letters. With may hold \1 to \99 and \g<1>, for what stood in brackets, and \/ for a slash.
    A rule that is a number alone replaces every number; an empty rule leaves all as they are.

    Rules run on RE2, which has no look-around and no back-references in what is looked for.
    """
    try:
        return {"number": number_rules.translate(rule, number)}
    except number_rules.RuleError as error:
        raise BadParameter("rule", str(error)) from None


@method("checkMatchRule", MATCH_RULE, NUMBER, right=Right.ANYONE, effect=Effect.NONE, returns=(MATCHES,))
async def check_match_rule(_call: Call, *, rule: str, number: str) -> Answer:
    """
    Tell whether a number matches a rule.

    A rule is a regular expression, which may occur anywhere in the number: ^ is its beginning, $ its end. With ! before
    it the rule matches all numbers in which it does not occur. An empty rule matches every number.

    Rules run on RE2, which has no look-around and no back-references.
    """
    return {"match": number_rules.matches(rule, number)}
