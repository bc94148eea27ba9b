"""
HTTP Digest (RFC 7616) for a server: challenges, signed nonces, replay protection, verification; and a client's answer.

Nothing here knows HTTP beyond the text of its two headers. Nonces are signed, so handing them out
costs no memory; what is remembered is how often a nonce was used, and only once its digest was right.
"""

import fcntl
import hashlib
import hmac
import mmap
import os
import re
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

HEADER_LIMIT = 8192
HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_PAIR = re.compile(r'\s*([A-Za-z0-9_*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*(?:,|$)')
_PAIRS = re.compile(rf"(?>{_PAIR.pattern})*+")
_COUNT = re.compile("[0-9a-fA-F]{1,8}")
_REQUIRED = {"username", "realm", "nonce", "uri", "response"}
_NONCE = struct.Struct(">I8s")
_MAC_BYTES = 16


class Answer(NamedTuple):
    """What a client sent in its Authorization header. `nc` is 1 where it sent no qop (RFC 2069)."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str | None
    nc: str
    cnonce: str

    @property
    def use(self) -> int:
        """How often the client says it has used the nonce."""
        return int(self.nc, 16) if self.qop else 1


def parse(header: str) -> Answer | None:
    """
    Read an Authorization header; None if it is not a complete Digest answer.

    Members may come in any order, quoted or not; one that comes twice makes the header void.
    """
    found = _members(header)
    return _complete(found) if found else None


def _members(header: str) -> dict[str, str] | None:
    """What a Digest header holds, by name."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "digest" or len(header) > HEADER_LIMIT:
        return None
    if _PAIRS.fullmatch(rest) is None:
        return None
    pairs = _PAIR.findall(rest)
    found = {name.lower(): _unquoted(quoted) or bare for name, quoted, bare in pairs}
    return found if len(found) == len(pairs) else None


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


def _complete(found: dict[str, str]) -> Answer | None:
    qop, nc, cnonce = found.get("qop"), found.get("nc", ""), found.get("cnonce", "")
    algorithm = found.get("algorithm", "MD5").upper()
    if not found.keys() >= _REQUIRED or qop not in (None, "auth") or algorithm not in HASHES:
        return None
    if qop and not (_COUNT.fullmatch(nc) and cnonce):
        return None
    name, realm, nonce, uri = found["username"], found["realm"], found["nonce"], found["uri"]
    return Answer(name, realm, nonce, uri, found["response"], algorithm, qop, nc, cnonce)


def expected_response(answer: Answer, method: str, password: str) -> str:
    """The `response` that proves `password` (RFC 7616, 3.4.1; without qop RFC 2069)."""

    def digest(text: str) -> str:
        return HASHES[answer.algorithm](text.encode("utf-8", "surrogateescape")).hexdigest()

    secret = digest(f"{answer.username}:{answer.realm}:{password}")
    request = digest(f"{method}:{answer.uri}")
    if answer.qop is None:
        return digest(f"{secret}:{answer.nonce}:{request}")
    return digest(f"{secret}:{answer.nonce}:{answer.nc}:{answer.cnonce}:{answer.qop}:{request}")


def proves(answer: Answer, method: str, password: str) -> bool:
    """Whether the client knows `password`; takes as long for a wrong answer as for a right one."""
    expected = expected_response(answer, method, password)
    return hmac.compare_digest(expected.encode(), answer.response.lower().encode("utf-8", "surrogateescape"))


def answered(header: str, method: str, uri: str, username: str, password: str) -> str | None:
    """The Authorization header with which a client answers a challenge; None if that is none which is known here."""
    asked = _members(header) or {}
    qop = {"qop": "auth", "nc": "00000001", "cnonce": os.urandom(8).hex()} if "qop" in asked else {}
    answer = _complete({**asked, "username": username, "uri": uri, "response": "", "nc": "", **qop})
    if answer is None:
        return None
    told = {"username": username, "realm": answer.realm, "nonce": answer.nonce, "uri": uri, "cnonce": answer.cnonce}
    told["response"] = expected_response(answer, method, password)
    told["opaque"] = asked.get("opaque", "")
    quoted = [f'{name}="{_quoted(text)}"' for name, text in told.items() if text or name in _REQUIRED]
    plain = [f"{name}={text}" for name, text in {"qop": answer.qop, "nc": answer.nc}.items() if text]
    return f"Digest {', '.join([*quoted, f'algorithm={answer.algorithm}', *plain])}"


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def challenge(realm: str, nonce: str, algorithm: str, stale: bool) -> str:
    """One WWW-Authenticate header. Old clients parse it with regular expressions: keep its shape."""
    end = ", stale=true" if stale else ""
    return f'Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm={algorithm}{end}'


class Nonces:
    """
    Makes nonces and tells which are ours and still alive.

    A nonce is hexadecimal: time, random and a MAC over both. Old clients split the header at `=` and
    `,`, which hexadecimal never holds.
    """

    def __init__(self, key: Callable[[], bytes], life_seconds: int, clock: Callable[[], float]) -> None:
        self._key = key
        self._life = life_seconds
        self._clock = clock

    def make(self) -> str:
        """A new nonce."""
        head = _NONCE.pack(int(self._clock()), os.urandom(8))
        return (head + self._mac(head)).hex()

    def is_alive(self, nonce: str) -> bool:
        """Whether it is one of ours and not yet expired."""
        try:
            raw = bytes.fromhex(nonce)
        except ValueError:
            return False
        head, mac = raw[: _NONCE.size], raw[_NONCE.size :]
        if len(raw) != _NONCE.size + _MAC_BYTES or not hmac.compare_digest(mac, self._mac(head)):
            return False
        age = self._clock() - _NONCE.unpack(head)[0]
        return bool(-1 <= age <= self._life)

    def _mac(self, head: bytes) -> bytes:
        return hmac.digest(self._key(), head, "sha256")[:_MAC_BYTES]


_SLOT = struct.Struct("=I16sI32s")  # when it was made, nonce, highest count, bitmap of the last counts
_WINDOW = 256
_SLOTS_PER_BUCKET = 8
_BUCKET_BYTES = _SLOTS_PER_BUCKET * _SLOT.size


class ReplayGuard:
    """
    Remembers which counts of which nonces were used, in memory that forked workers share.

    Parallel requests of one client arrive out of order, so the last 256 counts are told apart. The
    table has a fixed size; when it is full the oldest nonce makes room, and from then on nothing as
    old is accepted: its counts might be forgotten, and an old header must not work again.

    Args:
        nonces: How many nonces it holds, about.
        is_shared: Whether several processes use it, and must take turns.
    """

    def __init__(self, nonces: int = 65536, *, is_shared: bool = False) -> None:
        self._is_shared = is_shared
        self._buckets = max(1, nonces // _SLOTS_PER_BUCKET)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        size = self._buckets * _BUCKET_BYTES
        self._file.truncate(size)
        self._memory = mmap.mmap(self._file.fileno(), size)

    def accept(self, nonce: str, count: int) -> bool:
        """Note a use; False if this count was used before, or is too old to tell."""
        raw = bytes.fromhex(nonce)
        made, key = int.from_bytes(raw[:4]), raw[4:20]
        with self._locked():
            slot = self._find(made, key)
            if slot is None or count < 1:
                return False
            place, highest, seen = slot
            ahead = count - highest
            if ahead <= -_WINDOW or (ahead <= 0 and seen >> -ahead & 1):
                return False
            if ahead > 0:
                seen = (seen << min(ahead, _WINDOW) | 1) & ((1 << _WINDOW) - 1)
                highest = count
            else:
                seen |= 1 << -ahead
            _SLOT.pack_into(self._memory, place, made, key, highest, seen.to_bytes(_WINDOW // 8))
        return True

    def close(self) -> None:
        """Forget everything."""
        self._memory.close()
        self._file.close()

    def _find(self, made: int, key: bytes) -> tuple[int, int, int] | None:
        """The nonce's slot with its counts, or one that makes room; None if it is too old to tell."""
        first = int.from_bytes(key[:4]) % self._buckets * _BUCKET_BYTES
        oldest, oldest_made = first, made
        for place in range(first, first + _BUCKET_BYTES, _SLOT.size):
            known_made, known, highest, seen = _SLOT.unpack_from(self._memory, place)
            if known == key:
                return place, highest, int.from_bytes(seen)
            if known_made < oldest_made:
                oldest, oldest_made = place, known_made
        return (oldest, 0, 0) if oldest_made < made else None

    def _locked(self) -> AbstractContextManager[None]:
        return self._alone() if self._is_shared else nullcontext()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
