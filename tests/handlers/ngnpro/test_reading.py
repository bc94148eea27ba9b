"""What a read asks of the database: few statements, however many rows there are; and that totals are exact."""

import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from books import findings
from conftest import WEB_PASSWORD, Customers, Reseller
from harness import Server, unique
from labour import recorded
from sippy import new
from soap import ADMIN, ADMIN_PASSWORD, PASSWORD, Clients, auth, envelope, send

COUNTED = "SELECT path, sum(customers) FROM customer_counts GROUP BY path HAVING sum(customers) <> 0 ORDER BY path"
THERE = "SELECT path, count(*) FROM customers GROUP BY path ORDER BY path"
DELETED = "SELECT count(*) FROM customer_counts WHERE path LIKE :below"


class World:
    """A reseller with an account in a group, and with customers who have properties."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.reseller = clients.reseller()
        domain = f"{unique('d')}.example.com"
        port = clients.of(self.reseller, "Sip")
        port.addDomain(domain={"domain": domain})
        self.sip_id = {"username": "alice", "domain": domain}
        port.addAccount(account={"id": self.sip_id, "groups": ["anonymous"]})
        properties = [{"name": name, "value": "x"} for name in ("first", "second")]
        self.customers = [clients.customer(self.reseller, properties=properties) for _ in range(3)]

    def statements(self, operation: str, arguments: str, header: str) -> int:
        """How many a call takes, the answer to which was made before."""
        port, _, name = operation.partition(".")
        body = envelope(port, name, arguments, header)
        assert send(self.clients.server.port, body).status == 200
        with recorded(self.clients.server) as done:
            assert send(self.clients.server.port, body).status == 200
        return done.total()

    def arguments(self, operation: str, count: int = 2) -> str:
        id_, page = self.customers[0]["id"], f"<range><start>0</start><count>{count}</count></range>"
        sip_id = "".join(f"<{name}>{value}</{name}>" for name, value in self.sip_id.items())
        known = {
            "Customer.getAccount": f"<id>{id_}</id>",
            "Customer.getProperties": f"<customer>{id_}</customer>",
            "Sip.getAccount": f"<sipId>{sip_id}</sipId>",
            "Sip.getGroups": f"<sipId>{sip_id}</sipId>",
        }
        return known.get(operation, f"<query>{page}</query>")


@pytest.fixture
def world(clients: Clients) -> World:
    return World(clients)


class TestStatements:
    """Credentials, rights and who lends them are one; what is told of one thing is another."""

    @pytest.mark.parametrize(
        "operation", ["Customer.getAccount", "Customer.getProperties", "Sip.getAccount", "Sip.getGroups"]
    )
    @pytest.mark.parametrize("is_admin", [False, True])
    def test_of_what_tells_one_thing_are_two(self, world: World, operation: str, is_admin: bool) -> None:
        login = (ADMIN, ADMIN_PASSWORD) if is_admin else (world.reseller["username"], PASSWORD)
        header = auth(*login, admin=is_admin)
        path_and_properties = operation == "Customer.getProperties"
        asked_with_the_credentials = operation == "Customer.getAccount" and not is_admin

        statements = world.statements(operation, world.arguments(operation), header)
        assert statements == 2 + path_and_properties - asked_with_the_credentials

    @pytest.mark.parametrize("operation", ["Customer.getCustomers", "Sip.getAccounts"])
    def test_of_a_page_are_four_of_the_last_three(self, world: World, operation: str) -> None:
        """Who asks, which rows, what is told of them; and how many there are in all, if that is not known by then."""
        header = auth(world.reseller["username"], PASSWORD, admin=False)
        full = {"Customer.getCustomers": 2, "Sip.getAccounts": 1}[operation]

        assert world.statements(operation, world.arguments(operation, full), header) == 4
        assert world.statements(operation, world.arguments(operation, 10), header) == 3


class TestTotals:
    def test_are_those_of_what_may_be_seen(self, clients: Clients, customers: Customers) -> None:
        reseller = customers.reseller()
        below = customers.reseller(reseller)
        made = [customers.make(whose) for whose in (reseller, reseller, below)]
        page = {"range": {"start": 0, "count": 1}}

        def total(who: Reseller, operation: str = "getCustomers", **query: Any) -> int:
            port = clients.admin(impersonate=who.i_customer)
            return int(getattr(port, operation)(query={**page, **query})["total"])

        assert (total(reseller), total(below)) == (1 + 1 + 3, 1 + 1)
        assert total(reseller, filter={"reseller": reseller.i_customer}) == 5
        assert total(reseller, filter={"customer": made[0]}) == 1
        assert total(reseller, "getResellers") == 1
        assert total(below, "getResellers") == 0
        assert total(reseller, range={"start": 4, "count": 5}) == total(reseller, range={"start": 9, "count": 5}) == 5

    def test_of_the_administrator_count_everybody(self, clients: Clients, customers: Customers) -> None:
        customers.make(customers.reseller())
        server, page = clients.server, {"range": {"start": 0, "count": 1}}

        ((everybody,),) = server.sql("SELECT count(*) FROM customers WHERE i_customer <> 1")
        ((resellers,),) = server.sql("SELECT count(*) FROM customers WHERE i_wholesaler = 1")

        assert clients.admin().getCustomers(query=page)["total"] == everybody
        assert clients.admin().getResellers(query=page)["total"] == resellers

    def test_are_exact_whatever_comes_and_goes_at_once(
        self, clients: Clients, customers: Customers, server: Server
    ) -> None:
        resellers = [customers.reseller() for _ in range(3)]
        gone = [(whose, customers.make(whose)) for whose in resellers for _ in range(3)]

        def make(number: int) -> None:
            name = {"name": unique(), "web_password": WEB_PASSWORD, "i_tariff": None}
            refused = {**name, "i_tariff": 2**31 - 1} if number % 3 == 0 else name
            try:
                resellers[number % len(resellers)].createCustomer(**refused)
            except xmlrpc.client.Fault:
                assert refused is not name

        def remove(one: tuple[Reseller, int]) -> None:
            one[0].deleteCustomer(i_customer=one[1])

        with ThreadPoolExecutor(8) as pool:
            work = [*(pool.submit(make, number) for number in range(18)), *(pool.submit(remove, one) for one in gone)]
            for one in work:
                one.result()

        assert server.sql(COUNTED) == server.sql(THERE)

    def test_of_who_is_gone_are_forgotten(self, customers: Customers, server: Server) -> None:
        reseller = customers.reseller()
        below = customers.reseller(reseller)
        last = customers.make(below)

        below.deleteCustomer(i_customer=last)
        reseller.deleteCustomer(i_customer=below.i_customer)

        assert server.sql(DELETED, below=f"%.{below.i_customer}.") == [(0,)]
        assert server.sql(COUNTED) == server.sql(THERE)


def test_what_lists_would_tell_wrongly_is_found(spoilt: Server) -> None:
    ((root_has,),) = spoilt.sql("SELECT sum(customers) FROM customer_counts WHERE path = '1.'") or [(None,)]

    spoilt.sql("INSERT INTO customer_counts (path, part, customers) VALUES ('1.', 99, 2)")

    assert f"{root_has or 0} customers have the path 1., not {(root_has or 0) + 2}" in findings(spoilt)


def test_an_account_of_the_other_dialect_is_told_alike(clients: Clients, customers: Customers) -> None:
    """Its groups and properties are there, and empty."""
    reseller, account = customers.reseller(), new()
    reseller.createAccount(**account)
    port = clients.admin("Sip", impersonate=reseller.i_customer)

    (told,) = port.getAccounts(query={})["accounts"]

    assert (told["groups"], told["acl"], told["properties"]) == ([], [], [])
