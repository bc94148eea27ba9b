"""What is asked at another place, or in another way, is told where the API is."""

import pytest
from harness import Server
from wire import LIST, PATH, post, send

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


def test_the_way_that_is_known_from_before_leads_to_the_same_answer(server: Server) -> None:
    first, again = (post(server, LIST) for _ in range(2))

    assert (again.status, again.body, sorted(name for name, _ in again.headers)) == (
        first.status,
        first.body,
        sorted(name for name, _ in first.headers),
    )
    assert (first.header("Server"), again.header("Server")) == ("xmlrpc-api", "xmlrpc-api")


def test_a_way_that_is_known_changes_nothing_for_others(server: Server) -> None:
    post(server, LIST)

    told = [send(server, method="GET").status, send(server, target=f"{PATH}/").status]
    told += [send(server, LIST, target=f"{PATH}?canary").status, send(server, LIST, method="post").status]
    assert told == [405, 404, 401, 400]


def test_who_expects_something_is_told_on_a_way_that_is_known(server: Server) -> None:
    post(server, LIST)

    assert post(server, LIST, ("Expect", "canary")).status == 417
