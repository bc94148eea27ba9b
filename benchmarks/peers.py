"""
The servers that this one is measured beside: `python -m benchmarks.peers NAME PORT …`.

stdlib             xmlrpc.server, threads, HTTP/1.1; answers from memory
aiohttp-xmlrpc     the library as it is; answers from memory
constant           aiohttp and uvloop, one answer that was written before: what a Python server cannot pass
obvious            what one builds from the library and an ORM: Digest, rights, rows and answers from the database
"""

import asyncio
import hashlib
import json
import os
import re
import socketserver
import sys
import xmlrpc.client
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

import bcrypt
from aiohttp import web
from aiohttp_xmlrpc import handler
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload

from benchmarks.load import PATH
from benchmarks.servers import KEY
from models import AuditEntry, Balance, Customer, WebUser, ancestors, place_of
from xmlrpc_api.crypto.vault import KeyRing, Vault
from xmlrpc_api.services.customers import CUSTOMER, LISTED

REALM = "obvious"


def answers(file: str) -> dict[str, Any]:
    """What to answer, by method: real answers of the product, read from a file."""
    return json.loads(Path(file).read_text())


def stdlib(port: int, file: str) -> None:
    """The standard library's server."""

    class Handler(SimpleXMLRPCRequestHandler):
        protocol_version = "HTTP/1.1"
        rpc_paths = (PATH,)
        disable_nagle_algorithm = True

    class Threaded(socketserver.ThreadingMixIn, SimpleXMLRPCServer):
        daemon_threads = True
        request_queue_size = 128

    with Threaded(("127.0.0.1", port), Handler, logRequests=False, allow_none=True) as server:
        for name, answer in answers(file).items():
            server.register_function(lambda _params, answer=answer: answer, name)
        server.serve_forever()


def library(port: int, file: str) -> None:
    """aiohttp-xmlrpc, as its README shows it."""
    known = answers(file)

    class View(handler.XMLRPCView):
        async def rpc_getCustomerInfo(self, _params: Any) -> Any:
            return known["getCustomerInfo"]

        async def rpc_listCustomers(self, _params: Any) -> Any:
            return known["listCustomers"]

    _serve(port, View)


def constant(port: int, file: str) -> None:
    """One answer, written before."""
    body = xmlrpc.client.dumps((answers(file)["getCustomerInfo"],), methodresponse=True, allow_none=True).encode()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="text/xml")

    _serve(port, answer)


def obvious(port: int, database_url: str) -> None:
    """The same tables, the same answers, the same promises as far as an afternoon goes."""
    engine = create_async_engine(database_url)
    sessions = async_sessionmaker(engine)
    vault = Vault(KeyRing((bytes.fromhex(KEY),)))
    seen: dict[str, set[str]] = {}

    async def caller_of(request: web.Request, session: AsyncSession) -> Customer | None:
        header = request.headers.get("Authorization", "")
        found = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]*))', header)}
        if found.get("nonce") not in seen or found["nc"] in seen[found["nonce"]]:
            return None
        statement = select(WebUser).where(WebUser.web_login_key == found["username"].casefold(), WebUser.is_default)
        user = (await session.execute(statement)).scalar_one_or_none()
        customer = await session.get(Customer, user.i_customer) if user is not None else None
        if customer is None or not customer.api_access or customer.blocked:
            return None
        password = vault.decrypt(customer.api_password, place_of(Customer.api_password, customer.i_customer))
        secret = _md5(f"{found['username']}:{REALM}:{password}")
        target = _md5(f"{request.method}:{found['uri']}")
        parts = (secret, found["nonce"], found["nc"], found["cnonce"], found["qop"], target)
        if _md5(":".join(parts)) != found["response"]:
            return None
        for i_customer in ancestors(customer.path):
            above = await session.get(Customer, i_customer)
            if above is None or above.blocked:
                return None
        seen[found["nonce"]].add(found["nc"])
        return customer

    class View(handler.XMLRPCView):
        async def post(self, *args: Any, **kwargs: Any) -> web.StreamResponse:
            async with sessions() as session:
                self.session = session
                self.caller = await caller_of(self.request, session)
                if self.caller is None:
                    nonce = os.urandom(16).hex()
                    seen[nonce] = set()
                    challenge = f'Digest realm="{REALM}", nonce="{nonce}", qop="auth", algorithm=MD5'
                    return web.Response(status=401, headers={"WWW-Authenticate": challenge})
                return await super().post(*args, **kwargs)

        async def rpc_getCustomerInfo(self, params: Any) -> Any:
            statement = (
                select(Customer)
                .options(joinedload(Customer.money), joinedload(Customer.default_user))
                .where(Customer.i_customer == params["i_customer"], Customer.i_wholesaler == self.caller.i_customer)
            )
            customer = (await self.session.execute(statement)).scalar_one()
            return {
                "result": "OK",
                "customer": {field.name: _plain(getattr(customer, field.name)) for field in CUSTOMER.read},
            }

        async def rpc_listCustomers(self, params: Any) -> Any:
            statement = (
                select(Customer)
                .options(joinedload(Customer.money), joinedload(Customer.default_user))
                .where(Customer.i_wholesaler == self.caller.i_customer)
                .order_by(Customer.i_customer)
                .limit(params["limit"])
            )
            rows = (await self.session.execute(statement)).scalars()
            return {
                "result": "OK",
                "customers": [{field.name: _plain(getattr(row, field.name)) for field in LISTED} for row in rows],
            }

        async def rpc_createCustomer(self, params: Any) -> Any:
            parent = await self.session.get(
                Customer, self.caller.i_customer, with_for_update=True, populate_existing=True
            )
            if not parent.customers_mgmt & 1 or parent.max_depth < 1:
                raise PermissionError
            hashed = await asyncio.to_thread(bcrypt.hashpw, params["web_password"].encode(), bcrypt.gensalt(4))
            customer = Customer(
                name=params["name"],
                i_tariff=params["i_tariff"],
                i_wholesaler=parent.i_customer,
                path=f"{parent.path}{parent.i_customer}.",
                max_depth=parent.max_depth - 1,
            )
            self.session.add(customer)
            await self.session.flush()
            self.session.add_all(
                [
                    WebUser(
                        i_customer=customer.i_customer,
                        is_default=True,
                        web_login=params["name"],
                        web_password=hashed.decode(),
                    ),
                    Balance(i_customer=customer.i_customer, is_default=True, currency="USD"),
                    AuditEntry(
                        uid=os.urandom(16).hex(),
                        created=datetime.now(UTC),
                        i_customer=customer.i_customer,
                        scope=f"{customer.path}{customer.i_customer}.",
                        i_customer_actor=parent.i_customer,
                        trusted=False,
                        address="127.0.0.1",
                        dialect="xmlrpc",
                        request_id=os.urandom(8).hex(),
                        method="createCustomer",
                        action="created",
                        object_type="customers",
                        object_id=customer.i_customer,
                        after=json.dumps({"name": customer.name}),
                        mac="-",
                    ),
                ]
            )
            await self.session.commit()
            return {"result": "OK", "i_customer": customer.i_customer}

    _serve(port, View)


def _plain(value: Any) -> Any:
    """What aiohttp-xmlrpc can write."""
    return value if value is None or isinstance(value, bool | int | str) else float(value)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _serve(port: int, view: Any) -> None:
    import uvloop

    app = web.Application(client_max_size=2**20)
    app.router.add_route("*", PATH, view)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=asyncio.new_event_loop())


PEERS = {"stdlib": stdlib, "aiohttp-xmlrpc": library, "constant": constant, "obvious": obvious}

if __name__ == "__main__":
    PEERS[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
