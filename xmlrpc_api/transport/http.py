"""What all faces share of HTTP: who is calling, from where, and how a body is read."""

import asyncio
import ipaddress
import itertools
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog
from aiohttp import HttpVersion11, web

from xmlrpc_api import metrics
from xmlrpc_api.access.authenticator import Authenticator, Checked, Foresight, Lent, Refusal, Why
from xmlrpc_api.access.trusted_hosts import TrustedHosts
from xmlrpc_api.addresses import is_in
from xmlrpc_api.call import Origin
from xmlrpc_api.config import Config
from xmlrpc_api.declaration.faults import Fault, TooManyAttempts
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.dispatch.outcome import to_fault

FORWARDED_FOR = "X-Forwarded-For"
FORWARDED_LIMIT = 50
REQUEST_ID = "X-Request-Id"
IDEMPOTENCY_KEY = "Idempotency-Key"
OWN_SITE = ("same-origin", "none")  # what Sec-Fetch-Site says of our own pages, and of addresses that people type
STANDARD_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[^]\s]*\]|[^][\s:/@]+)(:[0-9]*)?")
RETRY_SECONDS = "60"
CONTINUE = "100-continue"
SHORT_BODY = 4096  # shorter ones may be read before it is known from whom they come
LARGE_BODY = 65536  # longer ones are read in a thread, so that other calls go on meanwhile

T = TypeVar("T")
Raw = TypeVar("Raw", bytes, str)

log = structlog.get_logger()


class Budget:
    """
    The bytes of request bodies that are held at one time.

    Args:
        most: How many there may be.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, count: int) -> bool:
        """Take so many; False, and none, if there are not as many."""
        if count > self._left:
            return False
        self._left -= count
        return True

    def give_back(self, count: int) -> None:
        """Have no more use for so many."""
        self._left += count


@dataclass(frozen=True, slots=True)
class Gate:
    """
    What a face needs to answer a request.

    Attributes:
        numbers: Those of its requests, from a random one on.
    """

    config: Config
    dispatcher: Dispatcher
    authenticator: Authenticator
    trusted_hosts: TrustedHosts
    budget: Budget
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(secrets.randbits(63)))


GATE = web.AppKey("GATE", Gate)


@dataclass(frozen=True, slots=True)
class Client:
    """
    Where a request came from.

    Attributes:
        address: The client's address, or that of the proxy if it did not tell; empty: who opened the Unix socket.
        may_be_trusted: False behind a proxy that does not tell whom it forwards, and on a Unix socket, whose proxy
            nobody has named: whoever may open it could write what it likes into the header.
        idempotency_key: The header of this name.
        site: By what URL it reached this server, as far as it says so, or the setting `public_url`.
    """

    address: str
    may_be_trusted: bool
    idempotency_key: str | None = None
    site: str = ""


def client_of(request: web.Request, config: Config) -> Client:
    """
    Tell the client's address. Forwarding headers count only if a trusted proxy sent them, or came by a Unix socket.

    Raises:
        web.HTTPBadRequest: The proxy's header holds something that is no address.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    address = str(peer[0]) if isinstance(peer, tuple) else ""
    is_local = isinstance(peer, (str, bytes))  # the name of a Unix socket, mostly empty
    key, site = request.headers.get(IDEMPOTENCY_KEY), _site(request, config)
    if not is_local and not is_in(address, config.trusted_proxies):
        return Client(address, bool(address), key, site)
    hops = [hop.strip() for header in request.headers.getall(FORWARDED_FOR, []) for hop in header.split(",")]
    if len(hops) > FORWARDED_LIMIT:
        raise web.HTTPBadRequest(text="too many addresses in X-Forwarded-For\n")
    for hop in reversed(hops):
        try:
            ipaddress.ip_address(hop)
        except ValueError:
            raise web.HTTPBadRequest(text="X-Forwarded-For holds something that is no address\n") from None
        if not is_in(hop, config.trusted_proxies):
            return Client(hop, may_be_trusted=not is_local, idempotency_key=key, site=site)
    return Client(address, may_be_trusted=False, idempotency_key=key, site=site)


def _site(request: web.Request, config: Config) -> str:
    """Where a client finds this server: what is told to those who called alone, who know by what name they did."""
    if config.public_url is not None:
        return config.public_url
    host = request.headers.get("Host", "")
    scheme = "https" if config.tls_certificate else "http"
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else ""


def new_origin(gate: Gate, client: Client, face: Face) -> Origin:
    """Where a request came from, before anybody has logged in."""
    return Origin(
        request_id=f"{next(gate.numbers):016x}",
        face=face,
        address=client.address,
        login=None,
        idempotency_key=client.idempotency_key,
        site=client.site,
    )


async def identify(
    gate: Gate, request: web.Request, client: Client, anonymous: Origin, foresee: Foresight
) -> Origin | Refusal:
    """
    Tell on whose behalf a request comes, from its headers alone: the body is not read yet.

    A browser on a trusted host, or one that keeps credentials, sends what any web page makes it send; that does not
    count as the word of its user. (Who is known by an address is asked for the server's name, too: a page whose own
    name has come to mean our address is of our origin for the browser. Kept credentials do not follow it there.) A
    link on any web page makes a browser send GET, which changes nothing therefore.

    Raises:
        Fault: Credentials could not be checked.
        web.HTTPForbidden: They are a browser's, and another site asks.
    """
    headers = request.headers.getall("Authorization", [])
    from_elsewhere = is_from_elsewhere(request, gate.config)
    if headers and from_elsewhere:
        note_refused("another site asks", anonymous)
        raise closing(web.HTTPForbidden(text="the request was made by a page of another site\n"))
    if request.method != "POST" and not gate.config.api_get_changes:
        anonymous = replace(anonymous, may_change=False)
    if len(headers) == 1:
        check = gate.authenticator.by_digest(headers[0], request.method, request.raw_path, client.address, foresee)
        return await vouched(check, anonymous)
    if headers or not (client.may_be_trusted and await gate.trusted_hosts.trusts(client.address)):
        return Refusal(Why.WRONG if headers else Why.NOTHING)
    if from_elsewhere:
        note_refused("another site asks", anonymous)
        return Refusal(Why.NOTHING)
    if not all(is_own_name(host, gate.config) for host in request.headers.getall("Host", [])):
        note_refused("the Host is not one of host_names", anonymous)
        return Refusal(Why.NOTHING)
    return anonymous


def is_from_elsewhere(request: web.Request, config: Config) -> bool:
    """Whether a browser says that a page of another site makes it send this."""
    if "Sec-Fetch-Site" not in request.headers and "Origin" not in request.headers:
        return False
    sites, origins = (request.headers.getall(name, []) for name in ("Sec-Fetch-Site", "Origin"))
    if any(site not in OWN_SITE for site in sites):
        return True
    return not all(_is_own_origin(origin, request.headers.get("Host", ""), config) for origin in origins)


def _is_own_origin(origin: str, host: str, config: Config) -> bool:
    """Whether a page came from the server that is asked now, or, behind a proxy, from one of its names."""
    scheme, _, place = origin.lower().partition("://")
    port = STANDARD_PORTS.get(scheme)
    if port is None:
        return False
    return place in config.host_names or _with_port(place, port) == _with_port(host.lower(), port)


def _with_port(host: str, port: int) -> str:
    match = _HOST.fullmatch(host)
    return host if match is None else f"{match[1]}:{(match[2] or '')[1:] or port}"


def is_own_name(host: str, config: Config) -> bool:
    """Whether a Host header names this server: by an address, as localhost, or by one of its names."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1].lower().rstrip(".")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name == "localhost" or name in config.host_names
    return True


async def vouched(check: Awaitable[Checked], anonymous: Origin) -> Origin | Refusal:
    """
    Await a check of credentials; the origin with its login if they were right.

    Raises:
        Fault: They could not be checked.
    """
    try:
        found = await check
    except Exception as error:  # noqa: BLE001 (whatever it is, the client gets a fault)
        fault = to_fault(error, anonymous)
        if isinstance(fault, TooManyAttempts):
            note_refused("too many attempts", anonymous)
        raise fault from None
    if isinstance(found, Refusal):
        return found
    if isinstance(found, Lent):
        return replace(anonymous, login=found.caller, is_borrowed=True)
    return replace(anonymous, login=found)


def note_refused(reason: str, origin: Origin, login: str | None = None) -> None:
    """Log who is not believed, and why; of logins those that are known alone, what was sent may be a password."""
    log.info(
        "refused",
        reason=reason,
        login=login,
        address=origin.address,
        dialect=origin.face.value,
        request_id=origin.request_id,
    )


def note_unauthenticated(refusal: Refusal, origin: Origin) -> None:
    """Count and log a request whose credentials were missing, as those of every first request are, or wrong."""
    metrics.UNAUTHENTICATED.labels(origin.face.value).inc()
    if refusal.why is Why.WRONG:
        note_refused(refusal.why.value, origin, refusal.login)
    else:
        log.debug("challenge", address=origin.address, dialect=origin.face.value, request_id=origin.request_id)


async def expect(request: web.Request) -> None:
    """
    Judge an `Expect` header. Whoever asks whether to send a body is answered when it is about to be read.

    Raises:
        web.HTTPExpectationFailed: Something else is expected.
    """
    if request.headers["Expect"].lower() != CONTINUE:
        raise closing(web.HTTPExpectationFailed(text="nothing but 100-continue can be expected\n"))


def is_here(request: web.Request) -> bool:
    """Whether all of a request is here, and short."""
    return request.content.is_eof() and (request.content_length or SHORT_BODY) < SHORT_BODY


async def receive(gate: Gate, request: web.Request, media_types: tuple[str, ...], reader: Callable[[bytes], T]) -> T:
    """
    Receive a request's body, as far as the limits allow; what `reader` makes of it.

    Raises:
        Fault: What `reader` raises.
        web.HTTPUnsupportedMediaType: The media type is another one, or the body is compressed.
        web.HTTPRequestEntityTooLarge: It is too long.
        web.HTTPRequestTimeout: It did not come in time.
        web.HTTPServiceUnavailable: Too much else is being received.
        web.HTTPBadRequest: The client went away.
    """
    _demand_readable(request, gate.config, media_types)
    if "Expect" in request.headers and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    chunks: list[bytes] = []
    try:
        if request.content.is_eof():  # it is all here, as it is with most calls
            _keep(gate, request.content.read_nowait(), chunks, gate.config.body_limit)
        else:
            async with asyncio.timeout(gate.config.body_seconds):
                left = gate.config.body_limit
                async for chunk in request.content.iter_any():
                    left = _keep(gate, chunk, chunks, left)
        return await read(reader, b"".join(chunks))
    except TimeoutError:
        raise closing(web.HTTPRequestTimeout(text="the body did not come in time\n")) from None
    except ConnectionError:
        raise closing(web.HTTPBadRequest(text="the body is not complete\n")) from None
    finally:
        gate.budget.give_back(sum(map(len, chunks)))
        chunks.clear()  # a traceback may keep the list alive


def _demand_readable(request: web.Request, config: Config, media_types: tuple[str, ...]) -> None:
    codings = request.headers.getall("Content-Encoding", ())
    if codings and any(coding.strip().lower() != "identity" for coding in codings):
        raise closing(web.HTTPUnsupportedMediaType(text="the body must not be compressed\n"))
    if request.content_type.lower() not in media_types or "Content-Type" not in request.headers:
        raise closing(web.HTTPUnsupportedMediaType(text=f"the media type must be {media_types[0]}\n"))
    if (request.content_length or 0) > config.body_limit:
        raise _too_long(config)


def _keep(gate: Gate, chunk: bytes, chunks: list[bytes], most: int) -> int:
    """Keep a piece of a body, of which so much may come still; how much may come after it."""
    if len(chunk) > most:
        raise _too_long(gate.config)
    if not gate.budget.take(len(chunk)):
        error = web.HTTPServiceUnavailable(text="too much is being received at once, try again later\n")
        error.headers["Retry-After"] = RETRY_SECONDS
        raise closing(error)
    chunks.append(chunk)
    return most - len(chunk)


def _too_long(config: Config) -> web.HTTPException:
    return closing(web.HTTPRequestEntityTooLarge(config.body_limit, text="the body is too long\n"))


async def read(reader: Callable[[Raw], T], body: Raw) -> T:
    """What `reader` makes of a body."""
    return await asyncio.to_thread(reader, body) if len(body) > LARGE_BODY else reader(body)


def note_unreadable(fault: Fault, origin: Origin) -> None:
    """Count and log a request that did not become a call."""
    metrics.FAULTS.labels(metrics.UNKNOWN_METHOD, origin.face.value, fault.code).inc()
    log.info("unreadable", fault=fault.code, address=origin.address, request_id=origin.request_id)


def closing(error: web.HTTPException) -> web.HTTPException:
    """The same answer, after which the connection is closed."""
    error.force_close()
    return error
