"""Web users: further logins of a customer, and what is special about his default one."""

from typing import Any

import pytest
from conftest import WEB_PASSWORD, Customers, Reseller
from faces import Api
from harness import unique

from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotFound,
    NothingToChange,
    NotPermitted,
    WrongReference,
    WrongType,
)

Refused = Any
LEVELS = ["ADMINISTRATOR", "REPORTER", "BILLING", "CALL_SHOP_OPERATOR", "NOC"]


def make(owner: Api, **attributes: Any) -> int:
    return owner.createWebUser(**{"web_login": unique("user"), "web_password": WEB_PASSWORD, **attributes})[
        "i_web_user"
    ]


def info(owner: Api, i_web_user: int) -> dict[str, Any]:
    return owner.getWebUserInfo(i_web_user=i_web_user)["web_user"]


class TestRoundTrip:
    def test_every_attribute_comes_back_but_the_password(self, reseller: Reseller, customers: Customers) -> None:
        i_customer = customers.make(reseller)
        given = {
            "web_login": unique("user"),
            "i_access_level": "BILLING",
            "email": "ada@example.com",
            "description": "Night shift",
            "blocked": True,
        }

        i_web_user = make(reseller, i_customer=i_customer, **given)

        assert info(reseller, i_web_user) == {
            **given,
            "i_web_user": i_web_user,
            "i_customer": i_customer,
            "is_default": False,
            "second_factor": False,
        }

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("i_access_level", "NOC"),
            ("email", "new@example.com"),
            ("email", None),
            ("description", "new"),
            ("description", None),
            ("blocked", True),
        ],
    )
    def test_an_update_changes_what_is_given_and_nothing_else(self, reseller: Reseller, name: str, value: Any) -> None:
        i_web_user = make(reseller, email="old@example.com", description="old")
        before = info(reseller, i_web_user)

        reseller.updateWebUser(i_web_user=i_web_user, **{name: value})

        assert info(reseller, i_web_user) == {**before, name: value}

    @pytest.mark.parametrize("level", LEVELS)
    def test_every_access_level_can_be_given(self, reseller: Reseller, level: str) -> None:
        assert info(reseller, make(reseller, i_access_level=level))["i_access_level"] == level

    def test_is_found_by_login_in_any_case(self, reseller: Reseller) -> None:
        login = unique("user")
        i_web_user = make(reseller, web_login=login)

        found = reseller.getWebUserInfo(web_login=login.upper())["web_user"]

        assert (found["i_web_user"], found["web_login"]) == (i_web_user, login)

    def test_the_list_tells_all_of_a_customer_in_order_and_pages(
        self, reseller: Reseller, customers: Customers
    ) -> None:
        i_customer = customers.make(reseller)
        made = [make(reseller, i_customer=i_customer) for _ in range(3)]
        expected = [reseller.info(i_customer)["i_web_user"], *made]

        everything = reseller.listWebUsers(i_customer=i_customer)["web_users"]
        page = reseller.listWebUsers(i_customer=i_customer, offset=1, limit=2)["web_users"]

        assert [user["i_web_user"] for user in everything] == expected
        assert [user["is_default"] for user in everything] == [True, False, False, False]
        assert page == everything[1:3]
        assert everything[1] == info(reseller, made[0])

    def test_without_a_customer_it_is_the_callers_own(self, reseller: Reseller) -> None:
        i_web_user = make(reseller)

        assert info(reseller, i_web_user)["i_customer"] == reseller.i_customer
        assert reseller.listWebUsers()["web_users"][-1]["i_web_user"] == i_web_user

    def test_a_deleted_one_is_gone_and_his_login_free(self, reseller: Reseller, refused: Refused) -> None:
        login = unique("user")
        i_web_user = make(reseller, web_login=login)

        reseller.deleteWebUser(i_web_user=i_web_user)

        with refused(NotFound.code, "Web user not found"):
            info(reseller, i_web_user)
        assert make(reseller, web_login=login) > i_web_user

    def test_goes_with_his_customer(self, reseller: Reseller, customers: Customers, refused: Refused) -> None:
        i_customer = customers.make(reseller)
        i_web_user = make(reseller, i_customer=i_customer)

        reseller.deleteCustomer(i_customer=i_customer)

        with refused(NotFound.code, "Web user not found"):
            info(reseller, i_web_user)


@pytest.mark.one_engine
class TestChecks:
    @pytest.mark.parametrize(
        ("attributes", "code", "text"),
        [
            ({"web_login": None}, BadParameter.code, "Parameter web_login is required"),
            ({"web_login": ""}, BadParameter.code, "Parameter web_login must not be empty"),
            ({"web_login": "x" * 129}, BadParameter.code, "Parameter web_login is longer than 128 characters"),
            ({"web_password": None}, BadParameter.code, "Parameter web_password is required"),
            ({"web_password": ""}, BadParameter.code, "Parameter web_password must not be empty"),
            ({"email": "nobody"}, BadParameter.code, "Parameter email is not a valid e-mail address"),
            ({"blocked": "maybe"}, WrongType.code, "Parameter blocked must be a boolean"),
            ({"i_access_level": "GOD"}, WrongReference.code, "Wrong i_access_level"),
            ({"i_customer": 2**31 - 1}, NotFound.code, "Customer not found"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, reseller: Reseller, refused: Refused, attributes: dict[str, Any], code: int, text: str
    ) -> None:
        with refused(code, text):
            make(reseller, **attributes)

    @pytest.mark.each_engine
    def test_a_login_is_unique_whatever_its_case(self, root: Api, reseller: Reseller, refused: Refused) -> None:
        login = unique("user")
        make(root, web_login=login)
        other = make(reseller)

        with refused(Conflict.code, "Parameter web_login is already taken"):
            make(reseller, web_login=login.upper())
        with refused(Conflict.code, "Parameter web_login is already taken"):
            reseller.updateWebUser(i_web_user=other, web_login=login)

    def test_something_must_be_changed(self, reseller: Reseller, refused: Refused) -> None:
        with refused(NothingToChange.code, "At least one parameter to change is required"):
            reseller.updateWebUser(i_web_user=make(reseller))

    def test_id_or_login_is_needed(self, reseller: Reseller, refused: Refused) -> None:
        with refused(BadParameter.code, "Parameter i_web_user is required"):
            reseller.getWebUserInfo()

    def test_read_only_attributes_cannot_be_set(self, reseller: Reseller) -> None:
        i_web_user = make(reseller, is_default=True, second_factor=True, i_web_user=1)

        assert info(reseller, i_web_user)["is_default"] is False
        assert info(reseller, i_web_user)["second_factor"] is False


@pytest.mark.one_engine
class TestRights:
    @pytest.fixture
    def calls(self, reseller: Reseller, customers: Customers) -> dict[str, dict[str, Any]]:
        """One call of each method on a web user of a sub-customer of `reseller`."""
        i_customer = customers.make(reseller)
        i_web_user = make(reseller, i_customer=i_customer)
        named = {"i_web_user": i_web_user}
        return {
            "createWebUser": {
                "i_customer": i_customer,
                "web_login": unique("user"),
                "web_password": WEB_PASSWORD,
            },
            "updateWebUser": {**named, "description": "new"},
            "blockWebUser": named,
            "unblockWebUser": named,
            "getWebUserInfo": named,
            "listWebUsers": {"i_customer": i_customer},
            "deleteWebUser": named,
        }

    def test_those_above_at_any_distance_may(self, root: Api, calls: dict[str, dict[str, Any]]) -> None:
        for method, params in calls.items():
            assert getattr(root, method)(**params)["result"] == "OK"

    def test_to_all_others_it_is_not_there(
        self, customers: Customers, calls: dict[str, dict[str, Any]], refused: Refused
    ) -> None:
        stranger = customers.reseller()
        for method, params in calls.items():
            what = "Customer" if "i_customer" in params else "Web user"
            with refused(NotFound.code, f"{what} not found"):
                getattr(stranger, method)(**params)

    def test_nobody_touches_those_of_the_one_above(
        self, reseller: Reseller, customers: Customers, refused: Refused
    ) -> None:
        child = customers.reseller(reseller)

        with refused(NotFound.code, "Web user not found"):
            child.blockWebUser(i_web_user=make(reseller))

    def test_changes_below_need_the_right_to_edit_customers(
        self, root: Api, reseller: Reseller, calls: dict[str, dict[str, Any]], refused: Refused
    ) -> None:
        root.updateCustomer(i_customer=reseller.i_customer, customers_mgmt=5)
        for method, params in calls.items():
            if method in ("getWebUserInfo", "listWebUsers"):
                assert getattr(reseller, method)(**params)["result"] == "OK"
                continue
            with refused(NotPermitted.code, "Not permitted: bit 1 (edit) of customers_mgmt is missing"):
                getattr(reseller, method)(**params)

    def test_own_ones_need_no_right(self, customers: Customers, refused: Refused) -> None:
        plain = customers.reseller(customers_mgmt=0)

        i_web_user = make(plain)
        plain.updateWebUser(i_web_user=i_web_user, description="mine")
        assert info(plain, i_web_user)["description"] == "mine"
        plain.deleteWebUser(i_web_user=i_web_user)
        with refused(NotFound.code, "Web user not found"):
            info(plain, i_web_user)


class TestDefaultUser:
    @pytest.fixture
    def customer(self, reseller: Reseller, customers: Customers) -> int:
        return customers.make(reseller)

    @pytest.fixture
    def default(self, reseller: Reseller, customer: int) -> int:
        return reseller.info(customer)["i_web_user"]

    @pytest.mark.parametrize("method", ["blockWebUser", "deleteWebUser"])
    def test_is_not_blocked_or_deleted(self, reseller: Reseller, default: int, refused: Refused, method: str) -> None:
        with refused(NotPermitted.code):
            getattr(reseller, method)(i_web_user=default)
        with refused(NotPermitted.code, "Not permitted: the default web user cannot be blocked; block the customer"):
            reseller.updateWebUser(i_web_user=default, blocked=True)

    def test_a_change_of_his_is_one_of_the_customer(self, reseller: Reseller, customer: int, default: int) -> None:
        before = reseller.info(customer)
        login = unique("renamed")

        reseller.updateWebUser(i_web_user=default, web_login=login, i_access_level="REPORTER")

        after = reseller.info(customer)
        assert (after["web_login"], after["i_access_level"]) == (login, "REPORTER")
        assert after["version"] == before["version"] + 1
        (newest, *_) = reseller.getCustomerHistory(i_customer=customer)["records"]
        assert newest["before"]["web_login"] == before["web_login"]
        assert newest["after"]["web_login"] == login

    def test_what_only_he_has_is_no_change_of_the_customer(
        self, reseller: Reseller, customer: int, default: int
    ) -> None:
        version = reseller.info(customer)["version"]

        reseller.updateWebUser(i_web_user=default, description="the first one")

        assert reseller.info(customer)["version"] == version
