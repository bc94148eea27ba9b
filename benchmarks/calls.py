"""
Calls as they go over the wire, each with what its answer must hold: it is looked for in every one.

They are made before they are sent, so that whoever sends them computes nothing meanwhile. Digest: one nonce, and a
count of its own for each request.
"""

import hashlib
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

XMLRPC, SOAP, JSON = "/xmlapi/xmlapi", "/ngnpro/", "/api.php"
TYPES = "urn:AGProjects:NGNPro"

Call = tuple[bytes, bytes]  # a body or a whole request, and what its answer must hold


def document(method: str, members: Mapping[str, object]) -> bytes:
    """A call with one struct of texts and ints."""
    inner = "".join(
        f"<member><name>{name}</name><value>{_value(value)}</value></member>" for name, value in members.items()
    )
    return (
        f"<?xml version='1.0'?>\n<methodCall><methodName>{method}</methodName><params><param><value>"
        f"<struct>{inner}</struct></value></param></params></methodCall>\n"
    ).encode()


def _value(value: object) -> str:
    if value is None:
        return "<nil/>"
    return f"<int>{value}</int>" if isinstance(value, int) else f"<string>{escape(str(value))}</string>"


def envelope(port: str, operation: str, arguments: str, login: str, password: str) -> bytes:
    """A SOAP call as PEAR SOAP sends it: typed values, credentials in the header."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:ns4="{TYPES}:{port}" xmlns:ns5="{TYPES}"'
        ' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Header>'
        f'<auth><username xsi:type="xsd:string">{login}</username><password xsi:type="xsd:string">{password}</password>'
        '<admin xsi:type="xsd:boolean">false</admin></auth></SOAP-ENV:Header>'
        f"<SOAP-ENV:Body><ns4:{operation}>{arguments}</ns4:{operation}></SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
    ).encode()


def form(login: str, password: str, action: str, struct: str) -> bytes:
    """A call of the JSON gateway, with its credentials."""
    return urlencode({"username": login, "apipassword": password, "action": action, "JSONString": struct}).encode()


def request(port: int, path: str, body: bytes, *headers: str, media_type: str = "text/xml") -> bytes:
    """One request as it goes over the wire; the connection is to be kept."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Type: {media_type}"]
    lines += ["Connection: keep-alive", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def plain(port: int, calls: Iterable[Call], path: str = XMLRPC, media_type: str = "text/xml") -> Iterator[Call]:
    """Requests whose credentials stand in their bodies, or that need none."""
    return ((request(port, path, body, media_type=media_type), wanted) for body, wanted in calls)


def with_digest(port: int, login: str, password: str, calls: Iterable[Call]) -> Iterator[Call]:
    """Requests with the Digest answer of each (RFC 7616, MD5, qop=auth)."""
    realm, nonce = _challenge(port)
    secret = _md5(f"{login}:{realm}:{password}")
    target = _md5(f"POST:{XMLRPC}")
    for number, (body, wanted) in enumerate(calls, 1):
        count = f"{number:08x}"
        response = _md5(f"{secret}:{nonce}:{count}:0a4f113b:auth:{target}")
        header = (
            f'Authorization: Digest username="{login}", realm="{realm}", nonce="{nonce}", uri="{XMLRPC}", qop=auth,'
            f' nc={count}, cnonce="0a4f113b", response="{response}"'
        )
        yield request(port, XMLRPC, body, header), wanted


def _challenge(port: int) -> tuple[str, str]:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{XMLRPC}", b"", timeout=10)
    except urllib.error.HTTPError as error:
        header = error.headers["WWW-Authenticate"]
        return re.findall('realm="([^"]+)"', header)[0], re.findall('nonce="([^"]+)"', header)[0]
    raise RuntimeError("this server asks for no credentials")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def ask(port: int, one: Call) -> Any:
    """Send one request on a connection of its own, and give its answer: the status and the body."""
    import http.client

    head, _, body = one[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("POST", first.split()[1], body, dict(field.split(": ", 1) for field in lines))
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()
