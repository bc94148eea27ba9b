"""
A small XML-RPC client with HTTP Digest, for the command line.

It is made of the standard library: whoever makes one call does not wait for what a server imports.
"""

import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

from xmlrpc_api.access import digest
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.transport import xml, xml_writer

TIMEOUT_SECONDS = 60  # of silence
HTTP_PORT, HTTPS_PORT, UNAUTHORIZED = 80, 443, 401


class CallFailed(Exception):  # noqa: N818 (it reads as what happened)
    """No answer could be had; the text says why, and what to do."""


class RemoteFault(Exception):  # noqa: N818 (it is what XML-RPC calls it)
    """The server answered a fault."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"fault {code}: {text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    A server to call.

    Attributes:
        url: Of the XML-RPC endpoint.
        socket: Unix socket to connect to instead of the host in `url`.
        login, password: API credentials; both None from a trusted host.
        insecure: Do not check the TLS certificate.
    """

    url: str
    socket: Path | None = None
    login: str | None = None
    password: str | None = None
    insecure: bool = False


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, host: str) -> None:
        super().__init__(host, timeout=TIMEOUT_SECONDS)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket(AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def call(target: Target, name: str, params: list[Any]) -> Any:
    """
    Call a method and give its answer back.

    Raises:
        RemoteFault: The server answered a fault.
        CallFailed: There was no answer that could be read.
    """
    body = xml_writer.dumps_call(name, params)
    try:
        url = urlsplit(target.url)
        connection = _connection(target, url)
        connection.connect()
    except (OSError, ValueError) as error:
        raise CallFailed(f"Cannot reach {target.url} ({_reason(error)}). Is the server running?") from None
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        with closing(connection):
            return _read(*_exchange(connection, path, body, target))
    except (OSError, HTTPException, ValueError) as error:
        raise CallFailed(f"The call to {target.url} failed: {_reason(error)}") from None


def _connection(target: Target, url: SplitResult) -> HTTPConnection:
    host = url.hostname or ""
    if target.socket is not None:
        return _UnixConnection(target.socket, host)
    if url.scheme == "http":
        return HTTPConnection(host, url.port or HTTP_PORT, timeout=TIMEOUT_SECONDS)
    if url.scheme != "https":
        raise ValueError("it begins neither with http:// nor with https://")
    context = ssl.create_default_context()
    if target.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(host, url.port or HTTPS_PORT, timeout=TIMEOUT_SECONDS, context=context)


def _exchange(connection: HTTPConnection, path: str, body: bytes, target: Target) -> tuple[int, bytes]:
    """Send it; once more with the proof that the server asks for."""
    status, challenge, answer = _post(connection, path, body)
    if status != UNAUTHORIZED or target.login is None:
        return status, answer
    proof = digest.answered(challenge, "POST", path, target.login, target.password or "")
    if proof is None:
        return status, answer
    status, _, answer = _post(connection, path, body, Authorization=proof.encode("utf-8", "surrogateescape"))
    return status, answer


def _post(connection: HTTPConnection, path: str, body: bytes, **headers: bytes) -> tuple[int, str, bytes]:
    """Status, challenge and body of the answer."""
    with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has read all, and go
        connection.request("POST", path, body, {"Content-Type": b"text/xml", **headers})
    response = connection.getresponse()
    return response.status, response.headers.get("WWW-Authenticate", ""), response.read()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _read(status: int, body: bytes) -> Any:
    if status == UNAUTHORIZED:
        raise CallFailed("The server refused the credentials: check user, API password and api_access.")
    if status != 200:  # noqa: PLR2004
        raise CallFailed(f"The server answered HTTP {status}: {body[:200].decode(errors='replace').strip()}")
    try:
        is_fault, value = xml.loads_answer(body)
    except Fault as fault:
        raise CallFailed(f"The answer cannot be read: {fault.text}") from None
    if is_fault:
        raise RemoteFault(value["faultCode"], value["faultString"])
    return value
