"""
Nobody can do more than before by what he, or anybody below him, calls; and nothing of anybody else changes or shows.

Resellers with rights at random, and those below them, call every operation of every face with ids, names and
references from everywhere. After each call the tables are judged by the rules of `capability`; each counts for whose
rights the call had, not for who logged in.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from books import findings
from callers import Answer, Switchboard, Way, can_be_called, trusting
from capability import FLAGS, MASKS, Judge, limits
from forging import Forger, temptations
from harness import Server, unique
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sippy import new
from territory import Land, common, survey
from worlds import CALLS, Person, World, make_vouchers

from models import ROOT_ID, ancestors
from xmlrpc_api.declaration.registry import Effect

SEEDS = st.integers(0, 2**24 - 1)  # of wider ranges small numbers are taken, again and again
OPERATIONS = [(way, name) for way in Way for name, method in sorted(way.methods.items()) if can_be_called(way, method)]
NAMES = sorted({name for _, name in OPERATIONS})
WEIGHTS = {
    name: 2 + min(20, temptations(method)) if method.effect is Effect.WRITE else 1 for name, method in CALLS.items()
}
OFTEN = [name for name in NAMES for _ in range(WEIGHTS[name])]
SECRET = re.compile(r"secret(\d+)ends")
INTERNAL = {-32603, 200}


class Scene(World):
    """
    A stranger; a parent with two resellers, of whom one and his people do the calling.

    Everybody's rows hold texts by which they are known where they should not show.
    """

    def __init__(self, server: Server, board: Switchboard, chance: random.Random) -> None:
        super().__init__(server, board)
        self.chance = chance
        self.marked: list[int] = []
        self.paths: dict[int, str] = {ROOT_ID: ""}
        self.setters: dict[tuple[str, Any], int] = {}
        self.land = Land({})
        self.stranger = self.person(self.root)
        self.parent = self.root if chance.random() < 0.5 else self.person(self.root, max_depth=9)
        self.sibling = self.person(self.parent)
        self.hero = self.person(self.parent, max_depth=4)
        self.child = self.person(self.hero)
        self.customer = self.person(self.hero, is_customer=True)
        self.grandchild = self.person(self.child, is_customer=True)
        self.adorn()
        self.restrict()

    @property
    def cast(self) -> list[Person]:
        """Those who call: the reseller, more often than the others, and everybody below him who is not blocked."""
        first = self.hero.i_customer
        known = [person for person in self.mine() if person.i_customer == first or self.hero.is_above(person)]
        free = [p for p in known if not any(step["blocked"] for step in self.land.chain(p.i_customer))]
        return [*free, *len(free) * [person for person in free if person.i_customer == first]]

    def rights(self) -> dict[str, Any]:
        """Some rights, up to all."""
        masks = {name: self.chance.choice((7, 7, 7, 7, 7, 3, 5, 6, 0)) for name in MASKS}
        return masks | {name: self.chance.randint(0, 1) for name in FLAGS}

    def person(self, owner: Person, *, is_customer: bool = False, **attributes: Any) -> Person:
        """A reseller or a customer, with a record of every kind, whose texts tell whose they are."""
        make = self.make_customer if is_customer else self.make
        number, domain = len(self.marked), f"{unique('d')}.example"
        mark = f"secret{number}ends"
        texts = dict.fromkeys(("company_name", "description", "first_name", "city", "contact"), mark)
        made = make(owner, **texts, **attributes)
        key = made.i_customer
        self.marked.append(key)
        self.paths[key] = made.path
        username = f"alice@{domain}"
        self.must(self.root, Way.IMPERSONATED, "SipPort.addDomain", domain={"domain": domain, "customer": key})
        account = new(username=username, authname=username, first_name=mark, description=mark, batch_tag=mark)
        i_account = self.must(made, Way.TRUSTED, "createAccount", **account)["i_account"]
        alias = {"id": {"username": "sales", "domain": domain}, "target": {"username": "alice", "domain": domain}}
        self.must(self.root, Way.IMPERSONATED, "SipPort.addAlias", alias=alias)
        user = {"web_login": unique("web"), "web_password": "s3cret-Web", "description": mark}
        self.must(owner, Way.TRUSTED, "createWebUser", i_customer=key, **user)
        money = {"amount": 10, "currency": "USD", "payment_notes": mark}
        self.must(made, Way.TRUSTED, "accountAddFunds", i_account=i_account, **money)
        kept = [{"name": "color", "value": mark}]
        self.must(self.root, Way.IMPERSONATED, "CustomerPort.setProperties", customer=key, properties=kept)
        if not is_customer:
            self.stock(key, mark)
        return made

    def stock(self, owner: int, mark: str) -> None:
        """What a reseller hands to others: tariff, routing group, plan, vouchers."""
        self.server.sql("INSERT INTO routing_groups (i_customer, name) VALUES (:o, :n)", o=owner, n=mark)
        reseller = self.people[owner]
        i_tariff = self.must(reseller, Way.TRUSTED, "createTariff", name=mark, currency="USD")["i_tariff"]
        self.must(reseller, Way.TRUSTED, "addRate", i_tariff=i_tariff, prefix="49", price_1=1, area_name=mark)
        plan = self.must(reseller, Way.TRUSTED, "createServicePlan", name=mark, description=mark)
        part = {"description": mark, "prefixes": ["49"], "seconds_total": 60}
        self.must(reseller, Way.TRUSTED, "addMinutePlan", i_billing_plan=plan["i_billing_plan"], **part)
        make_vouchers(self.server, owner)

    def adorn(self) -> None:
        """Properties, limits and lent rights, by those who may."""
        chance = self.chance
        for person in (self.hero, self.child, self.customer):
            limiting = {"sip_credit": ("0", "5", "20"), "sip_alias_credit": ("5",), "pstn_access": "01"}
            limiting |= {"prepaid_changes": "01"}
            kept = [
                {"name": name, "value": chance.choice(limiting[name]), "permission": "admin"}
                for name in chance.sample(sorted(limiting), chance.randint(0, 3))
            ]
            call = {"customer": person.i_customer, "properties": kept}
            self.must(self.root, Way.IMPERSONATED, "CustomerPort.setProperties", **call)
        if chance.random() < 0.3:
            self.lend(self.customer, self.hero)
        if chance.random() < 0.3:
            self.lend(self.grandchild, self.child)
        if self.parent != self.root and chance.random() < 0.3:
            self.lend(self.child, self.parent)

    def restrict(self) -> None:
        """Blocks, quotas and rights taken away, by those above the reseller."""
        chance = self.chance
        above = [self.root] if self.parent == self.root else [self.root, self.parent]
        if chance.random() < 0.4:
            victim = chance.choice((self.customer, self.grandchild))
            self.must(chance.choice(above), Way.TRUSTED, "blockCustomer", i_customer=victim.i_customer)
        accounts = [
            row.values for row in self.survey().of("accounts") if self.hero.is_above(self.people[row.owner or 0])
        ]
        for account in chance.sample(accounts, chance.randint(0, 2)):
            user, _, domain = account["username"].partition("@")
            sip_id = {"username": user, "domain": domain}
            change = {"account": {"id": sip_id, "quota": 7, "groups": [chance.choice(("blocked", "quota"))]}}
            self.must(chance.choice(above), Way.IMPERSONATED, "SipPort.updateAccount", **change)
        for owner, person in ((self.hero, self.child), (self.parent, self.hero)):
            if chance.random() < 0.5:
                self.must(owner, Way.TRUSTED, "updateCustomer", i_customer=person.i_customer, **self.rights())
        if chance.random() < 0.1:
            account = {"id": self.hero.i_customer, "resellerActive": False}
            self.must(self.root, Way.IMPERSONATED, "CustomerPort.updateAccount", account=account)
        self.look()
        self.land = self.survey()
        self.setters = dict.fromkeys(limits(self.land), self.parent.i_customer)

    def old_tricks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What has worked once, for the reseller: every example begins with it."""
        for lender in (self.root, self.stranger, self.parent, self.sibling):
            borrower = {"username": unique("borrower"), "impersonate": lender.i_customer}
            yield "CustomerPort.addAccount", {"account": borrower}
        for name in ("sip_credit", "pstn_access", "prepaid_changes"):
            for person in (self.hero, self.customer):
                kept = {"name": name, "value": "1", "permission": "customer"}
                yield "CustomerPort.setProperties", {"customer": person.i_customer, "properties": [kept]}

    def survey(self) -> Land:
        """All rows of the scene, and the root's."""
        return survey(self.server, self.first, (ROOT_ID,))

    def forge(self, way: Way, caller: Person, name: str) -> Any:
        """Parameters for a caller whose rights count."""
        land = self.land
        ids = {table: sorted({key[0] for known, key in land.rows if known == table}) for table in _KEYED}
        mine = {
            table: sorted(
                key[0]
                for (known, key), row in land.rows.items()
                if known == table and row.owner is not None and self.is_his(caller, row.owner)
            )
            for table in _KEYED
        }
        logins = [row.values["web_login"] for row in land.of("web_users")]
        accounts = [row.values["username"] for row in land.of("accounts")]
        domains = [row.values["domain"] for row in land.of("sip_domains")]
        his = [row.values["username"] for row in land.of("accounts") if self.is_his(caller, row.owner or 0)]
        names = {"logins": [*logins, *accounts], "accounts": [*accounts, *his, *his], "domains": domains}
        return Forger(self.chance, ids, mine, names).params(way, CALLS[name])

    def is_his(self, caller: Person, owner: int) -> bool:
        return owner == caller.i_customer or caller.i_customer in ancestors(self.paths.get(owner, ""))

    def foreign_texts(self, caller: Person, answer: Answer) -> set[str]:
        """What shows of others in an answer."""
        found = set(SECRET.findall(answer.text))
        return {
            f"secret{n}ends of {self.marked[int(n)]}" for n in found if not self.is_his(caller, self.marked[int(n)])
        }

    def judge(self, caller: Person) -> list[str]:
        """What somebody has just done that was not his to do."""
        self.look()
        self.paths |= {key: person.path for key, person in self.people.items()}
        before, self.land = self.land, self.survey()
        found = Judge(before, self.land, self.paths, caller.i_customer, self.setters).trespasses()
        now = limits(self.land)
        self.setters = {limit: self.setters.get(limit, caller.i_customer) for limit in now}
        return found


_KEYED = (
    "customers",
    "accounts",
    "web_users",
    "tariffs",
    "routing_groups",
    "billing_plans",
    "minute_plans",
    "ledger",
    "vouchers",
)


class Machine(RuleBasedStateMachine):
    """One scene, in which those of the cast call whatever they like."""

    server: ClassVar[Server]
    board: ClassVar[Switchboard]
    called: ClassVar[Counter[str]]
    scene: Scene
    tell: Callable[[str], None] = staticmethod(note)

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        self.scene = Scene(self.server, self.board, random.Random(seed))
        self.first, self.seeds = seed, Counter[int]()
        for name, params in self.scene.old_tricks():
            self.make(self.scene.hero, Way.IMPERSONATED, name, params)

    @rule(seed=SEEDS)
    def call(self, seed: int) -> None:
        self.seeds[seed] += 1  # the same one means another call each time
        self.scene.chance = random.Random(f"{self.first}/{seed}/{self.seeds[seed]}")
        self.do(self.scene.chance.choice(OFTEN))

    def do(self, name: str) -> None:
        """Let somebody make a call."""
        scene = self.scene
        if not scene.cast:
            return  # somebody with the rights of those above has blocked or deleted them all
        person = scene.chance.choice(scene.cast)
        way = scene.chance.choice([way for way, known in OPERATIONS if known == name])
        self.make(person, way, name, scene.forge(way, scene.effective(person, way), name))

    def make(self, person: Person, way: Way, name: str, params: Any) -> None:
        """Make a call, and judge it."""
        scene, caller = self.scene, self.scene.effective(person, way)
        answer = scene.call(person, way, name, params)
        self.called[name] += 1
        outcome = "done" if not answer.is_refused else answer.fault
        what = f"{person.i_customer} with the rights of {caller.i_customer}, {way.value}: {name}({params}): {outcome}"
        self.tell(what)
        assert answer.fault not in INTERNAL, answer.text
        shown = scene.foreign_texts(caller, answer)
        assert not shown, f"{shown} showed: {what}"
        trespasses = [] if answer.is_refused else scene.judge(caller)
        assert not trespasses, f"{trespasses}: {what}"

    def teardown(self) -> None:
        """What was refused has changed nothing either."""
        if hasattr(self, "scene"):
            assert self.scene.judge(self.scene.hero) == []


@pytest.fixture
def battlefield(fresh: Server, admin_hash: str) -> Iterator[Server]:
    running = trusting(fresh.config.database_url, admin_hash)
    yield running
    running.close()


@pytest.mark.soak
@pytest.mark.one_engine
@pytest.mark.timeout(3600)
def test_nobody_can_do_what_he_could_not_before(battlefield: Server, length: Any) -> None:
    board = Switchboard(battlefield)
    machine: Any = type("Bound", (Machine,), {"server": battlefield, "board": board, "called": Counter()})
    everybodys = common(battlefield)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=length(6, 120),
            stateful_step_count=120,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            report_multiple_bugs=False,
            phases=length((Phase.generate,), (Phase.generate, Phase.shrink)),
        ),
    )
    rest = machine()
    rest.tell = print
    rest.begin(1)
    for name in sorted(set(NAMES) - set(machine.called)):
        rest.do(name)
    board.close()

    assert common(battlefield) == everybodys
    assert findings(battlefield) == []
