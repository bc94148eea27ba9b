"""What several of them do alike: HTTP Digest as the RFC has it, and how they are served."""

import asyncio
import hashlib
import os
import re
from typing import Any

from aiohttp import web
from sqlalchemy import Select, and_, select

from benchmarks.calls import XMLRPC
from benchmarks.servers import KEY
from models import Balance, Customer, WebUser, proxied_column
from xmlrpc_api.crypto.vault import KeyRing, Vault
from xmlrpc_api.services.customers import CUSTOMER

REALM = "peer"
POOL_SIZE = 10  # as this server's
VAULT = Vault(KeyRing((bytes.fromhex(KEY),)))
INFO = tuple(field.name for field in CUSTOMER.read)


def customers(*names: str) -> Select[Any]:
    """These attributes of customers, each column once, from the tables that hold them."""
    return (
        select(*(proxied_column(Customer, name).label(name) for name in names))
        .select_from(Customer)
        .join(Balance, and_(Balance.i_customer == Customer.i_customer, Balance.is_default))
        .join(WebUser, and_(WebUser.i_customer == Customer.i_customer, WebUser.is_default))
    )


class Nonces:
    """The nonces that were given out, and which counts have been used with each."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def challenge(self) -> web.Response:
        """Ask for credentials."""
        nonce = os.urandom(16).hex()
        self._seen[nonce] = set()
        challenge = f'Digest realm="{REALM}", nonce="{nonce}", qop="auth", algorithm=MD5'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    def is_right(self, method: str, fields: dict[str, str], secret: str) -> bool:
        """Whether a header proves that its sender knows the password in `secret`, and was not sent before."""
        used = self._seen.get(fields["nonce"])
        if used is None or fields["nc"] in used:
            return False
        target = md5(f"{method}:{fields['uri']}")
        parts = (secret, fields["nonce"], fields["nc"], fields["cnonce"], fields["qop"], target)
        if md5(":".join(parts)) != fields["response"]:
            return False
        used.add(fields["nc"])
        return True


def header_fields(request: web.Request) -> dict[str, str]:
    """What the header Authorization says; empty without one."""
    header = request.headers.get("Authorization", "")
    return {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]*))', header)}


def secret_of(login: str, password: str) -> str:
    """HA1."""
    return md5(f"{login}:{REALM}:{password}")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def run(port: int, view: Any, app: web.Application | None = None) -> None:
    """Serve one view, with uvloop, and without a log of accesses."""
    import uvloop

    app = app or web.Application(client_max_size=2**20)
    app.router.add_route("*", XMLRPC, view)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)
