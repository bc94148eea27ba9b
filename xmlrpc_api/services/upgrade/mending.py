"""
What the data's upgrade mends of limits and lent rights, by what the history tells; see `upgrade`.

Each step answers the last key that it looked at (None: there was none left), how many rows, and what it could not
mend.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import contains_eager

from models import Account, AccountGroup, AuditEntry, Customer, CustomerProperty, WebUser
from xmlrpc_api.call import Call
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT, QUOTA
from xmlrpc_api.services.customers import CUSTOMER
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins.web_users import WEB_USER
from xmlrpc_api.services.tree import lending, limits, quotas
from xmlrpc_api.services.tree.limits import Line

BATCH = 100
Mended = tuple[int | None, int, tuple[str, ...]]
Row = tuple[int, dict[str, Any], dict[str, Any]]
WHOLE = (contains_eager(Customer.money), contains_eager(Customer.default_user))


async def _history(call: Call, kind: str, key: int) -> list[Row]:
    """What was done to an object: by whom, and its attributes before and after."""
    wanted = (AuditEntry.object_type == kind, AuditEntry.object_id == key, AuditEntry.action != audit.BASELINE)
    columns = (AuditEntry.i_customer_actor, AuditEntry.before, AuditEntry.after)
    rows = await call.session.execute(select(*columns).where(*wanted).order_by(AuditEntry.i_audit))
    return [(row.i_customer_actor, json.loads(row.before or "{}"), json.loads(row.after or "{}")) for row in rows]


def _blocker(line: Line, history: Iterable[Row]) -> int:
    """Who has blocked something that is blocked."""
    setter: int | None = None
    for actor, _before, after in history:
        if after.get("blocked"):
            setter = actor if setter is None else line.higher(actor, setter)
        elif "blocked" in after:
            setter = None
    return line.parent if setter is None else setter


def _quota_setter(line: Line, history: Iterable[Row]) -> int:
    """Who has set a quota that is there; whoever made it tighter left it to them."""
    setter, quota = None, 0
    for actor, _before, after in history:
        new = after.get("quota", quota)
        if new != quota:
            is_looser = quota and (not new or new > quota)
            setter = actor if setter is None or is_looser else line.higher(actor, setter)
            quota = new
        if not quota:
            setter = None
    return line.parent if setter is None else setter


def _group_setter(line: Line, history: Iterable[Row]) -> int:
    """Who has put an account into the group of those over their quota."""
    setter: int | None = None
    for actor, before, after in history:
        if "groups" in after and (QUOTA in after["groups"]) is not (QUOTA in before.get("groups", [])):
            setter = actor if QUOTA in after["groups"] else None
    return line.parent if setter is None else setter


async def customers_blocks(call: Call, last: int) -> Mended:
    """Note whose the blocks of customers are."""
    statement = select(Customer).join(Customer.money).join(Customer.default_user).options(*WHOLE)
    wanted = (Customer.i_customer > last, Customer.blocked, Customer.blocked_by.is_(None))
    statement = statement.where(*wanted).order_by(Customer.i_customer).limit(BATCH).with_for_update(of=Customer)
    rows = (await call.session.scalars(statement)).all()
    for row in rows:
        before = audit.snapshot(CUSTOMER, row)
        row.blocked_by = _blocker(await limits.line_of(call, row), await _history(call, CUSTOMER.name, row.i_customer))
        await audit.updated(call, CUSTOMER, row, row.i_customer, before)
    return (rows[-1].i_customer if rows else None), len(rows), ()


async def web_users_blocks(call: Call, last: int) -> Mended:
    """Note whose the blocks of web users are."""
    wanted = (WebUser.i_web_user > last, WebUser.blocked, WebUser.blocked_by.is_(None))
    statement = select(WebUser).where(*wanted).order_by(WebUser.i_web_user).limit(BATCH).with_for_update()
    rows = (await call.session.scalars(statement)).all()
    for row in rows:
        before = audit.snapshot(WEB_USER, row)
        line = await limits.line_of(call, row)
        row.blocked_by = _blocker(line, await _history(call, WEB_USER.name, row.i_web_user))
        await audit.updated(call, WEB_USER, row, row.i_customer, before)
    return (rows[-1].i_web_user if rows else None), len(rows), ()


async def accounts_limits(call: Call, last: int) -> Mended:
    """Note whose the blocks and quotas of accounts are."""
    in_group = and_(AccountGroup.i_account == Account.i_account, AccountGroup.name == QUOTA)
    is_limited = or_(
        and_(Account.blocked == 1, Account.blocked_by.is_(None)),
        and_(Account.quota > 0, Account.quota_by.is_(None)),
        and_(AccountGroup.name.is_not(None), AccountGroup.put_by.is_(None)),
    )
    statement = select(Account, AccountGroup.name).join(Account.money).options(contains_eager(Account.money))
    statement = statement.outerjoin(AccountGroup, in_group).where(Account.i_account > last, is_limited)
    statement = statement.order_by(Account.i_account).limit(BATCH).with_for_update(of=Account)
    rows = (await call.session.execute(statement)).all()
    for account, group in rows:
        before = audit.snapshot(ACCOUNT, account)
        line = await limits.line_of(call, account)
        history = await _history(call, ACCOUNT.name, account.i_account)
        if account.blocked and account.blocked_by is None:
            account.blocked_by = _blocker(line, history)
        if account.quota and account.quota_by is None:
            account.quota_by = _quota_setter(line, history)
        await audit.updated(call, ACCOUNT, account, account.i_customer, before)
        if group is not None:
            await _note_group(call, account, _group_setter(line, history))
    return (rows[-1][0].i_account if rows else None), len(rows), ()


async def _note_group(call: Call, account: Account, setter: int) -> None:
    wanted = (AccountGroup.i_account == account.i_account, AccountGroup.name == QUOTA, AccountGroup.put_by.is_(None))
    noted = update(AccountGroup).where(*wanted).values(put_by=setter).returning(AccountGroup.i_account)
    if (await call.session.execute(noted.execution_options(synchronize_session=False))).first() is None:
        return
    before, after = {f"{QUOTA} by": None}, {f"{QUOTA} by": setter}
    await audit.changed(call, ACCOUNT.name, account.i_account, account.i_customer, before=before, after=after)


async def properties_levels(call: Call, last: int) -> Mended:
    """Raise the permissions of properties that limit to what their names need; tell values that are none."""
    limiting = CustomerProperty.name.in_(quotas.LIMITING)
    keys = select(CustomerProperty.i_customer).where(limiting, CustomerProperty.i_customer > last).distinct()
    found = (await call.session.scalars(keys.order_by(CustomerProperty.i_customer).limit(BATCH))).all()
    statement = select(CustomerProperty).where(limiting, CustomerProperty.i_customer.in_(found))
    statement = statement.order_by(CustomerProperty.i_customer, CustomerProperty.name).with_for_update()
    findings = []
    for row in (await call.session.scalars(statement)).all():
        permission = quotas.permission_of(row.name, row.permission)
        if permission != row.permission:
            same = {row.name: row.value}  # the history of properties tells values
            await audit.changed(
                call, CustomerProperty.__tablename__, row.i_customer, row.i_customer, before=same, after=same
            )
            row.permission = permission
        if not quotas.is_allowed(row.name, row.value):
            findings.append(
                f"The property {row.name} of customer {row.i_customer} has a value that cannot be set any more"
            )
    return (found[-1] if found else None), len(found), tuple(findings)


async def lent_rights(call: Call, last: int) -> Mended:
    """Take back rights that are lent from another reseller or from the root, or by somebody who could not lend them."""
    statement = select(Customer).join(Customer.money).join(Customer.default_user).options(*WHOLE)
    wanted = (Customer.i_customer > last, Customer.impersonate.is_not(None))
    statement = statement.where(*wanted).order_by(Customer.i_customer).limit(BATCH).with_for_update(of=Customer)
    rows = (await call.session.scalars(statement)).all()
    for row in rows:
        loan = await lending.find(call.store, row.i_customer)
        lent_by = _last_setter("impersonate", await _history(call, CUSTOMER.name, row.i_customer))
        if loan is None or (lent_by is not None and not loan.is_in_hand_of(lent_by)):
            before = audit.snapshot(CUSTOMER, row)
            row.impersonate = None
            await audit.updated(call, CUSTOMER, row, row.i_customer, before)
    return (rows[-1].i_customer if rows else None), len(rows), ()


def _last_setter(name: str, history: Iterable[Row]) -> int | None:
    setters = [actor for actor, _before, after in history if after.get(name) is not None]
    return setters[-1] if setters else None


STEPS: tuple[tuple[str, str, Callable[[Call, int], Any]], ...] = (
    ("lent rights", "Taking back rights that nobody could lend", lent_rights),
    ("levels of properties", "Raising the levels of properties that limit", properties_levels),
    ("blocks of customers", "Noting who has blocked customers", customers_blocks),
    ("blocks of web users", "Noting who has blocked web users", web_users_blocks),
    ("limits of accounts", "Noting who has limited accounts", accounts_limits),
)
