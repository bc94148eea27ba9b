"""Encryption of stored credentials, with keys that are not in the database."""

import base64
import hmac
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from xmlrpc_api.config import Config, ConfigError

KEY_BYTES = 32
NONCE_BYTES = 12


class VaultError(Exception):
    """A stored credential cannot be decrypted: wrong key, or the row was tampered with."""


class Vault:
    """
    AES-256-GCM with the first of `keys`; the others still decrypt, so that a key can be replaced.

    Every cipher text is bound to its place (table, column, row): moved to another row it is void.
    """

    def __init__(self, keys: list[bytes]) -> None:
        self._ciphers = {_name(key): AESGCM(_derive(key, b"credentials")) for key in keys}
        self._current = _name(keys[0])
        self._keys = {_name(key): key for key in keys}

    def __repr__(self) -> str:
        return f"Vault({self._current})"

    def encrypt(self, text: str, place: str) -> str:
        """Encrypt `text` for `place`, such as `customers.api_password:29`."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), place.encode())
        return f"{self._current}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, sealed: str, place: str) -> str:
        """
        Give the text back that was encrypted for `place`.

        Raises:
            VaultError: The key is not there, or the cipher text is not that of this place.
        """
        name, _, text = sealed.partition(":")
        try:
            raw = base64.b64decode(text)
            return self._ciphers[name].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
        except (KeyError, ValueError, InvalidTag):
            raise VaultError(place) from None

    def subkey(self, purpose: bytes) -> bytes:
        """A key of its own for one purpose, such as signing nonces."""
        return _derive(self._keys[self._current], purpose)

    def sign(self, purpose: bytes, data: bytes) -> str:
        """A signature of `data` that only this server can make: name of the key, colon, 64 hexadecimal digits."""
        return f"{self._current}:{self._mac(self._current, purpose, data)}"

    def signed(self, purpose: bytes, data: bytes, signature: str) -> bool:
        """Whether `signature` is one of this server for `data`, with the present key or an older one."""
        name, _, mac = signature.partition(":")
        return name in self._keys and hmac.compare_digest(self._mac(name, purpose, data), mac)

    def _mac(self, name: str, purpose: bytes, data: bytes) -> str:
        return hmac.digest(_derive(self._keys[name], purpose), data, "sha256").hex()


@lru_cache(maxsize=64)
def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=b"xmlrpc-api " + purpose).derive(key)


def _name(key: bytes) -> str:
    return _derive(key, b"name")[:4].hex()


def open_vault(config: Config) -> Vault:
    """
    Read the keys of `config`: the setting `secret_key`, or the lines of `secret_key_file`, newest first.

    Raises:
        ConfigError: No key is there, or others can read the file; the text tells what to do.
    """
    if config.secret_key is not None:
        return Vault(_parse(config.secret_key.get_secret_value(), "secret_key"))
    path = config.secret_key_file
    if not path.is_file():
        raise ConfigError(f"There is no key file {path}. Run `xmlrpc-api init`, or copy the one this database needs.")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"Others can read the key file {path}. Run: chmod 600 {path}")
    return Vault(_parse(path.read_text(encoding="ascii"), str(path)))


def create_key_file(path: Path) -> bool:
    """Write a new random key to `path`, readable by its owner alone. False if there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
    return True


def _parse(text: str, source: str) -> list[bytes]:
    try:
        keys = [bytes.fromhex(line) for line in text.split()]
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ConfigError(f"{source} must hold 64 hexadecimal digits (a line for each key, the newest first)")
    return keys
