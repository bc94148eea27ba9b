"""The further rules that a value must keep, by name; and how a value is refused."""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from email_validator import EmailNotValidError, validate_email
from pydantic_core import PydanticCustomError

from models import PRIVACY_SCHEMAS
from xmlrpc_api import addresses
from xmlrpc_api.declaration import number_rules

CODECS = (0, 3, 4, 8, 9, 15, 18)
PREFIXES = 500  # of a minute plan
_PREFIX = re.compile("[0-9]{1,32}")
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


def wrong_type(expected: str) -> PydanticCustomError:
    """What is raised for a value of another type."""
    return PydanticCustomError("wrong_type", "must be {expected}", {"expected": expected})


def bad_value(reason: str) -> PydanticCustomError:
    """What is raised for a value that breaks a rule."""
    return PydanticCustomError("bad_value", "{reason}", {"reason": reason})


def _check_email(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise bad_value("is not a valid e-mail address") from None
    return value


def _check_emails(value: str) -> str:
    for address in re.split("[,;]", value):
        if address.strip():
            _check_email(address.strip())
    return value


def _check_mailbox(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, globally_deliverable=False, allow_display_name=True)
    except EmailNotValidError:
        raise bad_value("is not a valid e-mail address") from None
    return value


def _check_hostname(value: str) -> str:
    if not _HOST_NAME.fullmatch(value):
        raise bad_value("is not a valid host name")
    return value


def _check_currency(value: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", value):
        raise bad_value("must be a currency code of three letters (ISO 4217)")
    return value.upper()


def _check_language(value: str) -> str:
    if not re.fullmatch("[A-Za-z]{2}", value):
        raise bad_value("must be a language code of two letters (ISO 639-1)")
    return value.lower()


def _check_not_empty(value: str) -> str:
    if not value:
        raise bad_value("must not be empty")
    return value


def _check_positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise bad_value("must be greater than zero")
    return value


def _check_payment_type(value: str) -> str:
    if value not in ("credit", "debit"):
        raise bad_value("must be credit or debit")
    return value


def _check_voucher_state(value: str) -> str:
    if value not in ("new", "used", "void"):
        raise bad_value("must be new, used or void")
    return value


def _check_ip_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        raise bad_value("is not an IP address") from None


def _check_network(value: str) -> str:
    network = addresses.network_of(value)
    if network is None:
        raise bad_value("is neither an IP address nor a network such as 192.0.2.0/24")
    return addresses.written(network)


def _check_digits(value: str) -> str:
    if not re.fullmatch("[0-9]*", value):
        raise bad_value("must hold digits only")
    return value


def _check_number_prefix(value: str) -> str:
    if not re.fullmatch("[0-9]+", value):
        raise bad_value("must be one digit or more, and nothing else")
    return value


def _check_prefixes(value: list[str]) -> list[str]:
    """Beginnings of numbers, each once, in order."""
    if not 0 < len(value) <= PREFIXES:
        raise bad_value(f"must hold 1 to {PREFIXES} prefixes")
    if not all(_PREFIX.fullmatch(prefix) for prefix in value):
        raise bad_value("must hold prefixes alone, each of 1 to 32 digits")
    return sorted(set(value))


def _check_codec(value: int) -> int:
    if value not in CODECS:
        raise bad_value(f"must be one of {', '.join(map(str, CODECS))}, or nil")
    return value


def _check_privacy_schemas(value: list[str]) -> list[str]:
    if set(value) - set(PRIVACY_SCHEMAS):
        raise bad_value(f"may hold {' and '.join(PRIVACY_SCHEMAS)} only")
    return [known for known in PRIVACY_SCHEMAS if known in value]


def _check_domain(value: str) -> str:
    if not _HOST_NAME.fullmatch(value):
        raise bad_value("is not a valid domain")
    return value.lower()


def _check_one_line(value: str) -> str:
    if not value.isprintable():
        raise bad_value("must hold one line, without control characters")
    return value


def _check_not_zero(value: Decimal) -> Decimal:
    if not value:
        raise bad_value("must not be zero")
    return value


def _check_did(value: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]+", value):
        raise bad_value("must be a number: digits, * and #, and + in front at most")
    return value


def _check_rule(read: Callable[[str], object]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            read(value)
        except number_rules.RuleError as error:
            raise bad_value(str(error)) from None
        return value

    return check


CHECKS: dict[str, Callable[[Any], Any]] = {
    "email": lambda value: _check_email(value) if value else value,
    "emails": _check_emails,
    "mailbox": lambda value: _check_mailbox(value) if value else value,
    "hostname": lambda value: _check_hostname(value) if value else value,
    "currency": _check_currency,
    "language": _check_language,
    "language_or_empty": lambda value: _check_language(value) if value else value,
    "codec": _check_codec,
    "digits": _check_digits,
    "did": _check_did,
    "did_or_empty": lambda value: _check_did(value) if value else value,
    "number_prefix": _check_number_prefix,
    "domain": _check_domain,
    "domain_or_empty": lambda value: _check_domain(value) if value else value,
    "network": _check_network,
    "network_or_empty": lambda value: _check_network(value) if value else value,
    "privacy_schemas": _check_privacy_schemas,
    "not_empty": _check_not_empty,
    "one_line": _check_one_line,
    "not_zero": _check_not_zero,
    "ip_address": _check_ip_address,
    "positive": _check_positive,
    "prefixes": _check_prefixes,
    "payment_type": _check_payment_type,
    "voucher_state": _check_voucher_state,
    "translation_rule": _check_rule(number_rules.translation),
    "match_rule": _check_rule(number_rules.match),
}
