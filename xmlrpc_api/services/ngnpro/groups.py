"""The groups of SIP accounts. `blocked` is the attribute of that name; it and `quota` limit an account."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, delete, exists, insert, select, update

from models import Account, AccountGroup
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import Conflict, NotFound
from xmlrpc_api.services.accounts import sip_accounts
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT, QUOTA
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.ngnpro import properties
from xmlrpc_api.services.sip.ids import SipId
from xmlrpc_api.services.tree import limits, ownership
from xmlrpc_api.storage.nested import nested

BLOCKED, PSTN = "blocked", "free-pstn"
PSTN_ACCESS = "pstn_access"
OF_ACCOUNT = nested(Account, AccountGroup.i_account == Account.i_account, AccountGroup.name)  # without `blocked`


def is_in_all(groups: Iterable[str]) -> ColumnElement[bool]:
    """The condition for accounts in all of these groups."""
    return and_(True, *(_is_in(group) for group in set(groups) - {""}))


def _is_in(group: str) -> ColumnElement[bool]:
    if group == BLOCKED:
        return Account.blocked == 1
    return exists().where(AccountGroup.i_account == Account.i_account, AccountGroup.name == group)


async def of(call: Call, account: Account) -> set[str]:
    """The groups of a locked account."""
    names = select(AccountGroup.name).where(AccountGroup.i_account == account.i_account)
    found = set((await call.session.execute(names)).scalars())
    return found | {BLOCKED} if account.blocked else found


async def add(call: Call, sip_id: SipId, group: str) -> None:
    """
    Put an account into a group.

    Where somebody below the caller has put it there already to limit it, it is the caller's limit from now on.

    Raises:
        NotFound: It is not there for the caller.
        NotPermitted: It may not be given access to the PSTN.
        Conflict: It is in that group.
    """
    account = await sip_accounts.lock(call, sip_id.address)
    groups = await of(call, account)
    if group in groups:
        if await _raise(call, account, group):
            return
        raise Conflict.taken(AccountGroup, "group")
    if group == PSTN:
        await demand_pstn(call, account)
    await put(call, account, groups, groups | {group})


async def remove(call: Call, sip_id: SipId, group: str) -> None:
    """
    Take an account out of a group.

    Raises:
        NotFound: It is not there for the caller, or not in that group.
        NotPermitted: Somebody above the caller has put it there to limit it.
    """
    account = await sip_accounts.lock(call, sip_id.address)
    groups = await of(call, account)
    if group not in groups:
        raise NotFound(AccountGroup)
    if group == QUOTA:
        line = await limits.line_of(call, account)
        line.demand_hand(call.caller, await _setter_of(call, account, group), f"the group {group}")
    await put(call, account, groups, groups - {group})


async def put(call: Call, account: Account, old: set[str], new: set[str]) -> None:
    """Put a locked account into other groups than those that it is in."""
    if old == new:
        return
    if (BLOCKED in old) is not (BLOCKED in new):
        await sip_accounts.change(call, account, {"blocked": int(BLOCKED in new)})
    mine = AccountGroup.i_account == account.i_account
    gone, come = sorted(old - new - {BLOCKED}), sorted(new - old - {BLOCKED})
    if gone:
        await call.session.execute(delete(AccountGroup).where(mine, AccountGroup.name.in_(gone)))
    if come:
        rows = [{"i_account": account.i_account, "name": name, "put_by": call.caller.i_customer} for name in come]
        await call.session.execute(insert(AccountGroup), rows)
    if gone or come:
        await note(call, account, {"groups": sorted(old)}, {"groups": sorted(new)})


async def _setter_of(call: Call, account: Account, group: str) -> int | None:
    """Who has put an account into a group that limits it."""
    if group == BLOCKED:
        return account.blocked_by
    (setter,) = await sip_accounts.over_quota(call, account)
    return setter


async def held(call: Call, account: Account, present: set[str]) -> set[str]:
    """The groups of an account that limit it, and that the caller cannot lift."""
    line = await limits.line_of(call, account)
    limiting = present & {BLOCKED, QUOTA}
    return {name for name in limiting if not line.is_in_hand_of(call.caller, await _setter_of(call, account, name))}


async def _raise(call: Call, account: Account, group: str) -> bool:
    """Make a limit the caller's where it is that of somebody below it. Whether it was."""
    if group not in (BLOCKED, QUOTA):
        return False
    line, setter = await limits.line_of(call, account), await _setter_of(call, account, group)
    highest = line.higher(call.caller.i_customer, setter)
    if highest == setter:
        return False
    if group == BLOCKED:
        await sip_accounts.change(call, account, {"blocked": 1})
        return True
    wanted = (AccountGroup.i_account == account.i_account, AccountGroup.name == group)
    raised = update(AccountGroup).where(*wanted).values(put_by=highest)
    await call.session.execute(raised.execution_options(synchronize_session=False))
    await note(call, account, {f"{group} by": setter}, {f"{group} by": highest})
    return True


async def note(call: Call, account: Account, before: Values, after: Values) -> None:
    """Write into the change history what is kept with an account."""
    await audit.changed(call, ACCOUNT.name, account.i_account, account.i_customer, before=before, after=after)


async def demand_pstn(call: Call, account: Account) -> None:
    """
    Refuse an account access to the PSTN if its customer has none to give.

    Raises:
        NotPermitted: It has none.
    """
    path = await ownership.path_of(call, account.i_customer)
    await properties.demand_granted(call, PSTN_ACCESS, account.i_customer, path)
