"""
Starts this server, or an earlier one, with passwords hashed to a constant: `python -m benchmarks.launch serve`.

bcrypt takes a millisecond at its lowest cost, and is the same work in every server: it would hide what they do beside.
"""

from typing import Any
from unittest.mock import patch

from xmlrpc_api.__main__ import main
from xmlrpc_api.crypto.passwords import PasswordHasher

CONSTANT = "$2b$04$" + "." * 53


async def _hash(self: Any, _password: str, *_caller: int) -> str:
    self.hashed += 1
    return CONSTANT


def run() -> None:
    """Run a command with another hasher of new passwords; `patch` makes sure that what is replaced is there."""
    with patch.object(PasswordHasher, "hash", _hash):  # there is no such switch in the product, on purpose
        main()


if __name__ == "__main__":
    run()
