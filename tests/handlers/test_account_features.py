"""Follow-me, caller numbers, hot dial and smart dial: what is special about each."""

from collections.abc import Callable
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from crowd import OK, Crowd, call
from harness import Server, unique
from sippy import new

from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotFound,
    NothingToChange,
    NotPermitted,
    WrongReference,
)

NOBODYS = 2**31 - 1
MOST = 100


@pytest.fixture
def account(reseller: Reseller) -> int:
    return made(reseller)


def made(reseller: Reseller) -> int:
    i_account: int = reseller.createAccount(**new(balance=0))["i_account"]
    return i_account


class TestFollowMe:
    def test_options_are_told_as_they_were_set_and_by_the_account(self, reseller: Reseller, account: int) -> None:
        assert reseller.getFollowMeOptions(i_account=account) == {
            "result": "OK",
            "followme_timeout": 30,
            "i_followme_mode": 1,
            "followme_mode_name": "One after another",
        }

        reseller.setFollowMeOptions(i_account=account, followme_timeout=15, i_followme_mode=2)

        options = reseller.getFollowMeOptions(i_account=account)
        assert (options["followme_timeout"], options["followme_mode_name"]) == (15, "All at once")
        told = reseller.getAccountInfo(i_account=account)
        assert (told["followme_timeout"], told["i_followme_mode"]) == (15, 2)

    @pytest.mark.parametrize("options", [{"i_followme_mode": 3}, {"followme_timeout": -1}, {"followme_timeout": None}])
    def test_options_that_there_are_not_are_refused_by_name(
        self, reseller: Reseller, account: int, refused: Any, options: dict[str, Any]
    ) -> None:
        with refused(BadParameter.code):
            reseller.setFollowMeOptions(i_account=account, **options)

    def test_no_option_is_no_change(self, reseller: Reseller, account: int, refused: Any) -> None:
        with refused(NothingToChange.code):
            reseller.setFollowMeOptions(i_account=account)

    def test_entries_stand_in_the_order_of_preference(self, reseller: Reseller, account: int) -> None:
        for preference, cld in ((2, "second"), (1, "first"), (2, "third")):
            reseller.addFollowMeEntry(i_account=account, cld=cld, preference=preference)

        told = reseller.listFollowMeEntries(i_account=account)["followme_entries"]

        assert [row["cld"] for row in told] == ["first", "second", "third"]

    def test_an_entry_of_another_account_is_missing(self, reseller: Reseller, account: int, refused: Any) -> None:
        other = reseller.addFollowMeEntry(i_account=made(reseller), cld="1")["i_followme_entry"]

        with refused(NotFound.code, "Follow-me entry not found"):
            reseller.updateFollowMeEntry(i_account=account, i_followme_entry=other, cld="2")
        with refused(NotFound.code, "Follow-me entry not found"):
            reseller.deleteFollowMeEntry(i_account=account, i_followme_entry=other)


class TestCallerNumbers:
    def test_are_told_as_pairs(self, reseller: Reseller, account: int) -> None:
        numbers = [unique(), unique()]
        for cli, lang in zip(numbers, ("en", "FR"), strict=True):
            reseller.addCLIMapping(i_account=account, cli=cli, lang=lang)

        assert reseller.listCLIMappings(i_account=account)["list"] == [[numbers[0], "en"], [numbers[1], "fr"]]

    def test_none_is_an_array(self, reseller: Reseller, account: int) -> None:
        assert reseller.listCLIMappings(i_account=account) == {"result": "OK", "list": []}

    def test_find_their_account(self, reseller: Reseller, account: int) -> None:
        cli, known = unique(), reseller.getAccountInfo(i_account=account)
        reseller.addCLIMapping(i_account=account, cli=cli, lang="en")

        found = reseller.findCLIMapping(cli=cli, i_customer=reseller.i_customer)

        named = {name: known[name] for name in ("username", "authname")}
        assert found == {"result": "OK", "i_account": account, "cli": cli, "lang": "en", **named}

    def test_are_bound_to_one_account_of_a_customer_and_to_another_of_another(
        self, reseller: Reseller, customers: Customers, account: int, refused: Any
    ) -> None:
        cli, other = unique(), customers.reseller()
        reseller.addCLIMapping(i_account=account, cli=cli, lang="en")

        with refused(Conflict.code, "Parameter cli is already taken"):
            reseller.addCLIMapping(i_account=made(reseller), cli=cli, lang="en")
        with refused(NotFound.code, "CLI mapping not found"):
            other.findCLIMapping(cli=cli, i_customer=other.i_customer)
        other.addCLIMapping(i_account=made(other), cli=cli, lang="en")
        with refused(NotFound.code):
            reseller.findCLIMapping(cli=cli, i_customer=other.i_customer)

    def test_are_replaced_by_free_ones(self, reseller: Reseller, account: int, refused: Any) -> None:
        old, new_one, taken = unique(), unique(), unique()
        reseller.addCLIMapping(i_account=account, cli=old, lang="en")
        reseller.addCLIMapping(i_account=made(reseller), cli=taken, lang="en")

        with refused(Conflict.code, "Parameter new_cli is already taken"):
            reseller.updateCLIMapping(i_account=account, old_cli=old, new_cli=taken)
        reseller.updateCLIMapping(i_account=account, old_cli=old, new_cli=new_one, lang="fr")

        assert reseller.listCLIMappings(i_account=account)["list"] == [[new_one, "fr"]]
        with refused(NotFound.code, "CLI mapping not found"):
            reseller.updateCLIMapping(i_account=account, old_cli=old, new_cli=new_one)

    def test_speak_a_language_that_there_is(self, reseller: Reseller, account: int, refused: Any) -> None:
        with refused(WrongReference.code, "Wrong lang"):
            reseller.addCLIMapping(i_account=account, cli=unique(), lang="xx")

    def test_of_many_who_bind_one_at_once_one_does(self, variant: Callable[..., Server], reseller: Reseller) -> None:
        accounts, cli = [made(reseller) for _ in range(16)], unique()
        crowd = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 16)

        answers = crowd.do(call("addCLIMapping", i_account=one, cli=cli, lang="en") for one in accounts)

        assert sorted(map(str, answers)) == [*["409"] * 15, str({"result": OK})]


class TestDialling:
    def test_a_key_is_an_accounts_once(self, reseller: Reseller, account: int, refused: Any) -> None:
        reseller.addHotDialNumber(i_account=account, hot_key="1", dest="5")

        with refused(Conflict.code, "Parameter hot_key is already taken"):
            reseller.addHotDialNumber(i_account=account, hot_key="1", dest="6")
        reseller.addHotDialNumber(i_account=made(reseller), hot_key="1", dest="6")

    def test_an_access_number_is_an_accounts_once(self, reseller: Reseller, account: int, refused: Any) -> None:
        reseller.addSmartDial(i_account=account, did="1", dest="5")

        with refused(Conflict.code, "Parameter did is already taken"):
            reseller.addSmartDial(i_account=account, did="1", dest="6")
        reseller.addSmartDial(i_account=made(reseller), did="1", dest="6")

    def test_there_is_an_end_to_them(self, reseller: Reseller, account: int, refused: Any) -> None:
        keys = [{"i_account": account, "hot_key": str(number), "dest": "5"} for number in range(MOST)]
        calls = [{"methodName": "addHotDialNumber", "params": [key]} for key in keys]
        for start in range(0, MOST, 50):
            reseller.proxy.system.multicall(calls[start : start + 50])

        with refused(NotPermitted.code, f"Not permitted: an account cannot have more than {MOST} of these"):
            reseller.addHotDialNumber(i_account=account, hot_key="more", dest="5")
        assert len(reseller.listHotDialNumbers(i_account=account)["hot_dial_numbers"]) == MOST


def test_all_go_with_the_account_and_the_books_are_right(fresh: Server) -> None:
    customers = Customers(fresh)
    reseller = customers.reseller()
    account = made(reseller)
    reseller.addFollowMeEntry(i_account=account, cld="1")
    reseller.addCLIMapping(i_account=account, cli="1", lang="en")
    reseller.addHotDialNumber(i_account=account, hot_key="1", dest="5")
    reseller.addSmartDial(i_account=account, did="1", dest="5")
    reseller.addAuthRule(i_account=account, i_protocol=1, incoming_cli="1")
    reseller.addPostAuthRule(i_account=account, cli="1")

    reseller.deleteAccount(i_account=account)

    assert findings(fresh) == []
    assert fresh.sql("SELECT count(*) FROM authentications")[0][0] == 0


def test_one_that_is_gone_is_found(fresh: Server) -> None:
    reseller = Customers(fresh).reseller()
    i_entry = reseller.addFollowMeEntry(i_account=made(reseller), cld="1")["i_followme_entry"]

    fresh.sql("DELETE FROM followme_entries WHERE i_followme_entry = :i_entry", i_entry=i_entry)

    wrong = f"follow-me entry {i_entry} is gone, but the change history does not say that it was deleted"
    assert findings(fresh) == [wrong]
