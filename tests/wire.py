"""HTTP by hand: requests that no decent client sends, and Digest answers computed from the RFC's text."""

import hashlib
import http.client
import re
import shutil
import socket
import subprocess
import xmlrpc.client
from dataclasses import dataclass, field
from typing import Any

from harness import Server

PATH = "/xmlapi/xmlapi"
REALM = "xmlrpc-api"
TEXT_XML = ("Content-Type", "text/xml")
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def document(name: str, *values: str) -> bytes:
    """A methodCall whose params hold these contents of `value`, as they stand."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    return (
        f"<?xml version='1.0'?>\n<methodCall><methodName>{name}</methodName><params>{params}</params></methodCall>"
    ).encode()


def member(name: str, value: int) -> str:
    """A member of a struct."""
    return f"<member><name>{name}</name><value><int>{value}</int></value></member>"


LIST = document("listCustomers", "<struct></struct>")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    @property
    def nonce(self) -> str:
        return re.search('nonce="([0-9a-f]+)"', self.all("WWW-Authenticate")[0])[1]

    @property
    def is_stale(self) -> bool:
        return any("stale=true" in value for value in self.all("WWW-Authenticate"))

    @property
    def value(self) -> Any:
        """The one value of the methodResponse."""
        return xmlrpc.client.loads(self.body, use_builtin_types=True)[0][0]

    @property
    def fault(self) -> tuple[int, str]:
        """Code and text of the fault."""
        try:
            xmlrpc.client.loads(self.body)
        except xmlrpc.client.Fault as fault:
            return fault.faultCode, fault.faultString
        raise AssertionError(f"no fault: {self.body!r}")


def send(
    server: Server,
    body: bytes = b"",
    *headers: tuple[str, str],
    method: str = "POST",
    target: str = PATH,
    source: str = "127.0.0.1",
    connection: http.client.HTTPConnection | None = None,
) -> Reply:
    """One request with these headers besides Host and Content-Length; surrogates are sent as raw bytes."""
    line = connection or http.client.HTTPConnection("127.0.0.1", server.port, 30, (source, 0))
    line.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        line.putheader(name, value.encode("utf-8", "surrogateescape"))
    if body or method == "POST":
        line.putheader("Content-Length", str(len(body)))
    line.endheaders(body)
    answer = line.getresponse()
    reply = Reply(answer.status, answer.getheaders(), answer.read())
    if connection is None:
        line.close()
    return reply


def raw(server: Server, data: bytes, seconds: float = 10) -> bytes:
    """Send bytes and read until the server closes or says nothing for so long."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as line:
        received = b""
        try:
            line.sendall(data)
            while chunk := line.recv(65536):
                received += chunk
        except TimeoutError:
            received += b"(still open)"
        except (ConnectionResetError, BrokenPipeError):
            pass
        return received


def first_line(server: Server, data: bytes, seconds: float = 10) -> bytes:
    """Send bytes and read the first line of what comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as line:
        line.sendall(data)
        return line.makefile("rb").readline()


def answer(
    nonce: str,
    login: str,
    password: str,
    *,
    method: str = "POST",
    uri: str = PATH,
    realm: str = REALM,
    nc: str = "00000001",
    cnonce: str = "0a4f113b",
    qop: str | None = "auth",
    algorithm: str = "MD5",
) -> dict[str, str]:
    """The members of an Authorization header, in the form of RFC 7616 (without qop: RFC 2069)."""

    def digest(*parts: str) -> str:
        return HASHES[algorithm](":".join(parts).encode()).hexdigest()

    secret, request = digest(login, realm, password), digest(method, uri)
    rest = [nonce, nc, cnonce, qop] if qop else [nonce]
    members = {"username": login, "realm": realm, "nonce": nonce, "uri": uri}
    if qop:
        members |= {"qop": qop, "nc": nc, "cnonce": cnonce}
    return members | {"response": digest(secret, *rest, request), "algorithm": algorithm}


def header(members: dict[str, str]) -> tuple[str, str]:
    """The Authorization header with these members, all quoted."""
    return ("Authorization", "Digest " + ", ".join(f'{name}="{value}"' for name, value in members.items()))


def signed(server: Server, login: str = "ssp-root", password: str | None = None, **changes: Any) -> tuple[str, str]:
    """An Authorization header that will do, on a nonce of its own unless told otherwise."""
    nonce = changes.pop("nonce", None) or send(server).nonce
    return header(answer(nonce, login, password or server.root_password, **changes))


def post(server: Server, body: bytes, *headers: tuple[str, str], **options: Any) -> Reply:
    """Send a document as root."""
    return send(server, body, signed(server), *(headers or (TEXT_XML,)), **options)


def php_has_curl() -> bool:
    """Whether PHP, and its curl extension, are installed."""
    return bool(shutil.which("php")) and b"curl" in subprocess.check_output(["php", "-m"])
