"""Letters: who writes what to whom, as mail servers take it. No header takes more than one line, whatever is in it."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from email_validator import ValidatedEmail, validate_email

SUBJECT_LIMIT = 255
RECIPIENT_LIMIT = 20
ATTACHMENT_LIMIT = 10 * 1024 * 1024  # bytes


class LetterError(ValueError):
    """
    A letter that cannot be sent; the text tells why.

    Attributes:
        part: What of it is wrong: the name of an attribute of `Letter`.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part = part


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter, such as (`rates.csv`, `text/csv`, …)."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """
    What is to be sent.

    Attributes:
        sender: An address, or a name and an address in <>.
        to, cc, bcc: Addresses, separated by comma or semicolon. Who is in `bcc` is not told to the others.
        subject: One line.
        body: Plain text.
        attachment: A file that goes with it.
    """

    sender: str
    to: str
    cc: str = ""
    bcc: str = ""
    subject: str
    body: str
    attachment: Attachment | None = None

    def recipients(self) -> list[str]:
        """
        Everybody who gets it, each once.

        Raises:
            LetterError: There is nobody, or there are too many; or an address cannot be used.
        """
        everybody = [address for part in ("to", "cc", "bcc") for address in self._addresses(part)]
        if not self._addresses("to"):
            raise LetterError("to", "must hold an address")
        if len(everybody) > RECIPIENT_LIMIT:
            raise LetterError("to", f"must hold no more than {RECIPIENT_LIMIT} addresses, those of copies included")
        return list(dict.fromkeys(everybody))

    def content(self, uid: str, now: datetime) -> bytes:
        """
        The letter as it is sent.

        Args:
            uid: What no other has: a letter that is sent again is known by it.
            now: When it was written.

        Raises:
            LetterError: An address cannot be used.
        """
        message = EmailMessage(policy=SMTP)
        message["From"] = self._from()
        for name, part in (("To", "to"), ("Cc", "cc")):
            if addresses := self._addresses(part):
                message[name] = [Address(addr_spec=address) for address in addresses]
        message["Subject"] = self.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{uid}@{self.sender_address().rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self.body)
        if self.attachment is not None:
            main, _, sub = self.attachment.type.partition("/")
            message.add_attachment(
                self.attachment.content, maintype=main, subtype=sub, filename=_file_name(self.attachment.name)
            )
        return message.as_bytes()

    def sender_address(self) -> str:
        """The address alone of who sends it."""
        return address_of(self.sender)

    def _from(self) -> Address:
        return Address(_mailbox(self.sender, "sender").display_name or "", addr_spec=self.sender_address())

    def _addresses(self, part: str) -> list[str]:
        texts = (text.strip() for text in re.split("[,;]", getattr(self, part)))
        return [_ascii(_mailbox(text, part), part) for text in texts if text]


def address_of(sender: str) -> str:
    """
    The address alone of a sender, who may have a name before it.

    Raises:
        LetterError: It is none, or cannot be used.
    """
    return _ascii(_mailbox(sender, "sender"), "sender")


def _mailbox(text: str, part: str) -> ValidatedEmail:
    try:
        found = validate_email(
            text, check_deliverability=False, globally_deliverable=False, allow_display_name=part == "sender"
        )
    except ValueError:
        raise LetterError(part, "is not a valid e-mail address") from None
    return found


def _ascii(address: ValidatedEmail, part: str) -> str:
    if address.ascii_email is None:
        raise LetterError(part, "must hold letters of ASCII alone before its @")
    return address.ascii_email


def _file_name(name: str) -> str:
    """A name that is no path, and no header of its own."""
    return re.sub(r"[^\w.+-]", "_", name)[-100:]
