"""The one way of every call: who may call what, and what is made of a name that nobody knows."""

import pytest
from harness import Server

from xmlrpc_api.call import Origin
from xmlrpc_api.faults import MethodNotFound
from xmlrpc_api.registry import TABLES, Family
from xmlrpc_api.transport import http


@pytest.mark.parametrize("name", ["listCustomers", "CustomerPort.getAccount"])
def test_a_dialect_that_is_not_known_has_no_methods(server: Server, name: str) -> None:
    """Whoever adds a face says which methods it has; it does not inherit them all."""
    origin = Origin(request_id="1", dialect="telegraph", address="127.0.0.1", login=None)
    assert name in {known for family in Family for known in TABLES[family]}

    async def call(_database: object) -> None:
        await server.app[http.GATE].dispatcher.call(origin, name, [{}])

    with pytest.raises(MethodNotFound):
        server.run(call)
