"""Translation and match rules, tried out and set."""

from typing import Any

import pytest
from conftest import Customers, Reseller, Within
from faces import Api
from harness import Server
from sippy import new

from xmlrpc_api.declaration.faults import BadParameter

pytestmark = pytest.mark.one_engine

LOOKING_AROUND = "s/^1(?=2)/3/"
NO_LOOKING_AROUND = "is wrong at character 5: rules run on RE2, which has no look-around"


def test_a_rule_is_tried_out(root: Api) -> None:
    told = root.applyTranslationRule(rule=r"s/^0(\d+)/49\1/", number="0305550100")

    assert told == {"result": "OK", "number": "49305550100"}


def test_a_match_is_tried_out(root: Api) -> None:
    assert root.checkMatchRule(rule="^49", number="49305550100") == {"result": "OK", "match": True}
    assert root.checkMatchRule(rule="!^49", number=4930555)["match"] is False


NEVER_ENDING = ["s/^(1+)+$/2/", "s/(1*)*(1*)*2/x/g", "s/(1|1|11)+$x/y/"]


@pytest.mark.parametrize("rule", NEVER_ENDING)
def test_a_pattern_that_never_ends_elsewhere_is_answered(root: Api, rule: str) -> None:
    assert root.applyTranslationRule(rule=rule, number="1" * 127 + "!")["number"] == "1" * 127 + "!"


@pytest.mark.timing
@pytest.mark.parametrize("rule", [*NEVER_ENDING, "s/(.*)(.*)(.*)(.*)(.*)[^1!]$/x/g"])
def test_it_is_answered_as_soon_as_any_other(root: Api, within: Within, rule: str) -> None:
    """One more character would double the time where patterns backtrack."""
    root.applyTranslationRule(rule="s/1/2/", number="1")  # connects, and logs in

    with within(0.05):
        told = root.applyTranslationRule(rule=rule, number="1" * 127 + "!")

    assert told["number"] == "1" * 127 + "!"


def test_what_becomes_too_long_is_refused(root: Api, refused: Any) -> None:
    with refused(BadParameter.code, "Parameter rule the number would be longer than 128 characters"):
        root.applyTranslationRule(rule=f"s/1/{'2' * 100}/g", number="11")


def test_a_wrong_rule_is_told_with_its_position(root: Api, refused: Any) -> None:
    with refused(BadParameter.code, f"Parameter rule {NO_LOOKING_AROUND}"):
        root.applyTranslationRule(rule=LOOKING_AROUND, number="1")
    with refused(BadParameter.code, "Parameter rule is wrong at character 1: RE2 says: missing )"):
        root.checkMatchRule(rule="1(2", number="1")


@pytest.mark.parametrize("name", ["translation_rule", "cli_translation_rule", "p_assrt_id_translation_rule"])
def test_a_rule_of_an_account_is_read_when_it_is_set(reseller: Reseller, refused: Any, name: str) -> None:
    i_account = reseller.createAccount(**new(**{name: "s/^00//"}))["i_account"]

    with refused(BadParameter.code, f"Parameter {name} {NO_LOOKING_AROUND}"):
        reseller.updateAccount(i_account=i_account, **{name: LOOKING_AROUND})
    assert reseller.getAccountInfo(i_account=i_account)[name] == "s/^00//"


def test_the_rule_of_a_customer_is_read_when_it_is_set(reseller: Reseller, customers: Customers, refused: Any) -> None:
    i_customer = customers.make(reseller, accounts_matching_rule="^49")

    with refused(BadParameter.code, "Parameter accounts_matching_rule is wrong at character 1: RE2 says: missing )"):
        reseller.updateCustomer(i_customer=i_customer, accounts_matching_rule="(49")


def test_a_rule_of_older_days_stays_when_something_else_is_changed(spoilt: Server) -> None:
    api = spoilt.api()
    i_account = api.createAccount(**new())["i_account"]
    spoilt.sql("UPDATE accounts SET translation_rule = 's/(?=1)' WHERE i_account = :i_account", i_account=i_account)

    api.updateAccount(i_account=i_account, description="Other")

    told = api.getAccountInfo(i_account=i_account)
    assert (told["translation_rule"], told["description"]) == ("s/(?=1)", "Other")
