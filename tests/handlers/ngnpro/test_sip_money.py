"""SipPort, through zeep: balances and vouchers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from faces import Api
from harness import Server, unique
from homes import Home, Sip
from soap import Clients, SoapFault
from worlds import make_vouchers

from xmlrpc_api.services.money.vouchers import Made

FaultOf = Callable[..., int]
PERMISSION, BAD_VALUE, NO_CREDIT = 902, 101, 1402
NO_VOUCHER, TOO_MANY = 1050, 1429
NO_ACCOUNT = 1010


class TestBalances:
    def test_money_comes_and_goes_with_its_description(self, home: Home, fault_of: FaultOf) -> None:
        sip_id = home.add()["id"]

        added = home.of_reseller.addBalance(sipId=sip_id, value=10.5, description="CC transaction 7")
        taken = home.of_reseller.addBalance(sipId=sip_id, value=-0.25, description="Refund 7 with 8")

        assert added == {"old_balance": 0.0, "new_balance": 10.5}
        assert taken == {"old_balance": 10.5, "new_balance": 10.25}
        assert home.of_customer.getPrepaidStatus(sipIds=[sip_id]) == [{"balance": 10.25}]
        assert fault_of(home.of_reseller.addBalance, sipId=sip_id, value=-11, description="") == NO_CREDIT
        assert fault_of(home.of_reseller.addBalance, sipId=sip_id, value=0, description="") == BAD_VALUE
        assert fault_of(home.of_customer.addBalance, sipId=sip_id, value=1, description="") == PERMISSION

    def test_the_history_is_the_ledger_newest_first(self, home: Home) -> None:
        sip_id = home.add()["id"]
        assert home.of_customer.getCreditHistory(sipId=sip_id, count=200) == {"total": 0, "entries": []}
        for value in (1, 2, 3):
            home.of_reseller.addBalance(sipId=sip_id, value=value, description=f"number {value}")

        history = home.of_customer.getCreditHistory(sipId=sip_id, count=2)

        shown = [(entry["description"], entry["value"], entry["balance"]) for entry in history["entries"]]
        assert shown == [("number 3", 3, 6), ("number 2", 2, 3)]
        assert history["total"] == 3

    def test_states_are_told_in_the_order_asked_for(self, home: Home, fault_of: FaultOf) -> None:
        ids = [home.add()["id"] for _ in range(3)]
        for number, sip_id in enumerate(ids):
            home.of_reseller.addBalance(sipId=sip_id, value=number + 1, description="")

        told = home.of_reseller.getPrepaidStatus(sipIds=[ids[2], ids[0], ids[1]])

        assert [state["balance"] for state in told] == [3, 1, 2]
        assert fault_of(home.of_reseller.getPrepaidStatus, sipIds=[home.id("nobody")]) == NO_ACCOUNT

    def test_it_is_the_money_of_the_other_dialect(self, home: Home, root: Api) -> None:
        sip_id = home.add()["id"]
        i_account = root.getAccountInfo(username=f"{sip_id['username']}@{home.domain}")["i_account"]

        home.of_reseller.addBalance(sipId=sip_id, value=5, description="here")
        root.accountAddFunds(i_account=i_account, amount=2, currency="USD", payment_notes="there")

        assert root.getAccountInfo(i_account=i_account)["balance"] == 7
        assert [row["notes"] for row in root.getLedger(i_account=i_account)["ledger"]] == ["there", "here"]
        entries = home.of_reseller.getCreditHistory(sipId=sip_id, count=9)["entries"]
        assert [entry["description"] for entry in entries] == ["there", "here"]


class TestVouchers:
    @pytest.fixture
    def make(self, ngnpro: Server) -> Callable[..., list[Made]]:
        return partial(make_vouchers, ngnpro)

    def card(self, made: Made) -> dict[str, Any]:
        return {"id": made.i_voucher, "number": made.pin}

    def test_is_good_once(self, home: Home, make: Callable[..., list[Made]], fault_of: FaultOf) -> None:
        sip_id = home.add()["id"]
        (voucher,) = make(home.reseller["id"])
        use = {"sipId": sip_id, "card": self.card(voucher)}

        assert home.of_customer.addBalanceFromVoucher(**use) == {"old_balance": 0.0, "new_balance": 10.0}
        assert fault_of(home.of_customer.addBalanceFromVoucher, **use) == NO_VOUCHER

    def test_many_at_once_get_it_once(self, home: Home, make: Callable[..., list[Made]], clients: Clients) -> None:
        ids = [home.add()["id"] for _ in range(6)]
        ports = [clients.of(home.customer, "Sip") for _ in ids]
        (voucher,) = make(home.reseller["id"])

        def use(port: Any, sip_id: Sip) -> int:
            try:
                port.addBalanceFromVoucher(sipId=sip_id, card=self.card(voucher))
            except SoapFault as fault:
                return fault.code
            return 0

        with ThreadPoolExecutor(6) as pool:
            outcomes = sorted(pool.map(use, ports, ids))

        assert outcomes == [0] + [NO_VOUCHER] * 5
        assert sum(state["balance"] for state in home.of_reseller.getPrepaidStatus(sipIds=ids)) == 10

    def test_wrong_foreign_expired_and_unknown_are_one_fault(
        self, home: Home, make: Callable[..., list[Made]], clients: Clients, fault_of: FaultOf
    ) -> None:
        sip_id = home.add()["id"]
        (mine,) = make(home.reseller["id"])
        (foreign,) = make(clients.reseller()["id"])
        (expired,) = make(home.reseller["id"], expires=datetime(2020, 1, 1, tzinfo=UTC))

        for card in (
            self.card(foreign),
            self.card(expired),
            {"id": mine.i_voucher, "number": foreign.pin},
            {"id": 2**31 - 1, "number": mine.pin},
        ):
            assert fault_of(home.of_customer.addBalanceFromVoucher, sipId=sip_id, card=card) == NO_VOUCHER
        assert home.of_customer.addBalanceFromVoucher(sipId=sip_id, card=self.card(mine))["new_balance"] == 10

    def test_guessing_is_throttled(self, home: Home, make: Callable[..., list[Made]], fault_of: FaultOf) -> None:
        sip_id = home.add()["id"]
        (mine,) = make(home.reseller["id"])
        guess = {"sipId": sip_id, "card": {"id": mine.i_voucher, "number": "0" * 16}}

        codes = [fault_of(home.of_customer.addBalanceFromVoucher, **guess) for _ in range(11)]

        assert codes == [NO_VOUCHER] * 10 + [TOO_MANY]
        right = {"sipId": sip_id, "card": self.card(mine)}
        assert fault_of(home.of_customer.addBalanceFromVoucher, **right) == TOO_MANY

    def test_a_payment_list_tells_that_it_was_one(self, home: Home, make: Callable[..., list[Made]], root: Api) -> None:
        sip_id = home.add()["id"]
        (voucher,) = make(home.reseller["id"])
        home.of_customer.addBalanceFromVoucher(sipId=sip_id, card=self.card(voucher))
        i_account = root.getAccountInfo(username=f"{sip_id['username']}@{home.domain}")["i_account"]

        rows = [row["kind"] for row in root.getLedger(i_account=i_account)["ledger"]]

        assert rows == ["voucher"]

    def test_pins_are_not_readable_in_the_database(self, make: Callable[..., list[Made]], ngnpro: Server) -> None:
        (voucher,) = make(1)

        (row,) = ngnpro.sql("SELECT pin FROM vouchers WHERE i_voucher = :key", key=voucher.i_voucher)

        assert voucher.pin not in row.pin

    def test_numbers_of_a_series_go_on(self, make: Callable[..., list[Made]]) -> None:
        name = unique("series")

        numbers = [made.number for count in (2, 3) for made in make(1, count, name=name)]

        assert numbers == [1, 2, 3, 4, 5]
