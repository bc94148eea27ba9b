"""A mail server for tests: a real one, on a real socket, that keeps what it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from commandline import free_port


@dataclass
class PostOffice:
    """
    Takes mails.

    Attributes:
        taken: Each with its envelope: sender, recipients, message.
        answers: What is said to a recipient instead of 250; it can be changed.
        tries: How often it was given something, taken or not.
    """

    port: int
    taken: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    tries: int = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        self.tries += 1
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        message: Any = message_from_bytes(envelope.content, policy=default)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"

    def taken_from(self, sender: str) -> list[tuple[str, list[str], EmailMessage]]:
        """What it has taken of one sender."""
        return [one for one in self.taken if one[0].lower() == sender.lower()]

    @property
    def settings(self) -> dict[str, Any]:
        """How a server reaches it."""
        return {"smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_security": "none"}


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """One that is open until the block ends."""
    office = PostOffice(port=free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
