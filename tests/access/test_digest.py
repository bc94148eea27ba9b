"""HTTP Digest without a server: the vectors of the RFCs, the header, nonces and replay protection."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import answer

from xmlrpc_api.access import digest

KEY = b"k" * 32
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
MEMBERS = {
    "username": '"Mufasa"',
    "realm": '"testrealm@host.com"',
    "nonce": f'"{NONCE}"',
    "uri": '"/dir/index.html"',
    "qop": "auth",
    "nc": "00000001",
    "cnonce": '"0a4f113b"',
    "response": '"6629fae49393a05397450978507c4ef1"',
    "opaque": '"5ccc069c403ebaf9f0171e9517f40e41"',
}


def line(members: dict[str, str] = MEMBERS, **changes: str | None) -> str:
    """A header; a change to None leaves a member out."""
    left = {name: value for name, value in {**members, **changes}.items() if value is not None}
    return "Digest " + ", ".join(f"{name}={value}" for name, value in left.items())


RFC_7616 = {
    "username": '"Mufasa"',
    "realm": '"http-auth@example.org"',
    "uri": '"/dir/index.html"',
    "nonce": '"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
    "nc": "00000001",
    "cnonce": '"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"',
    "qop": "auth",
    "opaque": '"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
}
VECTORS = {
    "RFC 7616 3.9.1, MD5": (
        line(RFC_7616, algorithm="MD5", response='"8ca523f5e9506fed4657c9700eebdbec"'),
        "Circle of Life",
    ),
    "RFC 7616 3.9.1, SHA-256": (
        line(
            RFC_7616,
            algorithm="SHA-256",
            response='"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
        ),
        "Circle of Life",
    ),
    "RFC 2617 3.5": (line(), "Circle Of Life"),
    "RFC 2069 2.4, erratum 749": (
        line(qop=None, nc=None, cnonce=None, response='"1949323746fe6a43ef61f9606e7febea"'),
        "CircleOfLife",
    ),
}


@pytest.mark.parametrize(("header", "password"), VECTORS.values(), ids=VECTORS)
def test_vectors_of_the_rfcs(header: str, password: str) -> None:
    found = digest.parse(header)

    assert digest.proves(found, "GET", password)
    assert not digest.proves(found, "GET", password + " ")
    assert not digest.proves(found, "POST", password)


FORMS = {
    "as in the RFC": line(),
    "the other way round": line(dict(reversed(MEMBERS.items()))),
    "all quoted": line(qop='"auth"', nc='"00000001"', algorithm='"MD5"'),
    "nothing quoted": line(**{name: value.strip('"') for name, value in MEMBERS.items()}),
    "no algorithm, no opaque": line(opaque=None),
    "lower case algorithm": line(algorithm="md5"),
    "upper case digest": line(response=MEMBERS["response"].upper()),
    "upper case names": line({name.upper(): value for name, value in MEMBERS.items()}),
    "scheme in lower case": line().replace("Digest", "digest"),
    "no spaces": line().replace(", ", ","),
    "many spaces": line().replace(", ", "  ,  ").replace("=", " = "),
    "escaped letters": line(username=r'"Mu\fa\sa"'),
    "unknown members": line(flavour='"a, b = \\"c\\""'),
    "comma at the end": line() + ",",
}


@pytest.mark.parametrize("header", FORMS.values(), ids=FORMS)
def test_reads_every_form_that_clients_send(header: str) -> None:
    found = digest.parse(header)

    assert found is not None
    assert (found.username, found.realm, found.uri) == ("Mufasa", "testrealm@host.com", "/dir/index.html")
    assert found.use == 1
    assert digest.proves(found, "GET", "Circle Of Life")


@pytest.mark.parametrize("login", ['a"b', "a\\b", "a, b=c", "żółć", "a b", '\\"', "ac\\me\\"])
def test_a_quoted_login_arrives_whole(login: str) -> None:
    quoted = login.replace("\\", "\\\\").replace('"', '\\"')

    assert digest.parse(line(username=f'"{quoted}"')).username == login


BAD = {
    "empty": "",
    "only the scheme": "Digest",
    "scheme and a space": "Digest ",
    "another scheme": line().replace("Digest", "Basic"),
    "no scheme": line().removeprefix("Digest "),
    "unterminated quote": line()[:-1],
    "quote in the middle": line(username='"a"b"'),
    "a member twice": line() + ', nc="00000001"',
    "a member twice, other case": line() + ", NC=00000001",
    "another header joined": line() + ", " + line(),
    "no value": line() + ", x",
    "only commas": "Digest ,,,",
    "unknown qop": line(qop="auth-int"),
    "two qops": line(qop='"auth,auth-int"'),
    "empty qop": line(qop='""'),
    "unknown algorithm": line(algorithm="SHA-512-256"),
    "session algorithm": line(algorithm="MD5-sess"),
    "nc of nine digits": line(nc="000000001"),
    "nc not hexadecimal": line(nc="0000000g"),
    "nc negative": line(nc="-0000001"),
    "nc with underscore": line(nc="0000_001"),
    "nc in other digits": line(nc="\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661"),
    "nc empty": line(nc=""),
    "nc with a line feed": line(nc='"00000001\n"'),
    "no nc": line(nc=None),
    "no cnonce": line(cnonce=None),
    "empty cnonce": line(cnonce='""'),
    "extended user name": line(username=None) + ", username*=UTF-8''Mufasa",
    **{f"no {name}": line(**{name: None}) for name in ("username", "realm", "nonce", "uri", "response")},
}


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_refuses_a_header_that_is_not_complete_and_clear(header: str) -> None:
    assert digest.parse(header) is None


STORMS = {
    "backslashes": line(username='"' + "\\" * 7000),
    "closed backslashes": line(username='"' + "\\" * 7000 + '"'),
    "quotes": line() + ", x=" + '"' * 7000,
    "700 members": line() + "".join(f", p{i}=1" for i in range(700)),
    "spaces": line() + " " * 7000 + "x",
    "commas": "Digest " + "," * 7000,
    "equal signs": "Digest a" + "=" * 7000,
    "letters": "Digest " + "a" * 7000,
    "spaces around": "Digest a" + " " * 3500 + "=" + " " * 3500 + ";",
}


@pytest.mark.timing
@pytest.mark.parametrize("header", STORMS.values(), ids=STORMS)
def test_time_to_read_a_header_is_linear(header: str) -> None:
    started = time.perf_counter()

    digest.parse(header)

    assert time.perf_counter() - started < 0.2


def test_refuses_a_header_over_8_kib() -> None:
    fits = line(opaque='"' + "x" * (digest.HEADER_LIMIT - len(line(opaque='""'))) + '"')

    assert len(fits) == digest.HEADER_LIMIT
    assert digest.parse(fits)
    assert digest.parse(fits + " ") is None


@given(st.text() | st.text('"\\=, aun0').map(lambda text: line() + ", " + text))
def test_no_header_makes_the_parser_fail(header: str) -> None:
    found = digest.parse("Digest " + header)

    assert found is None or isinstance(found, digest.Answer)


@given(st.binary(max_size=40))
def test_no_bytes_in_a_header_make_the_check_fail(raw: bytes) -> None:
    """aiohttp hands bytes that are not UTF-8 on as surrogates."""
    text = raw.decode("utf-8", "surrogateescape").replace('"', "").replace("\\", "")

    found = digest.parse(line(username=f'"{text}"', response=f'"{text}"', cnonce=f'"x{text}"'))

    assert found is None or not digest.proves(found, "POST", "password")


def test_the_challenge_keeps_the_shape_that_old_clients_parse() -> None:
    assert digest.challenge("switch", "ab12", "MD5", stale=False) == (
        'Digest realm="switch", nonce="ab12", qop="auth", algorithm=MD5'
    )
    assert digest.challenge("switch", "ab12", "SHA-256", stale=True).endswith("algorithm=SHA-256, stale=true")


@pytest.mark.parametrize("algorithm", digest.HASHES)
@pytest.mark.parametrize("qop", [', qop="auth"', ', qop="auth,auth-int"', ""])
@pytest.mark.parametrize("login", ["ssp-root", 'a "quoted\\ login', "Grüße"])
def test_a_clients_answer_proves_its_password(algorithm: str, qop: str, login: str) -> None:
    challenge = f'Digest realm="here, now", nonce="{NONCE}"{qop}, algorithm={algorithm}, opaque="x"'

    header = digest.answered(challenge, "POST", "/xmlapi?a=b", login, "s3cret: Ä")

    read = digest.parse(header or "")
    assert read is not None
    assert (read.username, read.uri, read.realm) == (login, "/xmlapi?a=b", "here, now")
    assert digest.proves(read, "POST", "s3cret: Ä")
    assert not digest.proves(read, "POST", "s3cret")


@pytest.mark.parametrize(
    "challenge", ["", 'Basic realm="x"', 'Digest realm="x"', 'Digest realm="x", nonce="y", algorithm=SHA-512']
)
def test_a_client_answers_no_challenge_that_it_does_not_know(challenge: str) -> None:
    assert digest.answered(challenge, "POST", "/", "a", "b") is None


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nonces(clock: Clock) -> digest.Nonces:
    return digest.Nonces(lambda: KEY, 300, clock)


def test_a_nonce_is_hexadecimal_and_never_the_same(nonces: digest.Nonces) -> None:
    made = {nonces.make() for _ in range(1000)}

    assert len(made) == 1000
    assert all(set(nonce) <= set("0123456789abcdef") for nonce in made)


def test_a_nonce_lives_as_long_as_configured(nonces: digest.Nonces, clock: Clock) -> None:
    nonce = nonces.make()

    clock.now += 300
    assert nonces.is_alive(nonce)
    clock.now += 1
    assert not nonces.is_alive(nonce)


def test_a_nonce_from_the_future_is_void(nonces: digest.Nonces, clock: Clock) -> None:
    nonce = nonces.make()

    clock.now -= 5

    assert not nonces.is_alive(nonce)


def test_a_nonce_of_another_key_is_void(nonces: digest.Nonces, clock: Clock) -> None:
    assert not nonces.is_alive(digest.Nonces(lambda: b"x" * 32, 300, clock).make())


def test_a_nonce_changed_anywhere_is_void(nonces: digest.Nonces) -> None:
    nonce = nonces.make()
    changed = [f"{nonce[:i]}{'0' if nonce[i] != '0' else '1'}{nonce[i + 1 :]}" for i in range(len(nonce))]

    assert not any(map(nonces.is_alive, changed))


@pytest.mark.parametrize(
    "change", [lambda n: "", lambda n: n[:-2], lambda n: n + "00", lambda n: "g" + n[1:], lambda n: "ż" + n]
)
def test_what_is_no_nonce_is_void(nonces: digest.Nonces, change: Callable[[str], str]) -> None:
    assert not nonces.is_alive(change(nonces.make()))


@pytest.fixture
def guard() -> Iterator[digest.ReplayGuard]:
    """One bucket: its eight places are soon full."""
    guard = digest.ReplayGuard(8)
    yield guard
    guard.close()


def test_a_count_is_accepted_once(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    first, second = nonces.make(), nonces.make()

    assert [guard.accept(first, 1), guard.accept(first, 1), guard.accept(second, 1)] == [True, False, True]


def test_the_same_nonce_written_otherwise_is_the_same(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    nonce = nonces.make()

    assert guard.accept(nonce, 1)
    assert not guard.accept(nonce.upper(), 1)
    assert not guard.accept(f" {nonce[:8]} {nonce[8:]}", 1)


def test_a_count_of_zero_is_refused(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    assert not guard.accept(nonces.make(), 0)


def test_256_counts_may_arrive_in_any_order(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    nonce = nonces.make()

    assert all(guard.accept(nonce, count) for count in range(256, 0, -1))
    assert not any(guard.accept(nonce, count) for count in range(1, 257))


def test_a_count_too_old_to_tell_is_refused(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    nonce = nonces.make()

    assert guard.accept(nonce, 257)
    assert not guard.accept(nonce, 1)
    assert guard.accept(nonce, 2)


def test_counts_may_jump_to_the_end(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    nonce = nonces.make()

    assert guard.accept(nonce, 1)
    assert guard.accept(nonce, 2**32 - 1)
    assert not guard.accept(nonce, 2**32 - 1)
    assert guard.accept(nonce, 2**32 - 256)
    assert not guard.accept(nonce, 2**32 - 257)


@given(st.lists(st.integers(1, 600), max_size=300))
def test_no_order_of_counts_lets_one_through_twice(counts: list[int]) -> None:
    guard = digest.ReplayGuard(8)
    nonce = digest.Nonces(lambda: KEY, 300, Clock()).make()

    accepted = [count for count in counts if guard.accept(nonce, count)]

    assert len(accepted) == len(set(accepted))
    guard.close()


def test_a_forgotten_nonce_is_refused(nonces: digest.Nonces, guard: digest.ReplayGuard, clock: Clock) -> None:
    """Else whoever fills the table could send an old header again."""
    used = []
    for _ in range(100):
        clock.now += 1
        used.append(nonces.make())
        assert guard.accept(used[-1], 1)

    assert not any(guard.accept(nonce, 1) for nonce in used)


def test_when_the_table_is_full_new_nonces_still_work(
    nonces: digest.Nonces, guard: digest.ReplayGuard, clock: Clock
) -> None:
    for count in range(1, 1000):
        clock.now += 1
        nonce = nonces.make()
        assert guard.accept(nonce, count)
        assert guard.accept(nonce, count + 1)


def test_the_table_does_not_grow(nonces: digest.Nonces, guard: digest.ReplayGuard) -> None:
    size = len(guard._memory)

    for _ in range(2000):
        guard.accept(nonces.make(), 1)

    assert len(guard._memory) == size < 1000


def test_the_table_holds_what_a_busy_second_brings(nonces: digest.Nonces) -> None:
    """A thousand calls with two new nonces each."""
    guard = digest.ReplayGuard()

    assert all(guard.accept(nonces.make(), 1) for _ in range(2000))
    guard.close()


FORKED = """
import os
from xmlrpc_api.access.digest import Nonces, ReplayGuard
guard, nonce = ReplayGuard(64, is_shared=True), Nonces(lambda: bytes(32), 300, lambda: 1e9).make()
reader, writer = os.pipe()
start, go = os.pipe()
for _ in range(4):
    if not os.fork():
        os.close(go)
        os.read(start, 1)  # all at once, when the last one holding the other end lets go
        accepted = sum(guard.accept(nonce, count) for count in range(1, 3001))
        os.write(writer, b"%d " % accepted)
        os._exit(0)
os.close(go)
for _ in range(4):
    os.wait()
print(sum(map(int, os.read(reader, 100).split())))
"""


def test_forked_workers_share_what_was_used() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)

    assert done.stdout == "3000\n"


def test_the_hand_made_header_of_the_tests_is_that_of_the_rfc() -> None:
    made = answer(NONCE, "Mufasa", "Circle Of Life", method="GET", uri="/dir/index.html", realm="testrealm@host.com")

    assert made["response"] == MEMBERS["response"].strip('"')
