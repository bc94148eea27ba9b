"""Documents that must be refused: what they are, and the code of the fault for each, in both dialects of XML."""

import xmlrpc.client

import soap
from wire import document

from xmlrpc_api.transport import xml

NOT_WELL_FORMED, ENCODING, CHARACTER = -32700, -32701, -32702
INVALID_REQUEST, METHOD_NOT_FOUND, WRONG_TYPE = -32600, -32601, -32602
EX = "xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'"
XI = "xmlns:xi='http://www.w3.org/2001/XInclude'"
PLAIN = document("m", "a")


def nested(levels: int, inner: str = "") -> str:
    return "<array><data><value>" * levels + inner + "</value></data></array>" * levels


def struct(*members: tuple[str, str]) -> str:
    inner = "".join(f"<member><name>{name}</name><value>{value}</value></member>" for name, value in members)
    return f"<struct>{inner}</struct>"


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


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
PLACES = ("nowhere", "value", "attribute", "name")


def with_doctype(subset: str, place: str, encoding: str = "utf-8") -> bytes:
    """A call with a document type, whose entity stands at this place."""
    reference = "&foo;" * 3000 if "ENTITY foo" in subset else ""
    at = {**dict.fromkeys(PLACES, ""), place: reference}
    text = (
        f"<?xml version='1.0'?><!DOCTYPE methodCall {subset}><methodCall x='{at['attribute']}'>"
        f"<methodName>m{at['name']}</methodName><params><param><value>{at['value']}</value></param></params>"
        "</methodCall>"
    )
    return text.encode(encoding)


def declared(encoding: str, text: str = "żółć") -> str:
    return document("m", text).decode().replace("'1.0'", f"'1.0' encoding='{encoding}'")


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


CHARACTERS = ("\0", "\x01", "\x0b", "\x1b", "\x1f", "\ufffe", "\uffff")
CHARACTER_PLACES = ("{}", "<string>{}</string>", "<struct><member><name>{}</name></member></struct>")
REFERENCES = ("&#xD800;", "&#57343;", "&#x110000;", "&#99999999999;", "&#0;")
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


def calls() -> dict[str, tuple[bytes, int]]:
    """Each as a call, with the code of its fault."""
    shaped = {f"shape: {name}": (document("m", content), INVALID_REQUEST) for name, content in SHAPES.items()}
    wrong = {
        f"{kind}: {text}": (document("m", f"<{kind}>{text}</{kind}>"), WRONG_TYPE)
        for kind, texts in WRONG.items()
        for text in texts.split("|")
    }
    declared_types = {
        f"document type: {name} in {place}": (with_doctype(subset, place), NOT_WELL_FORMED)
        for name, subset in SUBSETS.items()
        for place in PLACES
    }
    characters = {
        f"character {text!a} in {form}": (document("m", form.format(text)), CHARACTER)
        for text in (*CHARACTERS, *(f"&#{ord(one)};" for one in CHARACTERS), *REFERENCES)
        for form in CHARACTER_PLACES
    }
    return {
        **shaped,
        **wrong,
        **declared_types,
        **characters,
        **{name: (_bytes(body), code) for name, (body, code) in NOT_CALLS.items()},
        **{f"encoding: {name}": (body, ENCODING) for name, body in UNREADABLE.items()},
        **{f"too many: {name}": (body, WRONG_TYPE) for name, body in TOO_MANY.items()},
    }


def _bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


AUTH = soap.auth(soap.ADMIN, soap.ADMIN_PASSWORD, admin=True)
GET = soap.envelope("Customer", "getAccount", '<id xsi:type="xsd:int">1</id>', AUTH)
VALUE, TYPE, GENERAL, UNKNOWN, LOGIN, MISSING = 101, 100, 1, 900, 901, 5000


def getting(content: str) -> bytes:
    """getAccount with this id."""
    return soap.envelope("Customer", "getAccount", f"<id>{content}</id>", AUTH)


def adding(members: str) -> bytes:
    """addAccount with these members."""
    return soap.envelope("Customer", "addAccount", f"<account>{members}</account>", AUTH)


def envelopes() -> dict[str, tuple[bytes, int]]:
    """Each as a SOAP envelope, with NGNPro's code of its fault; 1 is "something else"."""
    prolog = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    declared_types = {
        f"document type: {name}": (
            GET.replace(prolog, f"<!DOCTYPE x {subset}>".encode()).replace(b">1<", b">&foo;<", 1),
            GENERAL,
        )
        for name, subset in SUBSETS.items()
    }
    in_utf_16 = {
        f"document type in UTF-16: {name}": (
            f"<!DOCTYPE x {subset}>{GET.replace(prolog, b'').decode()}".encode("utf-16"),
            GENERAL,
        )
        for name, subset in SUBSETS.items()
    }
    characters = {
        f"character {text!a}": (adding(f"<firstName>{text}</firstName>"), GENERAL)
        for text in (*CHARACTERS, *(f"&#{ord(one)};" for one in CHARACTERS), *REFERENCES)
    }
    encodings = {
        f"encoding: {name}": (GET.replace(b'"UTF-8"', f'"{name}"'.encode()), GENERAL)
        for name in ("UTF-7", "UTF-16", "UTF-32", "IBM037", "JAVA", "C99", "ISO-2022-JP", "canary")
    }
    numbers = {
        f"id {text!a}": (getting(text), TYPE)
        for text in (
            "canary",
            "1.0",
            "1e3",
            "0x10",
            "1_000",
            "\u0663",
            "+-1",
            "--1",
            "1 2",
            "9" * 400,
            "9" * 5000,
        )
    }
    out_of_range = {f"id {text}": (getting(text), VALUE) for text in ("0", "-1", "2147483648", "9" * 20)}
    booleans = {
        f"boolean {text!a}": (adding(f"<resellerActive>{text}</resellerActive>"), TYPE)
        for text in ("canary", "2", "-1", "01", "TRUE FALSE", "\u0661")
    }
    doubles = {
        f"double {text!a}": (adding(f"<credit>{text}</credit>"), TYPE)
        for text in ("canary", "NaN", "INF", "-INF", "0x1p3", "1,5", "1_0.0", "\u0663.5", ".", "1.2.3")
    }
    doubles["double out of range"] = (adding("<credit>1e999</credit>"), VALUE)
    shapes: dict[str, tuple[bytes, int]] = {
        "an XML-RPC call": (PLAIN, GENERAL),
        "SOAP 1.2": (GET.replace(soap.ENVELOPE.encode(), b"http://www.w3.org/2003/05/soap-envelope"), GENERAL),
        "no namespace": (GET.replace(soap.ENVELOPE.encode(), b"urn:x"), GENERAL),
        "no body": (GET.replace(b"SOAP-ENV:Body", b"SOAP-ENV:Head"), GENERAL),
        "an empty body": (GET[: GET.index(b"<ns4:")] + b"</SOAP-ENV:Body></SOAP-ENV:Envelope>", GENERAL),
        "two operations": (GET.replace(b"</SOAP-ENV:Body>", b"<ns4:getAccount/></SOAP-ENV:Body>"), GENERAL),
        "two bodies": (
            GET.replace(
                b"</SOAP-ENV:Envelope>", b"<SOAP-ENV:Body><ns4:getAccount/></SOAP-ENV:Body></SOAP-ENV:Envelope>"
            ),
            GENERAL,
        ),
        "an unknown operation": (GET.replace(b"getAccount", b"canary"), UNKNOWN),
        "an operation of Python": (GET.replace(b"getAccount", b"__init__"), UNKNOWN),
        "an operation of another port": (GET.replace(b"getAccount", b"addVoucher"), UNKNOWN),
        "an unknown port": (GET.replace(b":NGNPro:Customer", b":NGNPro:Canary"), UNKNOWN),
        "a foreign namespace": (GET.replace(b"urn:AGProjects", b"urn:canary"), UNKNOWN),
        "a header that must be understood": (
            GET.replace(b"<auth>", b'<wsse:Security xmlns:wsse="urn:x" SOAP-ENV:mustUnderstand="1"/><auth>'),
            GENERAL,
        ),
        "no header": (soap.envelope("Customer", "getAccount", "<id>1</id>", ""), LOGIN),
        "credentials in the body": (soap.envelope("Customer", "getAccount", f"{AUTH}<id>1</id>", ""), LOGIN),
        "a reference": (soap.envelope("Customer", "getAccount", '<id href="#a"/>', AUTH), GENERAL),
        "a reference to a file": (adding('<firstName href="file:///etc/passwd"/>'), GENERAL),
        "a reference to an attachment": (adding('<firstName href="cid:canary"/>'), GENERAL),
        "an attachment": (
            adding('<firstName><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:x"/></firstName>'),
            TYPE,
        ),
        "XInclude": (
            adding('<firstName><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></firstName>'),
            TYPE,
        ),
        "a value within a value": (getting("<id>1</id>"), TYPE),
        "a member twice": (adding("<firstName>a</firstName><firstName>b</firstName>"), TYPE),
        "a struct as text": (soap.envelope("Customer", "addAccount", "<account>canary</account>", AUTH), TYPE),
        "nothing given": (soap.envelope("Customer", "getAccount", "", AUTH), 102),
        "nil given": (soap.envelope("Customer", "getAccount", '<id xsi:nil="true"/>', AUTH), 102),
        "an impersonated word": (
            soap.envelope(
                "Customer", "getAccount", "<id>1</id>", AUTH.replace("</auth>", "<impersonate>x</impersonate></auth>")
            ),
            VALUE,
        ),
        "100,000 arguments": (soap.envelope("Customer", "getAccount", "<id/>" * 100_000, AUTH), TYPE),
        "2,000 members": (adding("<a/>" * 2000), TYPE),
        "100 levels": (soap.envelope("Customer", "getAccount", "<id>" * 100 + "</id>" * 100, AUTH), TYPE),
        "30,000 levels": (soap.envelope("Customer", "getAccount", "<id>" * 30_000 + "</id>" * 30_000, AUTH), GENERAL),
        "50,000 attributes": (
            GET.replace(b"<id ", b"<id " + b"".join(b"a%d='1' " % number for number in range(50_000))),
            MISSING,
        ),
        "a text of 900 KB": (adding(f"<firstName>{'x' * 900_000}</firstName>"), VALUE),
        "truncated": (GET[:-20], GENERAL),
        "trailing garbage": (GET + b"canary", GENERAL),
        "two documents": (GET + GET, GENERAL),
        "empty": (b"", GENERAL),
        "JSON": (b'{"method": "canary"}', GENERAL),
        "random bytes": (bytes(range(1, 256)), GENERAL),
        "Latin-1 as UTF-8": (adding("<firstName>x</firstName>").replace(b">x<", b">\xe4<"), GENERAL),
    }
    return {
        **declared_types,
        **in_utf_16,
        **characters,
        **encodings,
        **numbers,
        **out_of_range,
        **booleans,
        **doubles,
        **shapes,
    }
