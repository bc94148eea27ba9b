"""
Starts this server, or an earlier one, with passwords hashed to a constant: `python -m benchmarks.launch serve`.

bcrypt takes a millisecond at its lowest cost, and is the same work in every server: it would hide what they do beside.
"""

from typing import Any

from xmlrpc_api.__main__ import main
from xmlrpc_api.crypto.passwords import PasswordHasher

CONSTANT = "$2b$04$" + "." * 53


async def _hash(self: Any, _password: str, *_caller: int) -> str:
    self.hashed += 1
    return CONSTANT


def stub() -> None:
    """Replace the hasher of new passwords."""
    assert callable(PasswordHasher.hash)  # what is replaced is still what is called
    PasswordHasher.hash = _hash  # type: ignore[method-assign,assignment]  # there is no such switch in the product, on purpose


if __name__ == "__main__":
    stub()
    main()
