"""What is asked together with who calls is what would be asked after it, and is nobody else's."""

from typing import Any

import pytest
from conftest import Customers, Reseller
from harness import Server
from sqlalchemy import bindparam, select

from models import ROOT_ID, Customer
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.customers import INFO_BY_ID, foreseen_info
from xmlrpc_api.services.ngnpro import customers as customers_of_ngnpro
from xmlrpc_api.services.tree.ownership import CALLER_COLUMNS, caller_from
from xmlrpc_api.storage.database import Database, Reading
from xmlrpc_api.storage.foresight import Foreseen

MISSING = 2_000_000_000
CALLER = select(*CALLER_COLUMNS).where(Customer.i_customer == bindparam("i_customer"))
FORESEEN = {
    "getCustomerInfo": lambda wanted: foreseen_info({"i_customer": wanted}),
    "CustomerPort.getAccount": lambda wanted: customers_of_ngnpro.foreseen_info({"id": str(wanted)}),
}
every_method = pytest.mark.parametrize("foresee", FORESEEN.values(), ids=FORESEEN)


def foreseen(wanted: int, foresee: Any = FORESEEN["getCustomerInfo"]) -> Foreseen:
    found = foresee(wanted)
    assert isinstance(found, Foreseen)
    return found


async def ask(database: Database, ahead: Foreseen, i_customer: int) -> Caller:
    """Ask for a customer together with the one who calls."""
    both = ahead.companion.beside(CALLER, Customer)
    (row,) = ahead.taken(await database.rows(both, i_customer=i_customer, **ahead.values))
    caller = caller_from(row)
    ahead.belongs_to(caller)
    return caller


@pytest.fixture(params=["itself", "a child", "a grandchild", "a stranger", "the root", "nobody"])
def wanted(request: pytest.FixtureRequest, reseller: Reseller, customers: Customers) -> int:
    child = customers.reseller(reseller)
    ids = {
        "itself": lambda: reseller.i_customer,
        "a child": lambda: child.i_customer,
        "a grandchild": lambda: customers.make(child),
        "a stranger": lambda: customers.make(customers.reseller()),
        "the root": lambda: ROOT_ID,
        "nobody": lambda: MISSING,
    }
    return int(ids[request.param]())


@every_method
def test_it_is_what_would_be_found_later(server: Server, reseller: Reseller, wanted: int, foresee: Any) -> None:
    async def work(database: Database) -> tuple[Caller, Any, Any]:
        ahead = foreseen(wanted, foresee)
        caller = await ask(database, ahead, reseller.i_customer)
        query, asked = ahead.companion.query, {**ahead.companion.bounds(caller), "wanted": wanted}
        return caller, ahead.answer(query, asked), await database.rows(query, **asked)

    caller, early, late = server.run(work)

    assert caller.i_customer == reseller.i_customer
    assert early == late


def test_it_is_told_to_nobody_but_the_caller(server: Server, reseller: Reseller, customers: Customers) -> None:
    child = customers.make(reseller)

    async def work(database: Database) -> tuple[Any, Any]:
        ahead = foreseen(child)
        caller = await ask(database, ahead, reseller.i_customer)
        assert caller.i_customer == reseller.i_customer
        stranger = {"caller": child + 1, "wanted": child}
        return ahead.answer(INFO_BY_ID, stranger), await Reading(database, ahead).rows(INFO_BY_ID, **stranger)

    early, asked = server.run(work)

    assert early is None
    assert len(asked) == 0


def test_nothing_is_told_before_somebody_calls(server: Server, reseller: Reseller, customers: Customers) -> None:
    child = customers.make(reseller)

    async def work(database: Database) -> Any:
        ahead = foreseen(child)
        both = ahead.companion.beside(CALLER, Customer)
        ahead.taken(await database.rows(both, i_customer=reseller.i_customer, **ahead.values))
        return ahead.answer(INFO_BY_ID, {"caller": reseller.i_customer, "wanted": child})

    assert server.run(work) is None


@pytest.mark.parametrize(
    "sent",
    [{}, {"i_customer": "acme"}, {"i_customer": True}, {"i_customer": 0}, {"i_customer": 2**31}, {"name": "acme"}],
    ids=str,
)
def test_what_is_no_id_is_asked_for_later(sent: dict[str, object]) -> None:
    assert foreseen_info(sent) is None


@pytest.mark.parametrize("sent", ["", "0", "07", " 7", "7.0", "-7", "2147483648", "\u0667", None, {}], ids=repr)
def test_what_is_no_id_in_soap_is_asked_for_later(sent: object) -> None:
    assert customers_of_ngnpro.foreseen_info({"id": sent}) is None


def test_the_past_is_asked_for_later() -> None:
    assert foreseen_info({"i_customer": 1, "as_of": None}) is None
