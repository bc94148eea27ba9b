"""A list is read page by page, each behind the last row of the page before."""

from typing import Any
from xmlrpc.client import Fault

import pytest
from conftest import Customers, Reseller
from harness import Server
from listed import BY_PREFIX, LISTS, Listed, with_rows
from sippy import new

from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.declaration.paging import TOTAL
from xmlrpc_api.dialects.switch import METHODS

NO_ID = 2**31 - 1
every_list = pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
OFFSET = {name: listed for name, listed in LISTS.items() if listed.method != "listEvents"}
with_offset = pytest.mark.parametrize("listed", OFFSET.values(), ids=OFFSET)


def test_every_list_that_pages_has_it() -> None:
    paging = {name for name, method in METHODS.items() if "limit" in method.params.by_name}

    assert {name for name in paging if "after" in METHODS[name].params.by_name} == paging
    assert paging == BY_PREFIX | {listed.method for listed in LISTS.values()}
    assert {name for name in paging if "with_total" in METHODS[name].params.by_name} == paging
    assert all(TOTAL in METHODS[name].returns for name in paging)


Books = tuple[Reseller, int]


@pytest.fixture(scope="module")
def theirs(own: Server) -> Books:
    """Another's; see `mine`."""
    customers = Customers(own)
    return with_rows(customers, customers.reseller(balance=1000))


@pytest.fixture(scope="module")
def mine(own: Server, theirs: Books) -> Books:
    """A reseller with several rows in each list, and the customer whose books these are: for reading."""
    customers = Customers(own)
    mine = with_rows(customers, customers.reseller(balance=1000))
    theirs[0].customerAddFunds(i_customer=theirs[1], amount=1, currency="USD")
    return mine


@pytest.fixture
def new_books(customers: Customers) -> Books:
    """The same for changing."""
    return with_rows(customers, customers.reseller(balance=1000))


class TestBehindARow:
    @every_list
    def test_the_pages_together_are_the_list(self, mine: Books, listed: Listed) -> None:
        whole, told, after = listed.page(*mine), [], {}
        while page := listed.page(*mine, limit=2, **after):
            told += page
            after = {"after": page[-1][listed.id]}

        assert told == whole
        assert len(whole) >= 5

    @every_list
    def test_rows_that_come_meanwhile_shift_nothing(
        self, new_books: Books, customers: Customers, listed: Listed
    ) -> None:
        before = listed.ids(*new_books)
        first = listed.ids(*new_books, limit=2)
        with_rows(customers, new_books[0])
        new_books[0].customerAddFunds(i_customer=new_books[1], amount=1, currency="USD")

        rest = listed.ids(*new_books, after=first[-1])

        assert [*first, *rest][: len(before)] == before

    @with_offset
    def test_the_offset_counts_from_there(self, mine: Books, listed: Listed) -> None:
        ids = listed.ids(*mine)

        assert listed.ids(*mine, after=ids[0], offset=1, limit=2) == ids[2:4]
        assert listed.ids(*mine, after=ids[0], offset=NO_ID, limit=2) == []

    @every_list
    def test_the_row_need_not_be_the_callers_nor_be_there(self, mine: Books, theirs: Books, listed: Listed) -> None:
        """Whether it is there cannot be told: the answer is that of any id which stands between the same two."""
        ids = listed.ids(*mine)

        for foreign in (*listed.ids(*theirs), 1, NO_ID):
            behind = [i for i in ids if (i < foreign if listed.newest_first else i > foreign)]
            assert listed.ids(*mine, after=foreign) == behind

    @with_offset
    @pytest.mark.parametrize("after", [0, -1])
    def test_what_is_no_id_is_refused(self, mine: Books, refused: Any, listed: Listed, after: int) -> None:
        with refused(BadParameter.code, f"Parameter after must be between 1 and {NO_ID}"):
            listed.page(*mine, after=after)

    @pytest.mark.parametrize("listed", [LISTS["ledger"], LISTS["payments of one"], LISTS["payments of all"]])
    def test_filters_hold_on_every_page(self, mine: Books, listed: Listed) -> None:
        asked = {"start_date": "20200101T00:00:00", "end_date": "20990101T00:00:00"}
        asked |= {"type": "debit"} if listed.rows == "payments" else {}
        whole = listed.ids(*mine, **asked)

        assert listed.ids(*mine, after=whole[1], limit=3, **asked) == whole[2:5]
        assert listed.ids(*mine, after=whole[-1], **asked) == []

    def test_a_ledger_of_an_account(self, new_books: Books) -> None:
        api, _ = new_books
        i_account = api.listAccounts()["accounts"][0]["i_account"]
        for amount in (1, 2, 3):
            api.accountAddFunds(i_account=i_account, amount=amount, currency="USD")

        for method, rows, key in (("getLedger", "ledger", "i_ledger"), ("getPaymentsList", "payments", "i_payment")):
            ids = [row[key] for row in getattr(api, method)(i_account=i_account)[rows]]
            rest = [row[key] for row in getattr(api, method)(i_account=i_account, after=ids[0])[rows]]
            assert (len(ids), rest) == (3, ids[1:])


@every_list
class TestTotals:
    def test_are_those_of_the_whole_list_on_every_page(self, mine: Books, listed: Listed) -> None:
        whole = listed.ids(*mine)
        offset = {} if listed.method == "listEvents" else {"offset": len(whole) + 1}

        for asked in ({}, {"limit": 2}, {"limit": 0}, {"after": whole[1]}, {"after": whole[-1], "limit": 2}, offset):
            told = listed.told(*mine, with_total=True, **asked)
            assert told == {**listed.told(*mine, **asked), "total": len(whole)}

    def test_are_told_to_those_who_ask_for_them_alone(self, mine: Books, listed: Listed) -> None:
        assert set(listed.told(*mine, limit=2)) == {"result", listed.rows}
        assert listed.told(*mine, limit=2, with_total=False) == listed.told(*mine, limit=2)


SORTED = {name: listed for name, listed in LISTS.items() if "sort" in METHODS[listed.method].params.by_name}
IN_TIME = {"ledger", "payments of one", "payments of all", "history", "audit log", "events"}
WITHOUT_A_NAME = {"routing"}


@pytest.mark.one_engine
class TestOrder:
    def test_can_be_asked_of_lists_whose_rows_have_a_name(self) -> None:
        """
        Of all lists but some: bookings, payments, the history and events are in the order of time, rates in that of
        their prefixes, and extended routing tells ids alone.
        """
        assert set(LISTS) - set(SORTED) == IN_TIME | WITHOUT_A_NAME
        assert not any("sort" in METHODS[name].params.by_name for name in BY_PREFIX)

    @pytest.mark.parametrize("listed", SORTED.values(), ids=SORTED)
    def test_is_that_of_the_attribute_either_way(self, mine: Books, listed: Listed) -> None:
        """Equals are in the order of the list."""
        whole = listed.page(*mine)
        with pytest.raises(Fault, match="Parameter sort must be one of ") as refused:
            listed.page(*mine, sort="password")

        for name in refused.value.faultString.partition("one of ")[2].split(", "):
            up = sorted(whole, key=lambda row: row[name])
            down = sorted(whole, key=lambda row: row[name], reverse=True)
            assert listed.page(*mine, sort=name) == up
            assert listed.page(*mine, sort=f"-{name}", limit=3, offset=1) == down[1:4]


NAMED = {name: listed for name, listed in LISTS.items() if "name_pattern" in METHODS[listed.method].params.by_name}


@pytest.mark.parametrize("listed", NAMED.values(), ids=NAMED)
def test_patterns_of_names_are_the_same_everywhere(mine: Books, listed: Listed) -> None:
    """A backslash at the end is meant by its word."""
    found = [len(listed.ids(*mine, name_pattern=pattern)) for pattern in ("%", "%_", "\\%", "\\", "%\\")]

    assert found == [len(listed.ids(*mine))] * 2 + [0, 0, 0]


class TestPayments:
    def test_of_a_customer_that_is_gone_are_not_told(self, new_books: Books) -> None:
        api, i_customer = new_books
        assert api.getPaymentsList(limit=1)["payments"]

        api.updateCustomer(i_customer=i_customer, balance=0)
        api.deleteCustomer(i_customer=i_customer)

        assert {row["i_customer"] for row in api.getPaymentsList()["payments"]} <= {api.i_customer}

    def test_of_an_account_that_is_gone_are(self, new_books: Books) -> None:
        api, _ = new_books
        i_account = api.createAccount(**new(balance=0))["i_account"]
        api.accountAddFunds(i_account=i_account, amount=1, currency="USD")
        api.accountDebit(i_account=i_account, amount=1, currency="USD")
        api.deleteAccount(i_account=i_account)

        assert len(api.getPaymentsList(i_account=i_account)["payments"]) == 2

    def test_of_an_account_are_those_of_its_customer_alone(self, new_books: Books) -> None:
        api, i_customer = new_books
        i_account = api.listAccounts()["accounts"][0]["i_account"]
        api.accountAddFunds(i_account=i_account, amount=1, currency="USD")

        assert len(api.getPaymentsList(i_account=i_account, i_customer=api.i_customer)["payments"]) == 1
        assert api.getPaymentsList(i_account=i_account, i_customer=i_customer)["payments"] == []
        assert api.getPaymentsList(i_account=NO_ID)["payments"] == []
