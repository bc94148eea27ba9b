"""Hostile documents over the socket: each gets the fault that it must get, and nothing else happens."""

import re

import hostile
import pytest
import soap
from conftest import Reseller
from harness import Server
from wire import TEXT_XML, send

pytestmark = pytest.mark.one_engine

INTERNALS = re.compile(rb"traceback|line \d|exception:|error:|lxml|libxml|handlers|python|root:|canary", re.IGNORECASE)
CALLS = hostile.calls()
ENVELOPES = hostile.envelopes()


@pytest.mark.parametrize(("body", "code"), CALLS.values(), ids=map(ascii, CALLS))
def test_a_call_gets_its_fault(trusting: Server, body: bytes, code: int) -> None:
    reply = send(trusting, body, TEXT_XML)

    assert reply.status == 200
    assert reply.fault[0] == code
    assert not INTERNALS.search(reply.body)


@pytest.mark.parametrize(("body", "code"), ENVELOPES.values(), ids=map(ascii, ENVELOPES))
def test_an_envelope_gets_its_fault(ngnpro: Server, body: bytes, code: int) -> None:
    reply = soap.send(ngnpro.port, body)

    assert reply.status == 500
    assert reply.code == code
    assert not INTERNALS.search(reply.body)


WHOLE = {
    "spaces at both ends": ("  a b  ", "  a b  "),
    "tabs and line feeds": ("\t\n a \n\t", "\t\n a \n\t"),
    "comment": ("admin<!-- x -->evil", "adminevil"),
    "instruction": ("admin<?x y?>evil", "adminevil"),
    "CDATA": ("a<![CDATA[<b>&]]>c", "a<b>&c"),
    "references": ("&lt;&gt;&amp;&quot;&apos;&#65;", "<>&\"'A"),
    "beyond ASCII": ("żółć \U0001f600 \u202e", "żółć \U0001f600 \u202e"),
    "decomposed letters": ("e\u0301", "e\u0301"),
    "what looks like SQL": ("'; DROP TABLE customers; --", "'; DROP TABLE customers; --"),
    "what looks like a format": ("%s{0}${x}%n", "%s{0}${x}%n"),
}


@pytest.mark.parametrize(("content", "value"), WHOLE.values(), ids=WHOLE)
def test_a_value_of_an_envelope_arrives_and_comes_back_whole(
    ngnpro: Server, content: str, value: str, reseller: Reseller
) -> None:
    change = f"<account><id>{reseller.i_customer}</id><organization>{content}</organization></account>"
    get = soap.envelope("Customer", "getAccount", f"<id>{reseller.i_customer}</id>", hostile.AUTH)

    assert soap.send(ngnpro.port, soap.envelope("Customer", "updateAccount", change, hostile.AUTH)).status == 200

    assert soap.send(ngnpro.port, get).operation.findtext(".//organization") == value
