"""Features of accounts: where calls follow to, by which callers they are known, and short ways to dial."""

from sqlalchemy import select

from models import FOLLOWME_MODES, Account, CliMapping, Customer, FollowMeEntry, HotDialNumber, SmartDial
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import Conflict, NotFound
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.accounts.account_belongings import AccountBelongings
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.errors import ERRORS, is_duplicate
from xmlrpc_api.storage.rows import Row

MOST = 100
FOLLOW_ME = AccountBelongings(FollowMeEntry, MOST)
CLI_MAPPINGS = AccountBelongings(CliMapping, MOST, "cli")
HOT_DIAL = AccountBelongings(HotDialNumber, MOST, "hot_key")
SMART_DIAL = AccountBelongings(SmartDial, MOST, "did")
_FOUND = (
    select(Account.i_account, CliMapping.cli, CliMapping.lang, Account.authname, Account.username)
    .join(CliMapping, CliMapping.i_account == Account.i_account)
    .join(Customer, Customer.i_customer == CliMapping.i_customer)
)


async def follow_me_options(call: Call, i_account: int) -> Row:
    """How calls of an account follow; NotFound if it is not there for the caller."""
    account = await sip_accounts.info(call, i_account, None)
    mode = account["i_followme_mode"]
    return {
        "followme_timeout": account["followme_timeout"],
        "i_followme_mode": mode,
        "followme_mode_name": FOLLOWME_MODES[mode],
    }


async def follow_me_entries(call: Call, i_account: int) -> list[Row]:
    """Where calls of an account follow to, in this order; NotFound if it is not there for the caller."""
    rows = await FOLLOW_ME.all_of(call, i_account)
    return sorted(rows, key=lambda row: (row["preference"], row["i_followme_entry"]))


async def rebind(call: Call, i_account: int, old_cli: str, new_cli: str, attributes: Values) -> None:
    """
    Bind another caller number to an account in place of one.

    Raises:
        NotFound: The account is not there for the caller, or the number is not bound to it.
        WrongReference: There is no such language.
        Conflict: The other one is bound to an account of this customer.
    """
    try:
        await CLI_MAPPINGS.change_of(call, i_account, old_cli, {"cli": new_cli, **attributes})
    except ERRORS as error:
        if not is_duplicate(error):
            raise
        raise Conflict.taken(CliMapping, "new_cli") from None


async def find_account(call: Call, i_customer: int, cli: str) -> Row:
    """
    The account of a customer to which a caller number is bound.

    Raises:
        NotFound: The customer is not there for the caller, or the number is not bound.
    """
    reach = ownership.within(call.caller, Reach.SUBTREE_AND_SELF)
    await ownership.find(call, i_customer, Reach.SUBTREE_AND_SELF)
    rows = await call.store.select(_FOUND.where(CliMapping.i_customer == i_customer, CliMapping.cli == cli, reach))
    if not rows:
        raise NotFound(CliMapping)
    return rows[0]
