"""SipPort, through zeep: the groups of accounts, and who may put them there."""

from collections.abc import Callable

import pytest
from faces import Api
from harness import unique
from homes import Home, prop
from soap import Clients

FaultOf = Callable[..., int]
PERMISSION = 902
IN_GROUP, NOT_IN_GROUP = 1030, 1031


class TestGroups:
    def test_come_and_go_one_by_one(self, home: Home, fault_of: FaultOf) -> None:
        made = home.add(groups=["anonymous", ""])
        member = {"sipId": made["id"], "group": "quota"}

        home.of_reseller.addToGroup(**member)
        assert home.of_reseller.getGroups(sipId=made["id"]) == ["anonymous", "quota"]
        assert fault_of(home.of_reseller.addToGroup, **member) == IN_GROUP
        home.of_reseller.removeFromGroup(**member)
        assert fault_of(home.of_reseller.removeFromGroup, **member) == NOT_IN_GROUP
        assert home.get(made["id"])["groups"] == ["anonymous"]

    def test_a_list_replaces_them(self, home: Home) -> None:
        made = home.add(groups=["anonymous", "quota"])

        home.of_reseller.updateAccount(account={"id": made["id"], "groups": ["quota", "sms"]})

        assert home.get(made["id"])["groups"] == ["quota", "sms"]

    def test_that_of_the_blocked_is_the_block_of_the_other_dialect(self, home: Home, root: Api) -> None:
        made = home.add()
        i_account = root.getAccountInfo(username=f"{made['id']['username']}@{home.domain}")["i_account"]

        home.of_reseller.addToGroup(sipId=made["id"], group="blocked")
        assert root.getAccountInfo(i_account=i_account)["blocked"] == 1
        root.unblockAccount(i_account=i_account)
        assert home.get(made["id"])["groups"] == []

    def test_accounts_are_found_by_them(self, home: Home) -> None:
        home.add(groups=["quota"])
        both = home.add(groups=["quota", "sms", "blocked"])

        def found(*groups: str) -> int:
            return home.of_reseller.getAccounts(query={"filter": {"groups": list(groups)}})["total"]

        assert (found("quota"), found("quota", "sms"), found("blocked"), found("nobody")) == (2, 1, 1, 0)
        assert home.of_reseller.getAccounts(query={"filter": {"groups": ["sms"]}})["accounts"][0]["id"] == both["id"]


class TestRules:
    @pytest.mark.parametrize(("reseller", "customer"), [("0", "1"), ("1", "0"), ("1", "1")])
    def test_pstn_needs_the_property_of_the_reseller_and_of_a_customer_who_asks_himself(
        self, clients: Clients, fault_of: FaultOf, reseller: str, customer: str
    ) -> None:
        home = Home(clients, properties=[prop("pstn_access", reseller)])
        own = {"customer": home.customer["id"], "properties": [prop("pstn_access", customer)]}
        clients.admin().setProperties(**own)
        by_reseller, by_customer = reseller == "1", reseller == customer == "1"

        for port, allowed in ((home.of_reseller, by_reseller), (home.of_customer, by_customer), (home.admin, True)):
            plain = home.add(port)
            member = {"sipId": plain["id"], "group": "free-pstn"}
            new = {"id": home.id(), "groups": ["free-pstn"]}
            if allowed:
                port.addToGroup(**member)
                port.addAccount(account=new)
                continue
            assert fault_of(port.addToGroup, **member) == PERMISSION
            assert fault_of(port.addAccount, account=new) == PERMISSION
            update = {"id": plain["id"], "groups": ["free-pstn"]}
            assert fault_of(port.updateAccount, account=update) == PERMISSION

    def test_who_may_not_change_the_way_of_paying_makes_prepaid_accounts(
        self, clients: Clients, fault_of: FaultOf
    ) -> None:
        home = Home(clients)
        made = home.add(prepaid=False)
        assert made["prepaid"] is True
        assert fault_of(home.of_reseller.updateAccount, account={"id": made["id"], "prepaid": False}) == PERMISSION

        allowed = {"customer": home.reseller["id"], "properties": [prop("prepaid_changes", "1")]}
        clients.admin().setProperties(**allowed)
        home.of_reseller.updateAccount(account={"id": made["id"], "prepaid": False})
        assert home.add(prepaid=False)["prepaid"] is False

    def test_an_inactive_reseller_makes_nothing(self, clients: Clients, home: Home, fault_of: FaultOf) -> None:
        clients.admin().updateAccount(account={"id": home.reseller["id"], "resellerActive": False})

        assert fault_of(home.of_reseller.addAccount, account={"id": home.id()}) == PERMISSION
        assert fault_of(home.of_reseller.addDomain, domain={"domain": f"{unique('d')}.example.com"}) == PERMISSION
