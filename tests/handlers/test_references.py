"""What points at something: each such attribute has one rule, for all dialects, at creation as at change."""

from typing import Any

import pytest
from conftest import Customers, Reseller
from faces import Api
from harness import Server, unique
from sippy import new
from soap import Clients
from sqlalchemy import ForeignKey, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped

from models.base import Access, field
from xmlrpc_api.services.tree import references


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


class Elsewhere(DeclarativeBase):
    """A base that is not the server's, so that its tables are not either."""

    metadata = MetaData()


class Room(Elsewhere):
    """Points at another room, as a client would like it."""

    __tablename__ = "rooms"

    i_room: Mapped[int] = field(Integer, primary_key=True, doc="Id.", access=Access.READ_ONLY)
    door: Mapped[int] = field(ForeignKey("rooms.i_room"), doc="Where its door leads to.")
    above: Mapped[int] = field(ForeignKey("rooms.i_room"), doc="Set by the server.", access=Access.READ_ONLY)


class TestDeclaration:
    def test_a_reference_without_a_rule_is_an_error(self) -> None:
        with pytest.raises(TypeError, match=r"do not fit together: rooms\.door$"):
            references.demand_rules({}, [Room])

    def test_so_is_a_rule_without_a_reference(self) -> None:
        rules = {"rooms.door": references.EVERYBODYS, "rooms.window": references.EVERYBODYS}

        with pytest.raises(TypeError, match=r"do not fit together: rooms\.window$"):
            references.demand_rules(rules, [Room])

    def test_one_with_a_rule_is_fine(self) -> None:
        assert references.demand_rules({"rooms.door": references.EVERYBODYS}, [Room]) is None


class TestAccounts:
    """The account's customer counts, whoever of those above him calls."""

    @pytest.fixture
    def owner(self, customers: Customers, reseller: Reseller) -> Reseller:
        return customers.reseller(reseller)

    @pytest.fixture
    def account(self, owner: Reseller) -> int:
        return owner.createAccount(**new())["i_account"]

    def group(self, server: Server, owner: Reseller) -> int:
        statement = "INSERT INTO routing_groups (i_customer, name) VALUES (:o, :n) RETURNING i_routing_group"
        return server.sql(statement, o=owner.i_customer, n=unique())[0][0]

    def plan(self, server: Server, owner: Reseller) -> int:
        return owner.createServicePlan(name=unique())["i_billing_plan"]

    @pytest.mark.parametrize("name", ["i_routing_group", "i_billing_plan"])
    def test_point_at_what_is_their_customers(
        self, server: Server, reseller: Reseller, owner: Reseller, account: int, refused: Any, name: str
    ) -> None:
        make = self.group if name == "i_routing_group" else self.plan
        theirs, callers = make(server, owner), make(server, reseller)

        for api in (owner, reseller):
            api.updateAccount(i_account=account, **{name: theirs})
            with refused(401, f"Wrong {name}"):
                api.updateAccount(i_account=account, **{name: callers})

    def test_what_they_point_at_already_they_may_keep(
        self, server: Server, reseller: Reseller, owner: Reseller, account: int
    ) -> None:
        group = self.group(server, reseller)
        server.sql("UPDATE accounts SET i_routing_group = :g WHERE i_account = :a", g=group, a=account)

        owner.updateAccount(i_account=account, i_routing_group=group, description="echoed")
        owner.updateAccount(i_account=account, i_routing_group=None)

        assert owner.getAccountInfo(i_account=account)["description"] == "echoed"


class TestUsernames:
    """`user@domain` is an address below that domain, whichever dialect it comes by."""

    @pytest.fixture
    def owner(self, customers: Customers, reseller: Reseller) -> Reseller:
        return customers.reseller(reseller)

    def domain(self, clients: Clients, owner: Reseller) -> str:
        name = f"{unique('d')}.example.com"
        clients.admin("Sip").addDomain(domain={"domain": name, "customer": owner.i_customer})
        return name

    def test_of_strangers_domains_are_refused(
        self, clients: Clients, customers: Customers, owner: Reseller, refused: Any
    ) -> None:
        foreign = self.domain(clients, customers.reseller())
        account = owner.createAccount(**new())["i_account"]

        for domain in (foreign, foreign.upper()):
            with refused(401, "Wrong username"):
                owner.createAccount(**new(username=f"{unique()}@{domain}"))
            with refused(401, "Wrong username"):
                owner.updateAccount(i_account=account, username=f"{unique()}@{domain}", voip_password="s3cret-Sip")

    def test_of_ones_own_of_those_above_and_of_nobodys_are_fine(
        self, clients: Clients, reseller: Reseller, owner: Reseller
    ) -> None:
        domains = [self.domain(clients, owner), self.domain(clients, reseller), "nobodys.example.com"]

        for domain in domains:
            made = owner.createAccount(**new(username=f"{unique()}@{domain}"))
            assert made["result"] == "OK"

    def test_where_it_is_already_an_account_stays(
        self, server: Server, clients: Clients, customers: Customers, owner: Reseller
    ) -> None:
        name = f"{unique()}@{self.domain(clients, owner)}"
        account = owner.createAccount(**new(username=name))["i_account"]
        stranger = customers.reseller().i_customer
        move = "UPDATE sip_domains SET i_customer = :s WHERE domain = :d"
        server.sql(move, s=stranger, d=name.partition("@")[2])

        owner.updateAccount(i_account=account, username=name, description="echoed")

        assert owner.getAccountInfo(i_account=account)["description"] == "echoed"
        server.sql(move, s=owner.i_customer, d=name.partition("@")[2])


class TestCommissionAgents:
    def test_nobody_is_his_own(self, root: Api, reseller: Reseller, refused: Any) -> None:
        with refused(401, "Wrong i_commission_agent"):
            root.updateCustomer(i_customer=reseller.i_customer, i_commission_agent=reseller.i_customer)

    def test_nor_is_a_customer_that_of_his_account(
        self, reseller: Reseller, customers: Customers, refused: Any
    ) -> None:
        owner = customers.reseller(reseller)
        account = owner.createAccount(**new())["i_account"]

        with refused(401, "Wrong i_commission_agent"):
            reseller.updateAccount(i_account=account, i_commission_agent=owner.i_customer)
        reseller.updateAccount(i_account=account, i_commission_agent=customers.make(owner))

    def test_somebody_else_below_the_caller_is_one(self, root: Api, reseller: Reseller, customers: Customers) -> None:
        agent = customers.make(reseller)

        of_another = customers.make(reseller)
        reseller.updateCustomer(i_customer=of_another, i_commission_agent=agent)
        root.updateCustomer(i_customer=reseller.i_customer, i_commission_agent=agent)

        assert reseller.info(of_another)["i_commission_agent"] == agent
        assert root.info(reseller.i_customer)["i_commission_agent"] == agent
