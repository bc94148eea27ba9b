"""Password policies: what they demand, on every path that sets a password, in the language of the portal."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import Server, unique

from xmlrpc_api.crypto.passwords import SCORED_CHARACTERS, score
from xmlrpc_api.declaration.faults import BadParameter, WrongReference
from xmlrpc_api.services.logins.password_policies import REASONS

pytestmark = pytest.mark.one_engine

Refused = Any
STRICT = 900
DEMANDS = {
    "minimum_length": (8, "short-1", "must have at least 8 characters"),
    "needs_lower": (True, "SHOUTED-1", "must have a lower case letter"),
    "needs_upper": (True, "whispered-1", "must have an upper case letter"),
    "needs_digit": (True, "Digitless", "must have a digit"),
    "needs_symbol": (True, "Plain1234", "must have a character that is neither a letter nor a digit"),
    "minimum_score": (3, "password1", "is too easy to guess"),
}


@pytest.fixture
def policy(server: Server) -> Callable[..., int]:
    """Makes a policy that demands nothing but what is said."""

    def make(**demands: Any) -> int:
        nothing = dict.fromkeys(
            ("needs_lower", "needs_upper", "needs_digit", "needs_symbol", "differs_from_login"), False
        )
        row = {"minimum_length": 1, "minimum_score": 0, **nothing, **demands, "name": unique("policy")}
        columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        key = server.sql("SELECT MAX(i_password_policy) FROM password_policies")[0][0] + 1
        server.sql(f"INSERT INTO password_policies (i_password_policy, {columns}) VALUES ({key}, {values})", **row)
        return key

    return make


class TestDemands:
    @pytest.mark.parametrize("demand", DEMANDS)
    def test_each_is_told_and_nothing_else_is_demanded(
        self, root: Api, policy: Callable[..., int], refused: Refused, demand: str
    ) -> None:
        value, bad, reason = DEMANDS[demand]
        asked = {"password": bad, "web_label": "Your password"}

        assert root.validatePassword(i_password_policy=policy(), **asked) == {"result": "OK"}
        with refused(BadParameter.code, f"Your password {reason}"):
            root.validatePassword(i_password_policy=policy(**{demand: value}), **asked)

    def test_a_password_that_has_all_is_allowed(self, root: Api, policy: Callable[..., int]) -> None:
        everything = policy(**{name: wanted for name, (wanted, _, _) in DEMANDS.items()})

        answer = root.validatePassword(i_password_policy=everything, password="Tr0mbone-Quartz-91", web_label="P")

        assert answer == {"result": "OK"}

    def test_the_login_is_no_password(
        self, reseller: Reseller, customers: Customers, policy: Callable[..., int], refused: Refused
    ) -> None:
        login, differs = unique("login"), policy(differs_from_login=True)
        with refused(BadParameter.code, "Parameter web_password must not be the login"):
            customers.make(reseller, web_login=login, web_password=login.upper(), i_password_policy=differs)

        assert customers.make(reseller, web_login=login, web_password=login, i_password_policy=policy())

    def test_the_default_is_lenient(self, root: Api, customers: Customers, refused: Refused) -> None:
        """Systems that are there already send short passwords without symbols."""
        assert customers.make(root, web_password="abc123")
        with refused(BadParameter.code, "Parameter web_password must have at least 6 characters"):
            customers.make(root, web_password="abc12")

    def test_an_unknown_policy_is_refused(self, root: Api, refused: Refused) -> None:
        with refused(WrongReference.code, "Wrong i_password_policy"):
            root.validatePassword(i_password_policy=2**31 - 1, password=WEB_PASSWORD, web_label="Password")

    @pytest.mark.parametrize("language", sorted(REASONS["length"]))
    @pytest.mark.parametrize("broken", REASONS)
    def test_every_reason_is_there_in_every_language(self, broken: str, language: str) -> None:
        assert REASONS[broken][language]

    @pytest.mark.parametrize(("language", "text"), [("de", "muss eine Ziffer enthalten"), ("zz", "must have a digit")])
    def test_the_reason_is_in_the_language_asked_for(
        self, root: Api, policy: Callable[..., int], refused: Refused, language: str, text: str
    ) -> None:
        asked = {"i_password_policy": policy(needs_digit=True), "password": "digitless", "web_label": "Kennwort"}

        with refused(BadParameter.code, f"Kennwort {text}"):
            root.validatePassword(**asked, lang=language)

    def test_scoring_takes_bounded_time(self) -> None:
        """zxcvbn takes seconds for a long text of letters that can be read as others."""
        assert score("4@8({[<369&#!1/|0$5+7%2" * 11) == score(("4@8({[<369&#!1/|0$5+7%2" * 2)[:SCORED_CHARACTERS])


class TestEveryPath:
    @pytest.fixture
    def strict(self, policy: Callable[..., int]) -> int:
        return policy(minimum_length=12)

    @pytest.mark.parametrize("name", ["web_password", "api_password"])
    def test_create(self, root: Api, customers: Customers, refused: Refused, strict: int, name: str) -> None:
        with refused(BadParameter.code, f"Parameter {name} must have at least 12 characters"):
            customers.make(root, **{"web_password": "long-enough-1", "i_password_policy": strict, name: "too-short"})

    @pytest.mark.parametrize("name", ["web_password", "api_password"])
    def test_update(self, root: Api, customers: Customers, refused: Refused, strict: int, name: str) -> None:
        i_customer = customers.make(root, web_password="long-enough-1", i_password_policy=strict)

        with refused(BadParameter.code, f"Parameter {name} must have at least 12 characters"):
            root.updateCustomer(i_customer=i_customer, **{name: "too-short"})

    def test_update_together_with_the_policy(
        self, root: Api, customers: Customers, refused: Refused, strict: int
    ) -> None:
        """The new policy counts; the password that is there stays."""
        i_customer = customers.make(root)
        with refused(BadParameter.code, "Parameter web_password must have at least 12 characters"):
            root.updateCustomer(i_customer=i_customer, i_password_policy=strict, web_password="too-short")

        root.updateCustomer(i_customer=i_customer, i_password_policy=strict)

    def test_web_users_follow_their_customer(
        self, root: Api, customers: Customers, refused: Refused, strict: int
    ) -> None:
        i_customer = customers.make(root, web_password="long-enough-1", i_password_policy=strict)
        new = {"i_customer": i_customer, "web_login": unique("user")}
        text = "Parameter web_password must have at least 12 characters"
        with refused(BadParameter.code, text):
            root.createWebUser(**new, web_password="too-short")
        i_web_user = root.createWebUser(**new, web_password="long-enough-1")["i_web_user"]
        with refused(BadParameter.code, text):
            root.updateWebUser(i_web_user=i_web_user, web_password="too-short")

        with refused(BadParameter.code, "Parameter new_password must have at least 12 characters"):
            root.changeWebPassword(web_login=new["web_login"], old_password="long-enough-1", new_password="too-short")
