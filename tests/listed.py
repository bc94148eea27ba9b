"""The lists that page, and rows for all of them."""

from dataclasses import dataclass
from typing import Any

import phonebook
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import unique
from sippy import new


@dataclass(frozen=True)
class Listed:
    """A list: how it is asked for, and what its rows and their ids are called."""

    method: str
    rows: str
    id: str
    of_customer: bool = False
    of_account: bool = False  # of the first one of the caller
    newest_first: bool = True
    is_sorted: bool = False  # a page of each of two indexes is
    most: int = 10_000
    of_subtree: bool = False  # of everybody below: of the root, of all

    def told(self, api: Api, i_customer: int, **asked: Any) -> dict[str, Any]:
        whose = {"i_customer": i_customer} if self.of_customer else {}
        whose |= {"i_account": first_account(api)} if self.of_account else {}
        answer: dict[str, Any] = getattr(api, self.method)(**whose, **asked)
        return answer

    def page(self, api: Api, i_customer: int, **asked: Any) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = self.told(api, i_customer, **asked)[self.rows]
        return page

    def ids(self, api: Api, i_customer: int, **asked: Any) -> list[int]:
        return [row[self.id] for row in self.page(api, i_customer, **asked)]


def first_account(api: Api) -> int:
    """The oldest one of somebody."""
    i_account: int = api.listAccounts(limit=1)["accounts"][0]["i_account"]
    return i_account


LISTS = {
    "ledger": Listed("getLedger", "ledger", "i_ledger", of_customer=True),
    "payments of one": Listed("getPaymentsList", "payments", "i_payment", of_customer=True),
    "payments of all": Listed("getPaymentsList", "payments", "i_payment", is_sorted=True),
    "history": Listed("getCustomerHistory", "records", "i_audit", of_customer=True, most=100),
    "audit log": Listed("getAuditLogs", "records", "i_audit", most=100, of_subtree=True),
    "events": Listed("listEvents", "events", "i_event", newest_first=False, of_subtree=True),
    "customers": Listed("listCustomers", "customers", "i_customer", newest_first=False),
    "accounts": Listed("listAccounts", "accounts", "i_account", newest_first=False),
    "service plans": Listed("listServicePlans", "list", "i_billing_plan", newest_first=False, is_sorted=True),
    "vouchers": Listed("listVouchers", "vouchers", "i_voucher", newest_first=False),
    "web users": Listed("listWebUsers", "web_users", "i_web_user", newest_first=False),
    "DIDs": Listed("getDIDsList", "dids", "i_did", newest_first=False, is_sorted=True),
    "free DIDs": Listed("searchFreeDIDs", "dids", "i_did", newest_first=False, is_sorted=True),
    "DID charging groups": Listed(
        "listDIDChargingGroups", "dids_charging_groups", "i_dids_charging_group", newest_first=False
    ),
    "tariffs": Listed("getTariffsList", "tariffs", "i_tariff", newest_first=False),
    "rules": Listed("listAuthRules", "authrules", "i_authentication", of_account=True, newest_first=False),
    "post-auth": Listed(
        "listPostAuthRules", "post_auth_rules", "i_post_auth_rule", of_account=True, newest_first=False
    ),
    "incoming routes": Listed(
        "getIncomingRoutesList", "incoming_routes", "i_incoming_route", of_account=True, newest_first=False
    ),
    "routing": Listed(
        "listExtendedRouting", "extended_routing", "i_extended_routing", of_customer=True, newest_first=False
    ),
}
BY_PREFIX = {"getAccountRates", "getTariffRatesList"}  # not in the order of ids; their tests are with those of rates


def with_rows(customers: Customers, reseller: Reseller) -> tuple[Reseller, int]:
    i_customer, *_ = [customers.make(reseller) for _ in range(5)]
    root = customers.server.api()
    reseller.setLowBalance(i_customer=i_customer, threshold=1)
    for amount in range(2, 7):
        reseller.customerAddFunds(i_customer=i_customer, amount=amount, currency="USD")
        reseller.customerDebit(i_customer=i_customer, amount=amount, currency="USD")
        reseller.createAccount(**new())
        customers.tariff(reseller)
        reseller.createServicePlan(name=unique("plan"))
        reseller.createVouchers(series=unique("series"), value=1, currency="USD", count=1)
        phonebook.added(reseller)
        phonebook.delegated(root, phonebook.added(root), reseller.i_customer)
        reseller.createDIDChargingGroup(name=unique("group"), currency="USD")
        reseller.createWebUser(web_login=unique("login"), web_password=WEB_PASSWORD, i_access_level="ADMINISTRATOR")
        rule = {"i_account": first_account(reseller), "i_protocol": 1}
        phonebook.added(reseller, i_account=rule["i_account"])
        reseller.addAuthRule(incoming_cli=unique(), **rule)
        reseller.addPostAuthRule(cli=unique(), i_account=rule["i_account"])
        reseller.addExtendedRouting(i_customer=i_customer, i_routing_group=customers.routing_group(reseller.i_customer))
    return reseller, i_customer
