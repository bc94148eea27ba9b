"""The further rules of values, one by one."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from xmlrpc_api.declaration.checks import CHECKS

KEPT: dict[str, list[tuple[Any, Any]]] = {
    "email": [("", ""), ("a@example.com", "a@example.com"), ("a@pbx", "a@pbx")],
    "emails": [("", ""), ("a@example.com; b@example.com,", "a@example.com; b@example.com,")],
    "mailbox": [("", ""), ("Ada <a@example.com>", "Ada <a@example.com>")],
    "hostname": [("", ""), ("sip.example.com", "sip.example.com"), ("A-1", "A-1")],
    "currency": [("usd", "USD")],
    "language": [("DE", "de")],
    "language_or_empty": [("", ""), ("PL", "pl")],
    "codec": [(0, 0), (18, 18)],
    "digits": [("", ""), ("0049", "0049")],
    "did": [("+49305550100", "+49305550100"), ("*98#", "*98#")],
    "did_or_empty": [("", ""), ("49305550199", "49305550199")],
    "domain": [("SIP.Example.com", "sip.example.com")],
    "privacy_schemas": [([], []), (["rpid", "pai", "rpid"], ["pai", "rpid"])],
    "not_empty": [(" ", " ")],
    "one_line": [("", ""), ("Größe ☃", "Größe ☃")],
    "not_zero": [(Decimal(-1), Decimal(-1))],
    "ip_address": [(" 192.0.2.1 ", "192.0.2.1"), ("2001:DB8::0", "2001:db8::")],
    "positive": [(Decimal("0.000001"), Decimal("0.000001"))],
    "network": [("192.0.2.1", "192.0.2.1"), ("192.0.2.0/24", "192.0.2.0/24")],
    "network_or_empty": [("", ""), ("2001:DB8::/64", "2001:db8::/64")],
    "domain_or_empty": [("", ""), ("SIP.example.com", "sip.example.com")],
    "translation_rule": [("", ""), (" s/1/2/ ", " s/1/2/ ")],
    "match_rule": [("", ""), ("!^1", "!^1")],
    "number_prefix": [("49", "49")],
    "prefixes": [(["49", "43", "49"], ["43", "49"])],
    "voucher_state": [("new", "new"), ("used", "used"), ("void", "void")],
    "payment_type": [("credit", "credit"), ("debit", "debit")],
}
REFUSED: dict[str, list[Any]] = {
    "email": ["nobody", "a@", "Ada <a@example.com>"],
    "emails": ["a@example.com b@example.com", "a@example.com;nobody"],
    "mailbox": ["Ada", "<>"],
    "hostname": ["-a", "a_b", "a..b", "a" * 64, f"{'a.' * 126}ab"],
    "currency": ["", "US", "EURO", "E1R"],
    "language": ["", "d", "deu", "d1"],
    "language_or_empty": ["d"],
    "codec": [1, -1],
    "network": ["", "host", "192.0.2.0/33"],
    "network_or_empty": ["host"],
    "domain_or_empty": ["no domain"],
    "translation_rule": ["s/1/2", "s/(?=1)/2/"],
    "match_rule": ["(1", "(?=1)"],
    "number_prefix": ["", "+49", "4 9"],
    "prefixes": [[], ["+49"], [""], ["4" * 33]],
    "voucher_state": ["", "spent"],
    "digits": ["+49", "4 9", "\u0661"],
    "did": ["", "+", "4930 5550100", "49+30", "sales", "\u0661"],
    "did_or_empty": ["-"],
    "domain": ["", "no domain"],
    "privacy_schemas": [["PPI?"]],
    "not_empty": [""],
    "one_line": ["a\r\nBcc: b@example.com", "a\x0bb", "a\u2028b"],
    "not_zero": [Decimal(0), Decimal("-0.0")],
    "ip_address": ["", "1.2.3", "host"],
    "positive": [Decimal(0), Decimal(-1)],
    "payment_type": ["", "CREDIT"],
}


def cases(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_rule_is_tried() -> None:
    assert set(KEPT) == set(REFUSED) == set(CHECKS)


@pytest.mark.parametrize(("name", "pair"), cases(KEPT), ids=repr)
def test_what_keeps_a_rule_is_taken(name: str, pair: tuple[Any, Any]) -> None:
    sent, kept = pair

    assert CHECKS[name](sent) == kept


@pytest.mark.parametrize(("name", "value"), cases(REFUSED), ids=lambda value: repr(value)[:40])
def test_what_breaks_a_rule_is_refused_with_a_reason(name: str, value: Any) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        CHECKS[name](value)

    assert str(caught.value).startswith(
        ("is not a", "must be", "must hold", "must not be", "may hold", "is wrong", "is neither")
    )
