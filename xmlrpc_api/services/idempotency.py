"""Calls that may be sent again: the same key and content give the first answer, and nothing happens twice."""

import json
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Integer, String, Text, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import IdempotencyKey, place_of, purpose_of
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import Conflict
from xmlrpc_api.declaration.registry import Answer
from xmlrpc_api.storage.fast_path import Query

PURPOSE = purpose_of(IdempotencyKey.content)
PRUNE_BATCH = 1000
_DECIMAL = "$decimal"
_KEEP = Query(
    update(IdempotencyKey)
    .where(IdempotencyKey.i_customer == bindparam("owner", type_=Integer))
    .where(IdempotencyKey.idempotency_key == bindparam("key", type_=String))
    .values(answer=bindparam("kept", type_=Text))
    .returning(IdempotencyKey.i_customer),
    row="key",
)


def content(method: str, raw: Values) -> bytes:
    """What makes two calls the same: the method and all that was sent with it."""
    return json.dumps([method, raw], sort_keys=True, separators=(",", ":"), default=str).encode()


async def claim(call: Call, key: str, sent: bytes) -> Answer | None:
    """
    Take a key for this call, in its transaction. A twin that is still running is waited for.

    Returns:
        None if the call is the first with this key, else what the first one was answered.

    Raises:
        Conflict: The key was used for something else.
    """
    vault = call.platform.vault
    row = {
        "i_customer": call.caller.i_customer,
        "idempotency_key": key,
        "content": vault.sign(PURPOSE, sent),
        "answer": None,
        "created": call.now,
    }
    first = await call.transaction.insert_or_lock(IdempotencyKey, row)
    if first["answer"] is None:  # it is new: of any other, both are written in one transaction
        return None
    if first["created"] <= call.now - _life(call):
        mine = (IdempotencyKey.i_customer == call.caller.i_customer, IdempotencyKey.idempotency_key == key)
        await call.session.execute(update(IdempotencyKey).where(*mine).values(row))
        return None
    if not vault.signed(PURPOSE, sent, first["content"]):
        raise Conflict("Parameter idempotency_key was used for another call")
    answer: Answer = json.loads(
        vault.decrypt(first["answer"], place_of(IdempotencyKey.answer, call.caller.i_customer, key)),
        object_hook=_from_plain,
    )
    return answer


async def keep(call: Call, key: str, answer: Values) -> None:
    """Keep what the call was answered."""
    owner = call.caller.i_customer
    text = json.dumps(dict(answer), default=_to_plain)
    kept = call.platform.vault.encrypt(text, place_of(IdempotencyKey.answer, owner, key))
    await call.transaction.write(_KEEP, owner=owner, key=key, kept=kept)


async def release(call: Call, key: str) -> None:
    """Give a key back: the call was refused, and may be made anew."""
    await call.session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.i_customer == call.caller.i_customer, IdempotencyKey.idempotency_key == key
        )
    )


async def prune(session: AsyncSession, before: datetime) -> int:
    """Forget keys that are older; at most as many as one short transaction may remove. How many they were."""
    old = select(IdempotencyKey.i_customer, IdempotencyKey.idempotency_key).where(IdempotencyKey.created <= before)
    rows = (await session.execute(old.limit(PRUNE_BATCH))).all()
    for row in rows:
        await session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.i_customer == row.i_customer,
                IdempotencyKey.idempotency_key == row.idempotency_key,
                IdempotencyKey.created <= before,
            )
        )
    return len(rows)


def _life(call: Call) -> timedelta:
    return timedelta(hours=call.platform.config.idempotency_hours)


def _to_plain(value: object) -> object:
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    raise TypeError(f"{type(value).__name__} cannot be kept as an answer")


def _from_plain(value: dict[str, str]) -> object:
    return Decimal(value[_DECIMAL]) if value.keys() == {_DECIMAL} else value
