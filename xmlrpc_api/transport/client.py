"""A small XML-RPC client with HTTP Digest, for the command line."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.transport import xml, xml_writer

TIMEOUT_SECONDS = 60


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


async def call(target: Target, name: str, params: list[Any]) -> Any:
    """
    Call a method and give its answer back.

    Raises:
        RemoteFault: The server answered a fault.
        CallFailed: There was no answer that could be read.
    """
    body = xml_writer.dumps_call(name, params)
    middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = ()
    if target.login is not None:
        middlewares = (aiohttp.DigestAuthMiddleware(target.login, target.password or ""),)
    try:
        async with (
            aiohttp.ClientSession(
                connector=_connector(target),
                timeout=aiohttp.ClientTimeout(TIMEOUT_SECONDS),
                middlewares=middlewares,
            ) as session,
            session.post(target.url, data=body, headers={"Content-Type": "text/xml"}) as response,
        ):
            return _read(response.status, await response.read())
    except aiohttp.ClientConnectorError as error:
        reason = error.strerror or error.os_error
        raise CallFailed(f"Cannot reach {target.url} ({reason}). Is the server running?") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CallFailed(f"The call to {target.url} failed: {error or 'no answer in time'}") from None


def _connector(target: Target) -> aiohttp.BaseConnector:
    if target.socket is not None:
        return aiohttp.UnixConnector(str(target.socket))
    context: ssl.SSLContext | bool = False if target.insecure else ssl.create_default_context()
    return aiohttp.TCPConnector(ssl=context)


def _read(status: int, body: bytes) -> Any:
    if status == 401:  # noqa: PLR2004
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
