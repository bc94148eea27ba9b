"""Several processes, many clients at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks import calls, load, seed
from benchmarks.calls import Call
from benchmarks.cases.case import Case, compared
from benchmarks.cases.lists import page
from benchmarks.cases.reads import CUSTOMERS, infos
from benchmarks.cases.writes import payments
from benchmarks.databases import POSTGRESQL
from benchmarks.judging import Question, at_most, exactly, includes_at_most
from benchmarks.laboratory import SMALL, Laboratory, Server, each
from benchmarks.measuring import Contender, Ratio, Result
from benchmarks.report import progress

ONE, TWO = "one worker", "two workers"
CROWD = 64
PREPARED = 20_000
TRUSTED = "getCustomerInfo of a trusted host"
NOBODY = at_most(0)
TITLE = f"{CROWD} connections, two workers, PostgreSQL"


@contextmanager
def _workers(laboratory: Laboratory) -> Iterator[list[Contender]]:
    url = laboratory.customers(POSTGRESQL, CUSTOMERS)
    with laboratory.ours(url, TWO, workers=2) as two, laboratory.ours(url, ONE) as one:
        yield [two.asked(infos), one.asked(infos)]


def trusted_infos() -> Iterator[Call]:
    """getCustomerInfo of a trusted host, which has no password at all."""
    for i_customer in each(seed.FIRST_ID, SMALL):
        wanted = {"i_customer": i_customer, "i_wholesaler": seed.RESELLER_ID}
        yield calls.document("getCustomerInfo", wanted), b">customer-%d<" % i_customer


def changes() -> Iterator[Call]:
    """updateCustomer of one customer after another."""
    for number, i_customer in enumerate(each(seed.FIRST_ID, SMALL)):
        yield calls.document("updateCustomer", {"i_customer": i_customer, "description": f"{number}"}), b">OK<"


SENT: dict[str, Callable[[Server], Contender]] = {
    "getCustomerInfo": lambda server: server.asked(lambda: infos(SMALL)),
    TRUSTED: lambda server: server.asked_plainly(trusted_infos),
    "listCustomers": lambda server: server.asked(page(0)),
    "customerAddFunds": lambda server: server.asked(payments),
    "updateCustomer": lambda server: server.asked(changes),
}


def _plan() -> Iterator[Question]:
    for what in SENT:
        yield Question(f"{what}, {TITLE}", "refused, failed or late", "calls", NOBODY)


def _crowd(laboratory: Laboratory) -> Result:
    """Everything that is not answered rightly counts, of calls that set and check no web password."""
    url = laboratory.customers(POSTGRESQL, SMALL, "written")
    result = Result()
    for question, (what, ask) in zip(_plan(), SENT.items(), strict=True):
        progress(question.what)
        hosts = "127.0.0.1" if what == TRUSTED else "[]"
        with laboratory.ours(url, TITLE, workers=2, trusted_hosts=hosts) as server:
            requests = ask(server).requests(PREPARED)
            found = load.run(server.running.port, requests, laboratory.scale.seconds * 2, CROWD)
            result.add(question, exactly(sum(found.problems.values())))
            result.notes.append(f"{what}, {TITLE}: {found.answers:,} answers; {found.complaint or 'all right'}")
    return result


CASES: tuple[Case, ...] = (
    compared(
        "workers",
        "getCustomerInfo, two workers, PostgreSQL",
        "What a call costs when two processes share the port, beside one.",
        _workers,
        [Ratio(TWO, ONE, includes_at_most(1.05), is_cost=True)],
        connections=(CROWD, 32),
    ),
    Case(
        "crowd", TITLE, "Calls that set and check no web password: none is refused, fails or comes late.", _plan, _crowd
    ),
)
