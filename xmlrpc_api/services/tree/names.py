"""
Names and logins: which are allowed, which are one, and how one is found.

They are kept as they were sent; unique, and found, are their keys (`models.login_key`). Names from before that have
one key by now share it no more: the oldest has it, each other one is found by exactly its own form alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, bindparam, cast, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from models import Account, Customer, SipAlias, SipDomain, WebUser, account_key, exact_key, login_key
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.faults import BadParameter

KEY, EXACT = (bindparam(name, type_=String) for name in ("key", "exact"))  # for queries that are made once
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_MOVED = "\x1f"  # no key begins so: XML cannot carry it


def has_key(
    column: InstrumentedAttribute[str], exactly: InstrumentedAttribute[str], key: Any = KEY, exact: Any = EXACT
) -> ColumnElement[bool]:
    """
    The condition for the one whom a name means: who is called exactly so, else who has its key.

    Args:
        column: Where keys stand.
        exactly: Where names stand.
        key: The key that is looked for.
        exact: The name that is looked for.
    """
    other = _again(column)
    known = select(getattr(other, column.key)).where(getattr(other, exactly.key) == exact).scalar_subquery()
    return column == func.coalesce(known, key)


@cache
def _again(column: InstrumentedAttribute[str]) -> Any:
    """Its table, which stands in a query a second time; that costs more to say than to ask."""
    return aliased(column.class_)


def is_customer(name: str | None = None) -> ColumnElement[bool]:
    """The condition for the customer of this name; that of the parameters `key` and `exact` if it is left out."""
    return has_key(Customer.name_key, Customer.name, *_forms(name))


def is_web_user(login: str | None = None) -> ColumnElement[bool]:
    """The condition for the web user with this login; that of the parameters `key` and `exact` if it is left out."""
    return has_key(WebUser.web_login_key, WebUser.web_login, *_forms(login))


def forms(name: str) -> dict[str, str]:
    """The parameters `key` and `exact` for a name."""
    return {"key": login_key(name), "exact": name}


def _forms(name: str | None) -> tuple[Any, Any]:
    return (KEY, EXACT) if name is None else (login_key(name), name)


def is_account(call: Call, username: str) -> ColumnElement[bool]:
    """The condition for the account with this username, or with this SIP id."""
    return has_key(Account.username_key, Account.username, **account_forms(call, username))


def account_forms(call: Call, username: str) -> dict[str, str]:
    """The values of `IS_ACCOUNT` for this username, or this SIP id."""
    return {"key": account_key(username, call.platform.config.sip_domain), "exact": username}


IS_ACCOUNT = has_key(Account.username_key, Account.username)  # the same in a query that is made once


def demand(name: str, value: str, present: str | None = None, *, is_login: bool = True, origin: str = "") -> None:
    """
    Refuse a name that is not allowed, unless it is there already.

    Args:
        name: The parameter that it came in.
        value: The name.
        present: What it is now.
        is_login: Whether somebody logs in with it.
        origin: From what it was taken, if it was not sent itself.

    Raises:
        BadParameter: It is not allowed; the text says why.
    """
    reason = flaw(value, is_login=is_login) if value != present else None
    if reason is not None:
        raise BadParameter(name, f"{reason} (taken from {origin})" if origin else reason)


def flaw(name: str, *, is_login: bool) -> str | None:
    """Why a name is not allowed, if it is not. A login holds no colon: HTTP Digest does not know one there."""
    if not login_key(name):
        return "must not be empty"
    if _CONTROL.search(name):
        return "must not hold control characters"
    return "must not hold a colon" if is_login and ":" in name else None


@dataclass(frozen=True, slots=True)
class Keyed:
    """
    A table whose rows have names with keys.

    Attributes:
        what: What a row is called.
        id_column: Where ids stand.
        column: Where keys stand.
        rows: Reads id, key and name of its rows.
        key_of: The key of a name, given the setting sip_domain.
        is_login: Whether somebody logs in with it.
    """

    what: str
    id_column: InstrumentedAttribute[int]
    column: InstrumentedAttribute[str]
    rows: Statement
    key_of: Callable[[str, str], str]
    is_login: bool = True

    @property
    def model(self) -> Any:
        """The table."""
        return self.column.class_


def _plain(name: str, _sip_domain: str) -> str:
    return login_key(name)


KEYED = (
    Keyed(
        "customer",
        Customer.i_customer,
        Customer.name_key,
        select(Customer.i_customer, Customer.name_key, Customer.name),
        _plain,
        is_login=False,
    ),
    Keyed(
        "web user",
        WebUser.i_web_user,
        WebUser.web_login_key,
        select(WebUser.i_web_user, WebUser.web_login_key, WebUser.web_login),
        _plain,
    ),
    Keyed(
        "account",
        Account.i_account,
        Account.username_key,
        select(Account.i_account, Account.username_key, Account.username),
        account_key,
    ),
    Keyed(
        "SIP alias",
        SipAlias.i_alias,
        SipAlias.alias_key,
        select(SipAlias.i_alias, SipAlias.alias_key, SipAlias.username + "@" + SipDomain.domain).join(
            SipDomain, SipDomain.i_domain == SipAlias.i_domain
        ),
        _plain,
        is_login=False,
    ),
)


class Named(NamedTuple):
    """A row with its name."""

    i_row: int
    name: str


def sharing(keyed: Keyed) -> Statement:
    """Reads the rows that lost their key to an older one."""
    return keyed.rows.where(keyed.column.startswith(exact_key("")))


async def rekey(call: Call, keyed: Keyed, last: int, count: int) -> tuple[int | None, int, tuple[str, ...]]:
    """
    Give the next `count` rows whose id is above `last` the keys of their names.

    Nothing of it is seen by clients, nor is it part of the history: a key is a form of what the history covers.

    Returns:
        The highest id, None if there was no row; how many rows there were; what could not be mended and keeps working.
    """
    page = keyed.rows.where(keyed.id_column > last).order_by(keyed.id_column).limit(count)
    rows = [Named(row[0], row[2]) for row in await call.session.execute(page)]
    wanted = {row.i_row: keyed.key_of(row.name, call.platform.config.sip_domain) for row in rows}
    holders = select(keyed.column, keyed.id_column).where(keyed.column.in_(wanted.values()))
    held = {key: holder for key, holder in await call.session.execute(holders)}  # noqa: C416 (rows are no pairs)
    findings: list[str] = []
    for row in rows:
        what, key = keyed.what[0].upper() + keyed.what[1:], wanted[row.i_row]
        reason = flaw(row.name, is_login=keyed.is_login)
        if reason is not None:
            findings.append(f"{what} {row.i_row} is called {row.name!r}, which {reason}. It keeps working.")
        holder = held.setdefault(key, row.i_row)
        if holder < row.i_row:
            shared = f"which is one with {keyed.what} {holder} by now: each is found by exactly its own form."
            findings.append(f"{what} {row.i_row} is called {row.name!r}, {shared}")
            key = exact_key(row.name)
        held[key] = row.i_row
        await _take(call, keyed, row.i_row, key)
    return rows[-1].i_row if rows else None, len(rows), tuple(findings)


async def _take(call: Call, keyed: Keyed, i_row: int, key: str) -> None:
    """Give a row its key. A younger row that has it gives it up; its turn comes."""
    younger = update(keyed.model).where(keyed.column == key, keyed.id_column > i_row)
    moved = {keyed.column: literal(_MOVED) + cast(keyed.id_column, String)}
    own = update(keyed.model).where(keyed.id_column == i_row, keyed.column != key)
    for statement in (younger.values(moved), own.values({keyed.column: key})):
        await call.session.execute(statement.execution_options(synchronize_session=False))
