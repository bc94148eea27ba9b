"""
What a call would cost: by a tariff, or those who pay for it, level by level up the tree.

An account pays its customer by the tariff of its plan, and each customer the one above by its own. Where none is named
the nearest one above counts. Who asks is told of what is below, and what itself pays; never what those above pay.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from models import ROOT_ID, Account, BillingPlan, Customer, Tariff, ancestors
from xmlrpc_api.call import Call
from xmlrpc_api.declaration import number_rules
from xmlrpc_api.declaration.faults import BadParameter, NotFound, WrongReference
from xmlrpc_api.services.catalogue import pricing, rate_search
from xmlrpc_api.services.catalogue.pricing import Terms
from xmlrpc_api.services.catalogue.tariffs import TARIFFS
from xmlrpc_api.services.money import currencies
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach
from xmlrpc_api.storage.rows import Row

REACH = Reach.SUBTREE_AND_SELF
OK, LOSS, FORBIDDEN, NO_RATE, NO_TARIFF = "ok", "loss", "forbidden", "no rate", "no tariff"
STATES = {
    OK: "it is charged",
    LOSS: "loss_protection refuses it",
    FORBIDDEN: "its rate forbids it",
    NO_RATE: "the tariff has no rate for the number",
    NO_TARIFF: "nobody above has a tariff: only calls within the platform are possible",
}
OF_TARIFF = ("currency", "connect_fee", "free_seconds", "grace_period", "post_call_surcharge")
OF_RATE = ("i_rate", "prefix", "area_name", "grace_period_enable")
OF_TIME = tuple(field.name for field in fields(pricing.Steps))
UNTOLD: Row = {**dict.fromkeys((*OF_TARIFF, *OF_RATE, *OF_TIME, "cost")), "is_local": False, "seconds_paid": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    The call that is asked about.

    Attributes:
        cld: The called number.
        cli: The caller's; without it no call is local.
        at: When it begins.
        seconds: How long it lasts.
    """

    cld: str
    cli: str
    at: datetime
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """
    Somebody who pays the one above.

    Attributes:
        i_account: The account, if it is one.
        i_customer: The customer, or whose account it is.
        payee: Who is paid.
        i_tariff: By which tariff; None: there is none.
    """

    i_account: int | None = None
    i_customer: int | None = None
    payee: int | None = None
    i_tariff: int | None

    @property
    def told(self) -> Row:
        """As it is told, before anything is known of a rate."""
        paid = {"i_customer_paid": self.payee, "i_tariff": self.i_tariff}
        return {**UNTOLD, "i_account": self.i_account, "i_customer": self.i_customer, **paid}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What somebody pays, and by which terms and steps, where the call is possible."""

    told: Row
    terms: Terms | None = None
    steps: pricing.Steps | None = None

    def cost_of(self, seconds: int) -> Decimal | None:
        """What a call of so many seconds costs; None: there is none."""
        if self.terms is None or self.steps is None:
            return None
        return pricing.charge(self.terms, self.steps, seconds).cost


async def of_tariff(call: Call, i_tariff: int, asked: Asked) -> list[Row]:
    """
    The price by a tariff.

    Raises:
        NotFound: It is not there for the caller.
    """
    tariff = await TARIFFS.info(call, i_tariff)
    return [(await _sold(call, Payer(i_tariff=i_tariff), tariff, asked)).told]


async def of_customer(call: Call, i_customer: int, asked: Asked) -> list[Row]:
    """
    What a customer pays the one above, and each of those above the next, up to what the caller pays.

    Raises:
        NotFound: It is not there for the caller.
    """
    path = await ownership.find(call, i_customer, REACH)
    return await _levels(call, await _payers(call, path, i_customer), asked)


async def of_account(call: Call, i_account: int, asked: Asked) -> list[Row]:
    """
    What an account pays its customer, and so on.

    Raises:
        NotFound: It is not there for the caller.
    """
    account = await _account(call, i_account)
    above = await _payers(call, account["path"], account["i_customer"])
    return await _levels(call, [_of_account(i_account, account, above), *above], asked)


async def tariff_of_account(call: Call, i_account: int) -> int | None:
    """
    By which tariff an account pays; None: there is none.

    Raises:
        NotFound: It is not there for the caller.
    """
    account = await _account(call, i_account)
    above = await _payers(call, account["path"], account["i_customer"])
    return _of_account(i_account, account, above).i_tariff


async def _account(call: Call, i_account: int) -> Row:
    statement = (
        select(Account.i_customer, Customer.path, BillingPlan.i_tariff)
        .select_from(Account)
        .join(Customer, Customer.i_customer == Account.i_customer)
        .join(BillingPlan, BillingPlan.i_billing_plan == Account.i_billing_plan)
        .where(Account.i_account == i_account, ownership.within(call.caller, REACH))
    )
    rows = await call.store.select(statement, is_short=True)
    if not rows:
        raise NotFound(Account)
    return rows[0]


def _of_account(i_account: int, account: Row, above: list[Payer]) -> Payer:
    own, owner = account["i_tariff"], account["i_customer"]
    nearest = own if own is not None or not above else above[0].i_tariff
    return Payer(i_account=i_account, i_customer=owner, payee=owner, i_tariff=nearest)


async def _payers(call: Call, path: str, i_customer: int) -> list[Payer]:
    """A customer and those above, each with the tariff by which it pays; the root pays nobody."""
    chain = [*ancestors(path), i_customer]
    statement = select(Customer.i_customer, Customer.i_tariff).where(Customer.i_customer.in_(chain))
    own = {row["i_customer"]: row["i_tariff"] for row in await call.store.select(statement)}
    found, i_tariff = list[Payer](), own.get(ROOT_ID)
    for above, one in pairwise(chain):
        i_tariff = i_tariff if own[one] is None else own[one]
        found.append(Payer(i_customer=one, payee=above, i_tariff=i_tariff))
    return found[::-1]


async def _levels(call: Call, payers: list[Payer], asked: Asked) -> list[Row]:
    """What those pay whom the caller may see."""
    seen = list(_seen(call, payers))
    sales = [await _sale(call, payer, asked) for payer in seen]
    for sale, above in pairwise(sales):
        if await _is_loss(call, sale, above):
            sale.told["status"] = LOSS
    await _hide(call, [sale.told for sale in sales])
    return [sale.told for sale in sales]


def _seen(call: Call, payers: list[Payer]) -> Iterator[Payer]:
    """Up to the caller itself."""
    for payer in payers:
        yield payer
        if payer.i_account is None and payer.i_customer == call.caller.i_customer:
            return


async def _hide(call: Call, levels: list[Row]) -> None:
    """Which tariff of somebody above it is, nobody is told; what it says of one's own calls is."""
    ids = {level["i_tariff"] for level in levels} - {None}
    mine = select(Tariff.i_tariff).join(Customer, Customer.i_customer == Tariff.i_customer)
    rows = await call.store.select(mine.where(Tariff.i_tariff.in_(ids), ownership.within(call.caller, REACH)))
    known = {row["i_tariff"] for row in rows}
    for level in levels:
        if level["i_tariff"] not in known:
            level |= {"i_tariff": None, "i_rate": None}


async def _sale(call: Call, payer: Payer, asked: Asked) -> Sale:
    """What somebody pays for the call."""
    if payer.i_tariff is None:
        return Sale(told={**payer.told, "status": NO_TARIFF})
    return await _sold(call, payer, await rate_search.tariff_of(call.store, payer.i_tariff), asked)


async def _sold(call: Call, payer: Payer, tariff: Mapping[str, Any], asked: Asked) -> Sale:
    """The same by a tariff."""
    told = {**payer.told, **{name: tariff[name] for name in OF_TARIFF}}
    rate = await rate_search.rate_of(call.store, tariff["i_tariff"], asked.cld, asked.at)
    if rate is None:
        return Sale(told={**told, "status": NO_RATE})
    is_local = await _is_local(call, tariff, rate, asked)
    steps = pricing.steps_of(rate, is_local=is_local)
    told |= {**{name: rate[name] for name in OF_RATE}, **asdict(steps), "is_local": is_local}
    if rate["forbidden"]:
        return Sale(told={**told, "status": FORBIDDEN})
    terms = Terms.of(tariff)
    charge = pricing.charge(terms, steps, asked.seconds, has_grace=rate["grace_period_enable"])
    told |= {"status": OK, "cost": charge.cost, "seconds_paid": charge.paid}
    return Sale(told=told, terms=terms, steps=steps)


async def _is_local(call: Call, tariff: Mapping[str, Any], rate: Row, asked: Asked) -> bool:
    if not (tariff["local_calling"] and asked.cli):
        return False
    calling = await rate_search.rate_of(call.store, tariff["i_tariff"], asked.cli, asked.at)
    is_valid = number_rules.matches(tariff["local_calling_cli_validation_rule"], asked.cli)
    return pricing.is_local(rate, calling, is_valid=is_valid)


async def _is_loss(call: Call, sale: Sale, above: Sale) -> bool:
    """Whether loss protection refuses what somebody sells for less than itself pays."""
    if sale.terms is None or not sale.terms.loss_protection:
        return False
    sold, bought = (one.cost_of(sale.terms.average_duration) for one in (sale, above))
    if sold is None or bought is None:
        return False
    try:
        worth = await currencies.worth(call.session, bought, above.told["currency"], sale.told["currency"])
    except WrongReference:
        return False  # without a rate between the two nobody can tell
    return pricing.is_loss(sale.terms, sold, worth.amount)


OF: Mapping[str, Callable[[Call, int, Asked], Awaitable[list[Row]]]] = {
    "i_tariff": of_tariff,
    "i_account": of_account,
    "i_customer": of_customer,
}


async def levels(call: Call, known: Mapping[str, int | None], asked: Asked) -> list[Row]:
    """
    The prices of a call by that one of `OF` of which the id is known.

    Raises:
        BadParameter: None is known, or more than one.
        NotFound: It is not there for the caller.
    """
    given = {name: i_row for name in OF if (i_row := known[name]) is not None}
    if not given:
        raise BadParameter.required(next(iter(OF)))
    name, *others = given
    if others:
        raise BadParameter(others[0], f"cannot be given beside {name}")
    return await OF[name](call, given[name], asked)
