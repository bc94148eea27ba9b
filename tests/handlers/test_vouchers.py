"""Vouchers over XML-RPC: made, used once, listed, void; and balances that run low or are added up."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from faces import Api
from harness import Server, unique
from sippy import new

from xmlrpc_api.declaration.faults import (
    BadParameter,
    Conflict,
    NotFound,
    NotPermitted,
    TooManyAttempts,
    WrongReference,
)


@pytest.fixture(scope="module")
def server(own: Server) -> Server:
    return own


@pytest.fixture
def account(reseller: Reseller) -> int:
    return reseller.createAccount(**new(balance=0))["i_account"]


def make(api: Api, count: int = 1, **given: Any) -> list[dict[str, Any]]:
    made = {"series": unique("series"), "value": 10, "currency": "USD", "count": count, **given}
    vouchers: list[dict[str, Any]] = api.createVouchers(**made)["vouchers"]
    return vouchers


def balance(api: Api, account: int) -> float:
    amount: float = api.getAccountInfo(i_account=account)["balance"]
    return amount


class TestUsing:
    @pytest.mark.parametrize("way", ["id and pin", "pin as id", "pin alone", "own id"])
    def test_each_way_of_showing_one(self, reseller: Reseller, account: int, way: str) -> None:
        (card,) = make(reseller)
        shown = {
            "id and pin": {"voucher_id": str(card["i_voucher"]), "secret_pin": card["pin"]},
            "pin as id": {"voucher_id": card["pin"]},
            "pin alone": {"secret_pin": card["pin"]},
            "own id": {"i_voucher": card["i_voucher"]},
        }[way]

        used = reseller.rechargeVoucher(i_account=account, **shown)

        assert used == {"result": "OK", "value": 10, "voucher_currency": "USD", "payer_amount": 10}
        assert balance(reseller, account) == 10

    def test_by_the_name_of_the_account(self, reseller: Reseller, account: int) -> None:
        (card,) = make(reseller)
        username = reseller.getAccountInfo(i_account=account)["username"]

        reseller.rechargeVoucher(username=username, secret_pin=card["pin"])

        assert balance(reseller, account) == 10

    def test_once(self, reseller: Reseller, account: int, refused: Any) -> None:
        (card,) = make(reseller)
        reseller.rechargeVoucher(i_account=account, secret_pin=card["pin"])

        for shown in ({"secret_pin": card["pin"]}, {"i_voucher": card["i_voucher"]}):
            with refused(NotFound.code, "Voucher not found"):
                reseller.rechargeVoucher(i_account=account, **shown)
        assert balance(reseller, account) == 10

    def test_once_by_sixteen_at_once(self, server: Server, customers: Customers) -> None:
        login = unique("seller")
        seller = customers.reseller(name=login)
        (card,) = make(seller)
        accounts = [seller.createAccount(**new(balance=0))["i_account"] for _ in range(16)]

        def use(account: int) -> bool:
            api = Reseller(server, seller.i_customer, login)
            answer = api.proxy.system.multicall(
                [{"methodName": "rechargeVoucher", "params": [{"i_account": account, "secret_pin": card["pin"]}]}]
            )
            return isinstance(answer[0], list)

        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(use, accounts)) == 1
        assert sum(balance(seller, account) for account in accounts) == 10

    @pytest.mark.parametrize("shown", [{"voucher_id": "7x"}, {"voucher_id": "9" * 32}, {"secret_pin": "0" * 16}])
    def test_what_is_none_is_not_there(self, reseller: Reseller, account: int, refused: Any, shown: Any) -> None:
        with refused(NotFound.code, "Voucher not found"):
            reseller.rechargeVoucher(i_account=account, **{"secret_pin": "1", **shown})

    def test_something_must_be_shown(self, reseller: Reseller, account: int, refused: Any) -> None:
        with refused(BadParameter.code, "Parameter voucher_id is required"):
            reseller.rechargeVoucher(i_account=account)

    def test_those_of_others_are_good_for_those_below_them_alone(
        self, customers: Customers, reseller: Reseller, refused: Any
    ) -> None:
        child, stranger = customers.reseller(reseller), customers.reseller()
        mine, theirs = make(reseller, 2), make(stranger)
        account = child.createAccount(**new(balance=0))["i_account"]

        child.rechargeVoucher(i_account=account, secret_pin=mine[0]["pin"])
        for shown in ({"secret_pin": theirs[0]["pin"]}, {"i_voucher": mine[1]["i_voucher"]}):
            with refused(NotFound.code, "Voucher not found"):
                child.rechargeVoucher(i_account=account, **shown)

    def test_an_id_alone_needs_the_right(self, customers: Customers, refused: Any) -> None:
        lacking = customers.reseller(vouchers_mgmt=1)
        account = lacking.createAccount(**new())["i_account"]
        (card,) = make(lacking)

        for shown in ({"i_voucher": card["i_voucher"]}, {"voucher_id": str(card["i_voucher"])}):
            with refused(NotPermitted.code):
                lacking.rechargeVoucher(i_account=account, **shown)

    def test_guesses_are_counted(self, reseller: Reseller, account: int, refused: Any) -> None:
        (card,) = make(reseller)
        for guess in range(10):
            with refused(NotFound.code):
                reseller.rechargeVoucher(i_account=account, secret_pin=f"{guess:016}")

        with refused(TooManyAttempts.code):
            reseller.rechargeVoucher(i_account=account, secret_pin=card["pin"])


class TestManaging:
    def test_they_are_numbered_on_and_listed_without_their_pins(self, reseller: Reseller, account: int) -> None:
        first, second = (make(reseller, 2, series="spring") for _ in range(2))
        reseller.rechargeVoucher(i_account=account, secret_pin=first[0]["pin"])
        reseller.voidVoucher(i_voucher=first[1]["i_voucher"])

        def ids(**asked: Any) -> list[int]:
            return [row["i_voucher"] for row in reseller.listVouchers(series="spring", **asked)["vouchers"]]

        assert [one["number"] for one in (*first, *second)] == [1, 2, 3, 4]
        assert ids() == [one["i_voucher"] for one in (*first, *second)]
        assert (ids(state="used"), ids(state="void")) == ([first[0]["i_voucher"]], [first[1]["i_voucher"]])
        assert ids(state="new") == [one["i_voucher"] for one in second]
        assert "pin" not in reseller.listVouchers()["vouchers"][0]

    def test_a_void_one_is_good_for_nothing_and_a_used_one_stays_used(
        self, server: Server, reseller: Reseller, account: int, refused: Any
    ) -> None:
        void, used = make(reseller, 2)
        reseller.rechargeVoucher(i_account=account, secret_pin=used["pin"])
        for _ in range(2):
            reseller.voidVoucher(i_voucher=void["i_voucher"])

        with refused(NotFound.code, "Voucher not found"):
            reseller.rechargeVoucher(i_account=account, secret_pin=void["pin"])
        with refused(Conflict.code, "Voucher was used"):
            reseller.voidVoucher(i_voucher=used["i_voucher"])
        assert findings(server) == []

    def test_others_cannot_void_them(self, customers: Customers, reseller: Reseller, refused: Any) -> None:
        (card,) = make(reseller)

        with refused(NotFound.code, "Voucher not found"):
            customers.reseller().voidVoucher(i_voucher=card["i_voucher"])
        with refused(NotPermitted.code):
            customers.reseller(vouchers_mgmt=3).voidVoucher(i_voucher=card["i_voucher"])

    def test_what_is_wrong_is_refused(self, customers: Customers, reseller: Reseller, refused: Any) -> None:
        with refused(BadParameter.code, "Parameter expires must be in the future"):
            make(reseller, expires="20200101T00:00:00")
        with refused(WrongReference.code, "Wrong currency"):
            make(reseller, currency="ZZZ")
        with refused(BadParameter.code, "Parameter count must be between 1 and 500"):
            make(reseller, 501)
        with refused(NotPermitted.code):
            make(customers.reseller(vouchers_mgmt=6))


LOW = {
    "threshold": 5,
    "notify_by_email": True,
    "charge_card": False,
    "charge_amount": 20,
    "notification_retry_count": 3,
    "notification_retry_interval": 60,
    "br_charge_card": False,
    "br_charge_amount": 7.5,
}


class TestLowBalance:
    def test_of_an_account_is_told_as_it_was_set(self, reseller: Reseller, account: int) -> None:
        reseller.setLowBalance(i_account=account, **LOW)

        told = reseller.getLowBalance(i_account=account)
        cards = {"i_debit_credit_card": None, "br_i_debit_credit_card": None}
        assert told == {"result": "OK", "i_balance": told["i_balance"], **LOW, **cards}

    def test_an_account_that_falls_below_writes_an_event(self, reseller: Reseller, account: int) -> None:
        reseller.setLowBalance(i_account=account, threshold=5)
        reseller.accountAddFunds(i_account=account, amount=6, currency="USD")
        reseller.accountDebit(i_account=account, amount=2, currency="USD")

        assert [event["kind"] for event in reseller.listEvents()["events"]] == ["low_balance"]

    def test_one_must_be_named_and_no_card_is_there(self, reseller: Reseller, account: int, refused: Any) -> None:
        with refused(BadParameter.code, "Parameter i_account is required"):
            reseller.getLowBalance()
        for name in ("i_debit_credit_card", "br_i_debit_credit_card"):
            with refused(WrongReference.code, f"Wrong {name}"):
                reseller.setLowBalance(i_account=account, **{name: 1})
        with refused(WrongReference.code, "Wrong br_i_debit_credit_card"):
            reseller.setLowBalance(i_account=account, br_charge_card=True)

    def test_what_is_for_accounts_is_refused_for_customers(
        self, customers: Customers, reseller: Reseller, refused: Any
    ) -> None:
        with refused(BadParameter.code, "Parameter br_charge_amount is for accounts"):
            reseller.setLowBalance(i_customer=customers.make(reseller), br_charge_amount=1)

    def test_it_needs_the_right_to_edit_them_and_their_owner(
        self, customers: Customers, reseller: Reseller, account: int, refused: Any
    ) -> None:
        with refused(NotPermitted.code):
            customers.reseller(accounts_mgmt=5).setLowBalance(i_account=account, threshold=1)
        for method, also in (("getLowBalance", {}), ("setLowBalance", {"threshold": 1})):
            with refused(NotFound.code, "Account not found"):
                getattr(customers.reseller(), method)(i_account=account, **also)


def test_balances_are_added_up_by_currency(customers: Customers, reseller: Reseller, refused: Any) -> None:
    euros = customers.make(reseller, i_tariff=customers.tariff(reseller, "EUR"), credit_limit=3)
    accounts = [reseller.createAccount(**new(balance=amount, credit_limit=2))["i_account"] for amount in (5, 7)]
    known = [{"i_customer": euros}, *({"i_account": account} for account in accounts)]
    ids = [reseller.getLowBalance(**whose)["i_balance"] for whose in known]

    totals = reseller.getBalancesTotals(i_balances=[*ids, ids[1]])["totals"]

    assert totals == [
        {"commodity": "EUR", "balance": 0, "credit_limit": 3},
        {"commodity": "USD", "balance": 12, "credit_limit": 4},
    ]
    with refused(NotFound.code, "Balance not found"):
        customers.reseller().getBalancesTotals(i_balances=ids)
