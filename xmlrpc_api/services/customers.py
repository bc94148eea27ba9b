"""The rules of the customer tree, the same for every dialect."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, UniqueConstraint, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import DEFAULT_PASSWORD_POLICY, ROOT_ID, Balance, Customer, LedgerEntry, Tariff, WebUser, login_key, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import NOBODYS_HASH
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    Kind,
    NotFound,
    NothingToChange,
    NotPermitted,
    WrongReference,
)
from xmlrpc_api.declaration.numbers import INT_HIGH
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import descendants, records
from xmlrpc_api.services.history import past
from xmlrpc_api.services.logins import password_policies
from xmlrpc_api.services.money import balance_sign, balances, ledger, overcommit
from xmlrpc_api.services.money.ledger import Booking
from xmlrpc_api.services.tree import lending, limits, lists, names, ownership, patterns, references
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.services.tree.pages import Pages
from xmlrpc_api.services.tree.references import Pointer
from xmlrpc_api.services.tree.stretches import Of
from xmlrpc_api.storage.errors import ERRORS, is_refusal, violated_constraint
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.foresight import Companion, Foreseen
from xmlrpc_api.storage.ids import Drawn
from xmlrpc_api.storage.rows import Row
from xmlrpc_api.storage.together import Asked
from xmlrpc_api.turns import Key

CUSTOMER = entity_of(Customer)
LISTED = CUSTOMER.some("i_customer", "name", "web_login", "description", "balance", "credit_limit", "base_currency")
SELECT_INFO = CUSTOMER.select(CUSTOMER.read)
_CALLER = bindparam("caller", type_=Integer)


def _is_his_or_him(row: Any, caller: Any) -> ColumnElement[bool]:
    return or_(row.i_wholesaler == caller, row.i_customer == caller)


_ANYBODYS_INFO = SELECT_INFO.where(Customer.i_customer == bindparam("wanted", type_=Integer))
INFO_BY_ID = Query(_ANYBODYS_INFO.where(_is_his_or_him(Customer, _CALLER)), is_short=True)
_INFO = Companion(
    _ANYBODYS_INFO,
    lambda row, caller: _is_his_or_him(row, caller.i_customer),
    query=INFO_BY_ID,
    bounds=lambda caller: {"caller": caller.i_customer},
)
INFO_BY_NAME = Query(SELECT_INFO.where(_is_his_or_him(Customer, _CALLER), names.is_customer()), is_short=True)
_OWN_CURRENCY = Query(select(Balance.currency).where(Balance.i_customer == _CALLER, Balance.is_default))
_TARIFF_CURRENCY = Query(select(Tariff.currency).where(Tariff.i_tariff == bindparam("i_tariff", type_=Integer)))
_CHILDREN = Of({Customer.i_wholesaler: _CALLER})
CHILDREN, WHOLE_CHILDREN = Pages(CUSTOMER, LISTED, _CHILDREN), Pages(CUSTOMER, CUSTOMER.read, _CHILDREN)
SORTED_CHILDREN = lists.List(
    CUSTOMER.select(LISTED),
    Customer.i_customer,
    filters={"name_pattern": lambda pattern: patterns.like(Customer.name, pattern)},
    orders={"name": Customer.name},
)
NEEDED = records.needed(Customer, Balance, WebUser, LedgerEntry)
PASSWORDS = ("web_password", "api_password")
OWN = frozenset({"api_password"})  # what everybody may change of itself, whatever it may manage


async def create(call: Call, attributes: Values, parent: Caller | None = None) -> Customer:
    """
    Add a customer directly below the caller, or below another customer for whom the caller acts.

    An import may give `foreign_password`, a known hash of another system, instead of web_password.

    Raises:
        NotPermitted: A right or the depth exceeds the parent's own, or rights are to be lent that are not the
            caller's to lend.
        WrongReference: Something pointed at is not there for the caller.
        NotEnoughCredit: The initial balance is below the credit limit, or the caller would hand out too much.
        Conflict: Name or login is taken.
    """
    if parent is not None:
        parent = await ownership.lock_caller(call.store, parent)
        call = call.acting_for(parent)
    caller = call.caller
    values = _completed(caller, attributes)
    path = subtree(caller.path, caller.i_customer)[0]
    await references.check(call, CUSTOMER, values, Pointer(owner=caller.i_customer, path=path))
    await _lock_own_balance(call, values)
    ready = await _prepared(call, values)
    await password_policies.demand_by(ready.policy, PASSWORDS, values, values["web_login"])
    unnoted = {"balance": values.pop("balance", None) or Decimal(0)}
    customer = Customer(
        i_wholesaler=caller.i_customer,
        path=path,
        money=Balance(is_default=True, currency=ready.currency),
        default_user=WebUser(
            is_default=True, web_password=NOBODYS_HASH, foreign_password=values.pop("foreign_password", None)
        ),
    )
    with _told_as_sent(attributes):
        await records.add(call, customer, values, ids=ready.ids, unnoted=unnoted)
        await ledger.open_with(call, customer.money, ready.ids[LedgerEntry][0])
        await call.store.flush()
    await overcommit.check_those(call.store, ready.protected)
    return customer


@dataclass(frozen=True, slots=True)
class _Ready:
    """What the creation of a customer needs to know."""

    policy: Row | None
    currency: str
    ids: Drawn
    protected: list[int]


async def _prepared(call: Call, values: Values) -> _Ready:
    """What a creation with these values needs to know, in one round trip; the caller's balance is held by now."""
    ids = call.transaction.ids
    policy, currency, drawn, *protected = await call.transaction.together(
        password_policies.asking(values.get("i_password_policy", DEFAULT_PASSWORD_POLICY)),
        _asking_currency(call, values["i_tariff"]),
        ids.drawing(NEEDED),
        *overcommit.asking([call.caller.i_customer]),
    )
    if currency is None:  # the tariff was there when it was looked for
        raise WrongReference("i_tariff")
    assert drawn is not None  # noqa: S101
    return _Ready(policy, currency["currency"], ids.drawn(NEEDED, drawn), overcommit.of_rows(protected))


def _completed(caller: Caller, attributes: Values) -> dict[str, Any]:
    """The attributes of a new customer, with what they are if they are left out, and the caller may give."""
    if caller.max_depth < 1:
        raise NotPermitted("your max_depth allows no sub-customers")
    defaults = {"max_depth": caller.max_depth - 1, "use_own_tariff": caller.use_own_tariff}
    values = {**defaults, "web_login": attributes["name"], **attributes}
    names.demand("name", values["name"], is_login=False)
    names.demand("web_login", values["web_login"], origin="" if "web_login" in attributes else "name")
    caller.demand_grantable(values, {**defaults, "api_access": 0, "api_password": None})
    return values


@contextmanager
def _told_as_sent(attributes: Values) -> Iterator[None]:
    """Whoever sent no login, which is the name then, is told of the name where it is taken."""
    try:
        yield
    except ERRORS as error:
        key = violated_constraint(error) if is_refusal(error) else None
        is_login = isinstance(key, UniqueConstraint) and key.table is WebUser.__table__
        if "web_login" in attributes or not is_login:
            raise
        raise Conflict.taken(WebUser, "web_login", "name") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """
    What the client took for the present state; anything else refuses the change. None: whatever it is.

    The balance is meant as getCustomerInfo tells it.
    """

    version: int | None = None
    balance: Decimal | None = None

    def demand(self, call: Call, customer: Customer) -> None:
        """
        Compare with a locked customer.

        Raises:
            Conflict: Somebody else changed it meanwhile; the text tells the present state.
        """
        if self.version not in (None, customer.version):
            raise Conflict(f"Customer has changed meanwhile: his version is {customer.version}")
        balance = balance_sign.shown(call, customer.balance)
        if self.balance is not None and self.balance != balance:
            raise Conflict(f"Balance has changed meanwhile: it is {balance.normalize():f}")


async def change(
    call: Call,
    i_customer: int,
    changes: Values,
    expected: Expected = Expected(),
    reach: Reach = Reach.CHILDREN,
) -> None:
    """
    Change attributes of a direct sub-customer of the caller, or of one elsewhere in `reach`.

    Raises:
        NothingToChange: No attribute was given.
        NotFound: It is not the caller's.
        Conflict: It is not as `expected`, or a name or login is taken.
        NotPermitted: It acts as somebody above the caller, who is to change its logins; or as in `create`.
        WrongReference, NotEnoughCredit: As in `create`.
    """
    if not changes:
        raise NothingToChange
    await _lock_own_balance(call, changes)
    customer = await ownership.find_for_update(
        call, i_customer, reach, rights_stay=i_customer == call.caller.i_customer
    )
    expected.demand(call, customer)
    values = _without_echo(call, customer, changes)
    await _demand_allowed(call, customer, values)
    balance = values.pop("balance", None)
    async with records.changing(call, customer):
        await descendants.take_away_rights(call, customer, values)
        records.assign(call, customer, values)
    await ledger.allot(call, customer.money, balance, ledger.SET)
    if not changes.keys().isdisjoint(overcommit.WATCHED):
        await overcommit.check(call.store, {call.caller.i_customer, i_customer})


def _without_echo(call: Call, customer: Customer, changes: Values) -> dict[str, Any]:
    """What is sent; of itself a customer sends no API password where a form echoes what it was filled in with."""
    values = dict(changes)
    is_self = customer.i_customer == call.caller.i_customer
    if (
        is_self
        and "api_password" in values
        and values["api_password"] == records.unsealed(call, customer, "api_password")
    ):
        del values["api_password"]
    return values


async def _demand_allowed(call: Call, customer: Customer, values: Values) -> None:
    """Refuse what the caller must not set, or not set so."""
    caller, login = call.caller, values.get("web_login", customer.web_login)
    names.demand("name", values.get("name", customer.name), customer.name, is_login=False)
    names.demand("web_login", login, customer.web_login)
    present = {name: getattr(customer, name) for name in values}
    if customer.i_customer == caller.i_customer:
        present |= {name: values[name] for name in OWN & values.keys()}
    caller.demand_grantable(values, present)
    await lending.demand_hand(call, customer.i_customer, {name for name in values if values[name] != present[name]})
    pointer = Pointer(owner=customer.i_wholesaler, customer=customer.i_customer, path=customer.path, present=customer)
    await references.check(call, CUSTOMER, values, pointer)
    policy = values.get("i_password_policy", customer.i_password_policy)
    await password_policies.demand_new(call, policy, PASSWORDS, values, login)
    if "i_tariff" in values and await _base_currency(call, values["i_tariff"]) != customer.base_currency:
        raise BadParameter("i_tariff", f"must be a tariff in {customer.base_currency}, the customer's base currency")


async def own_balance(call: Call, values: Values) -> set[Key]:
    """That a change of these values holds the caller's balance; see `_lock_own_balance`."""
    return await balances.own(call, values) if not values.keys().isdisjoint(overcommit.WATCHED) else set()


async def _lock_own_balance(call: Call, values: Values) -> None:
    """Hold the caller's balance while money or credit that it hands out changes; root's is without limit."""
    if call.caller.i_customer != ROOT_ID and not values.keys().isdisjoint(overcommit.WATCHED):
        await ledger.lock(call, {call.caller.i_customer})


async def delete(call: Call, i_customer: int, expected: Expected = Expected(), reach: Reach = Reach.CHILDREN) -> None:
    """
    Remove a direct sub-customer of the caller, or one elsewhere in `reach`. Its ledger is kept.

    What was paid in for it, and has not come back, is written off.

    Raises:
        NotFound: It is not the caller's.
        NotPermitted: Somebody above the caller has blocked it: made anew it would be free.
        Conflict: It is not as `expected`, still has sub-customers or money, or something points at it.
    """
    customer = await ownership.find_for_update(call, i_customer, reach)
    expected.demand(call, customer)
    await limits.demand_removable(call, customer)
    children = select(Customer.i_customer).where(Customer.i_wholesaler == i_customer).limit(1)
    if (await call.session.execute(children)).first():
        raise Conflict("Customer still has sub-customers", kind=Kind.IN_USE, thing=Customer)
    if customer.balance:
        raise Conflict(f"Customer still has money: the balance is {customer.balance.normalize():f}")
    if customer.money.funded:
        written_off = Booking(amount=Decimal(0), kind=ledger.CLOSED, funded_change=-customer.money.funded)
        await ledger.book(call, customer.money, written_off)
    await records.remove(call, customer)


async def set_blocked(call: Call, i_customer: int, blocked: bool) -> None:
    """
    Block or unblock a customer at any depth below the caller; to do it twice is no error.

    Raises:
        NotFound: It is not below the caller.
        NotPermitted: It was blocked by somebody above the caller.
    """
    customer = await ownership.find_for_update(call, i_customer, Reach.SUBTREE)
    values = {"blocked": blocked}
    await records.change(call, customer, {**values, **await limits.changed(call, customer, values)})
    if blocked:
        await descendants.end_one_time_passwords(call, customer)


async def info(call: Call, i_customer: int | str | None, name: str | None) -> Row:
    """
    All attributes of a direct sub-customer or of the caller itself, secrets excepted.

    Raises:
        BadParameter: Neither id nor name was given.
        NotFound: It is not the caller's.
    """
    if i_customer is None and name is None:
        raise BadParameter.required("i_customer")
    caller = call.caller.i_customer
    if isinstance(i_customer, int):
        rows = await call.store.rows(INFO_BY_ID, caller=caller, wanted=i_customer)
    else:
        exact = str(i_customer if i_customer is not None else name)
        rows = await call.store.rows(INFO_BY_NAME, caller=caller, **names.forms(exact))
    if not rows:
        raise NotFound(Customer)
    return rows[0]


def foreseen_info(sent: Values) -> Foreseen | None:
    """What `info` will ask for, if that can be told from what a client sent before anything is checked."""
    wanted = sent.get("i_customer")
    is_id = type(wanted) is int and 0 < wanted <= INT_HIGH
    return Foreseen(_INFO, wanted=wanted) if is_id and "as_of" not in sent else None


async def as_of(call: Call, i_customer: int, time: datetime) -> Row:
    """
    A direct sub-customer, or the caller itself, as it was; also one who has been deleted since.

    Raises:
        NotFound: It did not exist then, or was not the caller's.
    """
    his = (Customer.i_customer == i_customer, ownership.within(call.caller, Reach.CHILDREN_AND_SELF))
    present = (await call.session.execute(SELECT_INFO.where(*his))).mappings().one_or_none()
    state = await past.rewound(call, CUSTOMER, i_customer, dict(present or {}), time)
    if state is None or call.caller.i_customer not in (state["i_wholesaler"], i_customer):
        raise NotFound(Customer)
    return {**state, "balance": await ledger.as_of(call.session, i_customer, time)}


async def ids_by_name(session: AsyncSession, caller: Caller, wanted: list[str]) -> dict[str, int]:
    """Which of these names direct sub-customers of the caller have, or it itself."""
    keys = {name: login_key(name) for name in wanted}
    found = await session.execute(
        select(Customer.name, Customer.name_key, Customer.i_customer).where(
            or_(Customer.name.in_(keys), Customer.name_key.in_(keys.values())),
            ownership.within(caller, Reach.CHILDREN_AND_SELF),
        )
    )
    rows = found.all()
    exactly, by_key = ({row[column]: row.i_customer for row in rows} for column in (0, 1))
    ids = {name: exactly.get(name, by_key.get(key)) for name, key in keys.items()}
    return {name: i_customer for name, i_customer in ids.items() if i_customer is not None}


async def children(call: Call, page: Values) -> Row:
    """
    A page of the caller's direct sub-customers, oldest first, and how many there are if that is asked, as `customers`.

    Raises:
        BadParameter: More rows were asked for, or exist, than one call may answer.
    """
    if any(page.get(name) for name in ("sort", "name_pattern", "with_total")):
        mine = Of({Customer.i_wholesaler: call.caller.i_customer})
        return await SORTED_CHILDREN.told(call, page, "customers", of=mine)
    return {"customers": await CHILDREN.rows(call, lists.asked(page), caller=call.caller.i_customer)}


async def reset_root(call: Call, api_password: str, web_password: str | None) -> str:
    """
    Give root a new API password, and a new web password if there is one, which comes hashed.

    Returns:
        Its login.
    """
    root = await ownership.find_for_update(call, ROOT_ID, Reach.CHILDREN_AND_SELF, rights_stay=True)
    portal = {} if web_password is None else {"web_password": web_password}
    await records.change(call, root, {"api_password": api_password, "api_access": 1, **portal})
    return root.web_login


async def _base_currency(call: Call, i_tariff: int | None) -> str:
    """The currency of a tariff; that of the caller where it is its own."""
    query, values = _asking_currency(call, i_tariff)
    return str((await call.store.rows(query, **values))[0]["currency"])


def _asking_currency(call: Call, i_tariff: int | None) -> Asked:
    """What to ask for that."""
    if i_tariff is None:
        return _OWN_CURRENCY, {"caller": call.caller.i_customer}
    return _TARIFF_CURRENCY, {"i_tariff": i_tariff}
