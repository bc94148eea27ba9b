"""The switch itself, as those who run it see it; and rules, tried out."""

from dataclasses import replace
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration import number_rules
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, TEXT_LIMIT, Field, Wire
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.mail import correspondence
from xmlrpc_api.services.mail.letters import SUBJECT_LIMIT
from xmlrpc_api.services.system import live_settings, notes, replication

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


def _text(name: str, limit: int, check: str | None, doc: str, example: str) -> Field:
    return Field(name=name, wire=Wire.STRING, required=True, limit=limit, check=check, doc=doc, example=example)


MAIL = (
    _text("from", 320, "mailbox", "The caller's own mail_from; a name before it makes no difference.", "b@example.com"),
    _text("to", 1024, "emails", "Addresses, separated by comma or semicolon.", "ada@example.com"),
    _text("cc", 1024, "emails", "Addresses of copies; may be empty.", ""),
    _text("bcc", 1024, "emails", "Addresses of copies of which the others are not told; may be empty.", ""),
    _text("subject", SUBJECT_LIMIT, "one_line", "Subject, one line.", "Maintenance"),
    _text("body", TEXT_LIMIT, None, "Text.", "On Sunday."),
)


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


@method(
    "sendEMail",
    *MAIL,
    right=Right.SYSTEM,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
)
async def send_email(call: Call, **mail: Any) -> None:
    """
    Send a mail from the caller's own mail_from.

    It is sent in the background, and tried again for more than a day while the mail server does not take it. At most
    200 are sent for one customer in 24 hours, each to 20 addresses at most.
    """
    await correspondence.send(call, mail)


def _told(name: str, wire: Wire, doc: str, example: Any, *, nullable: bool = False) -> Field:
    return Field(name=name, wire=wire, doc=doc, example=example, nullable=nullable)


KEY = Field(name="key", wire=Wire.STRING, limit=64, doc="Name of the setting.", example="list_limit")
SETTINGS = Field(
    name="config",
    wire=Wire.ARRAY,
    doc="The settings.",
    members=(
        KEY,
        _told("value", Wire.STRING, "Its value; lists have commas.", "10000"),
        _told("is_live", Wire.BOOLEAN, "Whether setSystemConfig changes it.", example=True),
    ),
)
STATUS = _told("status", Wire.STRING, "primary, standby or not replicated.", replication.PRIMARY)
LAG = _told("lag", Wire.DOUBLE, "Seconds behind; nil: it is not known.", 0.25, nullable=True)
REPLICAS = Field(
    name="replicas",
    wire=Wire.ARRAY,
    doc="The copies; of a standby, where it copies from.",
    members=(
        _told("name", Wire.STRING, "How it calls itself.", "replica1"),
        _told("address", Wire.STRING, "Its address.", "192.0.2.2"),
        _told("state", Wire.STRING, "What PostgreSQL says it does.", "streaming"),
        _told("sync_state", Wire.STRING, "Whether commits wait for it: async, sync, quorum, potential.", "async"),
        LAG,
        _told("bytes_behind", Wire.DOUBLE, "Bytes of its log behind; nil: it is not known.", 0.0, nullable=True),
    ),
)
ENVIRONMENT = Field(name="i_environment", wire=Wire.INT, doc="There is one environment: it makes no difference.")


@method(
    "getSystemConfig",
    replace(KEY, doc="Only this setting; all if left out."),
    right=Right.SYSTEM,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
    returns=(SETTINGS,),
)
async def get_system_config(call: Call, *, key: str | None = None) -> Answer:
    """Tell root the settings, as they are now. Secrets are not told, nor where the database is."""
    return {"config": await live_settings.told(call, key)}


@method(
    "setSystemConfig",
    KEY.require(),
    Field(name="value", wire=Wire.STRING, required=True, limit=1024, doc="Its new value.", example="5000"),
    right=Right.SYSTEM,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
)
async def set_system_config(call: Call, *, key: str, value: str) -> None:
    """
    Change a setting of all servers, within a second. Root alone may, with its credentials.

    Only those that getSystemConfig calls live can be changed: none of them opens a door. The others stand in the
    configuration of the servers.
    """
    await live_settings.change(call, key, value)


@method(
    "writeAuditLog",
    Field(name="action", wire=Wire.STRING, required=True, limit=64, check="not_empty", doc="What happened."),
    Field(name="resource", wire=Wire.STRING, required=True, limit=255, check="not_empty", doc="To what."),
    Field(name="audit_info", wire=Wire.STRUCT, doc="What else there is to know.", example={"ticket": "4711"}),
    right=Right.SYSTEM,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    scope_optional=True,
)
async def write_audit_log(call: Call, *, action: str, resource: str, audit_info: dict[str, Any] | None = None) -> None:
    """Write a note of root's own into the change history, where getAuditLogs tells it as one of `notes`."""
    await notes.write(call, action, resource, audit_info or {})


@method(
    "getReplicationStatus",
    ENVIRONMENT,
    right=Right.SYSTEM,
    effect=Effect.READ,
    returns=(STATUS, REPLICAS),
)
async def get_replication_status(call: Call, **_environment: Any) -> Answer:
    """Tell root how the database is copied, as PostgreSQL tells it. SQLite is not replicated."""
    return await replication.status(call)


@method(
    "getReplicationLag",
    ENVIRONMENT,
    right=Right.SYSTEM,
    effect=Effect.READ,
    returns=(STATUS, LAG),
)
async def get_replication_lag(call: Call, **_environment: Any) -> Answer:
    """Tell root how far the slowest copy of the database is behind."""
    return await replication.lag(call)
