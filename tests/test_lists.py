"""Lists are never silently shortened, whatever dialect asks."""

import pytest
from sqlalchemy import select

from models import Customer
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.services.ngnpro import queries
from xmlrpc_api.services.tree import lists
from xmlrpc_api.services.tree.lists import Asked, List

MOST = 2
SWITCH, NGNPRO = lists.Words(), queries.WORDS
CUSTOMERS = List(
    select(Customer.i_customer),
    Customer.i_customer,
    filters={"city": lambda city: Customer.city == city},
    orders={"changeDate": Customer.changed, "city": Customer.city},
)


def sql(asked: Asked) -> str:
    return str(CUSTOMERS.asked_for(asked))


def is_refused(asked: Asked, there: int) -> bool:
    try:
        asked.demand_whole(None, there)
    except BadParameter:
        return True
    return False


class TestWholeAnswers:
    @pytest.mark.parametrize(
        ("words", "count", "text"),
        [
            (SWITCH, None, "Parameter limit is required: there are more than 2 rows"),
            (SWITCH, 3, "Parameter limit must not be greater than 2"),
            (NGNPRO, None, "Parameter range is required: there are more than 2 matches"),
            (NGNPRO, 3, "Parameter count must not be greater than 2"),
        ],
    )
    def test_are_refused_in_the_words_of_the_dialect(self, words: lists.Words, count: int | None, text: str) -> None:
        asked = Asked(count=count, most=MOST, words=words)

        with pytest.raises(BadParameter, match=text):
            asked.demand_whole(None, MOST + 1)

    @pytest.mark.parametrize(("count", "there"), [(None, 2), (1_000_000, 2), (2, 1_000_000), (0, 3), (None, -5)])
    def test_are_given(self, count: int | None, there: int) -> None:
        """More may be asked for than there are, and more may be there than is asked for."""
        assert not is_refused(Asked(count=count, most=MOST), there)


class TestWhatIsAskedFor:
    def test_is_the_same_in_both_dialects(self) -> None:
        one = lists.asked({"city": "Bonn", "offset": 4, "limit": 2})
        other = queries.asked({"filter": {"city": "Bonn", "owner": 0}, "range": {"start": 4, "count": 2}})

        assert sql(one) == sql(other)
        assert (one.start, one.count) == (other.start, other.count) == (4, 2)

    def test_that_is_left_out_does_not_count(self) -> None:
        nothing = sql(Asked())

        assert "WHERE" not in nothing
        assert sql(lists.asked({"city": None, "offset": None})) == nothing
        assert sql(queries.asked({"filter": {"city": ""}, "orderBy": {"attribute": ""}})) == nothing

    def test_keeps_the_order_of_the_list_among_equals(self) -> None:
        query = {"orderBy": {"attribute": "city", "direction": "desc"}}

        assert sql(queries.asked(query)).endswith("ORDER BY customers.city DESC, customers.i_customer")

    @pytest.mark.parametrize(
        ("order", "text"),
        [
            ({"attribute": "password"}, "Parameter attribute must be one of changeDate, city"),
            ({"attribute": "city", "direction": "UP"}, "Parameter direction must be ASC or DESC"),
        ],
    )
    def test_is_refused_where_it_is_not_known(self, order: dict[str, str], text: str) -> None:
        with pytest.raises(BadParameter, match=text):
            sql(queries.asked({"orderBy": order}))
