"""HTTP Digest over the socket: who is let in, who is asked again with `stale=true`, and who is not."""

import http.client
import re
import threading
from collections.abc import Callable

import pytest
from harness import Server
from wire import LIST, PATH, TEXT_XML, Reply, answer, header, send, signed

pytestmark = pytest.mark.one_engine

Start = Callable[..., Server]


@pytest.fixture
def nonce(server: Server) -> str:
    return send(server).nonce


def parallel(count: int, work: Callable[[int], Reply]) -> list[Reply]:
    """Run `work` in as many threads at the same moment."""
    replies: list[Reply] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        replies.append(work(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def call(server: Server, authorization: tuple[str, str], **options: object) -> Reply:
    return send(server, LIST, authorization, TEXT_XML, **options)


def test_the_challenge_is_one_md5_with_qop_auth(server: Server) -> None:
    assert re.fullmatch(
        'Digest realm="xmlrpc-api", nonce="[0-9a-f]+", qop="auth", algorithm=MD5',
        send(server).header("WWW-Authenticate"),
    )


def test_a_right_answer_is_let_in(server: Server, nonce: str) -> None:
    assert call(server, signed(server, nonce=nonce)).status == 200


FORMS: dict[str, Callable[[dict[str, str]], str]] = {
    "reversed": lambda members: ",".join(f'{name}="{members[name]}"' for name in reversed(members)),
    "nothing quoted": lambda members: ", ".join(f"{name}={value}" for name, value in members.items()),
    "no algorithm": lambda members: ", ".join(
        f'{name}="{value}"' for name, value in members.items() if name != "algorithm"
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_members_may_come_in_any_form(server: Server, nonce: str, form: Callable[[dict[str, str]], str]) -> None:
    members = answer(nonce, "ssp-root", server.root_password)

    assert call(server, ("Authorization", f"Digest {form(members)}")).status == 200


def test_a_nonce_serves_many_calls_on_one_connection(server: Server, nonce: str) -> None:
    line = http.client.HTTPConnection("127.0.0.1", server.port)

    replies = [call(server, signed(server, nonce=nonce, nc=f"{count:08x}"), connection=line) for count in range(1, 20)]

    assert {reply.status for reply in replies} == {200}
    line.close()


def test_32_parallel_calls_on_one_nonce_all_pass(server: Server, nonce: str) -> None:
    replies = parallel(32, lambda n: call(server, signed(server, nonce=nonce, nc=f"{n + 1:08x}")))

    assert [reply.status for reply in replies] == [200] * 32


def test_of_64_simultaneous_uses_of_one_header_one_passes(server: Server, nonce: str) -> None:
    authorization = signed(server, nonce=nonce)

    replies = parallel(64, lambda _: call(server, authorization))

    assert sorted(reply.status for reply in replies) == [200] + [401] * 63


def test_a_header_sent_twice_is_stale(server: Server, nonce: str) -> None:
    authorization = signed(server, nonce=nonce)
    call(server, authorization)

    again = call(server, authorization)

    assert (again.status, again.is_stale) == (401, True)
    assert call(server, signed(server, nonce=again.nonce)).status == 200


def test_another_cnonce_does_not_make_a_count_new(server: Server, nonce: str) -> None:
    call(server, signed(server, nonce=nonce))

    assert call(server, signed(server, nonce=nonce, cnonce="other")).status == 401


def test_a_count_of_zero_is_stale(server: Server, nonce: str) -> None:
    reply = call(server, signed(server, nonce=nonce, nc="00000000"))

    assert (reply.status, reply.is_stale) == (401, True)


def test_without_qop_a_nonce_serves_once(server: Server, nonce: str) -> None:
    """RFC 2069: it has no count."""
    authorization = signed(server, nonce=nonce, qop=None)

    first, second = call(server, authorization), call(server, authorization)

    assert (first.status, second.status, second.is_stale) == (200, 401, True)
    assert call(server, signed(server, nonce=nonce)).is_stale


def test_an_expired_nonce_is_stale(variant: Start) -> None:
    server = variant()
    nonce = send(server).nonce
    server.stop_clock().move(301)

    reply = call(server, signed(server, nonce=nonce))

    assert (reply.status, reply.is_stale) == (401, True)
    assert call(server, signed(server, nonce=reply.nonce)).status == 200


@pytest.mark.parametrize("nonce", ["", "00", "zz", "ab" * 28, "dcd98b7102dd2f0e8b11d0f600bfb0c093"])
def test_a_nonce_that_is_not_ours_is_stale(server: Server, nonce: str) -> None:
    """The client proves the password, so it may know that a new nonce will do."""
    reply = call(server, header(answer(nonce, "ssp-root", server.root_password)))

    assert (reply.status, reply.is_stale) == (401, True)


def test_a_nonce_that_was_changed_is_not_ours(server: Server) -> None:
    nonce = send(server).nonce
    changed = nonce[:-1] + ("0" if nonce[-1] != "0" else "1")

    assert call(server, header(answer(changed, "ssp-root", server.root_password))).is_stale


@pytest.mark.parametrize("nc", ["00000000", "00000001", "00000002"])
def test_wrong_credentials_are_never_called_stale(server: Server, nonce: str, nc: str) -> None:
    call(server, signed(server, nonce=nonce))

    for login, password in (("ssp-root", "wrong"), ("nobody", server.root_password)):
        for used in (nonce, "00" * 28):
            reply = call(server, signed(server, login, password, nonce=used, nc=nc))
            assert (reply.status, reply.is_stale) == (401, False)


def test_a_wrong_answer_does_not_use_up_a_count(server: Server, nonce: str) -> None:
    call(server, signed(server, "ssp-root", "wrong", nonce=nonce))

    assert call(server, signed(server, nonce=nonce)).status == 200


WRONG = {
    "another realm": {"realm": "other"},
    "another uri": {"uri": "/api.php"},
    "a uri with a query": {"uri": PATH + "?a=1"},
    "an absolute uri": {"uri": "http://127.0.0.1" + PATH},
    "another method": {"method": "GET"},
    "SHA-256, which is not configured": {"algorithm": "SHA-256"},
    "qop auth-int": {"qop": "auth-int"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_an_answer_to_something_else_is_refused(server: Server, nonce: str, changes: dict[str, str]) -> None:
    reply = call(server, signed(server, nonce=nonce, **changes))

    assert (reply.status, reply.is_stale) == (401, False)


def test_the_uri_is_the_target_as_it_was_sent(server: Server, nonce: str) -> None:
    target = PATH + "?a=%20b"

    assert call(server, signed(server, nonce=nonce, uri=target), target=target).status == 200
    assert call(server, signed(server, uri=PATH), target=target).status == 401


def test_two_authorization_headers_are_refused(server: Server, nonce: str) -> None:
    right = signed(server, nonce=nonce)

    assert send(server, LIST, right, right, TEXT_XML).status == 401
    assert send(server, LIST, right, ("Authorization", "Basic eDp5"), TEXT_XML).status == 401


@pytest.mark.parametrize(
    "value", ["", "Digest", "Basic c3NwLXJvb3Q6eA==", "Bearer x", "Digest " + "\\" * 7000, "\udcff" * 20]
)
def test_another_authorization_header_is_refused(server: Server, value: str) -> None:
    reply = call(server, ("Authorization", value))

    assert (reply.status, reply.is_stale) == (401, False)


@pytest.mark.parametrize("login", ["\udc80", "a\udce9", "x" * 5000, "%00", "' OR 1=1 --"])
def test_a_login_that_cannot_exist_is_unknown(server: Server, nonce: str, login: str) -> None:
    members = answer(nonce, "x", server.root_password) | {"username": login}

    assert call(server, header(members)).status == 401


class TestWithSha256:
    @pytest.fixture
    def both(self, variant: Start) -> Server:
        return variant(digest_algorithms=["MD5", "SHA-256"])

    def test_both_are_offered_in_the_configured_order_on_one_nonce(self, both: Server) -> None:
        first, second = send(both).all("WWW-Authenticate")

        assert first.endswith("algorithm=MD5")
        assert second == first.replace("MD5", "SHA-256")

    @pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
    def test_either_is_accepted(self, both: Server, algorithm: str) -> None:
        assert call(both, signed(both, algorithm=algorithm)).status == 200

    def test_a_count_is_used_up_for_both(self, both: Server) -> None:
        nonce = send(both).nonce
        call(both, signed(both, nonce=nonce, algorithm="MD5"))

        assert call(both, signed(both, nonce=nonce, algorithm="SHA-256")).is_stale

    def test_md5_can_be_switched_off(self, variant: Start) -> None:
        strict = variant(digest_algorithms=["SHA-256"])

        assert call(strict, signed(strict, algorithm="MD5")).status == 401
        assert call(strict, signed(strict, algorithm="SHA-256")).status == 200
