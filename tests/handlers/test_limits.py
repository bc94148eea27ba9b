"""Blocks and quotas are lifted by those who set them, or by somebody above, on every face."""

import xmlrpc.client
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from conftest import WEB_PASSWORD, Customers
from faces import Api
from harness import Server, unique
from soap import Clients, Port, SoapFault

FaultOf = Callable[..., int]
PERMISSION, IN_GROUP = 902, 1030
BLOCK = "Not permitted: the block was set by somebody above you, and is lifted by him or above only"


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


class Line:
    """The root, a reseller, his customer, and that one's, who has an account below a domain of his, and a web user."""

    def __init__(self, server: Server, clients: Clients, customers: Customers) -> None:
        self.server, self.clients = server, clients
        self.root = server.api()
        self.top = customers.reseller()
        self.middle = customers.reseller(self.top)
        self.bottom = customers.reseller(self.middle)
        self.domain = f"{unique('d')}.example.com"
        self.sip_id = {"username": unique("user"), "domain": self.domain}
        clients.admin("Sip").addDomain(domain={"domain": self.domain, "customer": self.bottom.i_customer})
        clients.admin("Sip").addAccount(account={"id": self.sip_id})
        found = self.root.getAccountInfo(username=f"{self.sip_id['username']}@{self.domain}")
        self.i_account = found["i_account"]
        made = self.bottom.createWebUser(web_login=unique("user"), web_password=WEB_PASSWORD)
        self.i_web_user = made["i_web_user"]

    def api(self, who: str) -> Api:
        return getattr(self, who)

    def soap(self, who: str) -> Port:
        return self.clients.admin("Sip") if who == "root" else self.clients.of({"username": self.api(who).login}, "Sip")

    def record(self) -> dict[str, Any]:
        return self.clients.admin("Sip").getAccount(sipId=self.sip_id)


class Subject(Protocol):
    """What is limited, and how."""

    def __init__(self, line: Line) -> None: ...

    def limit(self, who: str) -> Any: ...

    def lift(self, who: str) -> Any: ...

    @property
    def is_limited(self) -> bool: ...


class OfLine:
    def __init__(self, line: Line) -> None:
        self.line = line


class BlockedCustomer(OfLine):
    """By blockCustomer."""

    def limit(self, who: str) -> Any:
        return self.line.api(who).blockCustomer(i_customer=self.line.bottom.i_customer)

    def lift(self, who: str) -> Any:
        return self.line.api(who).unblockCustomer(i_customer=self.line.bottom.i_customer)

    @property
    def is_limited(self) -> bool:
        return self.line.middle.info(self.line.bottom.i_customer)["blocked"]


class BlockedAccount(OfLine):
    """By blockAccount."""

    def limit(self, who: str) -> Any:
        return self.line.api(who).blockAccount(i_account=self.line.i_account)

    def lift(self, who: str) -> Any:
        return self.line.api(who).unblockAccount(i_account=self.line.i_account)

    @property
    def is_limited(self) -> bool:
        return bool(self.line.root.getAccountInfo(i_account=self.line.i_account)["blocked"])


class BlockedByUpdate(BlockedAccount):
    """By updateAccount."""

    def limit(self, who: str) -> Any:
        return self.line.api(who).updateAccount(i_account=self.line.i_account, blocked=1)

    def lift(self, who: str) -> Any:
        return self.line.api(who).updateAccount(i_account=self.line.i_account, blocked=0)


class BlockedWebUser(OfLine):
    """By blockWebUser."""

    def limit(self, who: str) -> Any:
        return self.line.api(who).blockWebUser(i_web_user=self.line.i_web_user)

    def lift(self, who: str) -> Any:
        return self.line.api(who).unblockWebUser(i_web_user=self.line.i_web_user)

    @property
    def is_limited(self) -> bool:
        return self.line.root.getWebUserInfo(i_web_user=self.line.i_web_user)["web_user"]["blocked"]


class Group(OfLine):
    """By SOAP's groups."""

    name: str

    def limit(self, who: str) -> Any:
        return self.line.soap(who).addToGroup(sipId=self.line.sip_id, group=self.name)

    def lift(self, who: str) -> Any:
        return self.line.soap(who).removeFromGroup(sipId=self.line.sip_id, group=self.name)

    @property
    def is_limited(self) -> bool:
        return self.name in self.line.record()["groups"]


class BlockedGroup(Group):
    name = "blocked"


class QuotaGroup(Group):
    name = "quota"


class Quota(OfLine):
    """SOAP's attribute."""

    def limit(self, who: str) -> Any:
        return self.line.soap(who).updateAccount(account={"id": self.line.sip_id, "quota": 50})

    def lift(self, who: str) -> Any:
        return self.line.soap(who).updateAccount(account={"id": self.line.sip_id, "quota": 0})

    @property
    def is_limited(self) -> bool:
        return bool(self.line.record()["quota"])


SUBJECTS = (BlockedCustomer, BlockedAccount, BlockedByUpdate, BlockedWebUser, BlockedGroup, QuotaGroup, Quota)
TWICE = tuple(kind for kind in SUBJECTS if kind is not Quota)  # a quota that is sent again as it is, is no new one
WHO = ("root", "top", "middle", "bottom")


@pytest.fixture
def line(server: Server, clients: Clients, customers: Customers) -> Line:
    return Line(server, clients, customers)


def is_refused(work: Callable[[str], Any], who: str) -> bool:
    """Whether it is refused for want of rights; any other fault goes on."""
    try:
        work(who)
    except (xmlrpc.client.Fault, SoapFault) as fault:
        if (getattr(fault, "faultCode", None) or getattr(fault, "code", None)) not in (403, PERMISSION):
            raise
        return True
    return False


@pytest.mark.one_engine
@pytest.mark.parametrize("kind", SUBJECTS)
class TestLifting:
    @pytest.mark.parametrize("setter", WHO)
    def test_nobody_below_who_set_it_lifts_it(self, line: Line, kind: type[Subject], setter: str) -> None:
        subject = kind(line)
        callers = WHO[:-1] if kind is BlockedCustomer else WHO  # who is blocked does not call
        if setter not in callers:
            return
        for lifter in callers:
            subject.limit(setter)
            is_below = WHO.index(lifter) > WHO.index(setter)
            assert is_refused(subject.lift, lifter) is is_below, lifter
            assert subject.is_limited is is_below, lifter
            if is_below:
                subject.lift(setter)

    def test_what_is_not_known_is_the_parents(self, line: Line, kind: type[Subject]) -> None:
        """Of limits from before they were noted."""
        subject = kind(line)
        subject.limit("root")
        for table, name in (("customers", "blocked_by"), ("web_users", "blocked_by")):
            line.server.sql(f"UPDATE {table} SET {name} = NULL WHERE i_customer = :c", c=line.bottom.i_customer)
        line.server.sql("UPDATE accounts SET blocked_by = NULL, quota_by = NULL WHERE i_account = :a", a=line.i_account)
        line.server.sql("UPDATE account_groups SET put_by = NULL WHERE i_account = :a", a=line.i_account)

        if kind is not BlockedCustomer:
            assert is_refused(subject.lift, "bottom")
        subject.lift("middle")
        assert not subject.is_limited
        subject.limit("root")  # so that the history is right again about what was written behind its back
        subject.lift("root")


@pytest.mark.one_engine
@pytest.mark.parametrize("kind", TWICE)
class TestTwice:
    def test_one_from_below_lowers_nothing(self, line: Line, kind: type[Subject]) -> None:
        subject = kind(line)
        subject.limit("root")
        if issubclass(kind, Group):
            with pytest.raises(SoapFault, match="already taken"):
                subject.limit("middle")
        else:
            subject.limit("middle")

        assert is_refused(subject.lift, "middle")
        assert is_refused(subject.lift, "top")
        subject.lift("root")
        assert not subject.is_limited

    def test_one_from_above_counts(self, line: Line, kind: type[Subject]) -> None:
        subject = kind(line)
        subject.limit("middle")
        subject.limit("top")

        assert is_refused(subject.lift, "middle")
        subject.lift("top")
        assert not subject.is_limited


class TestWholeRecords:
    """An update that replaces the groups need not know of those that limit it from above."""

    @pytest.mark.parametrize("group", ["blocked", "quota"])
    def test_keep_what_is_from_above(self, line: Line, group: str) -> None:
        line.soap("root").addToGroup(sipId=line.sip_id, group=group)

        line.soap("bottom").updateAccount(account={"id": line.sip_id, "groups": ["anonymous"], "firstName": "Ada"})

        record = line.record()
        assert (record["groups"], record["firstName"]) == (sorted(["anonymous", group]), "Ada")

    @pytest.mark.parametrize("group", ["blocked", "quota"])
    def test_take_away_what_is_ones_own(self, line: Line, group: str) -> None:
        line.soap("bottom").addToGroup(sipId=line.sip_id, group=group)

        line.soap("middle").updateAccount(account={"id": line.sip_id, "groups": ["anonymous"]})

        assert line.record()["groups"] == ["anonymous"]

    @pytest.mark.parametrize("group", ["blocked", "quota"])
    def test_echoed_from_above_leave_it_to_who_set_it(self, line: Line, group: str) -> None:
        line.soap("bottom").addToGroup(sipId=line.sip_id, group=group)

        line.soap("root").updateAccount(account={"id": line.sip_id, "groups": [group], "firstName": "Ada"})

        line.soap("bottom").removeFromGroup(sipId=line.sip_id, group=group)
        assert line.record()["groups"] == []

    def test_a_new_account_is_blocked_by_who_made_it(self, line: Line, fault_of: FaultOf) -> None:
        sip_id = {"username": unique("user"), "domain": line.domain}
        line.soap("middle").addAccount(account={"id": sip_id, "groups": ["blocked", "quota"], "quota": 5})

        for group in ("blocked", "quota"):
            assert fault_of(line.soap("bottom").removeFromGroup, sipId=sip_id, group=group) == PERMISSION
            line.soap("middle").removeFromGroup(sipId=sip_id, group=group)
        assert fault_of(line.soap("bottom").updateAccount, account={"id": sip_id, "quota": 6}) == PERMISSION

    def test_so_is_a_new_web_user(self, line: Line, refused: Any) -> None:
        made = line.middle.createWebUser(
            i_customer=line.bottom.i_customer, web_login=unique("user"), web_password=WEB_PASSWORD, blocked=True
        )

        with refused(403, BLOCK):
            line.bottom.updateWebUser(i_web_user=made["i_web_user"], blocked=False)

    def test_what_is_blocked_changes_otherwise(self, line: Line) -> None:
        line.root.blockAccount(i_account=line.i_account)

        line.bottom.updateAccount(i_account=line.i_account, description="still mine", blocked=1)

        assert line.bottom.getAccountInfo(i_account=line.i_account)["description"] == "still mine"


class TestGroups:
    def test_who_is_the_highest_already_is_told_that_it_is_there(self, line: Line, fault_of: FaultOf) -> None:
        for group in ("blocked", "quota"):
            line.soap("top").addToGroup(sipId=line.sip_id, group=group)
            for who in ("top", "middle"):
                assert fault_of(line.soap(who).addToGroup, sipId=line.sip_id, group=group) == IN_GROUP

    def test_others_limit_nothing(self, line: Line) -> None:
        line.soap("root").addToGroup(sipId=line.sip_id, group="anonymous")

        line.soap("bottom").removeFromGroup(sipId=line.sip_id, group="anonymous")

        assert line.record()["groups"] == []


class TestQuota:
    def test_from_below_it_is_made_tighter_and_stays_whose_it_was(self, line: Line, fault_of: FaultOf) -> None:
        Quota(line).limit("top")

        line.soap("bottom").updateAccount(account={"id": line.sip_id, "quota": 10})

        for quota in (11, 50, 0):
            looser = {"id": line.sip_id, "quota": quota}
            assert fault_of(line.soap("bottom").updateAccount, account=looser) == PERMISSION
            assert fault_of(line.soap("middle").updateAccount, account=looser) == PERMISSION
        line.soap("top").updateAccount(account={"id": line.sip_id, "quota": 60})
        assert line.record()["quota"] == 60

    def test_from_above_it_is_made_tighter_and_is_theirs(self, line: Line, fault_of: FaultOf) -> None:
        Quota(line).limit("bottom")
        line.soap("top").updateAccount(account={"id": line.sip_id, "quota": 10})

        assert fault_of(line.soap("bottom").updateAccount, account={"id": line.sip_id, "quota": 50}) == PERMISSION

    def test_a_record_that_is_echoed_changes_nothing(self, line: Line) -> None:
        Quota(line).limit("root")

        Quota(line).limit("bottom")

        assert line.record()["quota"] == 50


class TestDeletion:
    """What was made anew would be free."""

    def test_what_is_limited_from_above_is_not_deleted_from_below(
        self, line: Line, customers: Customers, refused: Any
    ) -> None:
        line.root.blockAccount(i_account=line.i_account)
        line.root.blockWebUser(i_web_user=line.i_web_user)
        empty = customers.make(line.middle)
        line.root.blockCustomer(i_customer=empty)

        for deletion in (
            lambda: line.bottom.deleteAccount(i_account=line.i_account),
            lambda: line.bottom.deleteWebUser(i_web_user=line.i_web_user),
            lambda: line.middle.deleteCustomer(i_customer=empty),
        ):
            with refused(403, BLOCK):
                deletion()
        line.root.unblockCustomer(i_customer=empty)
        line.middle.deleteCustomer(i_customer=empty)

    def test_nor_by_soap(self, line: Line, fault_of: FaultOf) -> None:
        line.soap("top").addToGroup(sipId=line.sip_id, group="quota")

        assert fault_of(line.soap("bottom").deleteAccount, sipId=line.sip_id) == PERMISSION
        line.soap("top").deleteAccount(sipId=line.sip_id)

    def test_ones_own_block_hinders_nothing(self, line: Line) -> None:
        line.bottom.blockAccount(i_account=line.i_account)

        assert line.bottom.deleteAccount(i_account=line.i_account)["result"] == "OK"


class TestCallers:
    """It counts on whose behalf a call runs, not who logs in."""

    def test_who_borrows_rights_has_the_place_of_the_lender(self, line: Line, customers: Customers) -> None:
        borrower = customers.reseller(line.bottom)
        lent = {"id": borrower.i_customer, "impersonate": line.top.i_customer}
        line.clients.admin().updateAccount(account=lent)
        line.soap("top").addToGroup(sipId=line.sip_id, group="blocked")

        line.clients.of({"username": borrower.login}, "Sip").removeFromGroup(sipId=line.sip_id, group="blocked")

        assert line.record()["groups"] == []

    def test_the_administrator_on_behalf_of_a_customer_has_that_ones(self, line: Line, fault_of: FaultOf) -> None:
        line.soap("root").addToGroup(sipId=line.sip_id, group="blocked")
        port = line.clients.admin("Sip", impersonate=line.top.i_customer)

        assert fault_of(port.removeFromGroup, sipId=line.sip_id, group="blocked") == PERMISSION

    def test_a_trusted_host_has_that_of_whom_it_names(
        self, line: Line, variant: Callable[..., Server], refused: Any
    ) -> None:
        trusted = variant(trusted_hosts=["127.0.0.1"]).api(None)
        trusted.blockCustomer(i_customer=line.bottom.i_customer, i_wholesaler=line.top.i_customer)

        with refused(403, BLOCK):
            trusted.unblockCustomer(i_customer=line.bottom.i_customer, i_wholesaler=line.middle.i_customer)
        trusted.unblockCustomer(i_customer=line.bottom.i_customer, i_wholesaler=1)


def test_the_history_tells_whose_block_it_is(line: Line) -> None:
    line.middle.blockCustomer(i_customer=line.bottom.i_customer)
    line.root.blockCustomer(i_customer=line.bottom.i_customer)
    line.root.unblockCustomer(i_customer=line.bottom.i_customer)

    rows = line.root.getAuditLogs(resource=f"customers:i_customer={line.bottom.i_customer}", action="U")["records"]

    assert [{name: row["after"][name] for name in row["after"] if name != "version"} for row in rows] == [
        {"blocked": False, "blocked_by": None},
        {"blocked_by": 1},
        {"blocked": True, "blocked_by": line.middle.i_customer},
    ]
