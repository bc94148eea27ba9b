"""The XML-RPC reader alone: every value arrives whole or is refused, with the code of design.md 6."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from conftest import Within
from hostile import (
    CALL,
    CHARACTER,
    CHARACTER_PLACES,
    CHARACTERS,
    ENCODING,
    ENCODINGS,
    EX,
    INVALID_REQUEST,
    NAME,
    NOT_CALLS,
    NOT_WELL_FORMED,
    PLACES,
    REFERENCES,
    ROW,
    SHAPES,
    SUBSETS,
    TOO_MANY,
    UNREADABLE,
    WRONG,
    WRONG_TYPE,
    declared,
    nested,
    struct,
    with_doctype,
)
from wire import document

from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.transport import xml


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


@pytest.mark.parametrize(
    ("kind", "text"),
    [pytest.param(kind, text, id=f"{kind}-{text}") for kind in WRONG for text in WRONG[kind].split("|")],
)
def test_refuses_what_the_type_does_not_allow(kind: str, text: str) -> None:
    assert code(document("m", f"<{kind}>{text}</{kind}>")) == WRONG_TYPE


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["int", "i8", "double", "boolean", "dateTime.iso8601"])
@pytest.mark.parametrize("digits", [400, 5000, 900_000])
def test_refuses_endless_digits_at_once(kind: str, digits: int, within: Within) -> None:
    with within(0.5):
        assert code(document("m", f"<{kind}>{'9' * digits}</{kind}>")) == WRONG_TYPE


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_refuses_another_shape(content: str) -> None:
    assert code(document("m", content)) == INVALID_REQUEST


@pytest.mark.parametrize(("body", "expected"), NOT_CALLS.values(), ids=NOT_CALLS)
def test_refuses_what_is_not_a_call(body: str | bytes, expected: int) -> None:
    assert code(body if isinstance(body, bytes) else body.encode()) == expected


@pytest.mark.soak
@pytest.mark.parametrize("subset", SUBSETS.values(), ids=SUBSETS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
def test_refuses_a_document_type_in_any_encoding(subset: str, encoding: str, place: str, within: Within) -> None:
    body = with_doctype(subset, place, encoding)

    with within(1):
        assert code(body) == NOT_WELL_FORMED


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


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_refuses_encodings_that_it_cannot_trust(body: bytes) -> None:
    assert code(body) == ENCODING


@pytest.mark.parametrize("text", CHARACTERS, ids=ascii)
@pytest.mark.parametrize("form", CHARACTER_PLACES)
def test_refuses_characters_that_xml_does_not_allow(text: str, form: str) -> None:
    assert code(document("m", form.format(text))) == CHARACTER
    assert code(document("m", form.format(f"&#{ord(text)};"))) == CHARACTER


@pytest.mark.parametrize("reference", REFERENCES)
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


@pytest.mark.parametrize("body", TOO_MANY.values(), ids=TOO_MANY)
def test_refuses_more_than_its_limits(body: bytes) -> None:
    assert code(body) == WRONG_TYPE
