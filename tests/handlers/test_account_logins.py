"""Logins of accounts."""

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique
from sippy import new

from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    NotFound,
    OneTimePasswordAccepted,
    TooManyAttempts,
)

Refused = Any


def make(owner: Api, **attributes: Any) -> int:
    return owner.createAccount(**new(**attributes))["i_account"]


class TestLogin:
    @pytest.fixture
    def account(self, reseller: Reseller) -> dict[str, Any]:
        given = new(email=f"{unique('mail')}@example.com")
        return {**given, **reseller.createAccount(**given)}

    def outcome(self, portal: Api, **params: Any) -> Any:
        try:
            return portal.authAccount(**params)
        except xmlrpc.client.Fault as fault:
            return fault.faultCode, fault.faultString

    def test_by_username_or_by_email(self, reseller: Reseller, account: dict[str, Any]) -> None:
        expected = {"result": "OK", "i_account": account["i_account"]}

        for name in ("username", "email"):
            answer = self.outcome(reseller, **{name: account[name]}, password=WEB_PASSWORD)
            assert answer.pop("device")
            assert answer == expected
            failed = (AuthenticationFailed.code, "Authentication failed")
            assert self.outcome(reseller, **{name: account[name]}, password="wrong") == failed
            assert self.outcome(reseller, **{name: "nobody"}, password=WEB_PASSWORD) == failed

    def test_an_address_of_two_is_told(self, reseller: Reseller, account: dict[str, Any]) -> None:
        make(reseller, email=account["email"])

        outcome = self.outcome(reseller, email=account["email"], password=WEB_PASSWORD)

        assert outcome == (Conflict.code, "More than one account matched")

    def test_neither_is_refused(self, reseller: Reseller, refused: Refused) -> None:
        with refused(BadParameter.code, "Parameter username is required"):
            reseller.authAccount(password=WEB_PASSWORD)

    def test_only_those_at_or_above_its_customer_may_ask(
        self, root: Api, reseller: Reseller, customers: Customers, account: dict[str, Any]
    ) -> None:
        login = {"username": account["username"], "password": WEB_PASSWORD}

        assert self.outcome(root, **login)["result"] == "OK"
        for portal in (customers.reseller(reseller), customers.reseller()):
            assert self.outcome(portal, **login)[0] == AuthenticationFailed.code

    def test_blocked_it_does_not_get_in(self, root: Api, reseller: Reseller, account: dict[str, Any]) -> None:
        login = {"username": account["username"], "password": WEB_PASSWORD}
        reseller.blockAccount(i_account=account["i_account"])
        assert self.outcome(reseller, **login)[0] == AuthenticationFailed.code

        reseller.unblockAccount(i_account=account["i_account"])
        assert self.outcome(reseller, **login)["result"] == "OK"
        root.blockCustomer(i_customer=reseller.i_customer)
        assert self.outcome(root, **login)[0] == AuthenticationFailed.code

    def test_a_web_user_of_the_same_name_is_somebody_else(self, reseller: Reseller, account: dict[str, Any]) -> None:
        reseller.createWebUser(web_login=account["username"], web_password="An-0ther")

        assert self.outcome(reseller, username=account["username"], password="An-0ther")[0] == 401
        with pytest.raises(xmlrpc.client.Fault, match="Authentication failed"):
            reseller.authCustomer(username=account["username"], password=WEB_PASSWORD)

    def test_a_one_time_password_is_accepted_once(self, reseller: Reseller, account: dict[str, Any]) -> None:
        login = {"username": account["username"]}
        password = reseller.resetAccountOneTimePassword(**login)["password"]

        outcomes = [self.outcome(reseller, **login, password=password)[0] for _ in range(2)]

        assert outcomes == [OneTimePasswordAccepted.code, AuthenticationFailed.code]
        assert self.outcome(reseller, **login, password=WEB_PASSWORD)["result"] == "OK"

    @pytest.mark.parametrize(
        "change", [{"web_password": "An-0ther"}, {"username": "renamed-account"}, {"blocked": 1}], ids=str
    )
    def test_a_one_time_password_ends_with_a_change_of_the_login(
        self, reseller: Reseller, account: dict[str, Any], change: dict[str, Any]
    ) -> None:
        password = reseller.resetAccountOneTimePassword(username=account["username"])["password"]

        reseller.updateAccount(i_account=account["i_account"], **change)
        reseller.updateAccount(i_account=account["i_account"], blocked=0, username=account["username"])

        outcome = self.outcome(reseller, username=account["username"], password=password)
        assert outcome[0] == AuthenticationFailed.code

    def test_foreign_and_unknown_ones_get_none(
        self, customers: Customers, account: dict[str, Any], refused: Refused
    ) -> None:
        stranger = customers.reseller()
        for username in (account["username"], unique("nobody")):
            with refused(NotFound.code, "Account not found"):
                stranger.resetAccountOneTimePassword(username=username)

    def test_guessing_is_throttled(
        self, variant: Callable[..., Server], reseller: Reseller, account: dict[str, Any]
    ) -> None:
        server = variant(login_failures=3)
        server.stop_clock()
        portal = server.api(reseller.login, "s3cret-Api")
        login = {"username": account["username"]}

        outcomes = [self.outcome(portal, **login, password="wrong")[0] for _ in range(4)]

        assert outcomes == [401, 401, 401, TooManyAttempts.code]
        assert self.outcome(portal, **login, password=WEB_PASSWORD)[0] == TooManyAttempts.code
