"""The bytes of NGNPro's SOAP: what CDRTool's PHP client sends, and what it must be sent back."""

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from harness import Server, unique
from lxml import etree
from soap import ADMIN, ADMIN_PASSWORD, PASSWORD, TYPES, Clients, Port, auth, converse, envelope, request, send

import handlers  # noqa: F401 (publishes the operations)
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.transport.soap import dumps_fault

pytestmark = pytest.mark.one_engine

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ENCODING = "{http://schemas.xmlsoap.org/soap/encoding/}"
HEADER = auth(ADMIN, ADMIN_PASSWORD, admin=True)


@pytest.fixture
def reseller(clients: Clients) -> dict[str, Any]:
    return clients.reseller(firstName="Ada")


def get(reseller: dict[str, Any], header: str = HEADER) -> bytes:
    return envelope("Customer", "getAccount", f'<id xsi:type="xsd:int">{reseller["id"]}</id>\n', header)


class TestAnswers:
    def test_every_value_has_its_type_and_lists_their_length(self, ngnpro: Server, reseller: dict[str, Any]) -> None:
        reply = send(ngnpro.port, get(reseller))

        assert reply.status == 200
        assert "Content-Type: text/xml; charset=utf-8" in reply.head
        assert "chunked" not in reply.head
        (account,) = reply.operation
        assert etree.QName(reply.operation) == etree.QName(f"{TYPES}:Customer", "getAccountResponse")
        types = {child.tag: child.get(f"{XSI}type") for child in account}
        assert types["id"] == types["reseller"] == "xsd:integer"
        assert types["balance"] == types["credit"] == "xsd:double"
        assert types["resellerActive"] == "xsd:boolean"
        assert types["firstName"] == types["changeDate"] == "xsd:string"
        assert account.find("resellerActive").text == "true"
        assert account.find("vatNumber").get(f"{XSI}nil") == "true"
        properties = account.find("properties")
        assert properties.get(f"{ENCODING}arrayType") == "ngnpro:CustomerProperty[0]"
        assert properties.get(f"{ENCODING}offset") is None

    def test_the_type_of_an_array_stands_before_its_length(self, ngnpro: Server, reseller: dict[str, Any]) -> None:
        """PHP 8 stops with a TypeError otherwise."""
        assert (
            b'<properties xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="ngnpro:'
            in send(ngnpro.port, get(reseller)).body
        )

    def test_an_answer_has_one_part_or_none(self, ngnpro: Server, reseller: dict[str, Any]) -> None:
        update = f'<account xsi:type="ns5:CustomerAccount"><id xsi:type="xsd:int">{reseller["id"]}</id></account>'

        assert len(send(ngnpro.port, get(reseller)).operation) == 1
        assert len(send(ngnpro.port, envelope("Customer", "updateAccount", update, HEADER)).operation) == 0

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_every_operation_can_be_refused(self, name: str) -> None:
        method = OPERATIONS[name]

        document = dumps_fault(BadParameter("balance", "is out of range"), method)

        assert b"Parameter balance is out of range" in document

    def test_a_fault_is_http_500_with_the_code_in_its_detail(self, ngnpro: Server) -> None:
        reply = send(ngnpro.port, get({"id": 2**31 - 1}))

        assert reply.status == 500
        assert [child.tag for child in reply.operation] == ["faultcode", "faultstring", "detail"]
        assert reply.operation.findtext("faultstring") == "Customer not found"
        exception = reply.operation.find(f"detail/{{{TYPES}}}exception")
        assert exception.find("errorcode").get(f"{XSI}type") == "xsd:int"
        assert (reply.code, exception.findtext("errorstring")) == (5000, "Customer not found")


class TestRequests:
    def test_prefixes_are_resolved_by_their_names(self, ngnpro: Server, reseller: dict[str, Any]) -> None:
        swapped = get(reseller).replace(b"ns4", b"ns9").replace(b"ns5", b"ns4").replace(b"ns9", b"ns5")

        assert send(ngnpro.port, swapped).status == 200

    @pytest.mark.parametrize(
        "change",
        [
            lambda header: header.replace("<auth>", f'<auth xmlns="{TYPES}">'),
            lambda header: header.replace("<auth>", '<auth SOAP-ENV:actor="0" SOAP-ENV:mustUnderstand="0">'),
            lambda header: header.replace(">true<", ">1<").replace("xsd:boolean", "xsd:int"),
        ],
        ids=["namespace", "actor", "int"],
    )
    def test_the_header_has_many_shapes(
        self, ngnpro: Server, reseller: dict[str, Any], change: Callable[[str], str]
    ) -> None:
        assert send(ngnpro.port, get(reseller, change(HEADER))).status == 200

    @pytest.mark.parametrize("header", ["", "<other/>", auth(ADMIN, "wrong", admin=True)])
    def test_without_credentials_it_is_a_fault_and_never_401(
        self, ngnpro: Server, reseller: dict[str, Any], header: str
    ) -> None:
        reply = send(ngnpro.port, get(reseller, header))

        assert (reply.status, reply.code) == (500, 901)

    def test_too_many_wrong_credentials_must_wait(
        self, variant: Callable[..., Server], admin_hash: str, reseller: dict[str, Any]
    ) -> None:
        settings = {"ngnpro_admin_username": ADMIN, "ngnpro_admin_password_hash": admin_hash, "api_login_failures": 3}
        strict = variant(**settings)
        wrong = get(reseller, auth(ADMIN, "wrong", admin=True))

        assert [send(strict.port, wrong).code for _ in range(4)] == [901, 901, 901, 1429]
        assert send(strict.port, get(reseller)).code == 1429

    def test_a_header_that_must_be_understood_is_refused(self, ngnpro: Server, reseller: dict[str, Any]) -> None:
        header = f'{HEADER}<x:route xmlns:x="urn:x" SOAP-ENV:mustUnderstand="1"/>'

        assert send(ngnpro.port, get(reseller, header)).status == 500

    def test_what_php_sends_is_read(self, ngnpro: Server, clients: Clients) -> None:
        """Booleans as int, floats, null as an empty element, arrays of Struct, unknown fields, any order."""
        login = unique("php")
        account = f"""<account xsi:type="ns5:CustomerAccount">
<resellerActive xsi:type="xsd:int">1</resellerActive>
<username xsi:type="xsd:string">{login}</username>
<password xsi:type="xsd:string">{PASSWORD}</password>
<balance xsi:type="xsd:float">1.5</balance>
<country/>
<city xsi:type="xsd:string"></city>
<changeDate xsi:type="xsd:string">2020-01-01 00:00:00</changeDate>
<nonsense xsi:type="xsd:string">x</nonsense>
<properties xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="Struct[1]" SOAP-ENC:offset="[0]">
<item><permission xsi:type="xsd:string">admin</permission><name xsi:type="xsd:string">sip_credit</name>
<value xsi:type="xsd:int">3</value></item>
</properties></account>
"""
        reply = send(ngnpro.port, envelope("Customer", "addAccount", account, HEADER))

        assert reply.status == 200
        made = clients.admin().getAccount(id=int(reply.operation[0].findtext("id")))
        assert (made["username"], made["balance"], made["resellerActive"]) == (login, 1.5, True)
        assert (made["country"], made["city"] or "") == (None, "")
        assert [(entry["name"], entry["value"]) for entry in made["properties"]] == [("sip_credit", "3")]

    def test_null_leaves_and_empty_clears(self, ngnpro: Server, clients: Clients) -> None:
        made = clients.reseller(city="Bonn", country="Germany")
        update = (
            f'<account xsi:type="ns5:CustomerAccount"><id xsi:type="xsd:string">{made["id"]}</id>'
            '<city xsi:type="xsd:string"></city><country/></account>'
        )

        assert send(ngnpro.port, envelope("Customer", "updateAccount", update, HEADER)).status == 200

        after = clients.admin().getAccount(id=made["id"])
        assert (after["city"] or "", after["country"]) == ("", "Germany")

    def test_an_empty_array_is_read(self, ngnpro: Server, reseller: dict[str, Any]) -> None:
        update = (
            f'<account xsi:type="ns5:CustomerAccount"><id xsi:type="xsd:int">{reseller["id"]}</id>'
            '<properties xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:anyType[0]"/></account>'
        )

        assert send(ngnpro.port, envelope("Customer", "updateAccount", update, HEADER)).status == 200

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b"", 1),
            (b"<methodCall/>", 1),
            (b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + envelope("Customer", "getAccount", "", HEADER).split(b"?>")[1], 1),
            (envelope("Customer", "getEverything", "", HEADER), 900),
            (envelope("Fax", "getAccount", "", HEADER), 900),
            (envelope("Customer", "getAccount", "", HEADER), 102),
            (envelope("Customer", "getAccount", '<id xsi:type="xsd:int">x</id>', HEADER), 100),
            (envelope("Customer", "getAccount", '<id href="#1"/>', HEADER), 1),
            (envelope("Customer", "getAccount", "<id><b/></id>", HEADER), 100),
            (envelope("Customer", "getAccount", "<id>1</id><id>2</id>", HEADER), 100),
        ],
    )
    def test_what_cannot_be_read_is_a_fault(self, ngnpro: Server, body: bytes, expected: int) -> None:
        reply = send(ngnpro.port, body)

        assert (reply.status, reply.code) == (500, expected)

    def test_a_lonely_carriage_return_and_markup_come_back_whole(self, ngnpro: Server, clients: Clients) -> None:
        text = "a <b> & \r c ]]> \u00fc"
        made = clients.reseller(organization=text)

        assert send(ngnpro.port, get(made)).operation[0].findtext("organization") == text


class TestAddresses:
    @pytest.mark.parametrize("path", ["/ngnpro", "/ngnpro/"])
    def test_calls_go_to_the_folder(self, ngnpro: Server, reseller: dict[str, Any], path: str) -> None:
        assert send(ngnpro.port, get(reseller), path).status == 200

    def test_the_idempotency_header_makes_a_call_safe_to_send_again(self, ngnpro: Server, clients: Clients) -> None:
        login = f'<username xsi:type="xsd:string">{unique("once")}</username>'
        account = f'<account xsi:type="ns5:CustomerAccount">{login}</account>'
        body = envelope("Customer", "addAccount", account, HEADER)
        key = {"Idempotency-Key": unique("key")}

        first, second = send(ngnpro.port, body, **key), send(ngnpro.port, body, **key)

        assert first.status == second.status == 200
        assert first.body == second.body

    def test_the_folder_shows_the_ports_to_people(self, ngnpro: Server) -> None:
        with urllib.request.urlopen(f"{ngnpro.address}/ngnpro/") as page:
            text = page.read().decode()

        assert "CustomerPort (urn:AGProjects:NGNPro:Customer)" in text
        assert "getResellers(query: CustomerQuery)" in text

    def test_the_description_names_the_address_that_was_asked(self, ngnpro: Server) -> None:
        port = Port(ngnpro, "Customer", {"username": ADMIN, "password": ADMIN_PASSWORD, "admin": True})

        assert port._service._binding_options["address"] == f"{ngnpro.address}/ngnpro/"

    def test_these_methods_are_not_of_the_other_dialects(self, root: Any, refused: Any) -> None:
        with refused(-32601):
            getattr(root.proxy, "CustomerPort.getAccount")({"id": 1})


class TestConnections:
    @pytest.mark.parametrize(
        ("version", "asked", "told"),
        [
            ("1.1", {}, None),
            ("1.1", {"Connection": "Keep-Alive"}, None),
            ("1.0", {"Connection": "keep-alive"}, "keep-alive"),
        ],
    )
    def test_are_kept_where_the_client_says_so(
        self, ngnpro: Server, reseller: dict[str, Any], version: str, asked: dict[str, str], told: str | None
    ) -> None:
        call = request(get(reseller), version=version, **asked)

        replies = converse(ngnpro.port, call, call, call)

        assert [reply.status for reply in replies] == [200, 200, 200]
        assert {reply.connection for reply in replies} == {told}

    @pytest.mark.parametrize(
        ("version", "asked", "told"),
        [("1.0", {}, None), ("1.0", {"Connection": "close"}, None), ("1.1", {"Connection": "close"}, "close")],
    )
    def test_are_closed_where_it_waits_for_that(
        self, ngnpro: Server, reseller: dict[str, Any], version: str, asked: dict[str, str], told: str | None
    ) -> None:
        """PEAR SOAP and PHP's curl, which speak HTTP/1.0, read until then."""
        call = request(get(reseller), version=version, **asked)

        (reply,) = converse(ngnpro.port, call, call)

        assert (reply.status, reply.connection) == (200, told)

    def test_a_fault_is_no_reason_to_close_and_every_call_is_believed_for_itself(
        self, ngnpro: Server, reseller: dict[str, Any]
    ) -> None:
        right, missing = get(reseller), get({"id": 2**31 - 1})
        wrong = get(reseller, auth(ADMIN, "wrong", admin=True))
        bodies = [right, missing, wrong, get(reseller, ""), b"<html/>", right]

        replies = converse(ngnpro.port, *(request(body, version="1.1") for body in bodies))

        assert [reply.status for reply in replies] == [200, 500, 500, 500, 500, 200]
        assert [reply.code for reply in replies[1:5]] == [5000, 901, 901, 1]
