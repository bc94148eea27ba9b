"""
What a customer can do, as the tables say, and which of the changes that somebody made were not his to make.

This is written from the contracts, not from the server's code: it asks no service.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from territory import TABLES, Key, Land, Row

from models import ROOT_ID, ancestors

BITS = {1: "add", 2: "edit", 4: "delete"}
MASKS = ("accounts_mgmt", "customers_mgmt", "tariffs_mgmt", "vouchers_mgmt")
FLAGS = ("system_mgmt", "api_mgmt", "use_own_tariff")
SWITCHES = ("pstn_access", "prepaid_changes", "pstn_changes", "sms_access")
CREDITS = (
    "sip_credit",
    "sip_alias_credit",
    "enum_range_credit",
    "enum_number_credit",
    "dns_zone_credit",
    "email_credit",
)
DECIDED = {"payment_processor_class": 3, "support_order": 3, "digest_settings_page": 2}  # by which level
PERMISSIONS = {"admin": 3, "reseller": 2}
LIMITING_GROUPS = ("blocked", "quota")
# What a customer may change of himself; the rest of him is decided by those above.
HIS_OWN = frozenset(
    {
        *(
            "version",
            "changed",
            "company_name",
            "first_name",
            "last_name",
            "vat_number",
            "email",
            "web",
            "phone",
            "fax",
        ),
        *("mobile", "sip", "enum", "street_addr", "postal_code", "city", "state", "country", "i_time_zone", "i_lang"),
        *("bank_account", "billing_address", "billing_email", "api_password"),
    }
)
HIS_MONEY = frozenset({"balance"})  # falls when he pays; test_conservation looks at the rest
LOGIN = {"customers": {"api_access", "api_password"}, "web_users": {"web_login", "web_login_key", "web_password"}}
COUNTERS = frozenset({"version", "changed", "updated_on", "last_login", "next_number"})
OF_ACCOUNTS = ("account_groups", "followme_entries", "cli_mappings", "hot_dial_numbers", "smart_dials",
    "authentications", "post_auth_rules")  # fmt: skip
# Tables whose rows are managed by a bit mask. Money and one's own web users need none.
MANAGED = {
    "customers": "customers_mgmt", "web_users": "customers_mgmt", "customer_properties": "customers_mgmt",
    "accounts": "accounts_mgmt", "sip_domains": "accounts_mgmt",
    "sip_aliases": "accounts_mgmt", "tariffs": "tariffs_mgmt", "rates": "tariffs_mgmt",
    "billing_plans": "tariffs_mgmt", "minute_plans": "tariffs_mgmt", "extended_routings": "customers_mgmt",
    **dict.fromkeys((*OF_ACCOUNTS, "dids", "did_delegations", "did_uses"), "accounts_mgmt"),
    "did_groups": "tariffs_mgmt",
}  # fmt: skip
PARTS = frozenset(
    {"web_users", "customer_properties", "rates", "minute_plans", "extended_routings", "did_uses", *OF_ACCOUNTS}
)  # to add or delete one is to edit its owner
PERSONAL = frozenset({"customers", "web_users", "customer_properties"})  # one changes one's own without a right
RECORDS = frozenset(
    {"customers", "accounts", "sip_domains", "sip_aliases", "tariffs", "billing_plans"}
    | {"dids", "did_delegations", "did_groups"}
)
GO_ALONG = frozenset({"dids", "did_delegations", "did_uses", "did_groups"})  # with their customer, whoever deletes it
HELD = frozenset({"i_did", "i_did_allocated_from"})  # what one may have from above


def can(land: Land, i_customer: int) -> frozenset[str]:
    """What a customer can do, one short sentence each; more of them is more power."""
    chain = land.chain(i_customer)
    customer = chain[-1]
    found = {f"{name}: {what}" for name in MASKS for bit, what in BITS.items() if customer[name] & bit}
    found |= {name for name in FLAGS if customer[name]}
    level = len(ancestors(customer["path"]))
    found |= {f"have customers at level {level + step}" for step in range(1, customer["max_depth"] + 1)}
    if all(step["reseller_active"] for step in chain):
        found.add("create")
    kept = properties(land, i_customer)
    return frozenset(found | {name for name in SWITCHES if name in kept and kept[name]["value"].strip() == "1"})


def properties(land: Land, i_customer: int) -> dict[str, Mapping[str, Any]]:
    return {row.values["name"]: row.values for row in land.of("customer_properties", i_customer)}


def credit(land: Land, i_customer: int, name: str) -> Decimal:
    """How many records of a kind somebody may have; what is not there is no limit."""
    kept = properties(land, i_customer)
    if name not in kept:
        return Decimal("Infinity")
    try:
        number = Decimal(kept[name]["value"].strip() or 0)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)


def limits(land: Land) -> dict[tuple[str, Any], Decimal]:
    """What somebody was forbidden, and how far he may go in spite of it."""
    found: dict[tuple[str, Any], Decimal] = {}
    for row in land.of("customers"):
        if row.values["blocked"]:
            found["customer blocked", row.owner] = Decimal(0)
    for row in land.of("accounts"):
        if row.values["blocked"]:
            found["account blocked", row.values["i_account"]] = Decimal(0)
        if row.values["quota"]:
            found["quota", row.values["i_account"]] = Decimal(row.values["quota"])
    for row in land.of("account_groups"):
        if row.values["name"] in LIMITING_GROUPS:
            found[f"group {row.values['name']}", row.values["i_account"]] = Decimal(0)
    return found


class Judge:
    """
    Looks at what a caller has changed.

    Args:
        before, after: The rows then and now.
        paths: The path of everybody who ever was, by id.
        caller: Whose rights counted.
        setters: Who set each limit that is there.
    """

    def __init__(
        self, before: Land, after: Land, paths: Mapping[int, str], caller: int, setters: Mapping[tuple[str, Any], int]
    ) -> None:
        self.before, self.after, self.paths, self.caller, self.setters = before, after, paths, caller, setters
        keys = before.rows.keys() | after.rows.keys()
        self.changed: dict[Key, tuple[Row | None, Row | None]] = {
            key: (before.rows.get(key), after.rows.get(key))
            for key in keys
            if before.rows.get(key) != after.rows.get(key)
        }

    def trespasses(self) -> list[str]:
        """What was not the caller's to do, in sentences."""
        if self.caller == ROOT_ID or not self.changed:
            return []
        rules = (
            self.foreign,
            self.of_himself,
            self.raised,
            self.lent,
            self.kept,
            self.references,
            self.rights,
            self.lifted,
        )
        return [trespass for find in rules for trespass in find()]

    def is_below(self, i_customer: int | None) -> bool:
        return self.caller in ancestors(self.paths.get(i_customer or 0, ""))

    def is_his(self, i_customer: int | None) -> bool:
        return i_customer == self.caller or self.is_below(i_customer)

    def touched(self) -> Iterator[tuple[str, int | None, Row | None, Row | None, set[str]]]:
        """Table, owner, row before and after, and the columns that differ."""
        for (table, _), (old, new) in self.changed.items():
            row = new or old
            assert row is not None
            yield table, row.owner, old, new, row.differs_from(old if new else None)

    def foreign(self) -> Iterator[str]:
        """Nothing of anybody else changes, and nothing is taken from him."""
        for table, owner, old, new, names in self.touched():
            for row in (old, new):
                if row is not None and not self.is_his(row.owner):
                    yield f"{table} of {owner}, who is not his: {sorted(names)}"
                    break

    def of_himself(self) -> Iterator[str]:
        """What those above decide about him stays."""
        for table, owner, old, _new, names in self.touched():
            if owner != self.caller:
                continue
            if table == "customers" and not names <= HIS_OWN:
                yield f"changes of himself {sorted(names - HIS_OWN)}"
            if table == "balances" and old is not None and old.values["is_default"] and not names <= HIS_MONEY:
                yield f"changes of his own balance {sorted(names - HIS_MONEY)}"

    def raised(self) -> Iterator[str]:
        """Nobody can do what neither he nor the caller could."""
        callers = can(self.before, self.caller)
        for i_customer in self.after.customers:
            if self.is_his(i_customer):
                his = can(self.before, i_customer) if i_customer in self.before.customers else frozenset()
                if more := can(self.after, i_customer) - his - callers:
                    yield f"{i_customer} can: {sorted(more)}"

    def lent(self) -> Iterator[str]:
        """Rights are lent by their owner or from above, within one reseller; so is what the borrower logs in with."""
        for table, owner, old, new, names in self.touched():
            lender = new.values["impersonate"] if table == "customers" and new and "impersonate" in names else None
            if lender is not None and not (self.is_his(lender) and self.reseller(lender) == self.reseller(owner)):
                yield f"lends the rights of {lender} to {owner}"
            was = self.before.customers.get(owner or 0, {}).get("impersonate")
            is_foreign = was is not None and owner != self.caller and not self.is_his(was)
            if is_foreign and old and new and names & (LOGIN.get(table, set()) | {"impersonate"}):
                yield f"changes the login of {owner}, who has the rights of {was}: {sorted(names)}"

    def reseller(self, i_customer: int | None) -> int | None:
        above = ancestors(self.paths.get(i_customer or 0, ""))
        return above[1] if len(above) > 1 else i_customer

    def level(self, i_customer: int | None) -> int:
        """2 for the reseller of a customer, 1 for everybody else."""
        return 2 if self.caller == self.reseller(i_customer) else 1

    def kept(self) -> Iterator[str]:
        """Properties that limit are raised by those who may, up to what they have; permissions are not lowered."""
        for i_customer in self.after.customers:
            if not self.is_his(i_customer) or i_customer not in self.before.customers:
                continue
            was, now = properties(self.before, i_customer), properties(self.after, i_customer)
            for name in CREDITS:
                most = max(credit(self.before, i_customer, name), credit(self.before, self.caller, name))
                if i_customer == self.caller:
                    most = credit(self.before, self.caller, name)
                if credit(self.after, i_customer, name) > most:
                    yield f"raises {name} of {i_customer} to {now.get(name)}"
            for name in DECIDED.keys() & now.keys():
                is_new = name not in was or was[name]["value"] != now[name]["value"]
                if is_new and self.level(i_customer) < DECIDED[name]:
                    yield f"sets {name} of {i_customer}"
            for name, old in was.items():
                needed = PERMISSIONS.get(old["permission"], 1)
                lowered = name not in now or PERMISSIONS.get(now[name]["permission"], 1) < needed
                if needed > self.level(i_customer) and lowered:
                    yield f"lowers the permission of {name} of {i_customer}"

    def references(self) -> Iterator[str]:
        """What is pointed at is one's own, or everybody's."""
        for table, owner, _old, new, names in self.touched():
            if new is None or (table == "customers" and owner == self.caller):
                continue
            for name in names - {"i_wholesaler"}:
                for key in TABLES[table].c[name].foreign_keys:
                    there = self.after.rows.get((key.column.table.name, (new.values[name],)))
                    if name in HELD and self.has_in_hand(new.values[name], owner):
                        continue
                    if there is not None and there.owner is not None and not self.is_his(there.owner):
                        yield f"{table}.{name} of {owner} points at {new.values[name]} of {there.owner}"

    def has_in_hand(self, i_did: int, i_customer: int | None) -> bool:
        """Whether a DID was delegated to somebody, or to the one above who delegates it to him."""
        path = ancestors(self.paths.get(i_customer or 0, ""))
        holders = {row.owner for row in self.before.of("did_delegations") if row.values["i_did"] == i_did}
        return bool(holders & {i_customer, *path[-1:]})

    def rights(self) -> Iterator[str]:
        """Whoever lacks a right has not used it; who is not active has created nothing."""
        masks = self.before.customers[self.caller]
        for table, owner, old, new, names in self.touched():
            if old is None and table in RECORDS and "create" not in can(self.before, self.caller):
                yield f"creates {table} although he is not active"
            mask = MANAGED.get(table)
            bit = (
                0 if mask is None or (table in PERSONAL and owner == self.caller) else self.bit(table, old, new, names)
            )
            if bit and not masks[mask] & bit:
                yield f"{mask}, {BITS[bit]}, is missing: {table} of {owner}: {sorted(names)}"
            settings = names & {"api_access", "api_password"} if table == "customers" and owner != self.caller else ()
            if new and not masks["api_mgmt"] and any(new.values[name] for name in settings):
                yield f"api_mgmt is missing: {sorted(settings)} of {owner}"

    def bit(self, table: str, old: Row | None, new: Row | None, names: set[str]) -> int:
        """Which bit a change takes: add, edit, delete; none where something is merely counted."""
        if self.is_new(table, new):
            return 1
        if table in GO_ALONG and old and old.owner not in self.after.customers:
            return 0
        if table == "did_uses" and (new is None or self.has_left(old, new)):
            return 0  # it ends with what has ended
        if new is None and (table not in PARTS or (old and old.owner not in self.after.customers)):
            return 4
        return 0 if new and names <= COUNTERS else 2

    def is_new(self, table: str, new: Row | None) -> bool:
        """Whether a row came with a new customer or account, or is one."""
        if new is None:
            return False
        if new.owner not in self.before.customers:
            return True
        if table == "did_uses":
            return ("dids", (new.values["i_did"],)) not in self.before.rows
        if table in OF_ACCOUNTS:
            return ("accounts", (new.values["i_account"],)) not in self.before.rows
        return table in RECORDS and self.key_of(table, new) not in self.before.rows

    def has_left(self, old: Row | None, new: Row) -> bool:
        """Whether the account is gone that was called."""
        account = old.values["i_account"] if old else None
        return account is not None and ("accounts", (account,)) not in self.after.rows

    def key_of(self, table: str, row: Row) -> Key:
        return table, tuple(row.values[column.name] for column in TABLES[table].primary_key)

    def lifted(self) -> Iterator[str]:
        """A limit is lifted by those who set it, or above."""
        was, now = limits(self.before), limits(self.after)
        for limit, allowed in was.items():
            is_gone = now.get(limit, Decimal("Infinity")) > allowed
            if is_gone and self.is_there(limit) and not self.is_his(self.setters.get(limit)):
                yield f"lifts the limit {limit}, set by {self.setters.get(limit)}"

    def is_there(self, limit: tuple[str, Any]) -> bool:
        """Whether what was limited is there still."""
        what, key = limit
        return (("customers" if what == "customer blocked" else "accounts"), (key,)) in self.after.rows
