"""getCustomerInfo and listCustomers, beside what one would build instead, and beside what answers from memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks import calls, seed
from benchmarks.calls import Call
from benchmarks.cases.case import Case, Contenders, compared
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.judging import at_least, at_most
from benchmarks.laboratory import OURS, Laboratory, demand_same, each
from benchmarks.measuring import Contender, Ratio, server_cpu

CUSTOMERS = 10_000
LEAN, KEEPING = "lean obvious stack", "lean obvious stack, logins in memory"
PROTOTYPE = "asyncpg + template prototype"
MEMORY, STDLIB, CONSTANT = "aiohttp-xmlrpc from memory", "xmlrpc.server from memory", "constant bytes"
BESIDE: dict[str, tuple[str, ...]] = {
    LEAN: ("obvious", "database"),
    KEEPING: ("obvious", "memory"),
    PROTOTYPE: ("prototype",),
}
FROM_MEMORY = {MEMORY: "aiohttp-xmlrpc", STDLIB: "stdlib", CONSTANT: "constant"}
FULL = 1000

Sent = Callable[[], Iterable[Call]]


def info_of(i_customer: int) -> Call:
    """getCustomerInfo of one customer; it must be told."""
    return calls.document("getCustomerInfo", {"i_customer": i_customer}), b">customer-%d<" % i_customer


def infos(count: int = CUSTOMERS) -> Iterator[Call]:
    """That of one customer after another."""
    return map(info_of, each(seed.FIRST_ID, count))


def same_info() -> Iterator[Call]:
    """That of one, since from memory nothing else is answered."""
    while True:
        yield info_of(seed.FIRST_ID)


def full_lists() -> Iterator[Call]:
    """The first 1000 customers; the last of them must be there."""
    call = calls.document("listCustomers", {"limit": FULL}), b">customer-%d<" % (seed.FIRST_ID + FULL - 1)
    while True:
        yield call


def beside(
    engine: str, peers: Sequence[str], sent: Sent, samples: Sequence[Call], memory: Sequence[str], told: Sent
) -> Contenders:
    """This server and peers on one database, all of which answer the same, and some that answer from memory."""

    @contextmanager
    def contenders(laboratory: Laboratory) -> Iterator[list[Contender]]:
        url = laboratory.customers(engine, CUSTOMERS)
        with ExitStack() as stack:
            ours = stack.enter_context(laboratory.ours(url))
            others = [stack.enter_context(laboratory.peer(*_named(name, url))) for name in peers]
            asked = [server.asked(sent) for server in (ours, *others)]
            for sample in samples:
                demand_same((contender, sample) for contender in asked)
            known = [stack.enter_context(laboratory.from_memory(FROM_MEMORY[name], name)) for name in memory]
            fixed = [server.asked_plainly(told) for server in known]
            demand_same((contender, next(iter(told()))) for contender in (asked[0], *fixed))
            yield [*asked, *fixed]

    return contenders


def _named(name: str, url: str) -> tuple[str, ...]:
    kind, *arguments = BESIDE[name]
    return kind, name, url, *arguments


def _info(engine: str, peers: Sequence[str], memory: Sequence[str]) -> Contenders:
    samples = [info_of(seed.FIRST_ID), info_of(seed.FIRST_ID + CUSTOMERS // 2)]
    return beside(engine, peers, infos, samples, memory, same_info)


def _lists(engine: str) -> Contenders:
    return beside(engine, [LEAN], full_lists, [next(full_lists())], [MEMORY], full_lists)


ABOUT_LEAN = "HTTP Digest, rights and a row of 65 columns from the database; another customer with each request"
CASES: tuple[Case, ...] = (
    compared(
        "info",
        "getCustomerInfo, PostgreSQL",
        f"{ABOUT_LEAN}. The obvious stack is aiohttp-xmlrpc and an ORM that selects these columns.",
        _info(POSTGRESQL, [LEAN, KEEPING, PROTOTYPE], [MEMORY]),
        [
            Ratio(OURS, LEAN, at_least(3.5)),
            Ratio(OURS, KEEPING, at_least(3.5)),
            Ratio(OURS, PROTOTYPE, at_most(2), is_cost=True, cost=server_cpu),
            Ratio(OURS, MEMORY, None),
        ],
    ),
    compared(
        "info-sqlite",
        "getCustomerInfo, SQLite",
        f"{ABOUT_LEAN}. SQLite works in the server's process.",
        _info(SQLITE, [LEAN], [MEMORY]),
        [Ratio(OURS, LEAN, None), Ratio(OURS, MEMORY, None)],
        connections=(32,),
    ),
    compared(
        "list",
        "listCustomers 1000, PostgreSQL",
        "1000 rows of 7 columns from the database; the library answers the same from memory and checks nothing.",
        _lists(POSTGRESQL),
        [Ratio(OURS, MEMORY, at_least(10)), Ratio(OURS, LEAN, None)],
        longer=2,
    ),
    compared(
        "list-sqlite",
        "listCustomers 1000, SQLite",
        "The same on SQLite.",
        _lists(SQLITE),
        [Ratio(OURS, MEMORY, at_least(9)), Ratio(OURS, LEAN, None)],
        longer=2,
    ),
    compared(
        "memory",
        "getCustomerInfo from memory",
        "For the picture: the standard library's server, and what a Python server cannot pass.",
        beside(SQLITE, [], infos, [], [STDLIB, CONSTANT], same_info),
        [Ratio(OURS, STDLIB, None), Ratio(OURS, CONSTANT, None)],
        connections=(32,),
    ),
)
