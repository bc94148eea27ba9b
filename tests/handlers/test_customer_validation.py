"""Bad values: the first offender in declared order is named, with a reason."""

import pytest
from harness import unique
from sippy import new

from xmlrpc_api.declaration.fields import Wire
from xmlrpc_api.services.customers import CUSTOMER

pytestmark = pytest.mark.one_engine

VALID = {"web_password": "s3cret-Web", "i_tariff": None}


@pytest.mark.parametrize("missing", ["name", "web_password", "i_tariff"])
def test_a_missing_parameter_is_named(reseller, refused, missing):
    params = {"name": unique(), **VALID}
    del params[missing]

    with refused(400, f"Parameter {missing} is required"):
        reseller.createCustomer(**params)


def test_parameters_are_checked_in_declared_order(reseller, refused):
    with refused(400, "Parameter name is required"):
        reseller.createCustomer(i_lang="english", accounts_mgmt=99)
    with refused(400, "Parameter accounts_mgmt must be between 0 and 7"):
        reseller.createCustomer(name=unique(), i_lang="english", accounts_mgmt=99, **VALID)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("name", "", "must not be empty"),
        ("web_password", "", "must not be empty"),
        ("accounts_mgmt", 8, "must be between 0 and 7"),
        ("customers_mgmt", -1, "must be between 0 and 7"),
        ("system_mgmt", 2, "must be between 0 and 1"),
        ("api_access", 7, "must be between 0 and 1"),
        ("credit_limit", -1, "must be between 0 and 1000000000000"),
        ("balance", 1e13, "must be between -1000000000000 and 1000000000000"),
        ("balance", "0.0000001", "must have at most six decimals"),
        ("commission_size", 100.5, "must be between 0 and 100"),
        ("overcommit_limit", -1, "must be between 0 and 1000000"),
        ("overcommit_limit", 1_000_000.1, "must be between 0 and 1000000"),
        ("max_sessions", -1, "must be between 0 and 2147483647"),
        ("max_calls_per_second", -0.5, "must be between 0 and 1000000000"),
        ("min_payment_amount", -1, "must be between 0 and 1000000000000"),
        ("email", "nobody", "is not a valid e-mail address"),
        ("email", "a@example.com, b@example.com", "is not a valid e-mail address"),
        ("cc", "a@example.com; nobody", "is not a valid e-mail address"),
        ("bcc", "a@example.com,@", "is not a valid e-mail address"),
        ("mail_from", "Acme <nobody>", "is not a valid e-mail address"),
        ("payment_currency", "EURO", "is longer than 3 characters"),
        ("payment_currency", "E1", "must be a currency code of three letters (ISO 4217)"),
        ("i_lang", "e", "must be a language code of two letters (ISO 639-1)"),
        ("dns_alias", "under_score.example.com", "is not a valid host name"),
        ("dns_alias", "-a.example.com", "is not a valid host name"),
        ("css", "x" * 65537, "is longer than 65536 characters"),
        ("name", "n" * 129, "is longer than 128 characters"),
        ("web_password", "p" * 257, "is longer than 256 characters"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(reseller, refused, name, value, reason):
    with refused(400, f"Parameter {name} {reason}"):
        reseller.createCustomer(**{"name": unique(), **VALID, name: value})


@pytest.mark.parametrize("field", list(CUSTOMER.create), ids=lambda field: field.name)
def test_a_value_of_a_wrong_type_is_named(reseller, refused, field):
    value = "one" if field.wire in (Wire.INT, Wire.DOUBLE, Wire.BOOLEAN) else ["one"]

    with refused(-32602) as _:
        reseller.createCustomer(**{"name": unique(), **VALID, field.name: value})


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("accounts_mgmt", "7", 7),
        ("accounts_mgmt", True, 1),
        ("system_mgmt", False, 0),
        ("callshop_enabled", 1, True),
        ("callshop_enabled", "0", False),
        ("credit_limit", 10, 10.0),
        ("credit_limit", "10.25", 10.25),
        ("max_sessions", "", None),
        ("postal_code", 10115, "10115"),
        ("payment_currency", "eur", "EUR"),
        ("i_lang", "DE", "de"),
        ("cc", "", ""),
        ("email", "", ""),
        ("dns_alias", "portal.example.com", "portal.example.com"),
        ("mail_from", "billing@example.com", "billing@example.com"),
    ],
)
def test_what_clients_send_for_a_type_is_taken(reseller, customers, name, sent, stored):
    assert reseller.info(customers.make(reseller, **{name: sent}))[name] == stored


REFERENCES = {
    "i_tariff": 999999,
    "i_routing_group": 999999,
    "payment_currency": "ZZZ",
    "payment_method": 99,
    "i_commission_agent": 999999,
    "i_password_policy": 99,
    "i_time_zone": 99999,
    "i_lang": "zz",
    "i_export_type": 99,
}


@pytest.mark.each_engine
@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_to_nothing_is_refused(reseller, customers, refused, name):
    i_customer = customers.make(reseller)

    with refused(401, f"Wrong {name}"):
        customers.make(reseller, **{name: REFERENCES[name]})
    with refused(401, f"Wrong {name}"):
        reseller.updateCustomer(i_customer=i_customer, **{name: REFERENCES[name]})


def test_every_reference_is_tested():
    assert set(REFERENCES) == set(CUSTOMER.references) - {"impersonate"}


def test_a_tariff_of_somebody_else_is_refused(root, reseller, customers, refused):
    with refused(401, "Wrong i_tariff"):
        customers.make(reseller, i_tariff=customers.tariff(customers.reseller()))


def test_a_commission_agent_of_somebody_else_is_refused(reseller, customers, refused):
    foreign = customers.make(customers.reseller())

    for agent in (foreign, reseller.i_customer, 1):
        with refused(401, "Wrong i_commission_agent"):
            customers.make(reseller, i_commission_agent=agent)


def test_the_base_currency_is_that_of_the_tariff(reseller, customers):
    euro = customers.make(reseller, i_tariff=customers.tariff(reseller, "EUR"))

    assert reseller.info(euro)["base_currency"] == "EUR"
    assert reseller.info(customers.make(reseller))["base_currency"] == "USD"


def test_a_tariff_in_another_currency_cannot_be_assigned_later(reseller, customers, refused):
    i_customer = customers.make(reseller)

    with refused(400, "Parameter i_tariff must be a tariff in USD, the customer's base currency"):
        reseller.updateCustomer(i_customer=i_customer, i_tariff=customers.tariff(reseller, "EUR"))


def test_an_update_needs_something_to_change(reseller, customers, refused):
    i_customer = customers.make(reseller)

    for params in ({}, {"result": "OK"}, {"max_sessions": ""}):
        with refused(400, "At least one parameter to change is required"):
            reseller.updateCustomer(i_customer=i_customer, **params)


class TestUnknownParameters:
    def test_are_named_where_nothing_else_was_sent(self, reseller, customers, refused):
        i_customer = customers.make(reseller)
        nothing = "At least one parameter to change is required"

        with refused(400, f"{nothing}, and descripton (did you mean description?) is not known to this method"):
            reseller.updateCustomer(i_customer=i_customer, descripton="x")
        with refused(400, f"{nothing}, and colour is not known to this method"):
            reseller.updateCustomer(i_customer=i_customer, colour="blue")

    def test_are_ignored(self, reseller, customers):
        assert customers.make(reseller, result="OK", i_environment=1, blocked=True)

    def test_do_not_reach_what_the_server_sets(self, reseller, customers):
        own = {
            "i_customer": 5,
            "i_wholesaler": reseller.i_customer,
            "path": "",
            "blocked": True,
            "i_balance": 1,
        }
        info = reseller.info(customers.make(reseller, **own))

        assert info["blocked"] is False
        assert info["i_customer"] != 5

    def test_are_refused_where_the_setting_says_so(self, variant, refused):
        strict = variant(unknown_params="reject").api()

        with refused(400, "Parameter colour is not known to this method"):
            strict.listCustomers(colour="blue")

    def test_a_whole_record_may_be_sent_back_even_then(self, variant, reseller, customers):
        """Clients change one member of what they have read, and send all of it."""
        strict = variant(unknown_params="reject").api(reseller.login, reseller.password)
        web_user = {"web_login": unique("web"), "web_password": "s3cret-Web"}
        i_web_user = reseller.createWebUser(**web_user)["i_web_user"]
        i_account = reseller.createAccount(**new())["i_account"]
        customer = strict.getCustomerInfo(i_customer=customers.make(reseller))
        user = strict.getWebUserInfo(i_web_user=i_web_user)
        account = strict.getAccountInfo(i_account=i_account)
        listed = next(row for row in strict.listAccounts()["accounts"] if row["i_account"] == i_account)

        for work, record in (
            (strict.updateCustomer, customer["customer"]),
            (strict.updateWebUser, user["web_user"]),
            (strict.updateAccount, account),
            (strict.updateAccount, listed),
        ):
            assert work(**{**record, "result": "OK", "description": "changed"}) == {"result": "OK"}

    def test_what_can_be_set_elsewhere_is_refused_then(self, variant, refused):
        strict = variant(unknown_params="reject").api()

        with refused(400, "Parameter description is not known to this method"):
            strict.listCustomers(description="x")
