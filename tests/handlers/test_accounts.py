"""SIP accounts: every attribute, who may touch which, their money and their logins."""

from collections.abc import Callable
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from crowd import Crowd, call
from faces import Api
from harness import Server, unique
from sippy import REQUIRED, new, value_of

from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotEnoughCredit,
    NotFound,
    NothingToChange,
    NotPermitted,
    WrongReference,
    WrongType,
)
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT

Refused = Any
SECRETS = {"web_password", "voip_password", "vm_password"}
OPTIONAL = [field.name for field in ACCOUNT.create if not field.required]


def make(owner: Api, **attributes: Any) -> int:
    return owner.createAccount(**new(**attributes))["i_account"]


def info(owner: Api, i_account: int) -> dict[str, Any]:
    return owner.getAccountInfo(i_account=i_account)


class TestRoundTrip:
    def test_every_attribute_comes_back_but_the_passwords(self, reseller: Reseller) -> None:
        given = new(**{name: value_of(name) for name in OPTIONAL}, balance=12.25, credit_limit=5.5)

        made = reseller.createAccount(**given)

        told = info(reseller, made["i_account"])
        assert {name: told[name] for name in given if name not in SECRETS} == {
            name: value for name, value in given.items() if name not in SECRETS
        }
        assert not SECRETS & told.keys()
        assert (told["i_customer"], told["base_currency"], told["result"]) == (reseller.i_customer, "USD", "OK")

    def test_the_credentials_are_told_once_when_it_is_made(self, reseller: Reseller) -> None:
        given = new()

        made = reseller.createAccount(**given)

        names = ("username", "web_password", "authname", "voip_password", "vm_password")
        assert {name: made[name] for name in names} == {name: given[name] for name in names}

    @pytest.mark.parametrize("name", REQUIRED)
    def test_what_is_required_is_named(self, root: Api, refused: Refused, name: str) -> None:
        given = new()
        del given[name]

        with refused(BadParameter.code, f"Parameter {name} is required"):
            root.createAccount(**given)

    @pytest.mark.parametrize("name", [field.name for field in ACCOUNT.update if field.name not in SECRETS])
    def test_an_update_changes_what_is_given_and_nothing_else(self, reseller: Reseller, name: str) -> None:
        i_account = make(reseller)
        before = info(reseller, i_account)
        value = unique("renamed") if name in ("username", "authname") else value_of(name)

        reseller.updateAccount(i_account=i_account, **{name: value})

        after = info(reseller, i_account)
        ours = {"version": after["version"], "updated_on": after["updated_on"]}
        assert after == {**before, name: value, **ours}

    def test_left_out_optionals_have_their_defaults(self, reseller: Reseller) -> None:
        told = info(reseller, make(reseller))

        assert (told["vm_timeout"], told["i_caller_name_type"], told["start_page"]) == (35, 1, 1)
        assert told["privacy_schemas"] == ["pai", "rpid"]
        assert (told["max_calls_per_second"], told["i_account_class"]) == (None, None)

    @pytest.mark.parametrize("name", ["preferred_codec", "on_payment_action"])
    def test_what_must_be_given_may_be_nil_where_nil_means_something(self, reseller: Reseller, name: str) -> None:
        assert info(reseller, make(reseller, **{name: None}))[name] is None

    def test_is_found_by_username_in_any_case(self, reseller: Reseller) -> None:
        given = new()
        made = reseller.createAccount(**given)

        assert reseller.getAccountInfo(username=given["username"].upper())["i_account"] == made["i_account"]

    def test_passwords_are_not_readable_in_the_database(self, reseller: Reseller, server: Server) -> None:
        i_account = make(reseller)

        statement = "SELECT web_password, voip_password, vm_password FROM accounts WHERE i_account = :key"
        (row,) = server.sql(statement, key=i_account)

        assert row.web_password.startswith("$2b$")
        vault = server.platform.vault
        assert vault.decrypt(row.voip_password, f"accounts.voip_password:{i_account}") == "s3cret-Sip"
        assert vault.decrypt(row.vm_password, f"accounts.vm_password:{i_account}") == "1234"

    def test_the_list_tells_the_callers_own_in_order_and_pages(self, reseller: Reseller, customers: Customers) -> None:
        made = [make(reseller, description=f"number {number}", balance=number) for number in range(3)]
        make(customers.reseller(reseller))

        everything = reseller.listAccounts()["accounts"]

        assert [row["i_account"] for row in everything] == made
        assert everything[2] == {
            "i_account": made[2],
            "username": info(reseller, made[2])["username"],
            "description": "number 2",
            "blocked": False,
            "expired": False,
            "balance": 2.0,
            "credit_limit": 0.0,
            "base_currency": "USD",
            "registration_status": None,
        }
        assert reseller.listAccounts(offset=1, limit=1)["accounts"] == everything[1:2]

    def test_the_sign_of_the_balance_is_that_of_the_settings(
        self, reseller: Reseller, variant: Callable[..., Server]
    ) -> None:
        i_account = make(reseller, balance=5)
        switch = variant(balance_sign="switch").api(reseller.login, "s3cret-Api")

        assert (info(reseller, i_account)["balance"], info(switch, i_account)["balance"]) == (5, -5)
        assert switch.listAccounts()["accounts"][0]["balance"] == 5


@pytest.mark.one_engine
class TestChecks:
    @pytest.mark.parametrize(
        ("attributes", "code", "text"),
        [
            ({"username": ""}, BadParameter.code, "Parameter username must not be empty"),
            ({"authname": "x" * 129}, BadParameter.code, "Parameter authname is longer than 128 characters"),
            ({"vm_password": "12a"}, BadParameter.code, "Parameter vm_password must hold digits only"),
            (
                {"preferred_codec": 7},
                BadParameter.code,
                "Parameter preferred_codec must be one of 0, 3, 4, 8, 9, 15, 18, or nil",
            ),
            ({"blocked": 2}, BadParameter.code, "Parameter blocked must be between 0 and 1"),
            ({"max_sessions": "many"}, WrongType.code, "Parameter max_sessions must be an integer"),
            ({"email": "nobody"}, BadParameter.code, "Parameter email is not a valid e-mail address"),
            ({"lifetime": -2}, BadParameter.code, "Parameter lifetime must be between -1 and 2147483647"),
            ({"privacy_schemas": ["pgp"]}, BadParameter.code, "Parameter privacy_schemas may hold pai and rpid only"),
            ({"privacy_schemas": "pai"}, WrongType.code, "Parameter privacy_schemas must be an array"),
            ({"i_billing_plan": 999}, WrongReference.code, "Wrong i_billing_plan"),
            ({"i_time_zone": 99999}, WrongReference.code, "Wrong i_time_zone"),
            ({"i_routing_group": 99999}, WrongReference.code, "Wrong i_routing_group"),
            ({"voip_password": "short"}, BadParameter.code, "Parameter voip_password must have at least 6 characters"),
            ({"web_password": "short"}, BadParameter.code, "Parameter web_password must have at least 6 characters"),
            (
                {"username": "${N:8}"},
                BadParameter.code,
                "Parameter username holds a pattern, which is not supported: give the value itself",
            ),
            ({"balance": -1}, NotEnoughCredit.code, "Not enough credit"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, reseller: Reseller, refused: Refused, attributes: dict[str, Any], code: int, text: str
    ) -> None:
        with refused(code, text):
            make(reseller, **attributes)

        assert reseller.listAccounts()["accounts"] == []

    @pytest.mark.each_engine
    @pytest.mark.parametrize(("name", "change"), [("username", str.upper), ("authname", str)])
    def test_names_are_unique(
        self, root: Api, reseller: Reseller, refused: Refused, name: str, change: Callable[[str], str]
    ) -> None:
        given = new()
        root.createAccount(**given)

        with refused(Conflict.code, f"Parameter {name} is already taken"):
            make(reseller, **{name: change(given[name])})

    def test_something_must_be_changed(self, reseller: Reseller, refused: Refused) -> None:
        with refused(NothingToChange.code, "At least one parameter to change is required"):
            reseller.updateAccount(i_account=make(reseller))

    def test_id_or_username_is_needed(self, reseller: Reseller, refused: Refused) -> None:
        with refused(BadParameter.code, "Parameter i_account is required"):
            reseller.getAccountInfo()

    @pytest.mark.each_engine
    def test_a_customer_with_accounts_cannot_be_deleted(
        self, reseller: Reseller, customers: Customers, refused: Refused
    ) -> None:
        child = customers.reseller(reseller)
        i_account = make(child)

        with refused(Conflict.code):
            reseller.deleteCustomer(i_customer=child.i_customer)
        child.deleteAccount(i_account=i_account)
        reseller.deleteCustomer(i_customer=child.i_customer)


@pytest.mark.one_engine
class TestRights:
    @pytest.fixture
    def calls(self, reseller: Reseller, customers: Customers) -> dict[str, dict[str, Any]]:
        """One call of each method on an account of a sub-customer of `reseller`."""
        named = {"i_account": make(customers.reseller(reseller), balance=1)}
        payment = {**named, "amount": 1, "currency": "USD"}
        return {
            "getAccountInfo": named,
            "updateAccount": {**named, "description": "new"},
            "blockAccount": named,
            "unblockAccount": named,
            "accountAddFunds": payment,
            "accountCredit": payment,
            "accountDebit": {**payment, "amount": 3},
            "deleteAccount": named,
        }

    def test_those_above_at_any_distance_may(self, root: Api, calls: dict[str, dict[str, Any]]) -> None:
        for method, params in calls.items():
            assert getattr(root, method)(**params)["result"] == "OK"

    def test_to_all_others_it_is_not_there(
        self, customers: Customers, calls: dict[str, dict[str, Any]], refused: Refused
    ) -> None:
        stranger = customers.reseller()
        for method, params in calls.items():
            with refused(NotFound.code, "Account not found"):
                getattr(stranger, method)(**params)

    @pytest.mark.parametrize("rights", range(8))
    def test_each_bit_allows_what_it_is_for(
        self, root: Api, customers: Customers, refused: Refused, rights: int
    ) -> None:
        owner = customers.reseller()
        i_account = make(owner)
        root.updateCustomer(i_customer=owner.i_customer, accounts_mgmt=rights)
        needed = {
            1: [("createAccount", new())],
            2: [
                ("updateAccount", {"i_account": i_account, "description": "new"}),
                ("blockAccount", {"i_account": i_account}),
                ("unblockAccount", {"i_account": i_account}),
                ("resetAccountOneTimePassword", {"username": info(owner, i_account)["username"]}),
                ("accountAddFunds", {"i_account": i_account, "amount": 1, "currency": "USD"}),
                ("accountCredit", {"i_account": i_account, "amount": 1, "currency": "USD"}),
                ("accountDebit", {"i_account": i_account, "amount": 2, "currency": "USD"}),
            ],
            4: [("deleteAccount", {"i_account": i_account})],
        }

        for bit, methods in needed.items():
            for method, params in methods:
                if rights & bit:
                    assert getattr(owner, method)(**params)["result"] == "OK"
                    continue
                with refused(NotPermitted.code):
                    getattr(owner, method)(**params)

    def test_a_trusted_host_names_the_customer(
        self, reseller: Reseller, variant: Callable[..., Server], refused: Refused
    ) -> None:
        trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
        with refused(BadParameter.code, "Parameter i_customer is required"):
            make(trusted)

        i_account = make(trusted, i_customer=reseller.i_customer)

        assert info(reseller, i_account)["i_customer"] == reseller.i_customer
        assert trusted.listAccounts(i_customer=reseller.i_customer)["accounts"][0]["i_account"] == i_account
        assert trusted.getAccountInfo(i_account=i_account)["i_account"] == i_account


class TestMoney:
    def test_is_booked_on_the_account_and_nowhere_else(self, root: Api, reseller: Reseller) -> None:
        root.customerAddFunds(i_customer=reseller.i_customer, amount=100, currency="USD")
        i_account = make(reseller, balance=1)

        reseller.accountAddFunds(i_account=i_account, amount=10, currency="USD", payment_notes="first")
        reseller.accountCredit(i_account=i_account, amount=0.5, currency="USD")
        reseller.accountDebit(i_account=i_account, amount=1.25, currency="USD")

        assert info(reseller, i_account)["balance"] == 10.25
        amounts = [entry["amount"] for entry in reseller.getLedger(i_account=i_account)["ledger"]]
        assert amounts == [-1.25, 0.5, 10, 1]
        assert root.info(reseller.i_customer)["balance"] == 100
        assert len(reseller.getLedger()["ledger"]) == 1

    def test_a_debit_reaches_down_to_the_credit_limit(self, reseller: Reseller, refused: Refused) -> None:
        i_account = make(reseller, balance=1, credit_limit=2)
        debit = {"i_account": i_account, "currency": "USD"}

        reseller.accountDebit(**debit, amount=3)
        with refused(NotEnoughCredit.code, "Not enough credit"):
            reseller.accountDebit(**debit, amount=0.000001)

        assert info(reseller, i_account)["balance"] == -2

    def test_setting_the_balance_books_the_difference(self, reseller: Reseller) -> None:
        i_account = make(reseller, balance=5)

        reseller.updateAccount(i_account=i_account, balance=3.5)

        assert [entry["amount"] for entry in reseller.getLedger(i_account=i_account)["ledger"]] == [-1.5, 5]

    def test_payments_tell_the_account(self, reseller: Reseller) -> None:
        i_account = make(reseller)
        reseller.accountAddFunds(i_account=i_account, amount=10, currency="USD", payment_notes="first")

        (payment,) = reseller.getPaymentsList(i_account=i_account)["payments"]

        assert (payment["i_account"], payment["i_customer"]) == (i_account, reseller.i_customer)
        assert (payment["amount"], payment["type"], payment["notes"]) == (10, "credit", "first")
        one = reseller.getPaymentInfo(i_payment=payment["i_payment"], i_account=i_account)
        assert {**payment, "result": "OK"} == one
        assert payment in reseller.getPaymentsList()["payments"]

    def test_one_with_money_is_not_deleted_and_its_ledger_outlives_it(
        self, reseller: Reseller, server: Server, refused: Refused
    ) -> None:
        i_account = make(reseller, balance=5)
        with refused(Conflict.code, "Account still has money: the balance is 5"):
            reseller.deleteAccount(i_account=i_account)
        reseller.updateAccount(i_account=i_account, balance=0)

        reseller.deleteAccount(i_account=i_account)

        statement = "SELECT balance_after FROM ledger l JOIN balances b USING (i_balance) WHERE b.i_account = :key"
        assert len(server.sql(statement, key=i_account)) == 2

    def test_a_key_makes_a_payment_safe_to_send_again(self, reseller: Reseller, refused: Refused) -> None:
        i_account = make(reseller)
        payment = {"i_account": i_account, "amount": 10, "currency": "USD", "idempotency_key": unique("key")}

        reseller.accountAddFunds(**payment)
        reseller.accountAddFunds(**payment)

        assert info(reseller, i_account)["balance"] == 10
        with refused(Conflict.code):
            reseller.accountAddFunds(**{**payment, "amount": 11})

    @pytest.mark.soak
    def test_concurrent_debits_take_what_is_there_and_no_more(
        self, reseller: Reseller, variant: Callable[..., Server], server: Server, length: Callable[[int, int], int]
    ) -> None:
        count = length(200, 5_000)
        i_account = make(reseller, balance=count // 2)
        crowd = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 16)

        debit = call("accountDebit", i_account=i_account, amount=1, currency="USD", i_customer=reseller.i_customer)
        answers = crowd.do([debit] * count)

        assert answers.count({"result": "OK"}) == answers.count(NotEnoughCredit.code) == count // 2
        assert info(reseller, i_account)["balance"] == 0
        assert findings(server) == []


class TestHistory:
    def test_every_change_is_there_without_its_secrets(self, reseller: Reseller) -> None:
        i_account = make(reseller, balance=2)
        reseller.updateAccount(i_account=i_account, description="new", voip_password="an0ther-Sip")
        reseller.blockAccount(i_account=i_account)

        rows = reseller.getAuditLogs(resource=f"accounts:i_account={i_account}")["records"]

        assert [row["action"] for row in reversed(rows)] == ["A", "FUNDS", "U", "U"]
        assert rows[1]["after"]["description"] == "new"
        assert rows[1]["after"]["voip_password"] == "changed"
        assert "s3cret-Sip" not in str(rows)
        assert info(reseller, i_account)["version"] == 3
