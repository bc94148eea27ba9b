"""HTTP framing: what is not one clear request gets one 4xx at most, then the connection is closed."""

import re
import socket
import struct

import pytest
from conftest import Within
from harness import Server
from wire import LIST, PATH, raw

pytestmark = pytest.mark.one_engine

NEXT = b"GET /canary-smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = len(LIST)
LARGE = 1_000_000


def request(*lines: str, start: str = f"POST {PATH} HTTP/1.1", body: bytes = b"") -> bytes:
    """A request of these header lines, as they stand, beside Host and the media type."""
    return "\r\n".join([start, "Host: 127.0.0.1", "Content-Type: text/xml", *lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes) -> bytes:
    """A request whose body is sent in these chunks, as they stand."""
    return request("Transfer-Encoding: chunked", body=body)


LENGTHS = ["+5", "-5", "5 5", "5,5", "5, 5", "0x5", "5.0", "five", "1_0", "5;5", "5e0", "\xb2", "9" * 20, "9" * 400]
CODINGS = ["xchunked", "chunked, identity", "chunked, chunked", "identity", "gzip", "chunked;q=1", '"chunked"']
CODINGS += ["\x0bchunked", "chunked\x0b", "chunk", "chunked, x", ", chunked;", "identity, gzip"]
CHUNKS = {
    "a letter": b"g\r\nx\r\n0\r\n\r\n",
    "minus": b"-1\r\nx\r\n0\r\n\r\n",
    "plus": b"+1\r\nx\r\n0\r\n\r\n",
    "hexadecimal prefix": b"0x1\r\nx\r\n0\r\n\r\n",
    "no size": b"\r\nx\r\n0\r\n\r\n",
    "space before the size": b" 1\r\nx\r\n0\r\n\r\n",
    "more than 64 bits": b"fffffffffffffffff\r\nx\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    "more data than its size": b"1\r\nxx\r\n0\r\n\r\n",
    "no line end after the data": b"1\r\nx0\r\n\r\n",
    "line feed after the data": b"1\r\nx\n0\r\n\r\n",
    "line feed after the size": b"1\nx\r\n0\r\n\r\n",
    "carriage return after the size": b"1\rx\r\n0\r\n\r\n",
    "carriage return in an extension": b"1;a\rb\r\nx\r\n0\r\n\r\n",
    "NUL in an extension": b"1;a\0b\r\nx\r\n0\r\n\r\n",
    "no colon in a trailer": b"1\r\nx\r\n0\r\ncanary\r\n\r\n",
}
HEADERS = {
    "no colon": "canary",
    "no name": ": canary",
    "space before the colon": "Content-Length : 5",
    "tab before the colon": "Content-Length\t: 5",
    "space in the name": "Content Length: 5",
    "folded": "X: a\r\n canary",
    "folded by a tab": "X: a\r\n\tcanary",
    "NUL in a value": "X: a\0canary",
    "NUL in a name": "X\0canary: a",
    "bare carriage return": "X: a\rcanary: b",
    "bell": "X: a\x07canary",
    "delete": "X: a\x7fcanary",
    "a name beyond ASCII": "X\xe9canary: a",
    "brackets in the name": "X[canary]: a",
    "a value of 64 KB": f"X: {'canary' * 11_000}",
    "a name of 64 KB": f"{'canary' * 11_000}: a",
    "a second host": "Host: canary",
}
STARTS = {
    "no version": f"POST {PATH}",
    "a version of one number": f"POST {PATH} HTTP/1",
    "a version of three": f"POST {PATH} HTTP/1.1.1",
    "version 2": f"POST {PATH} HTTP/2.0",
    "version 9": f"POST {PATH} HTTP/9.9",
    "a word after the version": f"POST {PATH} HTTP/1.1 canary",
    "lower case": f"post {PATH} HTTP/1.1",
    "http in lower case": f"POST {PATH} http/1.1",
    "tabs": f"POST\t{PATH}\tHTTP/1.1",
    "a space in the path": "POST /a canary HTTP/1.1",
    "NUL in the path": "POST /a\0canary HTTP/1.1",
    "no slash": "POST canary HTTP/1.1",
    "no path": "POST HTTP/1.1",
    "only a space": " ",
    "an unknown method": f"CANARY {PATH} HTTP/1.1",
    "a method with a bracket": f"PO[ST {PATH} HTTP/1.1",
    "a method of 64 KB": f"{'CANARY' * 11_000} {PATH} HTTP/1.1",
    "a path of 64 KB": f"POST /{'canary' * 11_000} HTTP/1.1",
    "another protocol": f"POST {PATH} RTSP/1.0",
}
NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    "SSH": b"SSH-2.0-canary\r\n",
    "SIP": b"OPTIONS sip:canary@x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n",
    "SOCKS": b"\x05\x01\x00" * 10,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    "PROXY": b"PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\n" + NEXT,
    "an answer": b"HTTP/1.1 200 canary\r\nContent-Length: 0\r\n\r\n",
    "a document": LIST,
    "NULs": b"\0" * 5000,
    "0xFF": b"\xff" * 5000,
    "100,000 headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: canary\r\n" * 100_000 + b"\r\n",
    "a header of 10 MB": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"canary" * 1_700_000 + b"\r\n\r\n",
    "length and chunks": request(f"Content-Length: {LENGTH}", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks and length": request("Transfer-Encoding: chunked", f"Content-Length: {LENGTH}", body=b"0\r\n\r\n"),
    "two lengths": request("Content-Length: 5", "Content-Length: 6", body=b"canary"),
    "the same length twice": request(f"Content-Length: {LENGTH}", f"Content-Length: {LENGTH}", body=LIST),
    "two codings": request("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "chunks in HTTP/1.0": request("Transfer-Encoding: x", start=f"POST {PATH} HTTP/1.0", body=b"0\r\n\r\n"),
}
REFUSED = {
    **{f"length {text[:30]!r}": request(f"Content-Length: {text}", body=b"canary") for text in LENGTHS},
    **{f"coding {text!r}": request(f"Transfer-Encoding: {text}", body=b"0\r\n\r\n") for text in CODINGS},
    **{f"chunk: {name}": chunked(body) for name, body in CHUNKS.items()},
    **{f"header: {name}": request(line, "Content-Length: 0") for name, line in HEADERS.items()},
    **{f"start: {name}": request("Content-Length: 0", start=line) for name, line in STARTS.items()},
    **NO_HTTP,
}


@pytest.mark.soak
@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_gets_one_4xx_and_the_connection_is_closed(trusting: Server, data: bytes, within: Within) -> None:
    with within(5):
        answer = raw(trusting, data + NEXT)

    if len(data) < LARGE:  # of more the rest is not read, and the answer may be lost with it
        assert re.match(rb"HTTP/1\.[01] 4\d\d ", answer), answer[:200]
        assert answer.count(b"HTTP/1.") == 1
    assert not answer.endswith(b"(still open)")
    assert not re.search(rb"python|aiohttp|canary|\d\.\d\.\d", answer, re.IGNORECASE)


OK = "HTTP/1.1 200 OK"
HEALTH = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
ANSWERED = {
    "empty lines first": ("\r\n\r\n" + HEALTH + "\r\n", [OK]),
    "two spaces": (HEALTH.replace(" ", "  ", 2) + "\r\n", [OK]),
    "no space after the colon": (HEALTH + "X:a\r\n\r\n", [OK]),
    "names in any case": (HEALTH + "cOnNeCtIoN: keep-alive\r\n\r\n", [OK]),
    "empty value": (HEALTH + "X:\r\n\r\n", [OK]),
    "bytes beyond ASCII in a value": (HEALTH + "X: \xe9\xff\r\n\r\n", [OK]),
    "length zero": (HEALTH + "Content-Length: 0\r\n\r\n", [OK]),
    "a body where none is expected": (HEALTH + "Content-Length: 6\r\n\r\ncanary", [OK]),
    "chunks where none are expected": (
        HEALTH + "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: a\r\n\r\n",
        [OK],
    ),
    "CHUNKED": (HEALTH + "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", [OK]),
    "HEAD": (HEALTH.replace("GET", "HEAD") + "\r\n", [OK]),
    "a whole address": (HEALTH.replace("/healthz", "http://canary/healthz") + "\r\n", [OK]),
    "a websocket": (HEALTH + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [OK]),
    "an unknown method": (HEALTH.replace("GET", "PROPFIND") + "\r\n", ["HTTP/1.1 405 Method Not Allowed"]),
    "TRACE": (HEALTH.replace("GET", "TRACE") + "\r\n", ["HTTP/1.1 405 Method Not Allowed"]),
    "CONNECT": ("CONNECT canary:443 HTTP/1.1\r\nHost: x\r\n\r\n", ["HTTP/1.1 404 Not Found"]),
    "OPTIONS": ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", ["HTTP/1.1 404 Not Found"]),
    "a path above the root": (HEALTH.replace("/healthz", "/../../etc/passwd") + "\r\n", ["HTTP/1.1 404 Not Found"]),
    "2,000 at once": ((HEALTH + "\r\n") * 2000, [OK] * 2000),
}
LAST = HEALTH + "Connection: close\r\n\r\n"


@pytest.mark.parametrize(("text", "lines"), ANSWERED.values(), ids=ANSWERED)
def test_what_is_unusual_but_clear_gets_its_answers_and_the_next_request_its_own(
    trusting: Server, text: str, lines: list[str]
) -> None:
    answer = raw(trusting, (text + LAST).encode("latin-1")).decode()

    assert re.findall(r"HTTP/1\.1 .*?(?=\r)", answer) == [*lines, OK]
    assert answer.endswith("\r\n\r\nok\n")


def test_an_expectation_that_is_not_known_is_refused(trusting: Server) -> None:
    answer = raw(trusting, request("Expect: canary", f"Content-Length: {LENGTH}", body=LIST) + NEXT)

    assert answer.startswith(b"HTTP/1.1 417 ")
    assert answer.count(b"HTTP/1.") == 1


def test_nobody_is_told_to_send_a_body_before_he_has_logged_in(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(request("Expect: 100-continue", f"Content-Length: {LENGTH}"))

        answer = line.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in answer


def test_a_client_that_offers_http_2_is_answered_in_http_1(trusting: Server) -> None:
    """Java's client does so with every first request."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")

    answer = raw(trusting, request(*offer, f"Content-Length: {LENGTH}", body=LIST), seconds=1)

    assert answer.startswith(OK.encode())
    assert b"</methodResponse>" in answer


MANY_CHUNKS = {
    "300,000 of one byte": b"1\r\nx\r\n" * 300_000,
    "an extension of 1 MB": b"1;" + b"x" * LARGE + b"\r\nx\r\n",
    "trailers of 1 MB": b"1\r\nx\r\n0\r\n" + b"X: canary\r\n" * 100_000,
}


@pytest.mark.soak
@pytest.mark.parametrize("chunks", MANY_CHUNKS.values(), ids=MANY_CHUNKS)
def test_laborious_chunks_hold_nobody_up(trusting: Server, chunks: bytes, within: Within) -> None:
    with within(3):
        answer = raw(trusting, chunked(chunks + b"0\r\n\r\n") + LAST.encode())

    assert re.match(rb"HTTP/1\.[01] (200|400) ", answer)
    assert b"canary" not in answer


def test_requests_may_come_byte_by_byte(trusting: Server) -> None:
    with socket.create_connection(("127.0.0.1", trusting.port), timeout=5) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("Connection: close", f"Content-Length: {LENGTH}", body=LIST):
            line.sendall(bytes([byte]))

        assert line.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


def test_clients_that_reset_their_connections_leave_nothing_behind(trusting: Server) -> None:
    for number in range(1000):
        line = socket.create_connection(("127.0.0.1", trusting.port), timeout=5)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.sendall(request(f"Content-Length: {LENGTH}", body=LIST[: number % LENGTH]))
        line.close()

    assert raw(trusting, LAST.encode()).startswith(OK.encode())


def test_an_answer_has_the_same_head_whether_or_not_the_connection_stays(trusting: Server) -> None:
    body = LIST
    stays = raw(trusting, request(f"Content-Length: {len(body)}", body=body), seconds=1)
    ends = raw(trusting, request(f"Content-Length: {len(body)}", "Connection: close", body=body))

    heads = [told.partition(b"\r\n\r\n")[0].decode().split("\r\n") for told in (stays, ends)]
    changing = re.compile("(X-Request-Id|Date): .*")
    usual, closed = ([changing.sub(r"\1", line) for line in head] for head in heads)
    assert [line for line in closed if line != "Connection: close"] == usual
    assert stays.partition(b"\r\n\r\n")[2].startswith(ends.partition(b"\r\n\r\n")[2])
