"""
Delivery: takes mails from the outbox to the mail server, again and again until it has them, or says no for good.

A mail is taken for a while before it is sent, and crossed out afterwards: no transaction waits for the mail server,
no two processes send the same, and what a process was at when it died is sent by another. Then a mail may arrive twice,
with one Message-ID, but none is lost.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from models import Mail
from models.mail import PROBLEM_LENGTH
from xmlrpc_api.call import Platform
from xmlrpc_api.config import Config
from xmlrpc_api.storage.database import Database

TAKEN = timedelta(minutes=15)  # longer than a mail server may take
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)
MOST_ATTEMPTS = 10  # 30 hours
PERMANENT = 500  # from here on a server's answers are no for good

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that this process is at."""

    i_mail: int
    sender: str
    recipients: list[str]
    content: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: whether it was taken for anybody, who has to be tried again, what went wrong."""

    is_taken: bool
    left: list[str]
    problem: str | None = None


async def deliver(platform: Platform, database: Database) -> None:
    """Send all that is due."""
    while platform.config.smtp_host is not None and (mail := await _take(platform, database)) is not None:
        outcome = await _send(platform.config, mail)
        await _cross_out(platform, database, mail, outcome)


async def _take(platform: Platform, database: Database) -> Taken | None:
    """The mail that has been due for longest; nobody else takes it meanwhile."""
    now = platform.clock()
    due = select(Mail.i_mail).where(Mail.due <= now).limit(1)
    async with database.read() as session:
        if (await session.execute(due)).first() is None:
            return None
    first = select(Mail).where(Mail.due <= now).order_by(Mail.due, Mail.i_mail).limit(1)
    async with database.write() as session:
        row = (await session.execute(first.with_for_update(skip_locked=True))).scalar_one_or_none()
        if row is None or row.content is None:
            return None
        row.due = now + TAKEN
        row.attempts += 1
        return Taken(row.i_mail, row.sender, row.recipients, row.content, row.attempts)


async def _send(config: Config, mail: Taken) -> Outcome:
    import aiosmtplib  # it takes a while, and most processes send nothing

    try:
        async with asyncio.timeout(config.smtp_seconds):
            refused, _ = await aiosmtplib.send(
                mail.content,
                sender=mail.sender,
                recipients=mail.recipients,
                hostname=config.smtp_host,
                port=config.smtp_port,
                username=config.smtp_username,
                password=config.smtp_password.get_secret_value() if config.smtp_password else None,
                use_tls=config.smtp_security == "tls",
                start_tls=config.smtp_security == "starttls",
                timeout=config.smtp_seconds,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _answered(mail, {one.recipient: (one.code, one.message) for one in error.recipients})
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        left = mail.recipients if error.code < PERMANENT else []
        return Outcome(is_taken=False, left=left, problem=f"{error.code} {error.message}")
    except (aiosmtplib.SMTPException, OSError) as error:  # a timeout is one, too
        return Outcome(is_taken=False, left=mail.recipients, problem=str(error) or type(error).__name__)
    return _answered(mail, {name: (answer.code, answer.message) for name, answer in refused.items()})


def _answered(mail: Taken, refused: Mapping[str, tuple[int, str]]) -> Outcome:
    """What follows from what the server says about recipients whom it does not take."""
    left = [name for name, (code, _) in refused.items() if code < PERMANENT]
    texts = [f"{name}: {code} {text}" for name, (code, text) in refused.items()]
    return Outcome(is_taken=len(refused) < len(mail.recipients), left=left, problem="; ".join(texts) or None)


async def _cross_out(platform: Platform, database: Database, mail: Taken, outcome: Outcome) -> None:
    """Write down what became of it, unless another process has taken it meanwhile."""
    now = platform.clock()
    mine = select(Mail).where(Mail.i_mail == mail.i_mail, Mail.attempts == mail.attempt)
    async with database.write() as session:
        row = (await session.execute(mine.with_for_update())).scalar_one_or_none()
        if row is None:
            return
        row.recipients = outcome.left
        row.problem = None if outcome.problem is None else " ".join(outcome.problem.split())[:PROBLEM_LENGTH]
        row.due = _next(now, mail.attempt) if outcome.left else None
        if row.due is None:
            row.content = None
        if outcome.is_taken:
            row.sent = now
        given_up = row.due is None and row.problem is not None
    if given_up:
        log.warning("mail given up", i_mail=mail.i_mail, attempts=mail.attempt)


def _next(now: datetime, attempt: int) -> datetime | None:
    """When to try again what has failed so often; never, at last."""
    return now + min(FIRST_DELAY * 4 ** (attempt - 1), LONGEST_DELAY) if attempt < MOST_ATTEMPTS else None
