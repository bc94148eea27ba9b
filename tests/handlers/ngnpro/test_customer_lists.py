"""CustomerPort: lists of customers, and by which words faults are told."""

from collections.abc import Callable
from typing import Any

import pytest
from faces import Api
from harness import Server
from soap import PASSWORD, Clients, SoapFault

FaultOf = Callable[..., int]
TAKEN, BAD_VALUE = 5001, 101


class TestLists:
    @pytest.fixture
    def reseller(self, clients: Clients) -> dict[str, Any]:
        reseller = clients.reseller(organization="Aardvark")
        for number, city in enumerate(["Köln", "Bonn", "Köln"]):
            clients.customer(reseller, firstName=f"Name{number}", city=city, organization="Org")
        return reseller

    def names(self, port: Any, **query: Any) -> list[str]:
        return [row["firstName"] for row in port.getCustomers(query=query)["accounts"]]

    def test_total_counts_all_and_the_list_is_a_page(self, clients: Clients, reseller: dict[str, Any]) -> None:
        order = {"attribute": "firstName", "direction": "DESC"}
        query = {"filter": {"organization": "org"}, "orderBy": order, "range": {"start": 1, "count": 1}}

        answer = clients.of(reseller).getCustomers(query=query)

        assert (answer["total"], [row["firstName"] for row in answer["accounts"]]) == (3, ["Name1"])

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            ({"city": "Köln"}, ["Name0", "Name2"]),
            ({"city": "KöLN"}, ["Name0", "Name2"]),
            ({"city": "köl%"}, ["Name0", "Name2"]),
            ({"city": "B_nn"}, ["Name1"]),
            ({"city": "B%", "firstName": "%0"}, []),
            ({"firstName": "name_"}, ["Name0", "Name1", "Name2"]),
            ({"city": "", "customer": 0, "organization": "Org"}, ["Name0", "Name1", "Name2"]),
        ],
    )
    def test_filters(
        self, clients: Clients, reseller: dict[str, Any], chosen: dict[str, Any], expected: list[str]
    ) -> None:
        order = {"attribute": "firstName", "direction": "ASC"}

        assert self.names(clients.of(reseller), filter=chosen, orderBy=order) == expected

    def test_resellers_are_those_below_the_root(self, clients: Clients, reseller: dict[str, Any]) -> None:
        port = clients.admin()
        mine = {"filter": {"reseller": reseller["id"]}}

        assert [row["id"] for row in port.getResellers(query=mine)["accounts"]] == [reseller["id"]]
        assert port.getCustomers(query=mine)["total"] == 4

    def test_a_reseller_list_filtered_by_a_customer_answers_him(self, clients: Clients) -> None:
        """This is how CDRTool reads the login that it has."""
        customer = clients.customer(clients.reseller())

        (row,) = clients.admin().getResellers(query={"filter": {"customer": customer["id"]}})["accounts"]

        assert row["id"] == customer["id"]

    def test_more_may_be_asked_for_than_there_are_but_not_answered(
        self, variant: Callable[..., Server], reseller: dict[str, Any], fault_of: FaultOf
    ) -> None:
        strict, roomy = (Clients(variant(list_limit=limit)).of(reseller).getCustomers for limit in (2, 3))
        everything = {"filter": {"organization": "Org"}, "range": {"start": 0, "count": 1_000_000}}

        assert len(roomy(query=everything)["accounts"]) == 3
        assert fault_of(strict, query=everything) == BAD_VALUE

    @pytest.mark.one_engine
    @pytest.mark.parametrize(
        "query",
        [
            {"orderBy": {"attribute": "password", "direction": "ASC"}},
            {"orderBy": {"attribute": "username", "direction": "UP"}},
            {"range": {"start": -1, "count": 1}},
        ],
    )
    def test_what_cannot_be_answered_is_told(self, clients: Clients, fault_of: FaultOf, query: dict[str, Any]) -> None:
        assert fault_of(clients.admin().getCustomers, query=query) == BAD_VALUE


@pytest.mark.one_engine
class TestWords:
    """Faults speak of attributes as this dialect does."""

    def told(self, work: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
        with pytest.raises(SoapFault) as caught:
            work(**arguments)
        return caught.value.code, caught.value.text

    def test_a_bad_value_is_named_as_it_was_sent(self, clients: Clients) -> None:
        made = clients.reseller()
        update = clients.admin().updateAccount
        long = "x" * 129

        for name, value, text in (
            ("organization", long, "Parameter organization is longer than 128 characters"),
            ("username", "a:b", "Parameter username must not hold a colon"),
            ("tel", long, "Parameter tel is longer than 64 characters"),
            ("balance", -1, None),
        ):
            code, told = self.told(update, account={"id": made["id"], name: value})
            assert (code, told) == (BAD_VALUE, text) if text else (code, told.count("_")) == (1402, 0)

    def test_what_is_taken_is_named_as_it_was_sent(self, clients: Clients) -> None:
        made = clients.reseller()

        new = {"username": made["username"].upper(), "password": PASSWORD}
        assert self.told(clients.admin().addAccount, account=new) == (TAKEN, "Parameter username is already taken")

    def test_a_right_that_is_missing_is_named_as_it_was_sent(self, clients: Clients, root: Api) -> None:
        reseller = clients.reseller()
        customer = clients.customer(reseller)
        root.updateCustomer(i_customer=reseller["id"], api_mgmt=0)

        _code, told = self.told(
            clients.of(reseller).updateAccount, account={"id": customer["id"], "password": "an0ther-Api"}
        )

        assert told == "Not permitted: password can be set by a caller with api_mgmt only"
