"""getDictionary: real rows, and every id it tells is one that createCustomer takes."""

import xmlrpc.client
import zoneinfo
from typing import Any

import pycountry
import pytest
from conftest import Customers
from faces import Api

from xmlrpc_api.declaration.faults import BadParameter

pytestmark = pytest.mark.one_engine

STRONG = "Blue-Kettle42-sings"
NOT_PLACES = {"localtime", "posixrules", "Factory"}


def test_tells_labels_by_id(root: Api) -> None:
    assert root.getDictionary(name="export_types")["dictionary"] == {"1": "CSV", "2": "Excel"}


def test_utc_has_the_number_that_clients_of_such_switches_know(root: Api) -> None:
    assert root.getDictionary(name="timezones")["dictionary"]["370"] == "Etc/UTC"


def test_holds_every_time_zone_of_the_iana_database(root: Api) -> None:
    known = set(root.getDictionary(name="timezones")["dictionary"].values())

    assert zoneinfo.available_timezones() - NOT_PLACES <= known


def test_holds_every_currency_of_iso_4217(root: Api) -> None:
    known = root.getDictionary(name="currencies")["dictionary"]

    assert {currency.alpha_3 for currency in pycountry.currencies} <= known.keys()


def test_languages_can_be_narrowed_to_those_of_the_portal(root: Api) -> None:
    web = root.getDictionary(name="languages", type="web")["dictionary"]

    assert web.keys() == {"ar", "zh", "en", "fa", "fr", "pt", "ru", "es", "tr"}


@pytest.mark.parametrize(
    ("dictionary", "parameter"),
    [
        ("timezones", "i_time_zone"),
        ("languages", "i_lang"),
        ("export_types", "i_export_type"),
        ("password_policies", "i_password_policy"),
    ],
)
def test_every_id_is_one_that_create_customer_takes(
    root: Api, customers: Customers, dictionary: str, parameter: str
) -> None:
    ids = list(root.getDictionary(name=dictionary)["dictionary"])

    for key in {ids[0], ids[-1]}:
        i_customer = customers.make(root, web_password=STRONG, **{parameter: key})
        assert str(root.info(i_customer)[parameter]) == key


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, "Parameter name is required"),
        ({"name": "languages", "type": "radio"}, "Parameter type must be web or ivr"),
    ],
)
def test_refuses_what_is_no_dictionary(root: Api, refused: Any, params: dict[str, str], text: str) -> None:
    with refused(BadParameter.code, text):
        root.getDictionary(**params)


def test_an_unknown_name_is_refused_with_those_that_are_known(root: Api) -> None:
    with pytest.raises(xmlrpc.client.Fault, match=r"Parameter name must be one of .*timezones") as caught:
        root.getDictionary(name="nonsense")
    assert caught.value.faultCode == BadParameter.code


def test_any_caller_may_ask(customers: Customers) -> None:
    nobody = customers.reseller(customers_mgmt=0, accounts_mgmt=0, tariffs_mgmt=0, vouchers_mgmt=0)

    assert nobody.getDictionary(name="payment_methods")["dictionary"]
