"""Authentication rules: no call is two accounts', and none of a tree's rules is for an address of another tree."""

import itertools
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from conftest import Customers, Reseller
from crowd import Crowd, call
from faces import Api
from harness import Server, unique
from sippy import new
from soap import Clients

from xmlrpc_api.declaration.faults import BadParameter, Conflict, NotFound, NotPermitted, WrongReference

CONFLICT = "Rule has conflicting parameters: another one is for the same calls"
ROOTS = "Not permitted: remote_ip must be one ordinary address: others are set by root"
ASKED = ("remote_ip", "incoming_cli", "incoming_cld", "to_domain", "from_domain")
NUMBERS = itertools.count(256, 256)  # a network of 256 addresses for each


def address(version: int = 4) -> str:
    """The first address of a network that no other test uses."""
    number = next(NUMBERS)
    return str(IPv4Address(0x0A000000 + number) if version == 4 else IPv6Address((0xFD00 << 112) + (number << 64)))


@pytest.fixture
def rule(reseller: Reseller) -> dict[str, Any]:
    """What a rule of the reseller's is made with, beside what it asks for."""
    return of(reseller)


def of(api: Api) -> dict[str, Any]:
    return {"i_account": api.createAccount(**new(balance=0))["i_account"], "i_protocol": 1}


def told(api: Api, i_authentication: int) -> dict[str, Any]:
    found: dict[str, Any] = api.getAuthRuleInfo(i_authentication=i_authentication)["authrule"]
    return found


class TestWhatIsAskedFor:
    def test_is_something(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        for nothing in ({}, dict.fromkeys(ASKED), dict.fromkeys(ASKED, "")):
            with refused(BadParameter.code):
                reseller.addAuthRule(**rule, **nothing)

    def test_stays_something(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        i_rule = reseller.addAuthRule(**rule, incoming_cli=unique())["i_authentication"]

        with refused(BadParameter.code):
            reseller.updateAuthRule(i_authentication=i_rule, incoming_cli="")
        reseller.updateAuthRule(i_authentication=i_rule, incoming_cli="", incoming_cld=unique())

    def test_is_told_as_an_empty_text_where_it_is_nil(self, reseller: Reseller, rule: dict[str, Any]) -> None:
        i_rule = reseller.addAuthRule(**rule, incoming_cli=unique(), incoming_cld=None)["i_authentication"]
        reseller.updateAuthRule(i_authentication=i_rule, cld_translation_rule="s/^0//")

        reseller.updateAuthRule(i_authentication=i_rule, cld_translation_rule=None)

        rule = told(reseller, i_rule)
        assert (rule["incoming_cld"], rule["cld_translation_rule"], rule["max_sessions"]) == ("", "", -1)

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("10.0.0.1/32", "10.0.0.1"),
            ("::ffff:10.0.0.2", "10.0.0.2"),
            ("::ffff:a00:3/128", "10.0.0.3"),
            (" 10.0.0.4 ", "10.0.0.4"),
            ("FD00:0:0::5", "fd00::5"),
        ],
    )
    def test_an_address_is_told_in_one_form(
        self, reseller: Reseller, rule: dict[str, Any], sent: str, kept: str
    ) -> None:
        i_rule = reseller.addAuthRule(**rule, remote_ip=sent)["i_authentication"]

        assert told(reseller, i_rule)["remote_ip"] == kept
        reseller.delAuthRule(i_authentication=i_rule)

    @pytest.mark.parametrize(
        "wrong", ["10.0.0.1/24", "10.0.0", "010.0.0.1", "fe80::1%eth0", "::ffff:0.0.0.0/90", "host"]
    )
    def test_what_is_no_address_is_refused(
        self, reseller: Reseller, rule: dict[str, Any], refused: Any, wrong: str
    ) -> None:
        text = "Parameter remote_ip is neither an IP address nor a network such as 192.0.2.0/24"
        with refused(BadParameter.code, text):
            reseller.addAuthRule(**rule, remote_ip=wrong)

    def test_domains_of_others_are_refused(
        self, ngnpro: Server, clients: Clients, customers: Customers, refused: Any
    ) -> None:
        mine, domain = customers.reseller(), f"{unique()}.example".lower()
        clients.of(clients.reseller(), "Sip").addDomain(domain={"domain": domain})

        for name in ("to_domain", "from_domain"):
            with refused(WrongReference.code, f"Wrong {name}"):
                mine.addAuthRule(**of(mine), **{name: domain})


class TestTheSameCalls:
    def test_are_asked_for_once_on_the_platform(
        self, reseller: Reseller, customers: Customers, rule: dict[str, Any], refused: Any
    ) -> None:
        cli, other = unique(), customers.reseller()
        reseller.addAuthRule(**rule, incoming_cli=cli, incoming_cld="5")

        for api, one in ((reseller, rule), (other, of(other))):
            with refused(Conflict.code, CONFLICT):
                api.addAuthRule(**one, incoming_cli=cli, incoming_cld="5")
        other.addAuthRule(**of(other), incoming_cli=cli, incoming_cld="6")
        other.addAuthRule(**{**of(other), "i_protocol": 2}, incoming_cli=cli, incoming_cld="5")

    def test_are_told_apart_within_an_address(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        ip = address()
        reseller.addAuthRule(**rule, remote_ip=ip)
        reseller.addAuthRule(**of(reseller), remote_ip=ip, incoming_cld="5")

        with refused(Conflict.code, CONFLICT):
            reseller.addAuthRule(**of(reseller), remote_ip=f"::ffff:{ip}")

    def test_a_rule_is_not_moved_onto_another(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        first, second, ip = unique(), unique(), address()
        reseller.addAuthRule(**rule, incoming_cli=first)
        reseller.addAuthRule(**rule, remote_ip=ip)
        i_rule = reseller.addAuthRule(**rule, incoming_cli=second)["i_authentication"]

        with refused(Conflict.code, CONFLICT):
            reseller.updateAuthRule(i_authentication=i_rule, incoming_cli=first)
        with refused(Conflict.code, CONFLICT):
            reseller.updateAuthRule(i_authentication=i_rule, incoming_cli="", remote_ip=ip)
        assert told(reseller, i_rule)["incoming_cli"] == second

    def test_of_many_who_ask_at_once_one_does(self, variant: Callable[..., Server], customers: Customers) -> None:
        people = [customers.reseller() for _ in range(16)]
        rules, ip = [{**of(api), "i_customer": api.i_customer} for api in people], address()
        crowd = Crowd(variant(trusted_hosts=["127.0.0.1"]).url, 16)

        answers = crowd.do(call("addAuthRule", **one, remote_ip=ip, incoming_cld=unique()) for one in rules)

        assert sum(answer == Conflict.code for answer in answers) == 15


class TestAddressesOfAnotherTree:
    @pytest.mark.parametrize("version", [4, 6])
    def test_are_refused_whatever_else_is_asked_for(
        self, reseller: Reseller, customers: Customers, rule: dict[str, Any], refused: Any, version: int
    ) -> None:
        ip, other = address(version), customers.reseller()
        below = customers.reseller(other)
        reseller.addAuthRule(**rule, remote_ip=ip)

        for api in (other, below):
            with refused(Conflict.code, CONFLICT):
                api.addAuthRule(**of(api), remote_ip=ip, incoming_cld=unique())
            i_rule = api.addAuthRule(**of(api), incoming_cld=unique())["i_authentication"]
            with refused(Conflict.code, CONFLICT):
                api.updateAuthRule(i_authentication=i_rule, remote_ip=ip)

    def test_may_be_asked_for_by_everybody_of_the_same_tree(
        self, reseller: Reseller, customers: Customers, rule: dict[str, Any]
    ) -> None:
        ip, below = address(), customers.reseller(reseller)
        reseller.addAuthRule(**rule, remote_ip=ip)

        i_rule = below.addAuthRule(**of(below), remote_ip=ip, incoming_cld="5")["i_authentication"]

        assert told(reseller, i_rule)["remote_ip"] == ip

    def test_are_free_once_the_rule_is_gone(
        self, reseller: Reseller, customers: Customers, rule: dict[str, Any]
    ) -> None:
        ip, other = address(), customers.reseller()
        i_rule = reseller.addAuthRule(**rule, remote_ip=ip)["i_authentication"]

        reseller.delAuthRule(i_authentication=i_rule)

        i_new = other.addAuthRule(**of(other), remote_ip=ip)["i_authentication"]
        assert told(other, i_new)["remote_ip"] == ip

    @pytest.mark.parametrize(("version", "bits"), [(4, 24), (6, 64)])
    def test_a_network_is_all_its_addresses(
        self, root: Api, reseller: Reseller, customers: Customers, refused: Any, version: int, bits: int
    ) -> None:
        ip, other = address(version), customers.reseller()
        network = f"{ip}/{bits}"
        inside = str(type(IPv4Address(1) if version == 4 else IPv6Address(1))(ip) + 7)
        root.addAuthRule(**of(reseller), remote_ip=network)

        with refused(Conflict.code, CONFLICT):
            other.addAuthRule(**of(other), remote_ip=inside)
        for wider in (f"{ip}/{bits}", f"{inside}/{32 if version == 4 else 128}", f"{ip}/{bits + 1}"):
            with refused(Conflict.code, CONFLICT):
                root.addAuthRule(**of(other), remote_ip=wider)
        reseller.addAuthRule(**of(reseller), remote_ip=inside)

    def test_a_network_around_an_address_of_another_tree_is_refused_of_root_too(
        self, root: Api, reseller: Reseller, customers: Customers, rule: dict[str, Any], refused: Any
    ) -> None:
        ip, other = address(), customers.reseller()
        reseller.addAuthRule(**rule, remote_ip=str(IPv4Address(ip) + 255))

        with refused(Conflict.code, CONFLICT):
            root.addAuthRule(**of(other), remote_ip=f"{ip}/24")
        root.addAuthRule(**of(other), remote_ip=f"{ip}/25")

    def test_of_roots_own_accounts_are_another_tree(
        self, root: Api, reseller: Reseller, rule: dict[str, Any], refused: Any
    ) -> None:
        ip = address()
        root.addAuthRule(**of(root), remote_ip=ip)

        with refused(Conflict.code, CONFLICT):
            reseller.addAuthRule(**rule, remote_ip=ip, incoming_cli="1")


class TestWhatIsRootsToGrant:
    @pytest.mark.parametrize("wide", ["10.200.0.0/31", "0.0.0.0/0", "::/0", "fd00:1::/127", "127.0.0.1", "::1"])
    def test_a_network_and_what_is_no_ordinary_address(
        self, reseller: Reseller, rule: dict[str, Any], refused: Any, wide: str
    ) -> None:
        with refused(NotPermitted.code, ROOTS):
            reseller.addAuthRule(**rule, remote_ip=wide)
        i_rule = reseller.addAuthRule(**rule, incoming_cli=unique())["i_authentication"]
        with refused(NotPermitted.code, ROOTS):
            reseller.updateAuthRule(i_authentication=i_rule, remote_ip=wide)

    def test_what_is_granted_may_stay_and_be_given_up(
        self, root: Api, reseller: Reseller, rule: dict[str, Any], refused: Any
    ) -> None:
        network = f"{address()}/28"
        i_rule = root.addAuthRule(**rule, remote_ip=network)["i_authentication"]

        reseller.updateAuthRule(i_authentication=i_rule, remote_ip=network, max_sessions=5)

        assert told(reseller, i_rule)["max_sessions"] == 5
        reseller.updateAuthRule(i_authentication=i_rule, remote_ip=address())
        with refused(NotPermitted.code, ROOTS):
            reseller.updateAuthRule(i_authentication=i_rule, remote_ip=network)


class TestWhose:
    def test_a_rule_stays_with_its_account(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        i_rule = reseller.addAuthRule(**rule, incoming_cli=unique())["i_authentication"]

        reseller.updateAuthRule(i_authentication=i_rule, i_account=rule["i_account"], max_cps=2.5)
        with refused(WrongReference.code, "Wrong i_account"):
            reseller.updateAuthRule(i_authentication=i_rule, i_account=of(reseller)["i_account"])

    def test_an_id_of_the_other_kind_is_missing(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        i_rule = max(reseller.addAuthRule(**rule, incoming_cli=unique())["i_authentication"] for _ in range(2))
        i_post = reseller.addPostAuthRule(i_account=rule["i_account"], cli="1")["i_post_auth_rule"]
        i_none = i_rule + i_post + 10**6

        for method, name in (("getAuthRuleInfo", "i_authentication"), ("getPostAuthRuleInfo", "i_post_auth_rule")):
            with refused(NotFound.code):
                getattr(reseller, method)(**{name: i_none})

    def test_the_list_is_an_accounts_and_takes_filters(self, reseller: Reseller, rule: dict[str, Any]) -> None:
        ip = address()
        first = reseller.addAuthRule(**rule, remote_ip=ip)["i_authentication"]
        second = reseller.addAuthRule(**{**rule, "i_protocol": 4}, incoming_cli=unique())["i_authentication"]
        reseller.addAuthRule(**of(reseller), incoming_cli=unique())

        def ids(**asked: Any) -> list[int]:
            rows = reseller.listAuthRules(i_account=rule["i_account"], **asked)["authrules"]
            return [row["i_authentication"] for row in rows]

        assert ids() == [first, second]
        assert ids(i_protocol=4) == ids(i_authentication=second) == ids(offset=1) == [second]
        assert ids(remote_ip=f"{ip}/32") == ids(limit=1) == [first]
        assert ids(remote_ip=address()) == []


class TestPostAuthRules:
    def test_are_told_apart_within_an_account_alone(
        self, reseller: Reseller, rule: dict[str, Any], refused: Any
    ) -> None:
        i_account, ip = rule["i_account"], address()
        reseller.addPostAuthRule(i_account=i_account, remote_ip=f"{ip}/24")
        i_rule = reseller.addPostAuthRule(i_account=i_account, remote_ip=f"{ip}/24", cli="1")["i_post_auth_rule"]

        with refused(Conflict.code, CONFLICT):
            reseller.addPostAuthRule(i_account=i_account, remote_ip=f"{ip}/24")
        with refused(Conflict.code, CONFLICT):
            reseller.updatePostAuthRule(i_post_auth_rule=i_rule, cli="")
        reseller.addPostAuthRule(i_account=of(reseller)["i_account"], remote_ip=f"{ip}/24")

    def test_ask_for_something(self, reseller: Reseller, rule: dict[str, Any], refused: Any) -> None:
        with refused(BadParameter.code):
            reseller.addPostAuthRule(i_account=rule["i_account"], i_tariff=None)
        i_rule = reseller.addPostAuthRule(i_account=rule["i_account"], cld="1")["i_post_auth_rule"]
        with refused(BadParameter.code):
            reseller.updatePostAuthRule(i_post_auth_rule=i_rule, cld=None)
