"""What is asked at another place, or in another way, is told where the API is."""

import pytest
from harness import Server
from wire import send

pytestmark = pytest.mark.one_engine

PLACES = "XML-RPC is at POST /xmlapi/xmlapi, JSON at GET or POST /api.php, NGNPro's SOAP at POST /ngnpro/"
WRONG_PLACES = ["/", "/RPC2", "/xmlapi", "/xmlapi/xmlapi/", "/api.php/", "/index.html", "/metrics"]
WRONG_WAYS = [
    ("GET", "/xmlapi/xmlapi", {"POST"}),
    ("PUT", "/api.php", {"GET", "POST"}),
    ("HEAD", "/api.php", {"GET", "POST"}),
    ("PUT", "/ngnpro/", {"GET", "HEAD", "POST"}),
    ("OPTIONS", "/ngnpro", {"POST"}),
    ("POST", "/docs", {"GET", "HEAD"}),
]


@pytest.mark.parametrize("path", WRONG_PLACES)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_another_place_is_404(server: Server, method: str, path: str) -> None:
    reply = send(server, method=method, target=path)

    assert (reply.status, reply.body.decode()) == (404, f"There is nothing here: {PLACES}\n")


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG_WAYS)
def test_another_way_is_405(server: Server, method: str, path: str, allowed: set[str]) -> None:
    reply = send(server, method=method, target=path)

    assert reply.status == 405
    assert set(reply.header("Allow").split(",")) == allowed
    assert reply.body.decode() == ("" if method == "HEAD" else f"Not by {method}: {PLACES}\n")
