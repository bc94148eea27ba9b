"""The XML-RPC face over the socket: HTTP's rules, hostile requests, and clients that are not ours."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable

import pytest
from faces import Api
from harness import Server, until
from wire import LIST, PATH, TEXT_XML, document, first_line, php_has_curl, post, raw, send, signed

from xmlrpc_api.transport.http import GATE

pytestmark = pytest.mark.one_engine

Start = Callable[..., Server]
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n"


def head(*headers: tuple[str, str]) -> bytes:
    """The head of a request, as raw bytes."""
    return (HEAD + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n").encode()


TYPES = ("text/xml", "application/xml", "TEXT/XML", "Application/Xml", "text/xml; charset=utf-8", "text/xml;")
TYPES += ("text/xml; charset=utf-16", 'text/xml; charset="canary', "text/xml ; a=b")


@pytest.mark.parametrize("media_type", TYPES)
def test_xml_media_types_are_accepted(server: Server, media_type: str) -> None:
    assert post(server, LIST, ("Content-Type", media_type)).value["result"] == "OK"


OTHER_TYPES = ("", "text/plain", "application/json", "application/x-www-form-urlencoded", "text/html", "xml")
OTHER_TYPES += (
    "multipart/form-data; boundary=x",
    "application/soap+xml",
    "image/svg+xml",
    "text/xmlx",
    "*/*",
)
OTHER_TYPES += ("text/plain; text/xml", "text", "a, text/xml")


@pytest.mark.parametrize("media_type", OTHER_TYPES)
def test_other_media_types_are_not(server: Server, media_type: str) -> None:
    reply = post(server, LIST, ("Content-Type", media_type))

    assert (reply.status, reply.header("Connection")) == (415, "close")


def test_a_body_without_a_media_type_is_not_accepted(server: Server) -> None:
    assert send(server, LIST, signed(server)).status == 415


CODINGS = [
    ("gzip",),
    ("deflate",),
    ("br",),
    ("x",),
    ("",),
    ("identity, gzip",),
    ("identity", "gzip"),
    ("GZIP",),
]


@pytest.mark.parametrize("codings", CODINGS)
def test_a_compressed_body_is_not_accepted(server: Server, codings: tuple[str, ...]) -> None:
    headers = [("Content-Encoding", coding) for coding in codings]

    assert post(server, LIST, TEXT_XML, *headers).status == 415


def test_an_identity_coding_is_accepted(server: Server) -> None:
    assert post(server, LIST, TEXT_XML, ("Content-Encoding", "Identity")).status == 200


class TestLimits:
    @pytest.fixture
    def small(self, variant: Start) -> Server:
        return variant(body_limit=4096, body_seconds=0.3)

    def test_a_body_of_the_limit_is_read(self, small: Server) -> None:
        assert post(small, LIST + b" " * (4096 - len(LIST))).status == 200

    def test_a_longer_one_is_refused_unread(self, small: Server) -> None:
        headers = (signed(small), TEXT_XML, ("Content-Length", "1000000000"))

        answer = raw(small, head(*headers))

        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"Connection: close" in answer
        assert not answer.endswith(b"(still open)")

    def test_one_that_does_not_tell_its_length_is_refused_when_it_is_too_long(self, small: Server) -> None:
        chunk = b"800\r\n" + b" " * 2048 + b"\r\n"
        headers = (signed(small), TEXT_XML, ("Transfer-Encoding", "chunked"))

        assert first_line(small, head(*headers) + chunk * 3).startswith(b"HTTP/1.1 413 ")

    def test_whoever_asks_first_is_told_to_continue(self, small: Server) -> None:
        headers = (signed(small), TEXT_XML, ("Expect", "100-continue"), ("Content-Length", "4096"))

        assert first_line(small, head(*headers)) == b"HTTP/1.1 100 Continue\r\n"

    def test_chunks_within_the_limit_are_read(self, small: Server) -> None:
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in LIST) + b"0\r\n\r\n"
        headers = (signed(small), TEXT_XML, ("Transfer-Encoding", "chunked"), ("Connection", "close"))

        assert b"<string>OK</string>" in raw(small, head(*headers) + chunks)

    @pytest.mark.parametrize("sent", [b"", b"<methodCall>"])
    def test_a_body_that_does_not_come_in_time_is_refused(self, small: Server, sent: bytes) -> None:
        request = head(signed(small), TEXT_XML, ("Content-Length", "100")) + sent

        assert first_line(small, request, seconds=30).startswith(b"HTTP/1.1 408 ")

    def test_a_body_that_drips_is_refused(self, small: Server) -> None:
        with socket.create_connection(("127.0.0.1", small.port), timeout=0.05) as line:
            line.sendall(head(signed(small), TEXT_XML, ("Content-Length", "1000")))
            for _ in range(100):
                line.sendall(b" ")
                try:
                    assert line.recv(100).startswith(b"HTTP/1.1 408 ")
                    break
                except TimeoutError:
                    continue
            else:
                pytest.fail("still waiting")


def test_a_client_that_goes_away_is_no_error(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    budget = server.app[GATE].budget
    room = budget._left
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head(signed(server), TEXT_XML, ("Content-Length", "100")) + b"<methodCall>")
        until(lambda: budget._left < room)
    until(lambda: budget._left == room)

    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
def test_only_post_is_allowed(server: Server, method: str) -> None:
    reply = send(server, method=method)

    assert reply.status in (405, 400) if method in ("TRACE", "X") else reply.status == 405
    assert b"canary" not in reply.body


def test_http_1_0_works(server: Server) -> None:
    request = head(signed(server), TEXT_XML, ("Content-Length", str(len(LIST)))) + LIST

    answer = raw(server, request.replace(b"HTTP/1.1", b"HTTP/1.0", 1))

    assert answer.startswith(b"HTTP/1.0 200 ")
    assert answer.endswith(b"</methodResponse>\n")


def test_a_connection_serves_many_calls_one_after_another_or_at_once(server: Server) -> None:
    nonce = send(server).nonce
    requests = [
        head(signed(server, nonce=nonce, nc=f"{n:08x}"), TEXT_XML, ("Content-Length", str(len(LIST)))) + LIST
        for n in range(1, 6)
    ]
    requests[-1] = requests[-1].replace(b"Host: x", b"Host: x\r\nConnection: close")

    assert raw(server, b"".join(requests)).count(b"HTTP/1.1 200 OK") == 5


class TestChallengeFirst:
    def test_the_401_does_not_wait_for_the_body(self, server: Server) -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=2) as line:
            line.sendall(head(TEXT_XML, ("Content-Length", "1000000")))

            assert line.recv(12) == b"HTTP/1.1 401"

    def test_an_empty_first_post_is_challenged_and_the_next_one_served(self, server: Server) -> None:
        """libcurl keeps the body back until it knows the nonce."""
        line = http.client.HTTPConnection("127.0.0.1", server.port)

        nonce = send(server, b"", TEXT_XML, connection=line).nonce
        reply = send(server, LIST, signed(server, nonce=nonce), TEXT_XML, connection=line)

        assert reply.value["result"] == "OK"
        line.close()

    @pytest.mark.parametrize("headers", [(), (("Content-Encoding", "gzip"),), (("Content-Type", "x"),), (TEXT_XML,)])
    @pytest.mark.parametrize("body", [b"", b"<!DOCTYPE", LIST, b"\0" * 2_000_000])
    def test_nobody_reaches_the_parser_or_a_limit_without_credentials(
        self, server: Server, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> None:
        try:
            reply = send(server, body, *headers)
        except (BrokenPipeError, ConnectionResetError):  # answered before all was sent
            assert len(body) > 1_000_000
        else:
            assert (reply.status, reply.body) == (401, b"Authentication required\n")


def test_a_fault_travels_in_http_200(server: Server) -> None:
    reply = post(server, document("canary"))

    assert reply.status == 200
    assert reply.header("Content-Type").startswith("text/xml")
    assert reply.fault == (-32601, "Method not found")


def test_every_answer_has_a_request_id_of_its_own(server: Server) -> None:
    replies = [send(server), post(server, LIST), post(server, b"<"), post(server, document("canary"))]

    ids = {reply.header("X-Request-Id") for reply in replies}
    assert len(ids) == len(replies)
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)


ANSWERS = {
    "200": lambda server: post(server, LIST),
    "401": lambda server: send(server, LIST),
    "404": lambda server: send(server, method="GET", target="/canary"),
    "405": lambda server: send(server, method="GET"),
    "413": lambda server: post(server, b" " * 1_048_577),
    "415": lambda server: post(server, LIST, ("Content-Type", "canary/x")),
    "417": lambda server: post(server, LIST, TEXT_XML, ("Expect", "canary")),
}


@pytest.mark.parametrize("status", ANSWERS)
def test_no_answer_tells_a_version(server: Server, status: str) -> None:
    reply = ANSWERS[status](server)

    text = str(reply.headers) + reply.body.decode()
    assert not re.search("python|aiohttp|lxml|[0-9]+\\.[0-9]+\\.[0-9]+", text, re.IGNORECASE)
    assert reply.header("Server") == "xmlrpc-api"


BROKEN_HTTP = {
    "no colon": b"GET / HTTP/1.1\r\ncanary\r\n\r\n",
    "bad chunk": head(("Transfer-Encoding", "chunked")) + b"canary\r\n",
    "two lengths": head(("Content-Length", "1"), ("Content-Length", "2")) + b"ab",
    "length and chunks": head(("Content-Length", "3"), ("Transfer-Encoding", "chunked")) + b"0\r\n\r\n",
    "no HTTP": b"canary\r\n\r\n",
    "long line": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: a\0canary\r\n\r\n",
}


@pytest.mark.parametrize("request_", BROKEN_HTTP.values(), ids=BROKEN_HTTP)
def test_broken_http_gets_one_4xx_and_the_connection_is_closed(server: Server, request_: bytes) -> None:
    answer = raw(server, request_)

    assert re.match(rb"HTTP/1\.[01] 4\d\d ", answer)
    assert answer.count(b"HTTP/1.") == 1
    assert not answer.endswith(b"(still open)")


def test_the_answer_to_broken_http_tells_nothing(server: Server) -> None:
    answers = b"".join(raw(server, request) for request in BROKEN_HTTP.values())

    assert not re.search(b"python|aiohttp|canary|xxx", answers, re.IGNORECASE)


HOSTILE = {
    "document type": b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><methodCall>&x;</methodCall>",
    "no XML": b"\0\xff" * 1000,
    "deep": document("m", "<array><data><value>" * 20_000),
    "attributes": b"<methodCall " + b"".join(b"a%d='1' " % i for i in range(50_000)) + b"/>",
    "long name": document("a" * 500_000),
    "long text": document("getCustomerInfo", "x" * 900_000),
    "many params": document("listCustomers", *[""] * 26_000),
    "many members": document("listCustomers", f"<struct>{'<member/>' * 50_000}</struct>"),
    "text as struct": document("listCustomers", "canary"),
    "names of Python": document("__init__"),
    "dotted names of Python": document("post.__globals__"),
    "a path": document("../../etc/passwd"),
    "control characters in base64": document("listCustomers", "<base64>AAEb</base64>"),
    "a key of Python": document("listCustomers", "<struct><member><name>self</name><value/></member></struct>"),
    "too large an id": document(
        "listCustomers",
        "<struct><member><name>limit</name><value><i8>9223372036854775807</i8></value></member></struct>",
    ),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_gets_an_answer_without_internals(server: Server, body: bytes) -> None:
    reply = post(server, body)

    assert reply.status == 200
    assert b"Internal error" not in reply.body
    assert not re.search(b"traceback|line \\d|exception|lxml|handlers|root:|canary", reply.body, re.IGNORECASE)


OUTSIDE = {
    "document type": "<!DOCTYPE methodCall SYSTEM '{}'>",
    "entity": "<!DOCTYPE methodCall [<!ENTITY x SYSTEM '{}'>]>",
    "parameter entity": "<!DOCTYPE methodCall [<!ENTITY % x SYSTEM '{}'> %x;]>",
    "stylesheet": "<?xml-stylesheet href='{}' type='text/xsl'?>",
    "schema": "<methodCall xmlns:s='http://www.w3.org/2001/XMLSchema-instance' s:schemaLocation='urn:x {0}' "
    "s:noNamespaceSchemaLocation='{0}'><methodName>m</methodName></methodCall>",
    "XInclude": "<methodCall xmlns:i='http://www.w3.org/2001/XInclude'><i:include href='{}'/></methodCall>",
}


@pytest.mark.parametrize("form", OUTSIDE.values(), ids=OUTSIDE)
def test_no_document_makes_the_server_open_a_connection(server: Server, form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        prolog = form.format(f"http://127.0.0.1:{trap.getsockname()[1]}/x")
        body = prolog if "<methodCall" in prolog else prolog + document("m", "&x;").decode().partition("\n")[2]

        assert post(server, body.encode()).fault[0] in (-32700, -32600, -32601)

        trap.settimeout(0.05)
        with pytest.raises(TimeoutError):
            trap.accept()


@pytest.mark.timing
def test_other_calls_go_on_while_a_large_document_is_read(trusting: Server) -> None:
    large = document("listCustomers", f"<struct>{'<member><name>a</name><value/></member>' * 20_000}</struct>")
    line = http.client.HTTPConnection("127.0.0.1", trusting.port)
    line.request("POST", PATH, large, dict([TEXT_XML]))

    started = time.perf_counter()
    assert send(trusting, method="GET", target="/healthz").status == 200
    assert time.perf_counter() - started < 0.25

    line.getresponse().read()
    line.close()


class TestForeignClients:
    """Programs that other people wrote find their way without help."""

    def test_python(self, root: Api) -> None:
        assert root.listCustomers(limit=0) == {"result": "OK", "customers": []}
        assert "createCustomer" in root.proxy.system.listMethods()

    @pytest.mark.parametrize("option", ["--digest", "--anyauth"])
    def test_curl(self, server: Server, option: str) -> None:
        if not shutil.which("curl"):
            pytest.skip("curl is not installed")
        command = ["curl", "-sS", "--fail", option, "-u", f"ssp-root:{server.root_password}", "-d", "@-"]
        command += ["-H", "Content-Type: text/xml", server.url]

        done = subprocess.run(command, input=LIST, capture_output=True, check=True, timeout=20)

        assert xmlrpc.client.loads(done.stdout)[0][0]["result"] == "OK"

    @pytest.mark.parametrize("padding", [0, 2000])
    def test_php(self, server: Server, padding: int) -> None:
        """With more than 1 KiB libcurl asks first (Expect: 100-continue)."""
        if not php_has_curl():
            pytest.skip("php with its curl extension is not installed")
        settings = {
            "url": server.url,
            "password": f"ssp-root:{server.root_password}",
            "body": (LIST + b" " * padding).decode(),
        }

        done = subprocess.run(
            ["php", "-r", PHP],
            input=json.dumps(settings),
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )

        status, _, body = done.stdout.partition("\n")
        assert status == "200"
        assert xmlrpc.client.loads(body)[0][0]["result"] == "OK"


PHP = """
$settings = json_decode(file_get_contents("php://stdin"), true);
$curl = curl_init($settings["url"]);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
curl_setopt($curl, CURLOPT_POST, true);
curl_setopt($curl, CURLOPT_POSTFIELDS, $settings["body"]);
curl_setopt($curl, CURLOPT_HTTPHEADER, ["Content-Type: text/xml"]);
curl_setopt($curl, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
curl_setopt($curl, CURLOPT_USERPWD, $settings["password"]);
$body = curl_exec($curl);
echo curl_getinfo($curl, CURLINFO_HTTP_CODE), "\n", $body;
"""
