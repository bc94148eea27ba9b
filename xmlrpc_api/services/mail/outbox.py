"""The outbox: what a call puts into it is sent when the call has succeeded, and not otherwise."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Customer, Mail
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotPermitted
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.mail.letters import ATTACHMENT_LIMIT, Letter, LetterError

DAY = timedelta(days=1)
MOST_A_DAY = 200
PRUNE_BATCH = 1000
SENT = "MAIL"  # what the change history calls it


def is_on(call: Call) -> bool:
    """Whether mails are sent at all: somebody has set a mail server."""
    return call.platform.config.smtp_host is not None


async def sender_of(call: Call, i_customer: int) -> str | None:
    """Who sends what is sent on behalf of a customer: its mail_from, or what the settings say; None: nobody can."""
    return await mail_from(call, i_customer) or call.platform.config.mail_from


async def mail_from(call: Call, i_customer: int) -> str | None:
    """The mail_from of a customer; None: it has none."""
    statement = select(Customer.mail_from).where(Customer.i_customer == i_customer)
    return (await call.session.execute(statement)).scalar_one() or None


async def put(call: Call, i_customer: int, letter: Letter, *, kind: str, most_a_day: int = MOST_A_DAY) -> int:
    """
    Have a letter sent on behalf of a customer, if the call succeeds; the history tells that it was, but not its body.

    Args:
        call: A call that changes something.
        i_customer: On whose behalf: whom the change concerns. It is there, and the caller's to write for.
        letter: What to send.
        kind: What asks for it, in a word: each kind is counted by itself.
        most_a_day: How many letters of this kind may be sent for one customer in 24 hours.

    Returns:
        Its id.

    Raises:
        NotPermitted: No mail server is set, or too many were sent.
        LetterError: The letter cannot be sent.
    """
    if not is_on(call):
        raise NotPermitted("no mail is sent here: there is no smtp_host in the settings")
    if letter.attachment is not None and len(letter.attachment.content) > ATTACHMENT_LIMIT:
        raise LetterError("attachment", f"is longer than {ATTACHMENT_LIMIT} bytes")
    recipients = letter.recipients()
    content = letter.content(secrets.token_hex(16), call.now)
    await _demand_few(call, i_customer, kind, most_a_day)
    row = Mail(
        i_customer=i_customer,
        kind=kind,
        created=call.now,
        due=call.now,
        sender=letter.sender_address(),
        recipients=recipients,
        content=content,
    )
    call.session.add(row)
    await call.session.flush()
    told = {"kind": kind, "from": letter.sender, "to": letter.to, "cc": letter.cc, "bcc": letter.bcc}
    details = {**told, "subject": letter.subject, "i_mail": row.i_mail}
    await audit.event(call, SENT, object_type="customers", object_id=i_customer, i_customer=i_customer, details=details)
    return row.i_mail


async def _demand_few(call: Call, i_customer: int, kind: str, most: int) -> None:
    """Count what was sent today; whoever sends at the same time waits."""
    holding = select(Customer.i_customer).where(Customer.i_customer == i_customer).with_for_update(key_share=True)
    await call.session.execute(holding)
    sent = select(func.count()).where(Mail.i_customer == i_customer, Mail.kind == kind, Mail.created > call.now - DAY)
    if (await call.session.execute(sent)).scalar_one() >= most:
        raise NotPermitted(f"more than {most} mails of this kind in 24 hours")


async def prune(session: AsyncSession, before: datetime) -> int:
    """Forget mails that are older and done with; at most as many as one short transaction may remove. How many."""
    old = select(Mail.i_mail).where(Mail.created <= before, Mail.due.is_(None)).limit(PRUNE_BATCH)
    ids = list((await session.execute(old)).scalars())
    await session.execute(delete(Mail).where(Mail.i_mail.in_(ids)))
    return len(ids)
