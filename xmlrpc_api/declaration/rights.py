"""Who calls, and what it may do: management rights as bit masks, flags and depth."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xmlrpc_api.declaration.faults import Name, NotPermitted

ADD, EDIT, DELETE = 1, 2, 4
SET = -1  # of a flag
_ACTIONS = {ADD: "bit 0 (add)", EDIT: "bit 1 (edit)", DELETE: "bit 2 (delete)"}

BITMASKS = ("accounts_mgmt", "customers_mgmt", "tariffs_mgmt", "vouchers_mgmt")
FLAGS = ("system_mgmt", "api_mgmt", "use_own_tariff")
API_SETTINGS = ("api_access", "api_password")


class Right(enum.Enum):
    """What a method demands of its caller: a bit of one of its bit masks, a flag, or nothing."""

    ANYONE = ("", 0)
    ACCOUNTS_ADD = ("accounts_mgmt", ADD)
    ACCOUNTS_EDIT = ("accounts_mgmt", EDIT)
    ACCOUNTS_DELETE = ("accounts_mgmt", DELETE)
    CUSTOMERS_ADD = ("customers_mgmt", ADD)
    CUSTOMERS_EDIT = ("customers_mgmt", EDIT)
    CUSTOMERS_DELETE = ("customers_mgmt", DELETE)
    VOUCHERS_ADD = ("vouchers_mgmt", ADD)
    VOUCHERS_EDIT = ("vouchers_mgmt", EDIT)
    VOUCHERS_DELETE = ("vouchers_mgmt", DELETE)
    TARIFFS_ADD = ("tariffs_mgmt", ADD)
    TARIFFS_EDIT = ("tariffs_mgmt", EDIT)
    TARIFFS_DELETE = ("tariffs_mgmt", DELETE)
    SYSTEM = ("system_mgmt", SET)

    @property
    def explanation(self) -> str:
        """What is demanded, for people."""
        column, bit = self.value
        if not column:
            return "no management right"
        return column if bit == SET else f"{_ACTIONS[bit]} of {column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    The customer on whose behalf a call runs, with the rights that it has now.

    In a transaction, `reseller_active` tells whether it and all above it are.

    Attributes:
        web_login: Whose credentials the call came with, for the log; None from a trusted host.
    """

    i_customer: int
    path: str
    accounts_mgmt: int
    customers_mgmt: int
    tariffs_mgmt: int
    vouchers_mgmt: int
    system_mgmt: int
    api_mgmt: int
    use_own_tariff: int
    max_depth: int
    reseller_active: bool
    web_login: str | None = field(default=None, compare=False)

    def demand(self, right: Right) -> None:
        """
        Refuse a caller without a right.

        Raises:
            NotPermitted: The right is missing, the text says which; or something would be created, and the caller is
                not active.
        """
        column, bit = right.value
        if column and not getattr(self, column) & bit:
            raise NotPermitted(f"{right.explanation} is missing")
        if bit == ADD:
            self.demand_active()

    def demand_active(self) -> None:
        """
        Refuse to create anything for a caller who is not active, or who is below somebody who is not.

        Raises:
            NotPermitted: It is not.
        """
        if not self.reseller_active:
            raise NotPermitted("the reseller is not active")

    def demand_grantable(self, values: Mapping[str, Any], current: Mapping[str, Any]) -> None:
        """
        Refuse to hand down what the caller does not have itself.

        Args:
            values: The attributes about to be set.
            current: What the customer has now, or gets by default; to keep it is always allowed.

        Raises:
            NotPermitted: A right, flag or depth exceeds the caller's own; the text says which.
        """
        changed = {name: value for name, value in values.items() if name not in current or value != current[name]}
        for name in BITMASKS:
            if changed.get(name, 0) & ~getattr(self, name):
                raise NotPermitted(Name(name), f" {changed[name]} exceeds your own {getattr(self, name)}")
        for name in FLAGS:
            if changed.get(name, 0) > getattr(self, name):
                raise NotPermitted(Name(name), " is not yours to give")
        if changed.get("max_depth", -1) >= self.max_depth:
            raise NotPermitted(f"max_depth must be less than your own {self.max_depth}")
        for name in API_SETTINGS:
            if name in changed and not self.api_mgmt:
                raise NotPermitted(Name(name), " can be set by a caller with api_mgmt only")
        if "i_tariff" in changed and changed["i_tariff"] is None and not self.use_own_tariff:
            raise NotPermitted("use_own_tariff is missing: i_tariff cannot be nil")
