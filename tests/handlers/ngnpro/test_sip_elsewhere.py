"""The accounts of SipPort in the other dialect."""

from collections.abc import Callable

from faces import Api
from harness import Server, unique
from homes import GIVEN, Home
from sippy import new

from handlers.ngnpro.sip_accounts import ATTRIBUTES

FaultOf = Callable[..., int]
NO_ACCOUNT = 1010


class TestOtherDialects:
    def test_an_account_made_here_is_in_the_list_there(self, home: Home, ngnpro: Server, root: Api) -> None:
        made = home.add(**GIVEN)
        portal = ngnpro.api(home.customer["username"], "s3cret-Api")

        (listed,) = portal.listAccounts()["accounts"]

        assert listed["username"] == f"{made['id']['username']}@{home.domain}"
        assert listed["blocked"] is True
        there = root.getAccountInfo(i_account=listed["i_account"])
        ours = {field.attribute: GIVEN[name] for name, field in ATTRIBUTES.items() if name in GIVEN}
        del ours["voip_password"]
        assert {name: there[name] for name in ours if name in there} == {n: v for n, v in ours.items() if n in there}

    def test_an_account_made_there_is_here(self, home: Home, ngnpro: Server) -> None:
        portal = ngnpro.api(home.customer["username"], "s3cret-Api")
        name = f"{unique('sippy')}@{home.domain}"
        portal.createAccount(**new(username=name, authname=name, first_name="Grace"))

        user, _, domain = name.partition("@")
        told = home.of_reseller.getAccount(sipId={"username": user, "domain": domain})

        assert (told["firstName"], told["customer"]) == ("Grace", home.customer["id"])
        assert home.of_reseller.getAccounts(query={"filter": {"domain": domain}})["total"] == 1

    def test_one_without_a_domain_is_shown_below_that_of_the_settings(self, home: Home, ngnpro: Server) -> None:
        portal = ngnpro.api(home.customer["username"], "s3cret-Api")
        name = unique("plain")
        portal.createAccount(**new(username=name, authname=name))

        told = home.of_reseller.getAccount(sipId={"username": name, "domain": "localhost"})

        assert told["id"] == {"username": name, "domain": "localhost"}
        found = home.of_reseller.getAccounts(query={"filter": {"username": name, "domain": "local%"}})
        assert found["total"] == 1

    def test_changes_and_deletions_cross(self, home: Home, ngnpro: Server, root: Api, fault_of: FaultOf) -> None:
        made = home.add(firstName="Ada")
        i_account = root.getAccountInfo(username=f"{made['id']['username']}@{home.domain}")["i_account"]

        root.updateAccount(i_account=i_account, first_name="Grace")
        assert home.get(made["id"])["firstName"] == "Grace"
        home.of_reseller.updateAccount(account={"id": made["id"], "firstName": "Joan"})
        assert root.getAccountInfo(i_account=i_account)["first_name"] == "Joan"
        root.deleteAccount(i_account=i_account)
        assert fault_of(home.admin.getAccount, sipId=made["id"]) == NO_ACCOUNT
