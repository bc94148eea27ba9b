"""The one way of every call: who may call what, and what is made of a name that nobody knows."""

from typing import Any

import pytest
from faces import Api
from harness import Server
from soap import ADMIN, ADMIN_PASSWORD, auth, envelope, send

from xmlrpc_api.call import Origin
from xmlrpc_api.declaration.faults import MethodNotFound
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dialects.ngnpro import OPERATIONS
from xmlrpc_api.dialects.switch import METHODS
from xmlrpc_api.transport import http

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize("name", ["listCustomers", "CustomerPort.getAccount"])
def test_a_face_without_a_dialect_has_no_methods(server: Server, name: str) -> None:
    """Whoever adds a face says which methods it has; it does not inherit them all."""
    origin = Origin(request_id="1", face=Face.UPGRADE, address="127.0.0.1", login=None)
    assert name in {*METHODS, *OPERATIONS}

    async def call(_database: object) -> None:
        await server.app[http.GATE].dispatcher.call(origin, name, [{}])

    with pytest.raises(MethodNotFound):
        server.run(call)


MISSPELT = {
    "createcustomer": "createCustomer",
    "updateCustomers": "updateCustomer",
    "getCustmerInfo": "getCustomerInfo",
    "system.listMethod": "system.listMethods",
    "canary": None,
    "x" * 64: None,
}


@pytest.mark.parametrize(("name", "meant"), MISSPELT.items())
def test_a_misspelt_method_is_told_the_nearest_name(root: Api, refused: Any, name: str, meant: str | None) -> None:
    with refused(-32601, f"Method not found: did you mean {meant}?" if meant else "Method not found"):
        getattr(root.proxy, name)({})


def test_the_nearest_name_is_one_of_the_same_dialect(ngnpro: Server) -> None:
    body = envelope("Customer", "getAcount", "", auth(ADMIN, ADMIN_PASSWORD, admin=True))

    reply = send(ngnpro.port, body)

    assert (reply.code, reply.operation.findtext("faultstring")) == (900, "Method not found: did you mean getAccount?")
