"""
Whom a call is about is deleted while it runs, after it has looked and before it acts.

Either a deletion is held open just before it commits, until the other call waits for it or has answered; or it happens
between two statements of the other call. So there is such an order of events each time. PostgreSQL alone lets two
write at once.
"""

import asyncio
import contextvars
import itertools
import random
import threading
import xmlrpc.client
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from conftest import RIGHTS, WEB_PASSWORD
from faces import Api
from harness import Installed, Server, serving, unique
from soap import ADMIN, Clients, SoapFault
from sqlalchemy import delete, event, select, text
from sqlalchemy.util import await_only

from models import ROOT_ID, Throttle
from xmlrpc_api.call import Call, Origin, utc_now
from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.faults import Fault
from xmlrpc_api.declaration.fields import I_WHOLESALER
from xmlrpc_api.declaration.registry import Effect
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.services import customers
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.transaction import Transaction
from xmlrpc_api.transport import http, pages

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'"
)
INTERNAL_ERROR = 200  # in NGNPro's dialect
LOOKS, HELD_SECONDS = 0.01, 20
ABOUT_CUSTOMERS = {"i_customer", "i_customer_from", "i_web_user", "web_login"}
CHANGING = {name for name, method in METHODS.items() if method.effect is Effect.WRITE}
SCOPED = [name for name, method in METHODS.items() if method.scope is not None and method.effect is not Effect.NONE]
ABOUT = sorted(
    name for name in SCOPED if ABOUT_CUSTOMERS & METHODS[name].params.by_name.keys() and name != "createCustomer"
)
COMING_FIRST = {"authAccount"}  # it waits for nothing: he logged in, and then his account was deleted
MAKING = {"createCustomer", "createWebUser", "createAccount"}
Work = Callable[[Call], Awaitable[None]]
is_deleting = contextvars.ContextVar("is_deleting", default=False)


@pytest.fixture(scope="module")
def trusting(installed: Callable[[str], Installed], admin_hash: str) -> Iterator[Server]:
    """A server on PostgreSQL that trusts this host."""
    administrator = {"ngnpro_admin_username": ADMIN, "ngnpro_admin_password_hash": admin_hash}
    with serving(installed("postgresql"), trusted_hosts=["127.0.0.1"], lock_seconds=30, **administrator) as running:
        yield running


@pytest.fixture
def owner(trusting: Server) -> int:
    return make(trusting, ROOT_ID, unique("owner"), balance=100, overcommit_protection=True, max_depth=5)


@pytest.fixture
def login() -> str:
    return unique("gone")


@pytest.fixture
def victim(trusting: Server, owner: int, login: str) -> int:
    """A customer with all rights, who is deleted."""
    return make(trusting, owner, login, max_depth=2)


def make(server: Server, parent: int, name: str, **attributes: Any) -> int:
    values = {**RIGHTS, "name": name, "web_password": WEB_PASSWORD, "i_tariff": None, **attributes}
    return api(server).createCustomer(i_wholesaler=parent, **values)["i_customer"]


def api(server: Server) -> Api:
    return Api(server.url, None, None)


async def nothing(_call: Call) -> None:
    """Do nothing."""


def meanwhile(server: Server, deletion: Work, attempt: Callable[[], Any], last: Work = nothing) -> int | None:
    """
    Run the attempt while a deletion is about to commit, doing the last of it then.

    Returns:
        The code of the attempt's fault; None if it is done.
    """
    outcome: list[int | None] = []

    thread = threading.Thread(target=lambda: outcome.append(code_of(attempt)))

    async def work(database: Database) -> None:
        async def hold_open(call: Call) -> None:
            await deletion(call)
            await call.store.flush()
            thread.start()
            async with asyncio.timeout(HELD_SECONDS):
                while not outcome and not await is_anybody_waiting(database):  # noqa: ASYNC110 (it is PostgreSQL)
                    await asyncio.sleep(LOOKS)
            await last(call)

        await perform(server, hold_open)

    server.run(work)
    thread.join(HELD_SECONDS)
    assert len(outcome) == 1
    return outcome[0]


def code_of(attempt: Callable[[], Any]) -> int | None:
    """The code of the fault with which it ends."""
    try:
        attempt()
    except xmlrpc.client.Fault as fault:
        return fault.faultCode
    except SoapFault as fault:
        return fault.code
    return None


async def perform(server: Server, work: Work) -> None:
    """Do something in a call by root."""
    root = await ownership.load_caller(server.app[pages.DATABASE], ROOT_ID)
    assert root is not None
    origin = Origin(request_id="0", face=Face.XMLRPC, address="", login=root)
    await server.app[http.GATE].dispatcher.perform(origin, "test", root, work)


async def is_anybody_waiting(database: Database) -> bool:
    async with database.read() as session:
        return bool((await session.execute(text(WAITING))).scalar())


def params_of(name: str, caller: int) -> dict[str, Any]:
    """Parameters that are well-formed, by which the caller is named."""
    method = METHODS[name]
    example = next(iter(manual.example_params(method)), {})
    values = {key: float(value) if hasattr(value, "is_nan") else value for key, value in example.items()}
    if name in MAKING:
        values |= {key: unique("new") for key in ("name", "web_login", "username", "authname") if key in values}
        values |= {"balance": 0} if "balance" in values else {}
    assert method.scope is not None
    return {**values, method.scope.name: caller}


def books_of(server: Server, i_customer: int) -> list[Any]:
    statement = "SELECT count(*) FROM {} WHERE i_balance IN (SELECT i_balance FROM balances WHERE i_customer = :id)"
    return [server.sql(statement.format(table), id=i_customer) for table in ("ledger", "balances")]


def is_answer(code: int | None) -> bool:
    """Whether a fault is one that the caller can do something with."""
    return code is None or 400 <= code < 500


@pytest.mark.parametrize("name", sorted(set(SCOPED)))
def test_a_caller_who_is_being_deleted_leaves_nothing_behind(trusting: Server, victim: int, name: str) -> None:
    params, before = params_of(name, victim), books_of(trusting, victim)

    async def deletion(call: Call) -> None:
        await customers.delete(call, victim, reach=Reach.SUBTREE)

    code = meanwhile(trusting, deletion, lambda: getattr(api(trusting), name)(**params))

    assert is_answer(code)
    assert name not in CHANGING or code is not None
    assert books_of(trusting, victim) == before


def params_about(server: Server, name: str, owner: int, victim: int, login: str) -> dict[str, Any]:
    """Parameters by which his parent names somebody below him."""
    known = METHODS[name].params.by_name
    params = params_of(name, owner)
    params.pop("i_account", None)
    user = {"web_login": unique("user"), "web_password": WEB_PASSWORD, "i_access_level": "NOC"}
    made = api(server).createWebUser(i_wholesaler=owner, i_customer=victim, **user)
    about = {
        "i_customer": victim,
        "i_customer_from": victim,
        "i_customer_to": owner,
        "i_web_user": made["i_web_user"],
        **({} if name in MAKING or "i_web_user" in known or "i_customer" in known else {"web_login": login}),
    }
    return params | {key: value for key, value in about.items() if key in known}


@pytest.mark.parametrize("name", ABOUT)
def test_whom_a_call_is_about_is_not_there_any_more(
    trusting: Server, owner: int, victim: int, login: str, name: str
) -> None:
    params = params_about(trusting, name, owner, victim, login)
    before = books_of(trusting, victim)

    async def deletion(call: Call) -> None:
        await customers.delete(call, victim, reach=Reach.SUBTREE)

    code = meanwhile(trusting, deletion, lambda: getattr(api(trusting), name)(**params))

    assert is_answer(code)
    assert name not in CHANGING or code is not None
    assert books_of(trusting, victim) == before


@pytest.mark.parametrize("password", [WEB_PASSWORD, "wrong"])
def test_somebody_who_logs_in_is_not_there_any_more(
    trusting: Server, owner: int, victim: int, login: str, password: str
) -> None:
    async def deletion(call: Call) -> None:
        await customers.delete(call, victim, reach=Reach.SUBTREE)

    credentials = {"username": login, "password": password, "i_wholesaler": owner}
    code = meanwhile(trusting, deletion, lambda: api(trusting).authCustomer(**credentials))

    assert code == 401


@pytest.mark.parametrize(
    "name",
    sorted(
        name for name in SCOPED if {"i_account", "username"} & METHODS[name].params.by_name.keys() - {"createAccount"}
    ),
)
def test_an_account_that_a_call_is_about_is_not_there_any_more(trusting: Server, owner: int, name: str) -> None:
    username = unique("gone")
    values = {**params_of("createAccount", owner), "username": username, "authname": username}
    i_account = api(trusting).createAccount(**values)["i_account"]
    known = METHODS[name].params.by_name
    params = params_of(name, owner)
    params.pop("i_customer" if METHODS[name].scope is I_WHOLESALER else "", None)
    params |= {key: value for key, value in {"i_account": i_account, "username": username}.items() if key in known}
    if name in ("createAccount", "updateAccount"):
        params["username"] = unique("other")

    async def deletion(call: Call) -> None:
        await sip_accounts.remove(call, i_account)

    code = meanwhile(trusting, deletion, lambda: getattr(api(trusting), name)(**params))

    assert is_answer(code)
    assert name not in CHANGING - MAKING - COMING_FIRST or code is not None


class TestNgnpro:
    @pytest.mark.parametrize(
        ("port", "operation", "arguments"),
        [
            ("Sip", "addDomain", {"domain": {"domain": "gone.example", "customer": "victim"}}),
            ("Customer", "setProperties", {"customer": "victim", "properties": [{"name": "a", "value": "b"}]}),
            ("Customer", "updateAccount", {"account": {"id": "victim", "city": "Rome"}}),
            ("Customer", "getAccount", {"id": "victim"}),
            ("Customer", "getProperties", {"customer": "victim"}),
            ("Customer", "deleteAccount", {"id": "victim"}),
        ],
    )
    def test_whom_an_operation_is_about_is_not_there_any_more(
        self, trusting: Server, victim: int, port: str, operation: str, arguments: dict[str, Any]
    ) -> None:
        filled = filled_in(arguments, victim)
        client = Clients(trusting).admin(port)

        async def deletion(call: Call) -> None:
            await customers.delete(call, victim, reach=Reach.SUBTREE)

        code = meanwhile(trusting, deletion, lambda: getattr(client, operation)(**filled))

        assert code != INTERNAL_ERROR
        assert operation.startswith("get") or code is not None


def filled_in(value: Any, victim: int) -> Any:
    if isinstance(value, dict):
        return {key: filled_in(part, victim) for key, part in value.items()}
    if isinstance(value, list):
        return [filled_in(part, victim) for part in value]
    return victim if value == "victim" else value


def interrupted(server: Server, at: int, deletion: Work, attempt: Callable[[], Any]) -> int | None:
    """
    Run the attempt, and before one of its statements a deletion, until that is done or waits for the attempt.

    Returns:
        The code of the attempt's fault; None if it is done.
    """
    database: Database = server.app[pages.DATABASE]
    counted = itertools.count(1)
    begun: list[asyncio.Task[None]] = []

    async def delete() -> None:
        with suppress(Fault):  # such as: something is below him now
            await perform(server, deletion)

    async def begin() -> None:
        token = is_deleting.set(True)
        try:
            begun.append(asyncio.create_task(delete()))
            async with asyncio.timeout(HELD_SECONDS):
                while not (begun[0].done() or await is_anybody_waiting(database)):  # noqa: ASYNC110 (it is PostgreSQL)
                    await asyncio.sleep(LOOKS)
        finally:
            is_deleting.reset(token)

    def before_statement(*_arguments: Any) -> None:
        if not is_deleting.get() and next(counted) == at:
            await_only(begin())

    async def run(transaction: Transaction, sql: str, values: list[Any]) -> list[Any]:
        if transaction._driver is not None and not is_deleting.get() and next(counted) == at:
            await begin()
        return await run_on_driver(transaction, sql, values)

    async def end(_database: Database) -> None:
        await asyncio.gather(*begun)

    engine, run_on_driver = database._writer.sync_engine, Transaction._run
    event.listen(engine, "before_cursor_execute", before_statement)
    try:
        with patch.object(Transaction, "_run", run):
            return code_of(attempt)
    finally:
        event.remove(engine, "before_cursor_execute", before_statement)
        server.run(end)


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(CHANGING & set(ABOUT)))
def test_it_does_not_matter_when_he_goes(
    trusting: Server, owner: int, name: str, length: Callable[[Any, Any], Any]
) -> None:
    dice = random.Random(name)
    places = dice.sample(range(1, 14), length(2, 13))
    for at in [*places, *(range(1, 14) if name in MAKING else [])]:
        login = unique("gone")
        victim = make(trusting, owner, login, max_depth=2)
        params = params_about(trusting, name, owner, victim, login)

        async def deletion(call: Call, victim: int = victim) -> None:
            await customers.delete(call, victim, reach=Reach.SUBTREE)

        code = interrupted(trusting, at, deletion, lambda params=params: getattr(api(trusting), name)(**params))

        assert is_answer(code), at


def test_a_row_that_goes_while_it_is_waited_for_is_made_anew(trusting: Server) -> None:
    """Such as the counter of a login: it is there, then its lock is waited for, then it is gone."""
    values = {
        "key": unique("key"),
        "failures": 0,
        "since": utc_now(),
        "last": utc_now(),
        "locks": 0,
        "locked_until": None,
    }
    mine = Throttle.key == values["key"]

    async def insert(database: Database) -> None:
        async with database.transaction() as transaction:
            await transaction.insert_or_lock(Throttle, values)

    async def hold(call: Call) -> None:
        await call.session.execute(select(Throttle).where(mine).with_for_update())

    async def remove(call: Call) -> None:
        await call.session.execute(delete(Throttle).where(mine))

    trusting.run(insert)
    meanwhile(trusting, hold, lambda: trusting.run(insert), remove)

    assert trusting.sql("SELECT key FROM throttles WHERE key = :key", key=values["key"])
