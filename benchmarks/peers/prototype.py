"""
The prototype: asyncpg and a template, as far as Python goes without what makes a product of it.

One handler, a walk over lxml's tree, logins and rights from memory, one statement on the driver, and an answer whose
names were written when it started. It answers getCustomerInfo, has no log, no metrics, no faults, no limits.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import asyncpg
from aiohttp import web
from lxml import etree
from sqlalchemy import Boolean, Integer, create_engine, literal_column, select

from benchmarks.peers import shared
from benchmarks.peers.shared import INFO, VAULT, Nonces
from models import Customer, Exact, WebUser, place_of, proxied_column

MICROS = 1_000_000
DIALECT = create_engine("postgresql+asyncpg://").dialect
LOGINS = select(Customer.i_customer, Customer.api_password, WebUser.web_login).join(
    WebUser, WebUser.i_customer == Customer.i_customer
)
HEAD = "<?xml version='1.0'?>\n<methodResponse><params><param><value><struct><member><name>result</name><value>"
HEAD += "<string>OK</string></value></member><member><name>customer</name><value><struct>"
TAIL = "</struct></value></member></struct></value></param></params></methodResponse>\n"


def _writer(name: str) -> Callable[[Any], str]:
    """Writes a value of a column as its type is."""
    kind = proxied_column(Customer, name).type
    if isinstance(kind, Exact):
        return lambda value: f"<double>{_decimal(value)}</double>"
    if isinstance(kind, Boolean):
        return lambda value: f"<boolean>{value:d}</boolean>"
    if isinstance(kind, Integer):
        return lambda value: f"<int>{value}</int>"
    return lambda value: f"<string>{escape(value)}</string>"


def _decimal(micros: int) -> str:
    whole, rest = divmod(micros, MICROS)
    return f"{whole}.{rest:06d}".rstrip("0") + "0" * (rest == 0) if micros >= 0 else str(Decimal(micros) / MICROS)


PARTS = tuple((f"<member><name>{name}</name><value>", _writer(name)) for name in INFO)


def answer_of(row: Any) -> str:
    """The answer that tells a row."""
    told = [
        f"{start}<nil/></value></member>" if value is None else f"{start}{write(value)}</value></member>"
        for (start, write), value in zip(PARTS, row, strict=True)
    ]
    return f"{HEAD}{''.join(told)}{TAIL}"


def statement() -> str:
    """The one statement, as the driver wants it."""
    wanted = shared.customers(*INFO).where(
        Customer.i_customer == literal_column("$1"), Customer.i_wholesaler == literal_column("$2")
    )
    return str(wanted.compile(dialect=DIALECT))


async def _no_reset(_connection: Any) -> None:
    """What the pool would ask before each use; nothing is left behind by one SELECT."""


def serve(port: int, url: str) -> None:
    """Serve it."""
    app = web.Application()
    nonces = Nonces()
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    sql = statement()
    logins: dict[str, tuple[int, str]] = {}
    pool: Any = None

    async def start(_app: web.Application) -> None:
        nonlocal pool
        pool = await asyncpg.create_pool(url, min_size=shared.POOL_SIZE, max_size=shared.POOL_SIZE, reset=_no_reset)
        may = LOGINS.where(Customer.api_access == 1, WebUser.is_default, Customer.api_password.is_not(None))
        compiled = may.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
        for i_customer, sealed, login in await pool.fetch(str(compiled)):
            password = VAULT.decrypt(sealed, place_of(Customer.api_password, i_customer))
            logins[login] = (i_customer, shared.secret_of(login, password))

    async def answer(request: web.Request) -> web.Response:
        fields = shared.header_fields(request)
        i_caller, secret = logins.get(fields.get("username", ""), (0, ""))
        if not i_caller or not nonces.is_right(request.method, fields, secret):
            return nonces.challenge()
        call = etree.fromstring(await request.read(), parser)
        if call.findtext("methodName") != "getCustomerInfo":
            return web.Response(status=404)
        members = call.iterfind("params/param/value/struct/member")
        params = {member.findtext("name"): member.findtext("value/int") for member in members}
        async with pool.acquire() as connection:
            row = await connection.fetchrow(sql, int(params["i_customer"] or 0), i_caller)
        return web.Response(body=answer_of(row).encode(), content_type="text/xml")

    app.on_startup.append(start)
    shared.run(port, answer, app)
