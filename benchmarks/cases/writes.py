"""createCustomer and customerAddFunds, beside an ORM that writes the same, and beside what they were."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from benchmarks import calls, databases, seed
from benchmarks.calls import Call
from benchmarks.cases.case import Case, Contenders, compared
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.judging import at_least
from benchmarks.laboratory import BASELINE, OURS, SMALL, Laboratory, answer_of, each
from benchmarks.measuring import Contender, Ratio
from benchmarks.servers import UnmeasurableError

OBVIOUS = "obvious stack"
TABLES = ("customers", "web_users", "balances", "ledger", "audit_log")

Counts = dict[str, int]


def new_customers() -> Iterator[Call]:
    """createCustomer, with a name of its own each."""
    while True:
        new = {"name": uuid.uuid4().hex, "web_password": "s3cret-Pa55", "i_tariff": None}
        yield calls.document("createCustomer", new), b"<name>i_customer</name>"


def payments() -> Iterator[Call]:
    """customerAddFunds: to one customer after another, so little that it can be gone on with."""
    for i_customer in each(seed.FIRST_ID, SMALL):
        paid = {"i_customer": i_customer, "amount": "0.000001", "currency": "USD"}
        yield calls.document("customerAddFunds", paid), b">OK<"


def _counts(url: str) -> Counts:
    """How many rows each table has, and how much money there is."""
    counted = {table: f"SELECT count(*) AS found FROM {table}" for table in TABLES}
    counted |= {
        "money": "SELECT sum(balance) AS found FROM balances",
        "paid in": "SELECT sum(funded) AS found FROM balances",
        "booked": "SELECT sum(amount) AS found FROM ledger",
    }
    return {what: int(databases.ask(url, statement)[0]["found"] or 0) for what, statement in counted.items()}


def changes(url: str, contender: Contender) -> Counts:
    """What one call of it changes."""
    before = _counts(url)
    answer_of(contender)
    after = _counts(url)
    return {what: after[what] - count for what, count in before.items() if after[what] != count}


def demand_written(found: dict[str, Counts], wanted: Counts) -> None:
    """
    Every contender writes what a call has to write.

    Raises:
        UnmeasurableError: One writes something else.
    """
    for name, changed in found.items():
        if {what: changed.get(what, 0) for what in wanted} != wanted:
            raise UnmeasurableError(f"{name} changes {changed}, not {wanted}")


NEW = {"customers": 1, "web_users": 1, "balances": 1, "audit_log": 1}
PAID = {"ledger": 2, "money": 0, "booked": 0, "paid in": 1}


def _beside(engine: str, sent: Callable[[], Iterator[Call]], wanted: Counts) -> Contenders:
    @contextmanager
    def contenders(laboratory: Laboratory) -> Iterator[list[Contender]]:
        url = laboratory.customers(engine, SMALL, "written")
        with ExitStack() as stack:
            ours = stack.enter_context(laboratory.ours(url, is_stubbed=True))
            peer = stack.enter_context(laboratory.peer("obvious", OBVIOUS, url, "database"))
            asked = [ours.asked(sent), peer.asked(sent)]
            demand_written({contender.name: changes(url, contender) for contender in asked}, wanted)
            yield asked

    return contenders


@contextmanager
def _before(laboratory: Laboratory) -> Iterator[list[Contender]]:
    now = laboratory.customers(POSTGRESQL, SMALL, "written_now")
    tree = laboratory.tree()
    then = laboratory.url(POSTGRESQL, "written_then", lambda url: seed.make(url, SMALL, tree))
    with laboratory.ours(now) as ours, laboratory.ours(then, BASELINE, tree) as before:
        asked = [ours.asked(payments), before.asked(payments)]
        demand_written({OURS: changes(now, asked[0]), BASELINE: changes(then, asked[1])}, PAID)
        yield asked


ABOUT_CREATE = (
    "A customer, its login, its balance and a signed row of the history, in a transaction; passwords are hashed to a"
    " constant by both"
)
CASES: tuple[Case, ...] = (
    compared(
        "create",
        "createCustomer, PostgreSQL",
        f"{ABOUT_CREATE}.",
        _beside(POSTGRESQL, new_customers, NEW),
        [Ratio(OURS, OBVIOUS, at_least(3))],
        longer=2,
    ),
    compared(
        "create-sqlite",
        "createCustomer, SQLite",
        f"{ABOUT_CREATE}; on SQLite.",
        _beside(SQLITE, new_customers, NEW),
        [Ratio(OURS, OBVIOUS, None)],
        connections=(4,),
    ),
    compared(
        "funds",
        "customerAddFunds, PostgreSQL",
        "Two balances locked and changed, two rows of the ledger, in a transaction; one payer, 1000 customers in turn.",
        _beside(POSTGRESQL, payments, PAID),
        [Ratio(OURS, OBVIOUS, at_least(2.5))],
        longer=2,
    ),
    compared(
        "funds-before",
        "customerAddFunds, PostgreSQL, before",
        "This server beside its own revision c002dcb, on databases that were filled alike.",
        _before,
        [Ratio(OURS, BASELINE, at_least(3))],
        longer=2,
    ),
)
