"""The nouns of the switch's dialect: what their methods are called, and what each takes to be made."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import phonebook
from conftest import WEB_PASSWORD, Customers
from faces import Api
from harness import Server, unique
from sippy import new
from sqlalchemy import String

from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.dialects.switch import METHODS

ADD, EDIT, DELETE = 1, 2, 4
MOST_CALLS = 50  # of one system.multicall
NOBODYS = 2**31 - 1
COMMON = {"after", "offset", "limit", "sort", "with_total", "if_version"}  # of many methods, and no attributes
PREFIXES = itertools.count(10**6)
Params = dict[str, Any]
Call = tuple[str, Params]


@dataclass(frozen=True, kw_only=True)
class Noun:
    """
    One noun.

    Attributes:
        id: What its id is called, be it told when it is made or given then, as a number that is dialled.
        create, info, update, delete, listing: Its methods; empty: it has none.
        given: What one is made with, for somebody.
        record: The member of the answer of `info` that holds it; empty: the answer does.
        rows: The member of the answer of `list` that holds them.
        needs: What other methods must be told beside the id.
        mask: The bit mask that manages it; empty: none.
        bits: Which of its bits each kind of method needs.
        own_free: Whether nobody needs it for what is his own.
        change: What may be changed of one.
        untold: Parameters that are not told as they were sent, or not with others; they have tests of their own.
        moving: Attributes that change with others.
        columns: What the places of a row are called, where the list holds arrays.
        nil_is_empty: Whether nil, sent for a text, is told as an empty one; it has tests of its own.
    """

    id: str
    create: str
    given: Callable[["Person"], Params]
    info: str = ""
    update: str = ""
    delete: str = ""
    listing: str = ""
    record: str = ""
    rows: str = ""
    needs: tuple[str, ...] = ()
    mask: str = ""
    bits: Mapping[str, int] = field(default_factory=lambda: {"create": ADD, "update": EDIT, "delete": DELETE})
    own_free: bool = False
    change: Mapping[str, Any] = field(default_factory=lambda: {"description": "changed"})
    untold: frozenset[str] = frozenset()
    moving: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    nil_is_empty: bool = False

    def tells(self, one: Field, value: Any) -> bool:
        """Whether a value is told as it was sent."""
        return not (self.nil_is_empty and value is None and one.wire is Wire.STRING)

    @property
    def methods(self) -> set[str]:
        return {self.create, self.info, self.update, self.delete, self.listing} - {""}

    @property
    def is_told(self) -> bool:
        """Whether a method tells it by its attributes."""
        return bool(self.info or self.listing)

    @property
    def is_callers(self) -> bool:
        """Whether one is made, and listed, for the caller alone, and for nobody below."""
        return "i_customer" not in METHODS[self.create].params.by_name and "i_account" not in self.needs

    def settable(self, method: str) -> list[Field]:
        """The attributes that one of its methods sets."""
        aside = {self.id, *self.needs, "i_customer", *COMMON}
        return [one for one in METHODS[method].params.fields if one.name not in aside]

    def which(self, method: str, made: Params) -> Params:
        """What tells a method which one is meant."""
        return {name: made[name] for name in (self.id, *self.needs) if name in METHODS[method].params.by_name}


@dataclass
class Person:
    """Somebody who calls, and what he has."""

    server: Server
    api: Api
    i_customer: int
    has: dict[str, Params] = field(default_factory=dict)
    spare: list[int] = field(default_factory=list)

    def call(self, method: str, **params: Any) -> Any:
        return getattr(self.api, method)(**params)

    def one(self, kind: str) -> int:
        """The id of one of his own, which is made when it is asked for first."""
        noun = CUSTOMER if kind == "customers" else NOUNS[kind]
        if kind not in self.has:
            self.has[kind] = self.made(noun)
        i_row: int = self.has[kind][noun.id]
        return i_row

    def made(self, noun: Noun, **attributes: Any) -> Params:
        """A new one: what it was made with, and its id."""
        given = {**noun.given(self), **attributes}
        return given | self._identified(noun, self.call(noun.create, **given))

    def several(self, noun: Noun, count: int) -> list[Params]:
        """The same, so many of them."""
        given = [noun.given(self) for _ in range(count)]
        answers = self.answers((noun.create, one) for one in given)
        return [one | self._identified(noun, answer[0]) for one, answer in zip(given, answers, strict=True)]

    @staticmethod
    def _identified(noun: Noun, answer: Params) -> Params:
        return {noun.id: answer[noun.id]} if noun.id in answer else {}

    def told(self, noun: Noun, made: Params) -> Params:
        """One as it is told."""
        if noun.info:
            answer: Params = self.call(noun.info, **noun.which(noun.info, made))
            return answer[noun.record] if noun.record else answer
        rows = self.call(noun.listing, **noun.which(noun.listing, made))[noun.rows]
        rows = [dict(zip(noun.columns, row, strict=True)) for row in rows] if noun.columns else rows
        (row,) = (row for row in rows if row[noun.id] == made[noun.id])
        return dict(row)

    def answers(self, calls: Iterable[Call]) -> list[Any]:
        """What each call answers, or its fault."""
        batch = [{"methodName": name, "params": [params]} for name, params in calls]
        parts = (batch[start : start + MOST_CALLS] for start in range(0, len(batch), MOST_CALLS))
        return [answer for part in parts for answer in self.api.proxy.system.multicall(part)]

    def faults(self, calls: Iterable[Call]) -> list[tuple[int | None, str]]:
        """The code and text of each call's fault; None if it is done."""
        answers = (answer if isinstance(answer, dict) else {} for answer in self.answers(calls))
        return [(answer.get("faultCode"), answer.get("faultString", "")) for answer in answers]


def values(person: Person, one: Field) -> Iterator[Any]:
    """Values that an attribute takes; what it points at is somebody's own."""
    if one.reference is not None:
        yield _pointing(person, one)
    elif one.wire is Wire.BOOLEAN:
        yield from (True, False)
    elif one.wire in (Wire.INT, Wire.DOUBLE):
        kind = int if one.wire is Wire.INT else float
        yield from {kind(number) for number in (manual.sample(one), one.low, one.high) if number is not None}
    elif one.wire is Wire.STRING and one.check is None:
        yield from (unique("x")[: one.limit], ("<&> \"ü' " * 200)[: min(one.limit or 200, 200)].strip())
    else:
        yield _plain(manual.sample(one))
    if one.nullable:
        yield None


def _pointing(person: Person, one: Field) -> Any:
    assert one.reference is not None
    table = one.reference.table.name
    if table in NOUNS or table == "customers":
        return person.one(table)
    if table == "routing_groups":
        return Customers(person.server).routing_group(person.i_customer)
    return person.server.sql(f"SELECT min({one.reference.name}) FROM {table}")[0][0]


def _plain(sample: Any) -> Any:
    return float(sample) if isinstance(sample, Decimal) else sample


def elsewhere(stranger: Person, one: Field) -> list[Any]:
    """Where an attribute must not point: nowhere, and at what is somebody else's."""
    assert one.reference is not None
    if isinstance(one.reference.type, String):
        return ["ZZZ" if one.check == "currency" else "zz"]
    table = one.reference.table.name
    return [NOBODYS, *([stranger.one(table)] if table in {*NOUNS, "customers"} else [])]


def wrong(one: Field) -> Any:
    """A value of a type that cannot be meant."""
    return 5 if one.wire in (Wire.ARRAY, Wire.STRUCT) else ["a"]


def _account(person: Person) -> Params:
    return {"i_account": person.one("accounts")}


def _of_account(**about: Any) -> Noun:
    """What is part of an account: who may change that may make, change and delete it."""
    bits = dict.fromkeys(("create", "update", "delete"), EDIT)
    return Noun(**{"needs": ("i_account",), "mask": "accounts_mgmt", "bits": bits, **about})


def _number(number: int) -> Params:
    return {"did": str(number), "incoming_did": str(number)}


def _spare(person: Person) -> int:
    """A DID of somebody's who may have lost the right to add one."""
    if not person.spare:
        person.spare = [made["i_did"] for made in person.several(NOUNS["dids"], 20)]
    return person.spare.pop()


CUSTOMER = Noun(
    id="i_customer",
    create="createCustomer",
    given=lambda _person: {"name": unique(), "web_password": WEB_PASSWORD, "i_tariff": None},
)
NOUNS: Mapping[str, Noun] = {  # by their tables
    "tariffs": Noun(
        id="i_tariff",
        create="createTariff",
        info="getTariffInfo",
        update="updateTariff",
        delete="deleteTariff",
        listing="getTariffsList",
        record="tariff",
        rows="tariffs",
        mask="tariffs_mgmt",
        given=lambda _person: {"name": unique("tariff"), "currency": "USD"},
        change={"connect_fee": 1},
        untold=frozenset({"currency", "i_tariff_type"}),
    ),
    "rates": Noun(
        id="i_rate",
        create="addRate",
        update="updateRate",
        delete="deleteRate",
        listing="getTariffRatesList",
        rows="rates",
        needs=("i_tariff",),
        mask="tariffs_mgmt",
        bits=dict.fromkeys(("create", "update", "delete"), EDIT),
        given=lambda person: {"i_tariff": person.one("tariffs"), "prefix": f"1{next(PREFIXES)}", "price_1": 1},
        change={"area_name": "changed"},
        untold=frozenset({"activation_date", "expiration_date"}),
    ),
    "web_users": Noun(
        id="i_web_user",
        create="createWebUser",
        info="getWebUserInfo",
        update="updateWebUser",
        delete="deleteWebUser",
        listing="listWebUsers",
        record="web_user",
        rows="web_users",
        given=lambda _person: {"web_login": unique("web"), "web_password": WEB_PASSWORD},
        mask="customers_mgmt",
        bits=dict.fromkeys(("create", "update", "delete"), EDIT),
        own_free=True,
        untold=frozenset({"web_login", "web_password"}),
    ),
    "accounts": Noun(
        id="i_account",
        create="createAccount",
        info="getAccountInfo",
        update="updateAccount",
        delete="deleteAccount",
        listing="listAccounts",
        rows="accounts",
        mask="accounts_mgmt",
        given=lambda _person: new(),
        untold=frozenset({"username", "authname", "web_password", "voip_password", "vm_password", "balance"}),
        moving=frozenset({"version", "updated_on", "updated_by", "next_billing_time"}),
    ),
    "billing_plans": Noun(
        id="i_billing_plan",
        create="createServicePlan",
        info="getServicePlanInfo",
        update="updateServicePlan",
        delete="deleteServicePlan",
        listing="listServicePlans",
        rows="list",
        mask="tariffs_mgmt",
        given=lambda _person: {"name": unique("plan")},
        untold=frozenset({"i_tariff"}),
    ),
    "minute_plans": Noun(
        id="i_service_plan",
        create="addMinutePlan",
        update="updateMinutePlan",
        delete="deleteMinutePlan",
        listing="getServicePlanInfo",
        rows="minute_plans",
        needs=("i_billing_plan",),
        mask="tariffs_mgmt",
        bits=dict.fromkeys(("create", "update", "delete"), EDIT),
        given=lambda person: {
            "i_billing_plan": person.one("billing_plans"),
            "description": unique("minutes"),
            "prefixes": ["43", "49"],
        },
    ),
    "followme_entries": _of_account(
        id="i_followme_entry",
        create="addFollowMeEntry",
        update="updateFollowMeEntry",
        delete="deleteFollowMeEntry",
        listing="listFollowMeEntries",
        rows="followme_entries",
        given=lambda person: {**_account(person), "cld": unique()},
    ),
    "cli_mappings": _of_account(
        id="cli",
        create="addCLIMapping",
        delete="delCLIMapping",
        listing="listCLIMappings",
        rows="list",
        columns=("cli", "lang"),
        given=lambda person: {**_account(person), "cli": unique("canary"), "lang": "en"},
    ),
    "hot_dial_numbers": _of_account(
        id="hot_key",
        create="addHotDialNumber",
        update="updateHotDialNumber",
        delete="delHotDialNumber",
        listing="listHotDialNumbers",
        rows="hot_dial_numbers",
        given=lambda person: {**_account(person), "hot_key": unique(), "dest": "12125550123"},
        needs=("i_account", "dest"),
    ),
    "smart_dials": _of_account(
        id="did",
        create="addSmartDial",
        update="updateSmartDial",
        delete="deleteSmartDial",
        listing="listSmartDials",
        rows="smart_dials",
        given=lambda person: {**_account(person), "did": unique(), "dest": "12125550123"},
    ),
    "authentications": _of_account(
        id="i_authentication",
        create="addAuthRule",
        info="getAuthRuleInfo",
        update="updateAuthRule",
        delete="delAuthRule",
        listing="listAuthRules",
        record="authrule",
        rows="authrules",
        given=lambda person: {**_account(person), "i_protocol": 1, "incoming_cli": unique()},
        change={"max_sessions": 3},
        untold=frozenset({"remote_ip"}),
        nil_is_empty=True,
    ),
    "post_auth_rules": _of_account(
        id="i_post_auth_rule",
        create="addPostAuthRule",
        info="getPostAuthRuleInfo",
        update="updatePostAuthRule",
        delete="deletePostAuthRule",
        listing="listPostAuthRules",
        record="post_auth_rule",
        rows="post_auth_rules",
        given=lambda person: {**_account(person), "cli": unique()},
        change={"cld": "5"},
        nil_is_empty=True,
    ),
    "did_groups": Noun(
        id="i_dids_charging_group",
        create="createDIDChargingGroup",
        info="getDIDChargingGroupInfo",
        update="updateDIDChargingGroup",
        delete="deleteDIDChargingGroup",
        listing="listDIDChargingGroups",
        rows="dids_charging_groups",
        mask="tariffs_mgmt",
        given=lambda _person: {"name": unique("group"), "currency": "USD"},
        untold=frozenset({"name"}),
    ),
    "dids": Noun(
        id="i_did",
        create="addDID",
        info="getDIDInfo",
        update="updateDID",
        delete="deleteDID",
        listing="getDIDsList",
        rows="dids",
        mask="accounts_mgmt",
        given=lambda _person: _number(phonebook.block()),
        untold=frozenset(
            {"did", "did_range_end", "i_did_allocated_from", "i_vendor", "i_connection"}
            | {"i_ivr_application", "reserved_for"}
        ),
    ),
    "did_delegations": Noun(
        id="i_did_delegation",
        create="addDIDDelegation",
        update="updateDIDDelegation",
        delete="deleteDIDDelegation",
        mask="accounts_mgmt",
        given=lambda person: {
            "i_did": _spare(person),
            "delegated_to": person.one("customers"),
            "parent_i_did_delegation": None,
        },
    ),
}
