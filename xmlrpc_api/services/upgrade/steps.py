"""
The data's upgrade: alembic changes the tables, then `xmlrpc-api migrate` runs the steps below, which change rows.

To add one, write a function beside the rules that it belongs to, and add a `Step` at the end of `STEPS`:

    async def raise_levels(call: Call, last: int) -> Batch:
        wanted = select(Thing).where(Thing.i_thing > last).order_by(Thing.i_thing).limit(BATCH).with_for_update()
        rows = (await call.session.scalars(wanted)).all()
        for row in rows:
            before = audit.snapshot(THING, row)
            row.level = …
            await audit.updated(call, THING, row, row.i_customer, before)
        return Batch(rows[-1].i_thing if rows else None, len(rows), ("Thing 7: what cannot be mended, and why",))

* Each batch is one transaction of a call by root whose dialect is `upgrade` and whose method is `upgrade <name>`:
  its rows of the history are signed as any. How far the step is, and that it is done, is kept in the same transaction.
* It is run with the key that the batch before answered (0 at first), until one answers None. After kill -9 the next
  `migrate` goes on behind the last batch that was committed; of two at once, each takes the next batch in turn.
* Rows may have been changed by hand, or by an older server that still runs: a step looks at each as it is now, changes
  what needs it, and could be run again (it is, after the tables were taken back below the one that keeps the steps).
* What it cannot mend keeps working and is told as a finding, a sentence without secrets. It raises for bugs only.
* A new installation has nothing to upgrade: whoever creates root notes all steps as done.
* Steps stay for ever, in their order, under their names: databases hold them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import UpgradeStep
from xmlrpc_api.call import Call
from xmlrpc_api.services.tree import names
from xmlrpc_api.services.upgrade import baseline, funding_opening, mending
from xmlrpc_api.services.verification import objects
from xmlrpc_api.services.verification.objects import Kind

BATCH = 200
FINDINGS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What a batch has done.

    Attributes:
        last: The highest key that it looked at; None if it found nothing to look at, and the step is done.
        rows: How many rows it looked at.
        findings: What it could not mend, a sentence each.
    """

    last: int | None
    rows: int
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """
    One change of rows.

    Attributes:
        name: Words for the history and the database, such as `limits of properties`.
        title: What is told while it runs.
        work: Handles the rows behind a key, as many as one transaction should hold.
    """

    name: str
    title: str
    work: Callable[[Call, int], Awaitable[Batch]]

    @property
    def method(self) -> str:
        """What the history calls it."""
        return f"upgrade {self.name}"


def _mends(name: str, title: str, work: Callable[[Call, int], Awaitable[mending.Mended]]) -> Step:
    async def mend(call: Call, last: int) -> Batch:
        return Batch(*await work(call, last))

    return Step(name, title, mend)


def _keys(keyed: names.Keyed) -> Step:
    async def work(call: Call, last: int) -> Batch:
        return Batch(*await names.rekey(call, keyed, last, BATCH))

    return Step(f"keys of {keyed.what}s", f"Names of {keyed.what}s that are one", work)


def _of_kind(kind: Kind, call: Call, last: int) -> Awaitable[tuple[int | None, int]]:
    return baseline.note_objects(call, kind, last)


def _notes(name: str, work: Callable[[Call, int], Awaitable[tuple[int | None, int]]]) -> Step:
    """A step that writes what the change history lacks; there is nothing that it could not mend."""

    async def take_batch(call: Call, last: int) -> Batch:
        return Batch(*await work(call, last))

    return Step(f"history of {name}", f"Noting {name} in the change history", take_batch)


STEPS: tuple[Step, ...] = (
    *(_mends(*step) for step in mending.STEPS),
    *(_keys(keyed) for keyed in names.KEYED),
    *(_notes(kind.name.replace("_", " "), partial(_of_kind, kind)) for kind in objects.KINDS),
    _notes("used vouchers", baseline.note_used_vouchers),
    _mends("paid in", "What was paid in for customers, and may come back", funding_opening.open_funded),
)


async def missing(session: AsyncSession) -> list[Step]:
    """The steps that are not done."""
    done = set((await session.scalars(select(UpgradeStep.name).where(UpgradeStep.finished.is_not(None)))).all())
    return [step for step in STEPS if step.name not in done]


async def found(session: AsyncSession, step: Step) -> tuple[list[str], int]:
    """What a step could not mend, as far as it is kept, and how much that is all in all."""
    row = (await session.scalars(select(UpgradeStep).where(UpgradeStep.name == step.name))).one()
    return row.findings, row.unmended


async def take(call: Call, step: Step) -> Batch:
    """Do the next batch of a step; it is as if empty if another process has done them all."""
    new = {"name": step.name, "last": 0, "findings": [], "unmended": 0}
    await call.transaction.insert_or_lock(UpgradeStep, new)
    row = (await call.session.scalars(select(UpgradeStep).where(UpgradeStep.name == step.name))).one()
    if row.finished is not None:
        return Batch(None, 0)
    batch = await step.work(call, row.last)
    if batch.last is None:
        row.finished = call.now
    elif batch.last <= row.last:
        raise ValueError(f"{step.name} does not get on: {batch.last} after {row.last}")
    else:
        row.last = batch.last
    row.findings = [*row.findings, *batch.findings][:FINDINGS_KEPT]
    row.unmended += len(batch.findings)
    await call.store.flush()
    return batch


def note_done(session: AsyncSession, now: datetime) -> None:
    """Note all steps as done: the installation is new."""
    session.add_all(UpgradeStep(name=step.name, last=0, findings=[], unmended=0, finished=now) for step in STEPS)
