"""Pages of what grows: the ledger, payments, customers. The first page costs what it costs where there is little."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks import calls, seed
from benchmarks.calls import Call
from benchmarks.cases.case import Case, Contenders, compared
from benchmarks.cases.reads import infos
from benchmarks.databases import POSTGRESQL
from benchmarks.judging import at_least
from benchmarks.laboratory import OURS, SMALL, Laboratory, answer_of, each
from benchmarks.measuring import Contender, Ratio
from benchmarks.servers import UnmeasurableError

PAGE, SHORT = 100, 10
FULL = "first 100 of 100 rows"
LITTLE = "first 100 of 10 rows (a tenth of the answer)"
MANY = "first 100 of 1,000,000 rows"
FEWER = "with 1,000 customers"
FEWER_DIDS = "with 1,000 DIDs"


def _fill(entries: int) -> Callable[[str], None]:
    """Three customers with 10, 100 and so many payments each."""

    def fill(url: str) -> None:
        seed.make(url, SMALL)
        for i_customer, count in _owners(entries).items():
            seed.add_payments(url, i_customer, count)
        seed.finish(url)

    return fill


def _owners(entries: int) -> dict[int, int]:
    return dict(zip(range(seed.FIRST_ID, seed.FIRST_ID + 3), (SHORT, PAGE, entries), strict=True))


def _pages(method: str, row: str) -> Contenders:
    @contextmanager
    def contenders(laboratory: Laboratory) -> Iterator[list[Contender]]:
        entries = laboratory.scale.entries
        url = laboratory.url(POSTGRESQL, "ledgers", _fill(entries))
        few, some, many = _owners(entries)
        with laboratory.ours(url) as server:

            def asked(name: str, i_customer: int) -> Contender:
                body = calls.document(method, {"i_customer": i_customer, "limit": PAGE})
                return server.asked(lambda: _again((body, b"<name>%s</name>" % row.encode())), name)

            contenders = [asked(MANY, many), asked(FULL, some), asked(LITTLE, few)]
            rows = [answer_of(contender).count(b"<name>%s</name>" % row.encode()) for contender in contenders]
            if rows[:2] != [PAGE, PAGE] or rows[2] not in (SHORT, SHORT + 1):  # the ledger has how it began, too
                raise UnmeasurableError(f"{method} answers {rows} rows")
            yield contenders

    return contenders


def _again(call: Call) -> Iterator[Call]:
    while True:
        yield call


RATIOS = (
    Ratio(MANY, FULL, at_least(0.85)),
    Ratio(MANY, LITTLE, at_least(0.85)),
)


def first_customers(count: int) -> Callable[[], Iterator[Call]]:
    """SOAP getCustomers, the first of them, from 0 to 9 as each call says."""
    wanted = (
        '<query xsi:type="ns5:CustomerQuery"><range xsi:type="ns5:Range"><start xsi:type="xsd:int">%d</start>'
        '<count xsi:type="xsd:int">100</count></range></query>'
    )

    def sent() -> Iterator[Call]:
        for start in each(0, SHORT):
            body = calls.envelope("Customer", "getCustomers", wanted % start, seed.RESELLER, seed.PASSWORD)
            yield body, f">{count + 1}</total>".encode()

    return sent


@contextmanager
def _soap(laboratory: Laboratory) -> Iterator[list[Contender]]:
    large = laboratory.scale.large
    few, many = laboratory.customers(POSTGRESQL, SMALL), laboratory.customers(POSTGRESQL, large)
    with laboratory.ours(many) as ours, laboratory.ours(few, FEWER) as small:
        yield [ours.asked_soap(first_customers(large)), small.asked_soap(first_customers(SMALL))]


def page(offset: int) -> Callable[[], Iterator[Call]]:
    """listCustomers, 100 from an offset; the last of them must be there."""
    body = calls.document("listCustomers", {"limit": PAGE, "offset": offset})
    return lambda: _again((body, b">customer-%d<" % (seed.FIRST_ID + offset + PAGE - 1)))


def _million(sent: Callable[[int], Callable[[], Iterator[Call]]]) -> Contenders:
    @contextmanager
    def contenders(laboratory: Laboratory) -> Iterator[list[Contender]]:
        million = laboratory.scale.million
        few, many = laboratory.customers(POSTGRESQL, SMALL), laboratory.customers(POSTGRESQL, million)
        with laboratory.ours(many) as ours, laboratory.ours(few, FEWER) as small:
            yield [ours.asked(sent(million)), small.asked(sent(SMALL))]

    return contenders


@contextmanager
def _deep(laboratory: Laboratory) -> Iterator[list[Contender]]:
    million = laboratory.scale.million
    with laboratory.ours(laboratory.customers(POSTGRESQL, million)) as ours:
        yield [ours.asked(page(million // 2))]


@contextmanager
def _dids(laboratory: Laboratory) -> Iterator[list[Contender]]:
    """The first page of DIDs, where there are many and where there are few."""

    def filled(count: int) -> str:
        def fill(url: str) -> None:
            seed.make(url, SMALL)
            seed.add_dids(url, count)

        return laboratory.url(POSTGRESQL, f"dids_{count}", fill)

    body = calls.document("getDIDsList", {"limit": PAGE})
    last = b">%d<" % (seed.FIRST_DID + PAGE)

    def sent() -> Iterator[Call]:
        return _again((body, last))

    million = laboratory.scale.million
    with laboratory.ours(filled(million)) as ours, laboratory.ours(filled(SMALL), FEWER_DIDS) as small:
        yield [ours.asked(sent), small.asked(sent)]


CASES: tuple[Case, ...] = (
    compared(
        "ledger",
        "getLedger, PostgreSQL",
        "The newest rows of a balance with 1,000,000 rows beside those of short ones; nobody else is asked.",
        _pages("getLedger", "i_ledger"),
        RATIOS,
    ),
    compared(
        "payments",
        "getPaymentsList, PostgreSQL",
        "The newest payments of a customer with 1,000,000 beside those of customers with few.",
        _pages("getPaymentsList", "i_payment"),
        RATIOS,
    ),
    compared(
        "soap-list",
        "SOAP getCustomers, 100 of 100,000, PostgreSQL",
        "A page of 100 and the total, with 100,000 customers and with 1,000.",
        _soap,
        [Ratio(OURS, FEWER, at_least(0.85))],
        longer=2,
    ),
    compared(
        "million",
        "getCustomerInfo with 1,000,000 customers, PostgreSQL",
        "Any of 1,000,000 customers beside any of 1,000.",
        _million(lambda count: lambda: infos(count)),
        [Ratio(OURS, FEWER, at_least(0.85))],
        connections=(32,),
    ),
    compared(
        "million-list",
        "listCustomers, first 100 of 1,000,000, PostgreSQL",
        "The first page of 1,000,000 customers beside that of 1,000.",
        _million(lambda _count: page(0)),
        [Ratio(OURS, FEWER, at_least(0.85))],
        connections=(32,),
    ),
    compared(
        "did-list",
        "getDIDsList, first 100 of 1,000,000, PostgreSQL",
        "The first page of 1,000,000 DIDs beside that of 1,000.",
        _dids,
        [Ratio(OURS, FEWER_DIDS, at_least(0.85))],
        connections=(32,),
    ),
    compared(
        "offset",
        "listCustomers, 100 from 500,000 of 1,000,000, PostgreSQL",
        "By offset the database counts what is skipped; there is nothing to compare it with.",
        _deep,
        [],
        connections=(4,),
    ),
)
