"""SOAP and JSON beside XML-RPC, call by call, and SOAP beside spyne."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lxml import etree

from benchmarks import calls, seed
from benchmarks.calls import Call
from benchmarks.cases.case import Case, Contenders, compared
from benchmarks.cases.reads import CUSTOMERS, infos
from benchmarks.databases import POSTGRESQL
from benchmarks.judging import at_least, at_most
from benchmarks.laboratory import OURS, Laboratory, demand_same, each
from benchmarks.measuring import Contender, Ratio
from benchmarks.report import progress
from benchmarks.servers import HERE, UnmeasurableError

SPYNE = "spyne + ORM"
LOCK = HERE / "benchmarks" / "requirements.lock"
SOAP, JSON, TWIN = "SOAP", "JSON", "XML-RPC"
SIP_ID = (
    '<sipId xsi:type="ns5:SipId"><username xsi:type="xsd:string">user-%d</username>'
    f'<domain xsi:type="xsd:string">{seed.DOMAIN}</domain></sipId>'
)


def soap_accounts() -> Iterator[Call]:
    """SipPort.getAccount of one account after another."""
    for number in each(1, seed.ACCOUNTS):
        body = calls.envelope("Sip", "getAccount", SIP_ID % number, seed.RESELLER, seed.PASSWORD)
        yield body, b">user-%d<" % number


def accounts() -> Iterator[Call]:
    """getAccountInfo of the same accounts, by name."""
    for number in each(1, seed.ACCOUNTS):
        name = f"user-{number}@{seed.DOMAIN}"
        yield calls.document("getAccountInfo", {"username": name}), f">{name}<".encode()


def soap_customer(number: int) -> Call:
    """CustomerPort.getAccount of one customer."""
    wanted = f'<id xsi:type="xsd:int">{number}</id>'
    body = calls.envelope("Customer", "getAccount", wanted, seed.RESELLER, seed.PASSWORD)
    return body, b">customer-%d<" % number


def soap_customers() -> Iterator[Call]:
    """That of one customer after another."""
    return map(soap_customer, each(seed.FIRST_ID, CUSTOMERS))


def literal_customer(number: int) -> Call:
    """The same as spyne takes it: document/literal."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:t="{calls.TYPES}"><e:Header><t:Auth><t:username>{seed.RESELLER}</t:username>'
        f"<t:password>{seed.PASSWORD}</t:password><t:admin>false</t:admin></t:Auth></e:Header>"
        f"<e:Body><t:getAccount><t:id>{number}</t:id></t:getAccount></e:Body></e:Envelope>\n"
    )
    return body.encode(), b">customer-%d<" % number


def literal_customers() -> Iterator[Call]:
    """That of one customer after another."""
    return map(literal_customer, each(seed.FIRST_ID, CUSTOMERS))


def json_infos() -> Iterator[Call]:
    """getCustomerInfo by the JSON gateway."""
    for number in each(seed.FIRST_ID, CUSTOMERS):
        body = calls.form(seed.RESELLER, seed.PASSWORD, "getCustomerInfo", f'{{"i_customer": {number}}}')
        yield body, b'"customer-%d"' % number


def told(body: bytes) -> dict[str, str]:
    """What a SOAP answer tells: the texts of its leaves by their names, empty ones and nil left out."""
    texts = {}
    for element in etree.fromstring(body).iter():
        if not len(element) and element.text:
            name = re.sub(r"^\{.*\}", "", str(element.tag))
            texts[name] = _plain(element.text)
    return texts


def _plain(text: str) -> str:
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        return text


def _twins(
    face: str, sent: Callable[[], Iterator[Call]], twin: Callable[[], Iterator[Call]], *, is_json: bool = False
) -> Contenders:
    """Two faces of one server."""

    @contextmanager
    def contenders(laboratory: Laboratory) -> Iterator[list[Contender]]:
        url = laboratory.customers(POSTGRESQL, CUSTOMERS)
        with laboratory.ours(url) as server:
            first = server.asked_json(sent, face) if is_json else server.asked_soap(sent, face)
            yield [first, server.asked(twin, TWIN)]

    return contenders


def installed() -> str:
    """
    The folder of what the peers alone need, made when it is not there: spyne has had no release for years, and is no
    dependency of the developers.

    Raises:
        UnmeasurableError: It cannot be installed.
    """
    folder = Path(sys.prefix) / "benchmark-peers"
    stamp = folder / LOCK.name
    if not stamp.exists() or stamp.read_bytes() != LOCK.read_bytes():
        progress(f"installing {LOCK.name} into {folder}")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--upgrade", "--target", str(folder), "--require-hashes", "--requirement", str(LOCK)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnmeasurableError(f"{LOCK.name} cannot be installed: {done.stderr.strip()[-300:]}")
        stamp.write_bytes(LOCK.read_bytes())
    return str(folder)


@contextmanager
def _spyne(laboratory: Laboratory) -> Iterator[list[Contender]]:
    folder = installed()
    url = laboratory.customers(POSTGRESQL, CUSTOMERS)
    with ExitStack() as stack:
        ours = stack.enter_context(laboratory.ours(url)).asked_soap(soap_customers)
        spyne = stack.enter_context(laboratory.peer("spyne", SPYNE, url, python_path=folder))
        theirs = spyne.asked_soap(literal_customers)
        first = seed.FIRST_ID + 7
        demand_same([(ours, soap_customer(first)), (theirs, literal_customer(first))], told)
        yield [ours, theirs]


CASES: tuple[Case, ...] = (
    compared(
        "soap-account",
        "SOAP SipPort.getAccount, PostgreSQL",
        "The same accounts, by SOAP and by XML-RPC's getAccountInfo, from one server.",
        _twins(SOAP, soap_accounts, accounts),
        [Ratio(SOAP, TWIN, at_most(1.5), is_cost=True)],
    ),
    compared(
        "soap-customer",
        "SOAP CustomerPort.getAccount, PostgreSQL",
        "The same customers, by SOAP and by XML-RPC's getCustomerInfo, from one server.",
        _twins(SOAP, soap_customers, infos),
        [Ratio(SOAP, TWIN, at_most(1.5), is_cost=True)],
    ),
    compared(
        "soap-spyne",
        "SOAP CustomerPort.getAccount beside spyne, PostgreSQL",
        "The same customers with the same members, credentials checked in the same tables.",
        _spyne,
        [Ratio(OURS, SPYNE, at_least(6))],
    ),
    compared(
        "json",
        "JSON getCustomerInfo, PostgreSQL",
        "The same customers, by the JSON gateway and by XML-RPC, from one server.",
        _twins(JSON, json_infos, infos, is_json=True),
        [Ratio(JSON, TWIN, None, is_cost=True)],
        connections=(32,),
    ),
)
