"""
What the change history lacks for objects that are older than it, or than what it notes today: written once, signed.

From then on `history_proof` can compare them. An object that the history knows is left as it is, however it differs:
to take what is in the tables for the truth would make a forgery good.
"""

from sqlalchemy import select

from models import Customer, Voucher, subtree
from xmlrpc_api.call import Call
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.history.audit import Subject
from xmlrpc_api.services.money import vouchers
from xmlrpc_api.services.verification import history_proof, objects
from xmlrpc_api.services.verification.objects import CUSTOMERS, Kind, Known, Present

SIZE = 200
GAPS = {CUSTOMERS.name: {"version"}}  # rights taken away below somebody counted as a change, but that was not noted


async def note_objects(call: Call, kind: Kind, last: int) -> tuple[int | None, int]:
    """
    Note the objects of a kind behind an id as they are, where the history does not know them.

    Returns:
        The highest id that was looked at, None if there is none, and how many objects there are up to it.
    """
    batch = await objects.batch_after(call.session, kind, last, SIZE)
    if batch is None:
        return None, 0
    held = select(kind.key).where(kind.key.between(batch.first, batch.last)).order_by(kind.key).with_for_update()
    await call.session.execute(held)
    batch = await objects.batch_after(call.session, kind, last, SIZE)
    if batch is None:
        return None, 0
    for key, present in batch.present.items():
        await _note_object(call, kind, key, present, batch.known.get(key))
    return batch.last, len(batch.present)


async def _note_object(call: Call, kind: Kind, key: int, present: Present, known: Known | None) -> None:
    if known is None and present.is_part and not history_proof.differences(kind, present, Known()):
        return
    subject = Subject(kind.name, key, present.owner, present.scope or await _scope(call, present.owner))
    if known is None or not (known.is_begun or known.is_deleted or present.is_part):
        await audit.note(call, [audit.entry(call, audit.BASELINE, subject, after=present.values)])
        return
    wrong = history_proof.differences(kind, present, known)
    if known.is_begun and wrong and wrong.keys() <= GAPS.get(kind.name, set()):
        now, said = ({name: pair[place] for name, pair in wrong.items()} for place in (0, 1))
        await audit.note(call, [audit.entry(call, audit.UPDATED, subject, before=said, after=now)])


async def _scope(call: Call, i_customer: int) -> str:
    """Where somebody is in the tree; it may be gone, and only its balance be there."""
    path = (await call.session.execute(select(Customer.path).where(Customer.i_customer == i_customer))).scalar()
    return subtree(path or "", i_customer)[0]


async def note_used_vouchers(call: Call, last: int) -> tuple[int | None, int]:
    """Note that vouchers were used, where the history does not tell."""
    used = select(Voucher).where(Voucher.i_voucher > last, Voucher.used.is_not(None))
    rows = (await call.session.scalars(used.order_by(Voucher.i_voucher).limit(SIZE).with_for_update())).all()
    if not rows:
        return None, 0
    known = await vouchers.noted_uses(call.session, rows[0].i_voucher, rows[-1].i_voucher)
    for row in rows:
        if row.i_voucher not in known and row.i_account is not None:
            await vouchers.note_use(call, row.i_voucher, row.i_account, row.i_customer)
    return rows[-1].i_voucher, len(rows)
