"""What cases are measured in: databases that are filled once, servers on them, and answers that are compared."""

import json
import math
import random
import tempfile
import xmlrpc.client
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks import calls, databases, seed, servers
from benchmarks.calls import Call
from benchmarks.databases import Databases
from benchmarks.measuring import Contender
from benchmarks.report import progress
from benchmarks.servers import HERE, Running, UnmeasurableError

BASELINE = "c002dcb"  # before writes went together and lists found their owner first
OURS = "this server"
SMALL, LARGE = 1000, 100_000
GOLDEN = 0.618


@dataclass(frozen=True)
class Scale:
    """How long is measured, how often, and how many customers there are."""

    seconds: float = 1.5
    rounds: int = 5
    large: int = LARGE
    million: int = 1_000_000
    entries: int = 1_000_000
    calls: int = 100_000


@dataclass
class Laboratory:
    """
    One run.

    Attributes:
        scale: How long, how often, how many.
        made: URLs of databases that are filled, by engine and name.
    """

    scale: Scale
    _stack: ExitStack = field(default_factory=ExitStack)
    made: dict[tuple[str, str], str] = field(default_factory=dict)
    _answers: Path | None = None
    _tree: Path | None = None

    def __enter__(self) -> Self:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="xmlrpc-api-bench-")))
        self.folder.chmod(0o755)  # PostgreSQL's user is not root
        self.databases: Databases = self._stack.enter_context(databases.opened(self.folder))
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def url(self, engine: str, name: str, fill: Callable[[str], object]) -> str:
        """A database of this name; `fill` makes its rows when it is asked for first."""
        known = (engine, name)
        if known not in self.made:
            progress(f"filling a database: {engine}, {name}")
            url = self.databases.url(engine, name)
            fill(url)
            self.made[known] = url
        return self.made[known]

    def customers(self, engine: str, count: int, name: str = "customers") -> str:
        """A database with so many customers."""
        return self.url(engine, f"{name}_{count}", lambda url: seed.make(url, count))

    def tree(self) -> Path:
        """The tree of the revision before this issue."""
        if self._tree is None:
            self._tree = self._stack.enter_context(servers.tree(BASELINE))
        return self._tree

    @contextmanager
    def ours(self, url: str, name: str = OURS, source: Path = HERE, **settings: Any) -> Iterator["Server"]:
        """This server on a database, or that of another tree."""
        with servers.product(url, source, **settings) as running:
            yield Server(name, running, self.databases.process(url))

    @contextmanager
    def peer(self, kind: str, name: str, url: str, *arguments: str, python_path: str = "") -> Iterator["Server"]:
        """A peer on a database."""
        with servers.peer(kind, url, *arguments, python_path=python_path) as running:
            yield Server(name, running, self.databases.process(url))

    @contextmanager
    def from_memory(self, kind: str, name: str) -> Iterator["Server"]:
        """A peer that answers what this server answered."""
        with servers.peer(kind, str(self.answers())) as running:
            yield Server(name, running, databases.NOTHING)

    def answers(self) -> Path:
        """A file with real answers of this server, for those that answer from memory."""
        if self._answers is None:
            url = self.customers(databases.SQLITE, SMALL)
            with servers.product(url, trusted_hosts="127.0.0.1") as running:
                address = f"http://127.0.0.1:{running.port}{calls.XMLRPC}"
                with xmlrpc.client.ServerProxy(address, allow_none=True) as api:
                    caller = {"i_wholesaler": seed.RESELLER_ID}
                    known = {
                        "getCustomerInfo": api.getCustomerInfo({"i_customer": seed.FIRST_ID, **caller}),
                        "listCustomers": api.listCustomers({"limit": 1000, **caller}),
                    }
            self._answers = self.folder / "answers.json"
            self._answers.write_text(json.dumps(known))
        return self._answers


@dataclass(frozen=True)
class Server:
    """A server that runs, before it is known what it is asked."""

    name: str
    running: Running
    database: Running

    def asked(self, sent: Callable[[], Iterable[Call]], name: str = "") -> Contender:
        """With XML-RPC and HTTP Digest."""
        login = seed.RESELLER, seed.PASSWORD
        return self._contender(name, sent, lambda port, some: calls.with_digest(port, *login, some))

    def asked_plainly(self, sent: Callable[[], Iterable[Call]], name: str = "") -> Contender:
        """With XML-RPC, without credentials."""
        return self._contender(name, sent, calls.plain)

    def asked_soap(self, sent: Callable[[], Iterable[Call]], name: str = "") -> Contender:
        """With SOAP; credentials are in the documents."""
        return self._contender(name, sent, lambda port, some: calls.plain(port, some, calls.SOAP))

    def asked_json(self, sent: Callable[[], Iterable[Call]], name: str = "") -> Contender:
        """By the JSON gateway; credentials are in the forms."""
        media_type = "application/x-www-form-urlencoded"
        return self._contender(name, sent, lambda port, some: calls.plain(port, some, calls.JSON, media_type))

    def _contender(
        self, name: str, sent: Callable[[], Iterable[Call]], wrap: Callable[[int, Iterable[Call]], Iterator[Call]]
    ) -> Contender:
        return Contender(name or self.name, self.running, self.database, sent, wrap)


def each(first: int, count: int) -> Iterator[int]:
    """Ids without end, from anywhere, spread over the whole range: all of them before one comes again."""
    step = max(1, int(count * GOLDEN))
    while math.gcd(step, count) != 1:
        step += 1
    place = random.randrange(count)
    while True:
        yield first + place
        place = (place + step) % count


def answer_of(contender: Contender, one: Call | None = None) -> bytes:
    """
    What a server answers to one call, or to its next.

    Raises:
        UnmeasurableError: It is no answer.
    """
    sent = next(contender.wrap(contender.running.port, [one or next(iter(contender.calls()))]))
    status, body = calls.ask(contender.running.port, sent)
    if status != 200 or sent[1] not in body:
        raise UnmeasurableError(f"{contender.name} answers HTTP {status}: {body[:200].decode(errors='replace')}")
    return bytes(body)


def decoded(body: bytes) -> Any:
    """The value of an XML-RPC answer."""
    try:
        return xmlrpc.client.loads(body.decode(), use_builtin_types=True)[0][0]
    except xmlrpc.client.Fault as fault:
        raise UnmeasurableError(f"fault {fault.faultCode}: {fault.faultString}") from None


def demand_same(asked: Iterable[tuple[Contender, Call]], decode: Callable[[bytes], Any] = decoded) -> None:
    """
    Compare what contenders answer to calls that want the same.

    Raises:
        UnmeasurableError: Two of them do not answer the same.
    """
    answers = [(contender.name, decode(answer_of(contender, call))) for contender, call in asked]
    first, expected = answers[0]
    for name, found in answers[1:]:
        if found != expected:
            raise UnmeasurableError(f"{name} does not answer what {first} does: {difference(expected, found)}")


def difference(expected: Any, found: Any) -> str:
    """Where two values begin to differ, for people."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            if name not in expected or name not in found:
                return f"{name} is in one of them only"
            if expected[name] != found[name]:
                return f"{name}: {difference(expected[name], found[name])}"
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            if one != other:
                return f"{place}: {difference(one, other)}"
    return f"{str(expected)[:100]} and {str(found)[:100]}"
