"""What lists have in common beside pages: an order by a name, patterns of names, and how many there are in all."""

from dataclasses import dataclass
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from harness import unique
from sippy import new

from xmlrpc_api.declaration.faults import BadParameter

pytestmark = pytest.mark.one_engine


@dataclass(frozen=True)
class Named:
    """A list that is ordered by a name."""

    method: str
    rows: str
    id: str
    name: str
    others: int = 0  # rows that are there from the start

    def make(self, reseller: Reseller, customers: Customers, name: str) -> None:
        if self.name == "name":
            customers.make(reseller, name=name)
        elif self.name == "username":
            reseller.createAccount(**new(username=name))
        else:
            reseller.createWebUser(web_login=name, web_password=WEB_PASSWORD, i_access_level="ADMINISTRATOR")

    def told(self, reseller: Reseller, **asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(reseller, self.method)(**asked)
        return answer


LISTS = (
    Named("listCustomers", "customers", "i_customer", "name"),
    Named("listAccounts", "accounts", "i_account", "username"),
    Named("listWebUsers", "web_users", "i_web_user", "web_login", others=1),
)
every_list = pytest.mark.parametrize("listed", LISTS, ids=lambda one: one.method)


@pytest.fixture
def mark() -> str:
    return unique("m").replace("-", "")


@pytest.fixture
def mine(reseller: Reseller, customers: Customers, mark: str, listed: Named) -> Reseller:
    """Three rows, and one of somebody else whose name would fit."""
    for place in ("b", "c", "a"):
        listed.make(reseller, customers, f"{mark}_{place}")
    listed.make(customers.reseller(), customers, f"{mark}_z")
    return reseller


def names(listed: Named, answer: dict[str, Any]) -> list[str]:
    return [row[listed.name] for row in answer[listed.rows]]


@every_list
def test_the_order_is_that_of_the_name_either_way(mine: Reseller, mark: str, listed: Named) -> None:
    pattern = f"{mark}%"

    up = names(listed, listed.told(mine, name_pattern=pattern, sort=listed.name))
    down = names(listed, listed.told(mine, name_pattern=pattern, sort=f"-{listed.name}", limit=2))

    assert up == [f"{mark}_{place}" for place in "abc"]
    assert down == [f"{mark}_{place}" for place in "cb"]


@every_list
def test_a_pattern_is_that_of_sql(mine: Reseller, mark: str, listed: Named) -> None:
    def found(pattern: str) -> int:
        return len(listed.told(mine, name_pattern=pattern)[listed.rows])

    assert [found(pattern) for pattern in (f"{mark}__", f"{mark.upper()}\\__", f"{mark}_", f"{mark}%z", "%")] == [
        3,
        3,
        0,
        0,
        3 + listed.others,
    ]


@every_list
def test_the_total_is_told_when_it_is_asked_for_and_only_then(mine: Reseller, mark: str, listed: Named) -> None:
    """It is that of all pages, and of the pattern."""
    ids = [row[listed.id] for row in listed.told(mine)[listed.rows]]

    assert "total" not in listed.told(mine, limit=1)
    assert listed.told(mine, with_total=True, limit=1)["total"] == 3 + listed.others
    assert listed.told(mine, with_total=True, offset=10)["total"] == 3 + listed.others
    assert listed.told(mine, with_total=True, after=ids[-1]) == {
        "result": "OK",
        listed.rows: [],
        "total": 3 + listed.others,
    }
    assert listed.told(mine, with_total=True, name_pattern=f"{mark}_a")["total"] == 1


@every_list
def test_what_cannot_be_sorted_by_is_refused_with_what_can(mine: Reseller, refused: Any, listed: Named) -> None:
    with refused(BadParameter.code, f"Parameter sort must be one of {listed.name}"):
        listed.told(mine, sort="balance; DROP TABLE customers")
    with refused(BadParameter.code, "Parameter sort must be left out where a page begins after a row"):
        listed.told(mine, sort=listed.name, after=1)
