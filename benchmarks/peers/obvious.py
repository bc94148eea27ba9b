"""
The obvious stack: aiohttp-xmlrpc as it is, SQLAlchemy's ORM, the same tables, the same answers.

It is lean: a list of columns instead of entities, one statement for a login and one for who is above it, as many
connections to the database as this server has. Where logins are kept in memory, it asks for each once a minute.
What a new customer is, and what a payment is, are two transactions as ORM users write them.
"""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiohttp import web
from aiohttp_xmlrpc import handler
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.databases import driver_url
from benchmarks.launch import CONSTANT
from benchmarks.peers import shared
from benchmarks.peers.shared import INFO, VAULT, Nonces
from benchmarks.servers import KEY
from models import AuditEntry, Balance, Customer, LedgerEntry, WebUser, ancestors, place_of
from xmlrpc_api.services.customers import LISTED

KEPT_SECONDS = 60
ROWS = tuple(field.name for field in LISTED)


@dataclass(frozen=True)
class Caller:
    """Who calls, as far as a call needs to know."""

    i_customer: int
    path: str
    secret: str


async def find_caller(session: AsyncSession, login: str) -> Caller | None:
    """Whose login it is, if it may call, and nobody above it is blocked."""
    wanted = select(Customer.i_customer, Customer.path, Customer.api_password).join(
        WebUser, WebUser.i_customer == Customer.i_customer
    )
    may = (Customer.api_access == 1, ~Customer.blocked)
    found = await session.execute(wanted.where(WebUser.web_login_key == login.casefold(), WebUser.is_default, *may))
    row = found.one_or_none()
    if row is None:
        return None
    blocked = select(func.count()).where(Customer.i_customer.in_(ancestors(row.path)), Customer.blocked)
    if (await session.execute(blocked)).scalar_one():
        return None
    password = VAULT.decrypt(row.api_password, place_of(Customer.api_password, row.i_customer))
    return Caller(row.i_customer, row.path, shared.secret_of(login, password))


def serve(port: int, url: str, logins: str) -> None:
    """Serve it; logins are asked from the `database` for each call, or kept in `memory`."""
    engine = create_async_engine(driver_url(url), **_pool(url))
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    nonces = Nonces()
    kept: dict[str, tuple[float, Caller]] = {}

    async def caller_of(request: web.Request, session: AsyncSession) -> Caller | None:
        fields = shared.header_fields(request)
        if "nonce" not in fields:
            return None
        login = fields["username"]
        until, caller = kept.get(login, (0.0, None))
        if caller is None or until < time.monotonic():
            caller = await find_caller(session, login)
        if caller is None or not nonces.is_right(request.method, fields, caller.secret):
            return None
        if logins == "memory":
            kept[login] = (time.monotonic() + KEPT_SECONDS, caller)
        return caller

    shared.run(port, _view(sessions, caller_of, nonces))


def _pool(url: str) -> dict[str, int]:
    return {} if url.startswith("sqlite") else {"pool_size": shared.POOL_SIZE, "max_overflow": 0}


def _view(sessions: async_sessionmaker[AsyncSession], caller_of: Callable[..., Any], nonces: Nonces) -> Any:
    class View(handler.XMLRPCView):
        session: AsyncSession
        caller: Caller

        async def post(self, *args: Any, **kwargs: Any) -> web.StreamResponse:
            async with sessions() as self.session:
                caller = await caller_of(self.request, self.session)
                if caller is None:
                    return nonces.challenge()
                self.caller = caller
                response: web.StreamResponse = await super().post(*args, **kwargs)
                return response

        async def rpc_getCustomerInfo(self, params: Any) -> Any:
            mine = Customer.i_wholesaler == self.caller.i_customer
            statement = shared.customers(*INFO).where(Customer.i_customer == params["i_customer"], mine)
            row = (await self.session.execute(statement)).mappings().one()
            return {"result": "OK", "customer": _plain(row)}

        async def rpc_listCustomers(self, params: Any) -> Any:
            mine = Customer.i_wholesaler == self.caller.i_customer
            statement = shared.customers(*ROWS).where(mine).order_by(Customer.i_customer).limit(params["limit"])
            rows = (await self.session.execute(statement)).mappings()
            return {"result": "OK", "customers": [_plain(row) for row in rows]}

        async def rpc_createCustomer(self, params: Any) -> Any:
            return {"result": "OK", "i_customer": await create_customer(self.session, self.caller, params)}

        async def rpc_customerAddFunds(self, params: Any) -> Any:
            await add_funds(self.session, self.caller, params["i_customer"], Decimal(params["amount"]))
            return {"result": "OK"}

    return View


async def create_customer(session: AsyncSession, caller: Caller, params: dict[str, Any]) -> int:
    """Customer, default login, balance, and a signed row of the history; passwords are hashed to a constant."""
    parent = await session.get_one(Customer, caller.i_customer, with_for_update=True)
    if not parent.customers_mgmt & 1 or parent.max_depth < 1:
        raise PermissionError
    customer = Customer(
        name=params["name"],
        i_tariff=params["i_tariff"],
        i_wholesaler=parent.i_customer,
        path=f"{parent.path}{parent.i_customer}.",
        max_depth=parent.max_depth - 1,
    )
    session.add(customer)
    await session.flush()
    user = WebUser(web_login=params["name"], web_password=CONSTANT, i_customer=customer.i_customer, is_default=True)
    money = Balance(i_customer=customer.i_customer, is_default=True, currency="USD")
    session.add_all([user, money, _noted(customer, parent)])
    await session.commit()
    return customer.i_customer


def _noted(customer: Customer, parent: Customer) -> AuditEntry:
    known = {column.key: getattr(customer, column.key) for column in Customer.__mapper__.columns}
    after = json.dumps({name: value for name, value in known.items() if value is not None}, default=str)
    uid, now = os.urandom(16).hex(), datetime.now(UTC)
    signed = f"{uid}{now.isoformat()}{customer.i_customer}{parent.i_customer}{after}"
    return AuditEntry(
        uid=uid,
        created=now,
        i_customer=customer.i_customer,
        scope=f"{customer.path}{customer.i_customer}.",
        i_customer_actor=parent.i_customer,
        trusted=False,
        address="127.0.0.1",
        dialect="xmlrpc",
        request_id=os.urandom(8).hex(),
        method="createCustomer",
        action="A",
        object_type="customers",
        object_id=customer.i_customer,
        after=after,
        mac=hmac.new(bytes.fromhex(KEY), signed.encode(), hashlib.sha256).hexdigest(),
    )


async def add_funds(session: AsyncSession, caller: Caller, i_customer: int, amount: Decimal) -> None:
    """From one balance to another, both locked, the smaller id first, with a row of the ledger for each."""
    wanted = select(Balance).where(Balance.i_customer.in_((caller.i_customer, i_customer)), Balance.is_default)
    locked = (await session.scalars(wanted.order_by(Balance.i_balance).with_for_update())).all()
    balances = {balance.i_customer: balance for balance in locked}
    own, other = balances[caller.i_customer], balances[i_customer]
    mine = select(Customer.i_customer).where(Customer.i_customer == i_customer)
    if (await session.scalar(mine.where(Customer.i_wholesaler == caller.i_customer))) is None:
        raise PermissionError
    if own.balance + own.credit_limit < amount:
        raise ValueError("not enough credit")
    source = _booked(other, amount, "funds", caller.i_customer)
    other.funded += amount
    session.add(source)
    await session.flush()
    session.add(_booked(own, -amount, "payer", caller.i_customer, source.i_ledger))
    await session.commit()


def _booked(balance: Balance, amount: Decimal, kind: str, actor: int, source: int | None = None) -> LedgerEntry:
    balance.balance += amount
    now = datetime.now(UTC)
    return LedgerEntry(
        i_balance=balance.i_balance,
        amount=amount,
        balance_after=balance.balance,
        funded_change=amount if kind == "funds" else Decimal(0),
        kind=kind,
        i_customer_actor=actor,
        payment_time=now,
        created=now,
        paid_amount=abs(amount),
        paid_currency="USD",
        rate=Decimal(1),
        i_ledger_source=source,
    )


def _plain(row: Any) -> dict[str, Any]:
    """What aiohttp-xmlrpc can write."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
