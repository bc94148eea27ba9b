"""Fixtures: both engines, the server on each, and customers to call it."""

import asyncio
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from faces import Api
from harness import Installed, Server, prepare, serving, test_config, unique
from postgresql import open_folder, start_postgresql
from refusals import refused
from soap import ADMIN, ADMIN_PASSWORD, Clients, SoapFault
from sqlalchemy import make_url

from xmlrpc_api import metrics
from xmlrpc_api.crypto.passwords import PasswordHasher

ENGINES = ("sqlite", "postgresql")
DATABASES = {"postgres", "new_database"}  # the fixtures below all others that need one
Within = Callable[[float], AbstractContextManager[None]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="Run the tests marked `soak` at full length.")
    parser.addoption("--quick", action="store_true", help="Run the tests alone that need no database.")
    parser.addoption("--seed", type=int, default=1, help="Seed of the mutated calls.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Leave out what is not wanted now.

    Without --soak, tests of nothing but times do not run (a busy machine must not fail the suite), nor do twins;
    with --quick, those that need a database do not.
    """
    cases = {item.nodeid for item in items}
    left_out: set[pytest.Item] = set()
    if not config.getoption("--soak"):
        left_out |= {item for item in items if item.get_closest_marker("timing") or _is_twin(item, cases)}
    if config.getoption("--quick"):
        left_out |= {item for item in items if DATABASES & set(getattr(item, "fixturenames", ()))}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _is_twin(item: pytest.Item, cases: set[str]) -> bool:
    """
    Of a test marked `one_engine`, each case runs on one engine: which one, a checksum of its name chooses.

    So both engines are met all over a module. A case that is asked for alone runs on the engine asked for.
    """
    case = getattr(item, "callspec", None)
    if not case or "engine" not in case.params or not item.get_closest_marker("one_engine"):
        return False
    names = [item.nodeid.replace(case.params["engine"], engine, 1) for engine in ENGINES]
    chosen = names[zlib.crc32(names[0].encode()) % len(names)]
    return item.nodeid != chosen and cases.issuperset(names) and not item.get_closest_marker("each_engine")


@pytest.fixture
def length(request: pytest.FixtureRequest) -> Callable[[Any, Any], Any]:
    """How long to go on: the first number in the suite, the second with --soak."""
    return lambda short, long: long if request.config.getoption("--soak") else short


@pytest.fixture
def within(request: pytest.FixtureRequest) -> Within:
    """Bounds how long a block takes, in seconds: with --soak alone, where nothing else runs beside it."""

    @contextmanager
    def bounded(seconds: float) -> Iterator[None]:
        started = time.perf_counter()
        yield
        if request.config.getoption("--soak"):
            assert time.perf_counter() - started < seconds

    return bounded


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL 18, from a wheel."""
    with open_folder() as folder:
        server = start_postgresql(folder / "pg")
        yield server
        server.cleanup()


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Makes a database of an engine, empty or a copy of another that nobody is using; answers its URL."""

    def make(engine: str, template: str | None = None) -> str:
        if engine == "sqlite":
            file = tmp_path_factory.mktemp("sqlite") / "test.db"
            if template is not None:
                shutil.copy(str(make_url(template).database), file)
            return f"sqlite:///{file}"
        server = request.getfixturevalue("postgres")
        name = unique("db").replace("-", "_")
        server.psql(f"CREATE DATABASE {name} TEMPLATE {make_url(template).database if template else 'template1'};")
        return server.get_uri(database=name)

    return make


@pytest.fixture(scope="session")
def installed(new_database: Callable[..., str]) -> Callable[[str], Installed]:
    """Makes one on an engine: a copy of a first one, since migrations take a while."""
    templates: dict[str, Installed] = {}

    def make(engine: str) -> Installed:
        if engine not in templates:
            url = new_database(engine)
            templates[engine] = Installed(url, asyncio.run(prepare(test_config(url))))
        return replace(templates[engine], url=new_database(engine, templates[engine].url))

    return make


@contextmanager
def serving_ngnpro(database: Installed, admin_hash: str) -> Iterator[Server]:
    """One that NGNPro's administrator may call, too."""
    with serving(database, ngnpro_admin_username=ADMIN, ngnpro_admin_password_hash=admin_hash) as running:
        yield running
    assert unqueued() == set(), "these methods book on balances that their declaration does not name"


@pytest.fixture(scope="session")
def server(engine: str, installed: Callable[[str], Installed], admin_hash: str) -> Iterator[Server]:
    with serving_ngnpro(installed(engine), admin_hash) as running:
        yield running


@pytest.fixture(scope="session")
def spoilt(engine: str, installed: Callable[[str], Installed], admin_hash: str) -> Iterator[Server]:
    """In place of `server`, for modules that change rows behind its back: there nobody asks if the books are right."""
    with serving_ngnpro(installed(engine), admin_hash) as running:
        yield running


@pytest.fixture(scope="module")
def own(engine: str, installed: Callable[[str], Installed], admin_hash: str) -> Iterator[Server]:
    """In place of `server`, for modules that prove all books again and again: here are few."""
    with serving_ngnpro(installed(engine), admin_hash) as running:
        yield running


def unqueued() -> set[str]:
    """
    Methods that booked on a balance which they had not announced, so far in this process.

    An import, which may have run in it, announces nothing: its rows come one after the other.
    """
    (metric,) = metrics.UNQUEUED.collect()
    booked = {sample.labels["method"] for sample in metric.samples if sample.name.endswith("_total")}
    return booked - {"customers import"}


@pytest.fixture
def fresh(engine: str, installed: Callable[[str], Installed]) -> Iterator[Server]:
    """A server on a database of its own, for tests that damage it."""
    with serving(installed(engine)) as running:
        yield running


@pytest.fixture
def variant(server: Server) -> Iterator[Callable[..., Server]]:
    """Starts a second server on the same database, with other settings."""
    started: list[Server] = []

    def start(**settings: Any) -> Server:
        running = Server(test_config(server.config.database_url, **settings), server.root_password)
        started.append(running)
        return running

    yield start
    for running in started:
        running.close()


@pytest.fixture
def root(server: Server) -> Api:
    return server.api()


WEB_PASSWORD = "s3cret-Web"
RIGHTS = {
    "accounts_mgmt": 7,
    "customers_mgmt": 7,
    "tariffs_mgmt": 7,
    "vouchers_mgmt": 7,
    "system_mgmt": 1,
    "api_mgmt": 1,
    "api_access": 1,
    "did_pool_enabled": True,
}


class Customers:
    """Makes customers through the API, and clients that call as them."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def make(self, owner: Api, **attributes: Any) -> int:
        name = unique()
        defaults = {"name": name, "web_password": WEB_PASSWORD, "i_tariff": None}
        return owner.createCustomer(**{**defaults, **attributes})["i_customer"]

    def tariff(self, owner: Api, currency: str = "USD") -> int:
        """A tariff that `owner` may assign."""
        i_tariff: int = owner.createTariff(name=unique("tariff"), currency=currency)["i_tariff"]
        return i_tariff

    def routing_group(self, i_customer: int) -> int:
        """A routing group that a customer may assign."""
        statement = "INSERT INTO routing_groups (i_customer, name) VALUES (:o, :n) RETURNING i_routing_group"
        return self.server.sql(statement, o=i_customer, n=unique())[0][0]

    def reseller(self, owner: Api | None = None, **attributes: Any) -> "Reseller":
        name = attributes.pop("name", unique("reseller"))
        owner = owner or self.server.api()
        i_customer = self.make(owner, name=name, **{**RIGHTS, "api_password": "s3cret-Api", **attributes})
        return Reseller(self.server, i_customer, attributes.get("web_login", name))


class Reseller(Api):
    """A client that calls as a customer of its own."""

    def __init__(self, server: Server, i_customer: int, login: str) -> None:
        super().__init__(server.url, login, "s3cret-Api")
        self.i_customer = i_customer


@pytest.fixture(name="refused")
def _refused() -> Any:
    return refused


@pytest.fixture
def customers(server: Server) -> Customers:
    return Customers(server)


@pytest.fixture
def reseller(customers: Customers) -> Reseller:
    """A wholesaler directly below root, with all rights."""
    return customers.reseller()


@pytest.fixture(scope="session")
def admin_hash() -> str:
    hasher = PasswordHasher(4, 1)
    try:
        return asyncio.run(hasher.hash(ADMIN_PASSWORD))
    finally:
        hasher.close()


@pytest.fixture
def ngnpro(server: Server) -> Server:
    """The server, which speaks NGNPro's SOAP with an administrator."""
    return server


@pytest.fixture
def clients(ngnpro: Server) -> Clients:
    return Clients(ngnpro)


@pytest.fixture
def fault_of() -> Callable[..., int]:
    """Calls something that must fail; the code of its fault."""

    def call(work: Callable[..., Any], **arguments: Any) -> int:
        with pytest.raises(SoapFault) as caught:
            work(**arguments)
        return caught.value.code

    return call
