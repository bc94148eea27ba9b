"""Small worlds of resellers and customers who call each other's methods, and what is theirs."""

from dataclasses import dataclass
from typing import Any

from callers import NOBODY, PASSWORD, Answer, Switchboard, Way
from conftest import RIGHTS, WEB_PASSWORD
from harness import Server, unique
from sqlalchemy import select

from models import ROOT_ID, Customer, WebUser, ancestors
from xmlrpc_api.call import Origin
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.services.money import vouchers
from xmlrpc_api.services.money.vouchers import Made, Series
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.transport import http

CALLS = {**METHODS, **OPERATIONS}


@dataclass(frozen=True)
class Person:
    """A customer as he is now, whoever he is."""

    i_customer: int
    login: str
    path: str
    impersonate: int | None

    def is_above(self, other: "Person") -> bool:
        """Whether the other one is somewhere below."""
        return self.i_customer in ancestors(other.path)


class World:
    """
    Customers of one example. Of the customers of a server, those made since it began are its own.

    Args:
        server: Where they live; it trusts `callers.TRUSTED`.
        board: Makes calls to it.
    """

    def __init__(self, server: Server, board: Switchboard) -> None:
        self.server = server
        self.board = board
        self.people: dict[int, Person] = {}
        self.first = server.sql("SELECT MAX(i_customer) FROM customers")[0][0] + 1
        self.look()

    def look(self) -> None:
        """Learn who there is."""
        columns = (Customer.i_customer, WebUser.web_login, Customer.path, Customer.impersonate)
        statement = select(*columns).join(WebUser, WebUser.i_customer == Customer.i_customer)
        mine = (Customer.i_customer >= self.first) | (Customer.i_customer == ROOT_ID)

        async def work(database: Any) -> Any:
            async with database.read() as session:
                return list(await session.execute(statement.where(WebUser.is_default, mine)))

        self.people = {row[0]: Person(*row) for row in self.server.run(work)}

    @property
    def root(self) -> Person:
        return self.people[ROOT_ID]

    def mine(self) -> list[Person]:
        """Everybody but the root, oldest first."""
        return [person for key, person in sorted(self.people.items()) if key != ROOT_ID]

    def effective(self, person: Person, way: Way) -> Person:
        """Whose rights count: over SOAP those of a lender."""
        lender = self.people.get(person.impersonate or 0) if way.is_soap else None
        return lender or person

    def call(self, person: Person, way: Way, name: str, params: Any) -> Answer:
        return self.board.call(way, person.i_customer, person.login, CALLS[name], params)

    def must(self, person: Person, way: Way, name: str, /, **params: Any) -> Any:
        """The answer to a call that has to succeed."""
        answer = self.call(person, way, name, params)
        assert not answer.is_refused, (name, params, answer)
        return answer.value

    def make(self, owner: Person, **attributes: Any) -> Person:
        """A reseller, unless told otherwise, directly below another customer."""
        defaults = {"name": unique("somebody"), "web_password": WEB_PASSWORD, "i_tariff": None}
        values = {**defaults, **RIGHTS, "api_password": PASSWORD, **attributes}
        made = self.must(owner, Way.TRUSTED, "createCustomer", **values)["i_customer"]
        self.look()
        return self.people[made]

    def make_customer(self, owner: Person, **attributes: Any) -> Person:
        """A customer who may not have others, but may call."""
        rights = {"customers_mgmt": 0, "tariffs_mgmt": 0, "api_mgmt": 0, "system_mgmt": 0, "vouchers_mgmt": 0}
        return self.make(owner, **rights, max_depth=0, **attributes)

    def lend(self, borrower: Person, lender: Person) -> None:
        """Let the administrator lend somebody the rights of another one."""
        account = {"id": borrower.i_customer, "impersonate": lender.i_customer}
        self.must(self.root, Way.IMPERSONATED, "CustomerPort.updateAccount", account=account)
        self.look()


def make_vouchers(server: Server, i_customer: int, count: int = 1, **series: Any) -> list[Made]:
    """Vouchers of a customer."""
    wanted = Series(**{"name": unique("series"), "value": 10, "currency": "USD", **series})

    async def work(database: Any) -> Any:
        caller = await ownership.load_caller(database, i_customer)
        assert caller is not None
        origin = Origin(request_id="test", face=Face.CLI, address=NOBODY, login=caller)
        dispatcher = server.app[http.GATE].dispatcher
        return await dispatcher.perform(origin, "test", caller, lambda call: vouchers.make(call, wanted, count))

    return server.run(work)
