"""Letters that customers write themselves."""

from models import ROOT_ID
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.services.mail import outbox
from xmlrpc_api.services.mail.letters import Letter, LetterError, address_of

KIND = "sendEMail"


async def send(call: Call, mail: Values) -> None:
    """
    Have a letter of the caller's sent: `from`, `to`, `cc`, `bcc`, `subject` and `body`.

    Raises:
        BadParameter: It is not from the caller's own mail_from, or cannot be sent.
        NotPermitted: No mail server is set, or too many were sent.
    """
    own = await _own(call)
    try:
        if own is None or address_of(mail["from"]).casefold() != address_of(own).casefold():
            raise BadParameter("from", "must be your own mail_from")
        others = {name: value for name, value in mail.items() if name != "from"}
        await outbox.put(call, call.caller.i_customer, Letter(sender=own, **others), kind=KIND)
    except LetterError as error:
        raise BadParameter("from" if error.part == "sender" else error.part, str(error)) from None


async def _own(call: Call) -> str | None:
    """The caller's own mail_from. What stands in the settings is the root's, and lent to nobody."""
    if call.caller.i_customer == ROOT_ID:
        return await outbox.sender_of(call, ROOT_ID)
    return await outbox.mail_from(call, call.caller.i_customer)
