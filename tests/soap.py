"""Clients of the SOAP face: zeep, which reads the WSDL, and raw bytes as CDRTool sends them."""

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import zeep
from harness import Server, unique
from lxml import etree

ADMIN, ADMIN_PASSWORD = "ngnpro-admin", "4dmin-Passw0rd"
PASSWORD = "s3cret-Api"
TYPES = "urn:AGProjects:NGNPro"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


@cache
def _client(address: str) -> zeep.Client:
    """To read the description takes longer than a call."""
    return zeep.Client(f"{address}/ngnpro/wsdl")


class Port:
    """One port through zeep: `port.getAccount(id=7)`; a fault is raised as `SoapFault`."""

    def __init__(self, server: Server, name: str, auth: Mapping[str, Any]) -> None:
        self._service = _client(server.address).bind("NGNPro", f"{name}Port")
        self._auth = {"auth": dict(auth)}

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            try:
                answer = getattr(self._service, operation)(**arguments, _soapheaders=self._auth)
            except zeep.exceptions.Fault as fault:
                raise SoapFault.of(fault) from None
            return zeep.helpers.serialize_object(answer, dict)

        return call


class SoapFault(Exception):  # noqa: N818
    """A fault, with the code that clients compare."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text

    @classmethod
    def of(cls, fault: zeep.exceptions.Fault) -> "SoapFault":
        exception = fault.detail.find(f"{{{TYPES}}}exception")
        return cls(int(exception.findtext("errorcode")), exception.findtext("errorstring"))


class Clients:
    """Makes clients of the ports, and customers to call as."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def admin(self, port: str = "Customer", impersonate: int | None = None) -> Port:
        auth = {"username": ADMIN, "password": ADMIN_PASSWORD, "admin": True}
        return Port(self.server, port, auth | ({"impersonate": impersonate} if impersonate else {}))

    def of(self, account: dict[str, Any], port: str = "Customer") -> Port:
        return Port(self.server, port, {"username": account["username"], "password": PASSWORD})

    def reseller(self, **attributes: Any) -> dict[str, Any]:
        new = {"username": unique("reseller"), "password": PASSWORD, "resellerActive": True, **attributes}
        return self.admin().addAccount(account=new)

    def customer(self, reseller: dict[str, Any], /, **attributes: Any) -> dict[str, Any]:
        new = {"username": unique("customer"), "password": PASSWORD, **attributes}
        return self.of(reseller).addAccount(account=new)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back on a raw socket."""

    status: int
    head: str
    body: bytes

    @property
    def connection(self) -> str | None:
        """What the server says of the connection."""
        header = re.search("^Connection: (.*?)\r?$", self.head, re.MULTILINE)
        return header and header[1]

    @property
    def document(self) -> Any:
        return etree.fromstring(self.body)

    @property
    def operation(self) -> Any:
        return self.document.find(f"{{{ENVELOPE}}}Body")[0]

    @property
    def code(self) -> int:
        """The code of the fault that clients compare."""
        assert self.operation.tag == f"{{{ENVELOPE}}}Fault"
        return int(self.operation.findtext(f"detail/{{{TYPES}}}exception/errorcode"))


def send(port: int, body: bytes, path: str = "/ngnpro/", **headers: str) -> Reply:
    """One request in HTTP/1.0, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request(body, path, Connection="close", **headers))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, answer = received.partition(b"\r\n\r\n")
    return _reply(head, answer)


def converse(port: int, *requests: bytes) -> list[Reply]:
    """The answers to requests that are sent one after another on one connection, as long as the server keeps it."""
    replies: list[Reply] = []
    with socket.create_connection(("127.0.0.1", port), 10) as connection, connection.makefile("rb") as answers:
        for one in requests:
            head = b""
            with suppress(ConnectionError):
                connection.sendall(one)
                head = b"".join(iter(answers.readline, b"\r\n")) if answers.peek(1) else b""
            if not head:
                break
            length = re.search(rb"Content-Length: ([0-9]+)", head)
            assert length is not None
            replies.append(_reply(head, answers.read(int(length[1]))))
    return replies


def request(body: bytes, path: str = "/ngnpro/", version: str = "1.0", **headers: str) -> bytes:
    """A request as PEAR SOAP makes it, but for the headers that are given."""
    fields = {
        "User-Agent": "PEAR-SOAP 0.11.0-beta",
        "Host": "127.0.0.1",
        "Content-Type": "text/xml; charset=UTF-8",
        "Content-Length": str(len(body)),
        "SOAPAction": '""',
        **headers,
    }
    lines = [f"POST {path} HTTP/{version}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _reply(head: bytes, answer: bytes) -> Reply:
    status = re.match(rb"HTTP/1\.[01] ([0-9]{3})", head)
    assert status is not None
    return Reply(int(status[1]), head.decode(), answer)


def envelope(port: str, operation: str, arguments: str, auth: str) -> bytes:
    """A request in the shape of PEAR SOAP, with its changing prefixes and its header without a namespace."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>

<SOAP-ENV:Envelope xmlns:SOAP-ENV="{ENVELOPE}"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"
 xmlns:ns4="{TYPES}:{port}"
 xmlns:ns5="{TYPES}"
 SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">
<SOAP-ENV:Header>
{auth}
</SOAP-ENV:Header>
<SOAP-ENV:Body>

<ns4:{operation}>
{arguments}</ns4:{operation}>
</SOAP-ENV:Body>
</SOAP-ENV:Envelope>
""".encode()


def auth(username: str, password: str, *, admin: bool, impersonate: int | None = None) -> str:
    """The header as PEAR SOAP writes it."""
    lent = f'<impersonate xsi:type="xsd:int">{impersonate}</impersonate>\n' if impersonate is not None else ""
    return (
        f'<auth>\n<username xsi:type="xsd:string">{username}</username>\n'
        f'<password xsi:type="xsd:string">{password}</password>\n'
        f'<admin xsi:type="xsd:boolean">{"true" if admin else "false"}</admin>\n{lent}</auth>'
    )
