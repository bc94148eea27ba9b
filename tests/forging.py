"""
Calls of any method, made from its declaration: ids, names and references from everywhere, values that tempt.

A method that is published later is called as well, since nothing here names one.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from callers import MULTICALL, PASSWORD, Way, can_be_called
from capability import CREDITS, DECIDED, FLAGS, LIMITING_GROUPS, MASKS, SWITCHES
from harness import unique

from xmlrpc_api.declaration import manual
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Method

MISSING = (0, 999_999, 2**31 - 1)
# Parameters that are ids of a table, where the declaration does not say so.
IDS = {
    "id": "customers", "customer": "customers", "reseller": "customers", "owner": "customers",
    "i_customer": "customers", "i_wholesaler": "customers", "i_customer_from": "customers",
    "i_customer_to": "customers", "i_customer_actor": "customers", "impersonate": "customers",
    "i_account": "accounts", "i_web_user": "web_users", "i_payment": "ledger",
    "i_billing_plan": "billing_plans", "i_service_plan": "minute_plans", "i_voucher": "vouchers",
}  # fmt: skip
# Parameters that name something.
NAMES = {
    "web_login": "logins", "username": "logins", "name": "logins", "authname": "accounts", "domain": "domains",
    "match_sip_domain": "domains",
}  # fmt: skip
SUBJECTS = (
    "id",
    "i_customer",
    "i_account",
    "i_web_user",
    "username",
    "web_login",
    "domain",
    "account",
    "alias",
    "target",
)
BEARING = (*MASKS, *FLAGS, "max_depth", "api_access", "impersonate", "properties", "groups", "quota")  # power itself
TEMPTING = {
    **dict.fromkeys(MASKS, (7, 7, 3, 0)),
    **dict.fromkeys((*FLAGS, "api_access"), (1, 1, 0)),
    "max_depth": (0, 1, 2, 5, 31),
    "overcommit_protection": (False, True),
    "overcommit_limit": (0, 50, 100),
    "reseller_active": (True, False),
    "resellerActive": (True, False),
    "blocked": (0, 1),
    "quota": (0, 1, 10, 1000),
    "balance": (0, 0, 5, 10_000),
    "credit": (0, 5, 10_000),
    "credit_limit": (0, 5, 10_000),
    "max_sessions": (0, 5, 1000),
    "amount": (1, 0.5, 100_000),
    "value": (1, -1, 100_000),
    "prepaid": (True, False),
    "group": (*LIMITING_GROUPS, "free-pstn", "other"),
    "currency": ("USD",),
    "payment_currency": ("USD",),
    "permission": ("admin", "reseller", "customer"),
    "card_number": ("0000000000000000",),
}
PROPERTY_NAMES = (*SWITCHES, *CREDITS, *DECIDED, "color")
PROPERTY_VALUES = ("1", "0", "5", "1000", "Infinity", "NaN", "-1", "")
SECRETS = (PASSWORD, PASSWORD, "0ther-Passw0rd", "")


def tempts(one: Field) -> bool:
    """Whether a parameter may bear rights, money, a secret, or somebody's id."""
    bears = one.secret or one.reference is not None or bool(one.members)
    return bears or one.name in TEMPTING or one.name in IDS or one.name in NAMES


def temptations(method: Method) -> int:
    """How much there is to try with a method."""
    fields = method.params.fields
    return sum(tempts(one) for field in fields for one in (field, *field.members))


class Forger:
    """
    Makes parameters.

    Args:
        chance: Decides all of them.
        ids: The keys of what there is, by table.
        mine: Customers at or below whoever calls: half of what he asks for is about them.
        names: Logins, domains and account names that there are.
    """

    def __init__(
        self,
        chance: random.Random,
        ids: Mapping[str, Sequence[int]],
        mine: Mapping[str, Sequence[int]],
        names: Mapping[str, Sequence[str]],
    ) -> None:
        self._chance, self._ids, self._mine, self._names = chance, ids, mine, names

    def params(self, way: Way, method: Method) -> Any:
        """What the method is given: one struct, or positional ones in a list."""
        if method.name == MULTICALL:
            return [[self._inner(way) for _ in range(self._chance.randint(1, 3))]]
        fields = self._some(method.params.fields)
        if method.positional:
            return [self._value(one) for one in method.params.fields]
        return {one.name: self._value(one) for one in fields}

    def _inner(self, way: Way) -> dict[str, Any]:
        known = [m for m in way.methods.values() if not m.positional and can_be_called(way, m)]
        method = self._chance.choice(known)
        return {"methodName": method.name, "params": [self.params(way, method)]}

    def _some(self, fields: Iterable[Field]) -> list[Field]:
        """What is required, mostly whom it is about, and a few others, those that tempt first."""
        chance = self._chance
        optional = [one for one in fields if not one.required]
        chosen = {one.name for one in optional if one.name in SUBJECTS and chance.random() < 0.93}
        tempting = [one for one in optional if one.name not in chosen and tempts(one)]
        if (bearing := [one for one in tempting if one.name in BEARING]) and chance.random() < 0.6:
            chosen.add(chance.choice(bearing).name)
        others = [one for one in optional if one.name not in chosen and not tempts(one)]
        chosen |= {one.name for one in chance.sample(tempting, min(len(tempting), chance.choice((0, 1, 1, 1, 2))))}
        chosen |= {one.name for one in chance.sample(others, min(len(others), chance.choice((0, 0, 0, 1))))}
        return [one for one in fields if one.required or one.name in chosen]

    def _value(self, one: Field) -> Any:
        if one.members:
            return self._struct(one)
        chance = self._chance
        table = one.reference.table.name if one.reference is not None else IDS.get(one.name)
        if one.name == "groups":
            return chance.sample([*LIMITING_GROUPS, "free-pstn", "other"], chance.randint(0, 2))
        if one.secret and one.wire is Wire.STRING:
            return chance.choice(SECRETS)
        if one.name in TEMPTING:
            return chance.choice(TEMPTING[one.name])
        if table in self._ids and one.wire is not Wire.STRING:
            return self._id(table, 0.75 if one.name in SUBJECTS else 0.3)
        return self._name(one) if one.name in NAMES else _sample(one)

    def _struct(self, one: Field) -> Any:
        if one.type == "SipId":
            return self._sip_id(one)
        if one.type == "CustomerProperty":
            return [self._property() for _ in range(self._chance.randint(1, 2))]
        inner = {member.name: self._value(member) for member in self._some(one.members)}
        return [inner] if one.wire is Wire.ARRAY else inner

    def _id(self, table: str, his: float) -> Any:
        """Whom it is about is mostly one of his own; what it points at is mostly not."""
        chance = self._chance
        mine = self._mine.get(table)
        if mine and chance.random() < his:
            return chance.choice(mine)
        return chance.choice([*self._ids[table], *MISSING])

    def _name(self, one: Field) -> str:
        """Something that is there, or that may be new."""
        chance = self._chance
        known = self._names[NAMES[one.name]]
        is_new = one.name in ("name", "username", "authname") and (one.required or one.attribute == "web_login")
        if chance.random() < (0.2 if is_new else 0.7):
            return chance.choice(known)
        return f"{unique('forged')}.example" if one.name == "domain" else unique("forged")

    def _sip_id(self, one: Field) -> Any:
        """Of an account that is there, of its domain, or of nobody."""
        chance = self._chance
        user, _, domain = chance.choice(self._names["accounts"]).rpartition("@")
        user = chance.choice((user, user, user, "sales", unique("forged"), "<autoincrement>"))
        sip_id = {"username": user, "domain": domain or "nowhere.example"}
        return [sip_id] if one.wire is Wire.ARRAY else sip_id

    def _property(self) -> dict[str, Any]:
        chance = self._chance
        kept = {"name": chance.choice(PROPERTY_NAMES), "value": chance.choice(PROPERTY_VALUES)}
        return kept | ({"permission": chance.choice(TEMPTING["permission"])} if chance.random() < 0.5 else {})


def _sample(one: Field) -> Any:
    """A harmless value, as clients send it."""
    if one.check in ("email", "emails", "mailbox"):
        return "ada@example.com"
    sample = manual.sample(one)
    return float(sample) if isinstance(sample, Decimal) else sample
