"""Round trips of every attribute, generated from the declarations."""

from decimal import Decimal
from typing import Any

import pytest
from harness import unique

from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.services.customers import CUSTOMER

UNREADABLE = {"web_password", "api_password"}
DOCUMENTED_PARAMETERS = """
name web_password i_tariff web_login i_routing_group balance credit_limit accounts_mgmt
customers_mgmt system_mgmt accounts_matching_rule company_name salutation first_name last_name
mid_init street_addr state postal_code city country contact phone fax alt_phone alt_contact email cc
bcc mail_from payment_currency payment_method min_payment_amount api_access api_password api_mgmt
i_commission_agent commission_size tariffs_mgmt max_depth use_own_tariff vouchers_mgmt description
i_password_policy callshop_enabled overcommit_protection overcommit_limit did_pool_enabled
ivr_apps_enabled asr_acd_enabled debit_credit_cards_enabled conferencing_enabled
share_payment_processors dncl_enabled i_time_zone i_lang i_export_type start_page css dns_alias
max_sessions max_calls_per_second
"""
PLAIN = {Wire.BOOLEAN: True, Wire.DOUBLE: 12.5, Wire.INT: 1}
SPECIAL = {
    "email": "ada@example.com",
    "cc": "a@example.com, b@example.com",
    "bcc": "c@example.com;d@example.com",
    "mail_from": "Ada <ada@example.com>",
    "payment_currency": "EUR",
    "i_lang": "ru",
    "i_time_zone": 114,
    "i_export_type": 2,
    "payment_method": 2,
    "dns_alias": "portal.example.com",
    "max_depth": 3,
    "i_password_policy": 1,
}


def other_value(field: Field, references: dict[str, int]) -> Any:
    """A value that is neither the default nor what createCustomer was given here."""
    known = {**SPECIAL, **references}
    if field.name in known:
        return known[field.name]
    if field.name in ("name", "web_login"):
        return unique(field.name)
    if field.wire in PLAIN:
        return PLAIN[field.wire]
    return f"  <&> ü \u2603 \U0001f600 {field.name} "[: field.limit]


@pytest.fixture
def references(server, reseller, customers) -> dict[str, int]:
    """Rows of the reseller's own that its customers may point at."""
    owner = reseller.i_customer
    name = unique()
    group = server.sql(
        "INSERT INTO routing_groups (i_customer, name) VALUES (:o, :n) RETURNING i_routing_group",
        o=owner,
        n=name,
    )
    return {
        "i_tariff": customers.tariff(reseller),
        "i_routing_group": group[0][0],
        "i_commission_agent": customers.make(reseller),
    }


@pytest.fixture
def full(references) -> dict[str, Any]:
    """A value for every parameter of createCustomer."""
    return {field.name: other_value(field, references) for field in CUSTOMER.create}


def as_read(sent: Any) -> Any:
    return float(sent) if isinstance(sent, Decimal) else sent


def test_the_parameters_are_those_of_the_flysip_page_in_its_order():
    assert [field.name for field in CUSTOMER.create] == DOCUMENTED_PARAMETERS.split()


def test_three_parameters_are_mandatory():
    assert [field.name for field in CUSTOMER.create if field.required] == ["name", "web_password", "i_tariff"]


def test_every_parameter_comes_back_from_get_customer_info(reseller, customers, full):
    i_customer = reseller.createCustomer(**full)["i_customer"]

    info = reseller.info(i_customer)

    assert {name: info[name] for name in full if name not in UNREADABLE} == {
        name: as_read(value) for name, value in full.items() if name not in UNREADABLE
    }


def test_get_customer_info_tells_the_members_the_server_sets(reseller, customers):
    i_customer = customers.make(reseller)

    info = reseller.info(i_customer)

    assert info["i_customer"] == i_customer
    assert info["i_wholesaler"] == reseller.i_customer
    assert info["i_web_user"] > 0
    assert info["base_currency"] == "USD"
    assert info["blocked"] is False


def test_passwords_never_come_back(reseller, full):
    info = reseller.info(reseller.createCustomer(**full)["i_customer"])

    assert not UNREADABLE & info.keys()
    assert full["web_password"] not in str(info)
    assert full["api_password"] not in str(info)


@pytest.mark.parametrize("field", CUSTOMER.update, ids=lambda field: field.name)
def test_each_parameter_can_be_changed_alone(reseller, customers, references, field):
    i_customer = customers.make(reseller)
    before = reseller.info(i_customer)
    value = other_value(field, references)

    reseller.updateCustomer(i_customer=i_customer, **{field.name: value})

    changed = {} if field.name in UNREADABLE else {field.name: as_read(value)}
    is_new = field.name in UNREADABLE or changed[field.name] != before[field.name]
    changed["version"] = before["version"] + (is_new and field.name != "balance")  # money has a ledger of its own
    assert reseller.info(i_customer) == {**before, **changed}


@pytest.mark.parametrize("field", [f for f in CUSTOMER.update if f.nullable], ids=lambda field: field.name)
def test_nil_clears_what_may_be_nil(reseller, customers, references, field):
    i_customer = customers.make(reseller, **{field.name: other_value(field, references)})

    reseller.updateCustomer(i_customer=i_customer, **{field.name: None})

    assert reseller.info(i_customer).get(field.name) is None


@pytest.mark.parametrize("field", [f for f in CUSTOMER.update if not f.nullable], ids=lambda field: field.name)
def test_nil_is_refused_where_it_has_no_meaning(reseller, customers, refused, field):
    i_customer = customers.make(reseller)

    with refused(400, f"Parameter {field.name} must not be nil"):
        reseller.updateCustomer(i_customer=i_customer, **{field.name: None})


def test_nil_at_creation_means_the_default(reseller, customers):
    plain = reseller.info(customers.make(reseller))
    optional = {f.name: None for f in CUSTOMER.create if not f.required}

    with_nils = reseller.info(customers.make(reseller, **optional))

    own = {"i_customer", "i_web_user", "name", "web_login"}
    assert {k: v for k, v in with_nils.items() if k not in own} == {k: v for k, v in plain.items() if k not in own}


def test_the_login_is_the_name_unless_given(reseller, customers):
    name = unique()

    assert reseller.info(customers.make(reseller, name=name))["web_login"] == name


def test_amounts_are_exact(reseller, customers):
    i_customer = customers.make(reseller, balance=0.1, credit_limit=123456789012.123456)
    for _ in range(9):
        reseller.updateCustomer(i_customer=i_customer, balance=reseller.info(i_customer)["balance"] + 0.5)

    assert reseller.info(i_customer)["balance"] == 4.6
    assert reseller.info(i_customer)["credit_limit"] == 123456789012.12346


def test_every_change_of_a_balance_is_in_the_ledger(server, reseller, customers):
    i_customer = customers.make(reseller, balance=10)
    reseller.updateCustomer(i_customer=i_customer, balance=7.5)
    reseller.updateCustomer(i_customer=i_customer, balance=7.5)

    rows = server.sql(
        "SELECT amount, balance_after, kind FROM ledger JOIN balances USING (i_balance)"
        " WHERE i_customer = :c ORDER BY i_ledger",
        c=i_customer,
    )

    assert [tuple(row) for row in rows] == [
        (10_000_000, 10_000_000, "initial"),
        (-2_500_000, 7_500_000, "set"),
    ]


@pytest.mark.parametrize("statement", ["UPDATE ledger SET amount = 0", "DELETE FROM ledger"])
def test_the_database_refuses_to_alter_the_ledger(server, reseller, customers, statement):
    customers.make(reseller, balance=1)

    with pytest.raises(Exception, match="the ledger is append-only"):
        server.sql(statement)


def test_a_balance_cannot_start_below_the_credit_limit(reseller, customers, refused):
    with refused(402, "Not enough credit"):
        customers.make(reseller, balance=-10.01, credit_limit=10)

    assert reseller.info(customers.make(reseller, balance=-10, credit_limit=10))["balance"] == -10


def test_the_sign_of_the_balance_follows_the_setting(variant, reseller, customers):
    i_customer = customers.make(reseller, balance=12.5)
    switch = variant(balance_sign="switch").api()

    wholesaler = switch.getCustomerInfo(i_customer=reseller.i_customer)["customer"]
    assert wholesaler["balance"] == 0
    listed = reseller.listCustomers()["customers"]
    assert [row["balance"] for row in listed if row["i_customer"] == i_customer] == [12.5]


def test_the_switch_sign_negates_get_customer_info_alone(variant, customers):
    switch = variant(balance_sign="switch").api()
    i_customer = customers.make(switch, balance=100, credit_limit=5)

    assert switch.info(i_customer)["balance"] == -100
    assert switch.info(i_customer)["credit_limit"] == 5
    assert {c["i_customer"]: c["balance"] for c in switch.listCustomers()["customers"]}[i_customer] == 100


def test_the_balance_just_read_is_the_one_to_expect(variant, root, customers, refused):
    """With either sign: what getCustomerInfo told is what if_balance takes."""
    i_customer = customers.make(root, balance=100)
    for api in (root, variant(balance_sign="switch").api()):
        told = api.info(i_customer)["balance"]
        assert api.updateCustomer(i_customer=i_customer, if_balance=told, balance=100) == {"result": "OK"}

        with refused(409, f"Balance has changed meanwhile: it is {told:g}"):
            api.updateCustomer(i_customer=i_customer, if_balance=-told, city="Rome")
