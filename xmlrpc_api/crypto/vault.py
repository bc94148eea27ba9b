"""Encryption of stored credentials, with keys that are not in the database."""

import base64
import hmac
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models import Sealed, columns_of
from xmlrpc_api.config import Config, ConfigError

KEY_BYTES = 32
NONCE_BYTES = 12
COMING = "next"
PLACES = frozenset(f"{column.table.name}.{column.name}" for column in columns_of(Sealed))


class VaultError(Exception):
    """
    A stored credential cannot be decrypted: wrong key, or the row was tampered with.

    Attributes:
        missing: Name of the key that it was encrypted with, if that is not there.
    """

    def __init__(self, place: str, missing: str | None = None) -> None:
        super().__init__(place)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class KeyRing:
    """
    What a key file holds, each on a line: keys, and what is left of keys that were retired.

    Attributes:
        keys: Whole keys, the newest first: it encrypts and signs, all of them decrypt and prove.
        coming: A key that is to become the newest, and so far decrypts and proves only (`next:KEY`).
        proofs: For a retired key and a purpose, what still proves the signatures made with it
            (`NAME:PURPOSE:KEY`); no password can be decrypted with it.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    coming: bytes | None = field(default=None, repr=False)
    proofs: Mapping[tuple[str, bytes], bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str, source: str) -> Self:
        """
        Read what is written in a key file.

        Raises:
            ConfigError: It is not as it should be.
        """
        keys: list[bytes] = []
        coming: bytes | None = None
        proofs: dict[tuple[str, bytes], bytes] = {}
        try:
            for word in text.split():
                *marks, digits = word.split(":")
                key = _key(digits)
                if not marks:
                    keys.append(key)
                elif marks == [COMING]:
                    coming = key
                else:
                    name, purpose = marks
                    proofs[name, purpose.replace("_", " ").encode()] = key
        except ValueError:
            keys = []
        if not keys:
            raise ConfigError(
                f"{source} must hold 64 hexadecimal digits (a line for each key, the newest first), as"
                " `xmlrpc-api init` and `xmlrpc-api rotate-key` write them"
            )
        return cls(tuple(keys), coming, proofs)

    def as_text(self) -> str:
        """As it is written in a key file."""
        coming = [f"{COMING}:{self.coming.hex()}"] if self.coming else []
        proofs = [
            f"{name}:{purpose.decode().replace(' ', '_')}:{key.hex()}" for (name, purpose), key in self.proofs.items()
        ]
        return "\n".join([*coming, *(key.hex() for key in self.keys), *proofs]) + "\n"

    @property
    def names(self) -> list[str]:
        """The names of the whole keys, the newest first."""
        return [_name(key) for key in self.keys]

    def prepared(self) -> Self:
        """With a key that is known everywhere before it is used."""
        return replace(self, coming=secrets.token_bytes(KEY_BYTES))

    def rotated(self) -> Self:
        """With the coming key as the newest, or a new one."""
        return replace(self, keys=(self.coming or secrets.token_bytes(KEY_BYTES), *self.keys), coming=None)

    def retired(self, purposes: Iterable[bytes], needed: Iterable[tuple[str, bytes]]) -> Self:
        """
        With the newest key alone, and what proves the signatures of the others.

        Args:
            purposes: What is proved for ever.
            needed: What is needed beside that: names of keys and purposes.
        """
        old = {_name(key): key for key in self.keys[1:]}
        for_ever = set(purposes)
        wanted = {(name, purpose) for name in old for purpose in for_ever} | set(needed)
        wanted |= {(name, purpose) for name, purpose in self.proofs if purpose in for_ever}
        proofs = {known: self.proofs[known] for known in sorted(wanted) if known in self.proofs}
        proofs |= {(name, purpose): _derive(old[name], purpose) for name, purpose in sorted(wanted) if name in old}
        return replace(self, keys=self.keys[:1], proofs=proofs)


class Vault:
    """
    AES-256-GCM with the newest key; the others still decrypt, so that a key can be replaced.

    Every cipher text is bound to its place (table, column, row): moved to another row it is void.

    Args:
        ring: The keys.
        source: The file that they come from, which may change; None if they cannot.
    """

    def __init__(self, ring: KeyRing, source: Path | None = None) -> None:
        self._source = source
        self._stamp = _stamp(source)
        self._keys: dict[str, bytes] = {}
        self._ciphers: dict[str, AESGCM] = {}
        self._proofs: dict[tuple[str, bytes], bytes] = {}
        self._take(ring)

    def _take(self, ring: KeyRing) -> None:
        """Use these keys, too. What is known stays known until the process ends: it may be at work with it."""
        for key in (*ring.keys, *([ring.coming] if ring.coming else [])):
            self._keys[_name(key)] = key
            self._ciphers[_name(key)] = AESGCM(_derive(key, b"credentials"))
        self._proofs |= ring.proofs
        self.current = ring.names[0]

    def __repr__(self) -> str:
        return f"Vault({self.current})"

    def refresh(self) -> bool:
        """
        Take up keys that were added to the key file since it was read last, and the newest for what is new.

        Returns:
            Whether the newest key is another one now.

        Raises:
            ConfigError: The file cannot be read; all stays as it is.
        """
        stamp = _stamp(self._source)
        if self._source is None or stamp == self._stamp:
            return False
        before = self.current
        self._take(read_key_file(self._source))
        self._stamp = stamp
        return self.current != before

    def encrypt(self, text: str, place: str) -> str:
        """
        Encrypt `text` for `place`, such as `customers.api_password:29`.

        Raises:
            ValueError: The column is not declared as one that is kept encrypted: a new key would forget it.
        """
        if place.partition(":")[0] not in PLACES:
            raise ValueError(f"{place} is no place of a Sealed column")
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, text.encode(), place.encode())
        return f"{self.current}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, sealed: str, place: str) -> str:
        """
        Give the text back that was encrypted for `place`.

        Raises:
            VaultError: The key is not there, or the cipher text is not that of this place.
        """
        name, _, text = sealed.partition(":")
        if not self.knows(name):
            raise VaultError(place, name)
        try:
            raw = base64.b64decode(text)
            return self._ciphers[name].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
        except (ValueError, InvalidTag):
            raise VaultError(place) from None

    def knows(self, name: str) -> bool:
        """Whether a whole key is there. Another process may have begun to use one that is new in the file."""
        if name not in self._keys:
            with suppress(ConfigError):
                self.refresh()
        return name in self._keys

    def subkey(self, purpose: bytes) -> bytes:
        """A key of its own for one purpose, such as signing nonces."""
        return _derive(self._keys[self.current], purpose)

    def sign(self, purpose: bytes, data: bytes) -> str:
        """A signature of `data` that only this server can make: name of the key, colon, 64 hexadecimal digits."""
        return f"{self.current}:{_mac(self.subkey(purpose), data)}"

    def signatures(self, purpose: bytes, data: bytes) -> list[str]:
        """All signatures that this server may have made of `data`, with each key that it knows: to look it up by."""
        names = dict.fromkeys([*self._keys, *(name for name, known in self._proofs if known == purpose)])
        keys = ((name, self._proof(name, purpose)) for name in names)
        return [f"{name}:{_mac(key, data)}" for name, key in keys if key is not None]

    def signed(self, purpose: bytes, data: bytes, signature: str) -> bool:
        """Whether `signature` is one of this server for `data`, with the present key or an older one."""
        name, _, mac = signature.partition(":")
        key = self._proof(name, purpose)
        return key is not None and hmac.compare_digest(_mac(key, data), mac)

    def proving(self, purpose: bytes) -> Callable[[bytes, str], bool | None]:
        """What tells of many signatures whether each is one of this server; None where its key is missing."""
        known: dict[str, hmac.HMAC] = {}  # to copy one that has its key costs half of what it takes to begin one

        def proves(data: bytes, signature: str) -> bool | None:
            name, _, mac = signature.partition(":")
            begun = known.get(name)
            if begun is None:
                key = self._proof(name, purpose)
                if key is None:
                    return None
                begun = known[name] = hmac.new(key, digestmod="sha256")
            made = begun.copy()
            made.update(data)
            return hmac.compare_digest(made.hexdigest(), mac)

        return proves

    def missing(self, purpose: bytes, signature: str) -> str | None:
        """The name of the key that this signature was made with, if nothing is there to prove it."""
        name = signature.partition(":")[0]
        return name if self._proof(name, purpose) is None else None

    def _proof(self, name: str, purpose: bytes) -> bytes | None:
        if (name, purpose) not in self._proofs and self.knows(name):
            return _derive(self._keys[name], purpose)
        return self._proofs.get((name, purpose))


def _key(digits: str) -> bytes:
    key = bytes.fromhex(digits)
    if len(key) != KEY_BYTES:
        raise ValueError(f"not {KEY_BYTES} bytes")
    return key


def _mac(key: bytes, data: bytes) -> str:
    return hmac.digest(key, data, "sha256").hex()


@lru_cache(maxsize=256)
def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=b"xmlrpc-api " + purpose).derive(key)


def _name(key: bytes) -> str:
    return _derive(key, b"name")[:4].hex()


def _stamp(file: Path | None) -> tuple[int, int] | None:
    """What differs after a file was replaced."""
    try:
        status = file.stat() if file else None
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns) if status else None


def open_vault(config: Config) -> Vault:
    """
    Read the keys of `config`: the setting `secret_key`, or the lines of `secret_key_file`.

    Raises:
        ConfigError: No key is there, or others can read the file; the text tells what to do.
    """
    if config.secret_key is not None:
        return Vault(KeyRing.parse(config.secret_key.get_secret_value(), "secret_key"))
    return Vault(read_key_file(config.secret_key_file), config.secret_key_file)


def read_key_file(path: Path) -> KeyRing:
    """
    The keys of a file.

    Raises:
        ConfigError: No key is there, or others can read the file; the text tells what to do.
    """
    if not path.is_file():
        raise ConfigError(f"There is no key file {path}. Run `xmlrpc-api init`, or copy the one this database needs.")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"Others can read the key file {path}. Run: chmod 600 {path}")
    try:
        return KeyRing.parse(path.read_text(encoding="ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The key file {path} cannot be read: {error}") from None


def create_key_file(path: Path) -> bool:
    """Write a new random key to `path`, readable by its owner alone. False if there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(path, KeyRing((secrets.token_bytes(KEY_BYTES),)))
    except FileExistsError:
        return False
    return True


def replace_key_file(path: Path, ring: KeyRing) -> None:
    """
    Write other keys to a key file, in one step: whoever reads it finds the old ones or the new ones. Its owner stays.

    Raises:
        ConfigError: Another command is at it, or it cannot be written.
    """
    path = path.resolve()
    new = path.with_name(f"{path.name}.new")
    owner = path.stat()
    try:
        _write(new, ring, owner)
    except FileExistsError:
        raise ConfigError(f"Another command is changing the key file; if not, remove {new}") from None
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _write(path: Path, ring: KeyRing, owner: os.stat_result | None = None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            if owner is not None:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(ring.as_text())
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink()
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
