"""
Devices that somebody logged in from: a signed token that the portal keeps there, and hands back at the next login.

It lets nobody in. What it does is to tell the owner of a login from strangers who guess at it: whoever holds one is
not throttled with them, but has a limit of its own. It is bound to the caller, to the login and to the password, so
that it ends when one of them changes; nothing of it is kept here.
"""

import json
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.fields import Field, Wire

PURPOSE = b"device"
NUMBER_BYTES = 8
NOBODYS = ("0", "0" * 2 * NUMBER_BYTES, ":")
_TOKEN = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{16})\.([0-9a-f]{8}:[0-9a-f]{64})")
DEVICE = Field(
    name="device",
    wire=Wire.STRING,
    secret=True,
    doc="Token of a device that the person logged in from before, as the last login from it answered. One that is no"
    " good is as none.",
)
NEW_DEVICE = Field(
    name="device",
    wire=Wire.STRING,
    secret=True,
    doc="Token for the person's device, to be handed back at its next login. It lets nobody in; it keeps the owner from"
    " having to wait while strangers guess. It ends with the password.",
)


def issue(call: Call, owner: Sequence[Any]) -> str:
    """A new token for a device of the one who has just logged in; `owner` is all that it is bound to."""
    number, issued = secrets.token_hex(NUMBER_BYTES), int(call.now.timestamp())
    return f"{issued:x}.{number}.{call.platform.vault.sign(PURPOSE, _content(call, owner, issued, number))}"


def number_of(call: Call, owner: Sequence[Any], token: str | None) -> str | None:
    """The number of the device that a token is for; None if it is no good, or not for this owner."""
    match = _TOKEN.fullmatch(token or "")
    issued, number, signature = match.groups() if match else NOBODYS
    content = _content(call, owner, int(issued, 16), number)
    is_signed = call.platform.vault.signed(PURPOSE, content, signature)
    age = call.now.timestamp() - int(issued, 16)
    is_alive = age < timedelta(days=call.platform.config.device_days).total_seconds()
    return number if is_signed and is_alive else None


def _content(call: Call, owner: Sequence[Any], issued: int, number: str) -> bytes:
    return json.dumps([call.caller.i_customer, issued, number, *owner]).encode()
