"""The XML-RPC reader alone: every value arrives whole or is refused, with the code of design.md 6."""

import time
import xmlrpc.client
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from wire import document

from xmlrpc_api.faults import Fault
from xmlrpc_api.transport import xml

NOT_WELL_FORMED, ENCODING, CHARACTER = -32700, -32701, -32702
INVALID_REQUEST, METHOD_NOT_FOUND, WRONG_TYPE = -32600, -32601, -32602
EX = "xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'"
XI = "xmlns:xi='http://www.w3.org/2001/XInclude'"
PLAIN = document("m", "a")


def read(content: str) -> Any:
    """What the content of a `value` is read as."""
    name, params = xml.loads(document("m", content))
    assert name == "m"
    (value,) = params
    return value


def code(body: bytes) -> int:
    """The fault's code; its text quotes nothing of the document and nothing of the parser."""
    with pytest.raises(Fault) as caught:
        xml.loads(body)
    assert not any(word in caught.value.text for word in ("line 1", "xml.", "Error", "canary", "<"))
    return caught.value.code


def nested(levels: int, inner: str = "") -> str:
    return "<array><data><value>" * levels + inner + "</value></data></array>" * levels


def struct(*members: tuple[str, str]) -> str:
    inner = "".join(f"<member><name>{name}</name><value>{value}</value></member>" for name, value in members)
    return f"<struct>{inner}</struct>"


WHOLE = {
    "spaces at both ends": ("<string>  pass word  </string>", "  pass word  "),
    "untyped with spaces": ("  a b  ", "  a b  "),
    "tabs and line feeds": ("<string>\t\n a \n\t</string>", "\t\n a \n\t"),
    "a space": ("<string> </string>", " "),
    "comment": ("<string>admin<!-- x -->evil</string>", "adminevil"),
    "comment, untyped": ("admin<!-- x -->evil", "adminevil"),
    "instruction": ("<string>admin<?x y?>evil</string>", "adminevil"),
    "CDATA": ("<string>a<![CDATA[<b>&]]>c</string>", "a<b>&c"),
    "comment in an int": ("<int>1<!-- -->2</int>", 12),
    "comment before the type": ("<!-- x --><int>1</int><!-- y -->", 1),
    "references": ("<string>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</string>", "<>&\"'A\U0001f600"),
    "carriage return": ("<string>a&#13;b</string>", "a\rb"),
    "beyond ASCII": ("<string>żółć \U0001f600 \u202e</string>", "żółć \U0001f600 \u202e"),
    "decomposed letters stay so": ("<string>e\u0301</string>", "e\u0301"),
    "white space around a type": (" \n<int>1</int>\t", 1),
    "empty string": ("<string></string>", ""),
    "empty element": ("<string/>", ""),
    "empty value": ("", ""),
    "attributes do not matter": ("<int x='2'>1</int>", 1),
    "nil": ("<nil/>", None),
    "nil of Apache": (f"<ex:nil {EX}/>", None),
    "base64": ("<base64>AAH/\r\n Cg==</base64>", b"\x00\x01\xff\n"),
    "base64, empty": ("<base64/>", b""),
    "array": ("<array><data><value>a</value><value><nil/></value></data></array>", ["a", None]),
    "empty array": ("<array><data/></array>", []),
    "empty struct": ("<struct/>", {}),
    "members with spaces in the name": (struct((" a ", "1"), ("a", "2")), {" a ": "1", "a": "2"}),
    "member with an empty name": (struct(("", "1")), {"": "1"}),
    "comment in a member's name": (struct(("ad<!-- -->min", "1")), {"admin": "1"}),
}


@pytest.mark.parametrize(("content", "value"), WHOLE.values(), ids=WHOLE)
def test_reads_the_whole_value(content: str, value: object) -> None:
    found = read(content)

    assert found == value
    assert type(found) is type(value)


NUMBERS = {
    "<int>+1</int>": 1,
    "<int>-0</int>": 0,
    "<int> 7\n</int>": 7,
    "<int>007</int>": 7,
    "<i4>-2147483648</i4>": -(2**31),
    "<int>2147483647</int>": 2**31 - 1,
    "<int>2147483648</int>": 2**31,  # clients of 64 bits call it int; whether it fits, the field decides
    "<i8>9223372036854775807</i8>": 2**63 - 1,
    "<i8>-9223372036854775808</i8>": -(2**63),
    f"<ex:i8 {EX}>5000000000</ex:i8>": 5_000_000_000,
    "<double>0.1</double>": Decimal("0.1"),
    "<double>1e-07</double>": Decimal("0.0000001"),
    "<double>-1.5E+3</double>": Decimal(-1500),
    "<double> .5 </double>": Decimal("0.5"),
    "<double>5.</double>": Decimal(5),
    "<double>1.7976931348623157e308</double>": Decimal("1.7976931348623157e308"),
    "<double>5e-324</double>": Decimal("5e-324"),
    "<double>12345678901234567890.123456789</double>": Decimal("12345678901234567890.123456789"),
    "<boolean>1</boolean>": True,
    "<boolean> 0 </boolean>": False,
}


@pytest.mark.parametrize(("content", "value"), NUMBERS.items())
def test_reads_numbers_exactly(content: str, value: object) -> None:
    found = read(content)

    assert found == value
    assert type(found) is type(value)


DATES = {
    "20261120T09:57:29": datetime(2026, 11, 20, 9, 57, 29, tzinfo=UTC),
    "2026-11-20T09:57:29Z": datetime(2026, 11, 20, 9, 57, 29, tzinfo=UTC),
    "20240229T23:59:59.000": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
    "00010101T00:00:00": datetime(1, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "value"), DATES.items())
def test_reads_both_iso_forms_as_utc(text: str, value: datetime) -> None:
    assert read(f"<dateTime.iso8601>{text}</dateTime.iso8601>") == value


WRONG = {  # each separated by |
    "int": "| |9223372036854775808|99999999999999999999|1_000|\u0663|0x10|+-1|1 2|1.0|1e3|\u00a01|one|--1|1-",
    "double": "| |NaN|nan|INF|-Infinity|1e999|-1e309|1e-999|0x1p3|1,5|1_0.0|\u0663.5|1e|.|1.2.3|\u00a01",
    "boolean": "| |2|true|TRUE|-1|01|\u0661",
    "dateTime.iso8601": "|now|20260101|20260101 00:00:00"
    "|20260230T00:00:00|20230229T00:00:00|20260101T24:00:00"
    "|20260101T99:99:00|20260101T00:00:60|00000101T00:00:00|20260101T00:00:00.123|20260101T00:00:00+02:00"
    "|\uff12\uff10\uff12\uff160101T00:00:00",
    "base64": "@@@|YQ|YQ=|Y|YQ==YQ==|=|YQ==x|Y-_Q|\u00a0YQ==|żó",
}


@pytest.mark.parametrize(
    ("kind", "text"),
    [pytest.param(kind, text, id=f"{kind}-{text}") for kind in WRONG for text in WRONG[kind].split("|")],
)
def test_refuses_what_the_type_does_not_allow(kind: str, text: str) -> None:
    assert code(document("m", f"<{kind}>{text}</{kind}>")) == WRONG_TYPE


@pytest.mark.parametrize("kind", ["int", "i8", "double", "boolean", "dateTime.iso8601"])
@pytest.mark.parametrize("digits", [400, 5000, 900_000])
def test_refuses_endless_digits_at_once(kind: str, digits: int) -> None:
    started = time.perf_counter()

    assert code(document("m", f"<{kind}>{'9' * digits}</{kind}>")) == WRONG_TYPE

    assert time.perf_counter() - started < 0.5


SHAPES = {
    "two types": "<int>1</int><int>2</int>",
    "text before a type": "a<int>1</int>",
    "text after a type": "<int>1</int>a",
    "unknown type": "<canary>1</canary>",
    "wrong case": "<Int>1</Int>",
    "foreign namespace": "<x:int xmlns:x='urn:x'>1</x:int>",
    "default namespace": "<int xmlns='urn:x'>1</int>",
    "Apache's types without its namespace": f"<ex:int {EX}>1</ex:int>",
    "a type within a type": "<string>a<b>c</b></string>",
    "a type within an int": "<int><int>1</int></int>",
    "value within value": "<value>1</value>",
    "nil with content": "<nil>1</nil>",
    "array without data": "<array/>",
    "array with two data": "<array><data/><data/></array>",
    "array with text": "<array><data>a</data></array>",
    "array of types": "<array><data><int>1</int></data></array>",
    "struct with text": "<struct>a</struct>",
    "struct of values": "<struct><value>1</value></struct>",
    "member without name": "<struct><member><value>1</value></member></struct>",
    "member without value": "<struct><member><name>a</name></member></struct>",
    "member with two names": "<struct><member><name>a</name><name>b</name></member></struct>",
    "member with two values": "<struct><member><name>a</name><value/><value/></member></struct>",
    "member with text": "<struct><member>x<name>a</name><value/></member></struct>",
    "name with an element": "<struct><member><name>a<b/>c</name><value/></member></struct>",
    "XInclude": f"<xi:include {XI} href='/etc/passwd' parse='text'/>",
    "XInclude in a string": f"<string>a<xi:include {XI} href='/etc/passwd' parse='text'/></string>",
    "one level too deep": nested(xml.DEPTH_LIMIT + 1),
    "structs one level too deep": "<struct><member><name>a</name><value>" * 17 + "</value></member></struct>" * 17,
}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_refuses_another_shape(content: str) -> None:
    assert code(document("m", content)) == INVALID_REQUEST


CALL = "<methodCall>{}</methodCall>"
NAME = "<methodName>m</methodName>"
NOT_CALLS = {
    "an answer": (xmlrpc.client.dumps(("a",), methodresponse=True), INVALID_REQUEST),
    "a fault": (xmlrpc.client.dumps(xmlrpc.client.Fault(1, "a")), INVALID_REQUEST),
    "HTML": ("<html><body/></html>", INVALID_REQUEST),
    "a call in a namespace": (f"<methodCall xmlns='urn:x'>{NAME}</methodCall>", INVALID_REQUEST),
    "wrong case": (f"<MethodCall>{NAME}</MethodCall>", INVALID_REQUEST),
    "nothing in it": (CALL.format(""), INVALID_REQUEST),
    "text in it": (CALL.format(f"a{NAME}"), INVALID_REQUEST),
    "no name": (CALL.format("<params/>"), INVALID_REQUEST),
    "two names": (CALL.format(NAME * 2), INVALID_REQUEST),
    "an element in the name": (CALL.format("<methodName>a<b/>c</methodName>"), INVALID_REQUEST),
    "params twice": (CALL.format(NAME + "<params/><params/>"), INVALID_REQUEST),
    "text in params": (CALL.format(NAME + "<params>a</params>"), INVALID_REQUEST),
    "param without value": (CALL.format(NAME + "<params><param/></params>"), INVALID_REQUEST),
    "value without param": (CALL.format(NAME + "<params><value/></params>"), INVALID_REQUEST),
    "param with two values": (
        CALL.format(NAME + "<params><param><value/><value/></param></params>"),
        INVALID_REQUEST,
    ),
    "an empty name": (CALL.format("<methodName/>"), METHOD_NOT_FOUND),
    "a name of spaces": (CALL.format("<methodName> </methodName>"), METHOD_NOT_FOUND),
    "a name of two lines": (CALL.format("<methodName>a\r\ncanary</methodName>"), METHOD_NOT_FOUND),
    "a name beyond ASCII": (CALL.format("<methodName>żółć</methodName>"), METHOD_NOT_FOUND),
    "a long name": (CALL.format(f"<methodName>{'a' * 300}</methodName>"), METHOD_NOT_FOUND),
    "empty": ("", NOT_WELL_FORMED),
    "white space": (" \n", NOT_WELL_FORMED),
    "JSON": ('{"method": "canary"}', NOT_WELL_FORMED),
    "truncated": (PLAIN[:-9], NOT_WELL_FORMED),
    "two documents": (PLAIN + PLAIN, NOT_WELL_FORMED),
    "trailing garbage": (PLAIN + b"canary", NOT_WELL_FORMED),
    "trailing NUL": (PLAIN + b"\0", NOT_WELL_FORMED),
    "space before the declaration": (b" " + PLAIN, NOT_WELL_FORMED),
    "tags crossed": ("<methodCall><methodName>m</methodCall></methodName>", NOT_WELL_FORMED),
    "an undeclared prefix": (document("m", "<ex:nil/>"), NOT_WELL_FORMED),
    "an unknown entity": (document("m", "admin&foo;evil"), NOT_WELL_FORMED),
    "a bare ampersand": (document("m", "a & b"), NOT_WELL_FORMED),
    "an attribute twice": (document("m", "<int a='1' a='2'>1</int>"), NOT_WELL_FORMED),
    "random bytes": (bytes(range(1, 256)), NOT_WELL_FORMED),
    "100 arrays": (document("m", nested(100)), NOT_WELL_FORMED),
    "30,000 arrays": (document("m", "<array><data><value>" * 30_000), NOT_WELL_FORMED),
}


@pytest.mark.parametrize(("body", "expected"), NOT_CALLS.values(), ids=NOT_CALLS)
def test_refuses_what_is_not_a_call(body: str | bytes, expected: int) -> None:
    assert code(body if isinstance(body, bytes) else body.encode()) == expected


ENTITY_BOMB = "".join(f"<!ENTITY e{i + 1} '{f'&e{i};' * 10}'>" for i in range(9))
SUBSETS = {
    "empty": "",
    "only a name": "[]",
    "external": "SYSTEM 'http://127.0.0.1:9/canary'",
    "external file": "SYSTEM 'file:///etc/passwd'",
    "public": "PUBLIC 'a' 'http://127.0.0.1:9/canary'",
    "entity": "[<!ENTITY foo 'bar'>]",
    "entity of a file": "[<!ENTITY foo SYSTEM 'file:///etc/passwd'>]",
    "parameter entity": "[<!ENTITY % p SYSTEM 'http://127.0.0.1:9/canary'> %p;]",
    "attribute default": "[<!ATTLIST int x CDATA 'y'>]",
    "billion laughs": f"[<!ENTITY e0 'lol'>{ENTITY_BOMB}<!ENTITY foo '&e9;'>]",
    "quadratic blow-up": f"[<!ENTITY foo '{'x' * 200_000}'>]",
}


@pytest.mark.parametrize("subset", SUBSETS.values(), ids=SUBSETS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("place", ["nowhere", "value", "attribute", "name"])
def test_refuses_a_document_type_in_any_encoding(subset: str, encoding: str, place: str) -> None:
    reference = "&foo;" * 3000 if "ENTITY foo" in subset else ""
    at = {"nowhere": "", "value": "", "attribute": "", "name": "", place: reference}
    text = (
        f"<?xml version='1.0'?><!DOCTYPE methodCall {subset}><methodCall x='{at['attribute']}'>"
        f"<methodName>m{at['name']}</methodName><params><param><value>{at['value']}</value></param></params>"
        "</methodCall>"
    )
    started = time.perf_counter()

    assert code(text.encode(encoding)) == NOT_WELL_FORMED

    assert time.perf_counter() - started < 1


def declared(encoding: str, text: str = "żółć") -> str:
    return document("m", text).decode().replace("'1.0'", f"'1.0' encoding='{encoding}'")


READABLE = {
    "UTF-8, not declared": (document("m", "żółć"), "żółć"),
    "UTF-8 with byte order mark": (document("m", "żółć").decode().encode("utf-8-sig"), "żółć"),
    "UTF-8": (declared("UTF-8").encode(), "żółć"),
    "lower case": (declared("utf-8").encode(), "żółć"),
    "US-ASCII": (declared("US-ASCII", "abc").encode(), "abc"),
    "Latin-1": (declared("ISO-8859-1", "äöü").encode("latin-1"), "äöü"),
    "Windows-1252": (declared("windows-1252", "€").encode("cp1252"), "€"),
    "UTF-16": (declared("UTF-16").encode("utf-16"), "żółć"),
    "UTF-16, little end first, no mark": (declared("UTF-16").encode("utf-16-le"), "żółć"),
    "UTF-16, big end first, no mark": (declared("UTF-16").encode("utf-16-be"), "żółć"),
}


@pytest.mark.parametrize(("body", "text"), READABLE.values(), ids=READABLE)
def test_reads_the_encodings_of_real_clients(body: bytes, text: str) -> None:
    assert xml.loads(body) == ("m", [text])


UNREADABLE = {
    "UTF-7": declared("UTF-7", "+ADw-").encode(),
    "UTF-7 in double quotes": declared("UTF-7").replace("'", '"').encode("ascii", "ignore"),
    "C99": declared("C99", r"\u003c").encode(),
    "Java": declared("JAVA", r"\u003c").encode(),
    "unknown": declared("canary").encode(),
    "ISO-2022-JP": declared("ISO-2022-JP", "a").encode(),
    "EBCDIC": declared("IBM037", "a").encode("cp037"),
    "declared UTF-16, is UTF-8": declared("UTF-16").encode(),
    "declared UTF-32, is UTF-8": declared("UTF-32").encode(),
    "declared ASCII, is UTF-8": declared("US-ASCII").encode(),
    "declared UTF-8, is Latin-1": declared("UTF-8", "ä").encode("latin-1"),
    "not declared, is Latin-1": document("m", "ä").decode().encode("latin-1"),
    "overlong": PLAIN.replace(b">a<", b">\xc0\xaf<"),
    "CESU-8": PLAIN.replace(b">a<", b">\xed\xa0\x80\xed\xb0\x80<"),
    "lone surrogate": PLAIN.replace(b">a<", b">\xed\xa0\x80<"),
    "half a character": PLAIN.replace(b">a<", b">\xe2\x82<"),
    "beyond Unicode": PLAIN.replace(b">a<", b">\xf4\x90\x80\x80<"),
    "lone surrogate in UTF-16": declared("UTF-16", "@").encode("utf-16-le").replace(b"@\0", b"\x00\xd8"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_refuses_encodings_that_it_cannot_trust(body: bytes) -> None:
    assert code(body) == ENCODING


@pytest.mark.parametrize("text", ["\0", "\x01", "\x0b", "\x1b", "\x1f", "\ufffe", "\uffff"], ids=ascii)
@pytest.mark.parametrize("form", ["{}", "<string>{}</string>", "<struct><member><name>{}</name></member></struct>"])
def test_refuses_characters_that_xml_does_not_allow(text: str, form: str) -> None:
    assert code(document("m", form.format(text))) == CHARACTER
    assert code(document("m", form.format(f"&#{ord(text)};"))) == CHARACTER


@pytest.mark.parametrize("reference", ["&#xD800;", "&#57343;", "&#x110000;", "&#99999999999;", "&#0;"])
def test_refuses_references_to_no_character(reference: str) -> None:
    assert code(document("m", reference)) == CHARACTER


def test_takes_a_call_without_params() -> None:
    assert xml.loads(CALL.format(NAME).encode()) == ("m", [])
    assert xml.loads(CALL.format(NAME + "<params/>").encode()) == ("m", [])


@pytest.mark.parametrize("name", ["system.listMethods", "a<!-- x -->b", "a<?x?>b", " m\n", "a:b/c_1"])
def test_the_name_arrives_whole(name: str) -> None:
    whole = name.replace("<!-- x -->", "").replace("<?x?>", "").strip()

    assert xml.loads(document(name, "1")) == (whole, ["1"])


def test_refuses_a_member_given_twice() -> None:
    assert code(document("m", struct(("a", "1"), ("a", "1")))) == WRONG_TYPE
    assert code(document("m", struct(("ab", "1"), ("a<!-- -->b", "2")))) == WRONG_TYPE


def test_the_depth_limit_itself_is_allowed() -> None:
    assert read(nested(xml.DEPTH_LIMIT, "<int>1</int>"))


def test_the_limits_themselves_are_allowed() -> None:
    many = "<value/>" * xml.MEMBER_LIMIT

    assert len(read(f"<array><data>{many}</data></array>")) == xml.MEMBER_LIMIT
    assert len(read(f"<array><data>{ROW * 19}</data></array>")) == 19


ROW = f"<value><array><data>{'<value/>' * 999}</data></array></value>"
TOO_MANY = {
    "params": document("m", *[""] * 26_000),
    "values in an array": document("m", f"<array><data>{'<value><int>1</int></value>' * 36_000}</data></array>"),
    "calls of a multicall": document(
        "system.multicall", f"<array><data>{'<value><struct/></value>' * 10_000}</data></array>"
    ),
    "members": document("m", struct(*((f"a{i}", "") for i in range(1001)))),
    "values in all": document("m", f"<array><data>{ROW * 21}</data></array>"),
}


@pytest.mark.parametrize("body", TOO_MANY.values(), ids=TOO_MANY)
def test_refuses_more_than_its_limits(body: bytes) -> None:
    assert code(body) == WRONG_TYPE
