"""
The change history of customers that were copied: that of the sample, row by row, signed and sealed as the server does.

    python -m benchmarks.history URL SAMPLE FIRST LAST

It is run in the tree of the revision c002dcb alone, whose signatures these are; this server must believe them.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg

from benchmarks.seed import ROOM
from benchmarks.servers import KEY
from xmlrpc_api.config import load
from xmlrpc_api.crypto.vault import KeyRing, Vault
from xmlrpc_api.services.history import audit
from xmlrpc_api.storage.database import Database

VAULT = Vault(KeyRing((bytes.fromhex(KEY),)))


async def _seal_all(url: str) -> None:
    """Seal what the server had not sealed when it was stopped."""
    database = Database(load(database_url=url, secret_key=KEY))
    try:
        count = 1
        while count:
            async with database.write() as session:
                _, _, count = await audit.seal(session, VAULT)
    finally:
        await database.close()


def _copy(row: Mapping[str, Any], sample: int, number: int) -> dict[str, Any]:
    """A row of the sample's history, as that of its copy."""
    after = json.loads(row["after"])
    changed = {
        "i_customer": number,
        "name": f"customer-{number}",
        "web_login": f"customer-{number}",
        "email": f"ada{number}@example.com",
    }
    after |= {name: value for name, value in changed.items() if name in after}
    after |= {name: after[name] + number - sample + ROOM for name in ("i_web_user", "i_ledger") if name in after}
    return {
        **row,
        "uid": secrets.token_hex(16),
        "i_customer": number,
        "object_id": number,
        "scope": row["scope"].replace(f".{sample}.", f".{number}."),
        "after": json.dumps(after, ensure_ascii=False, separators=(",", ":")),
    }


def _signed(rows: list[Any], sample: int, numbers: range, head: Any, newest: int) -> Iterator[dict[str, Any]]:
    seq, previous = head["seq"], head["hash"]
    for number in numbers:
        for row in rows:
            seq, newest = seq + 1, newest + 1
            copy = _copy(row, sample, number)
            copy["mac"] = VAULT.sign(audit.PURPOSE_ROW, audit.content(copy))
            previous = VAULT.sign(audit.PURPOSE_CHAIN, audit.link(seq, previous, copy["mac"]))
            yield {**copy, "i_audit": newest, "seq": seq, "hash": previous}


async def write(url: str, sample: int, first: int, last: int) -> None:
    """Write it."""
    await _seal_all(url)
    connection = await asyncpg.connect(url)
    try:
        wanted = "SELECT * FROM audit_log WHERE object_type = 'customers' AND object_id = $1 ORDER BY i_audit"
        rows = [dict(row) for row in await connection.fetch(wanted, sample)]
        head = await connection.fetchrow("SELECT * FROM audit_head")
        newest = await connection.fetchval("SELECT max(i_audit) FROM audit_log")
        made = list(_signed(rows, sample, range(first, last + 1), head, newest))
        columns = list(made[0])
        await connection.copy_records_to_table(
            "audit_log", columns=columns, records=[tuple(row.values()) for row in made], timeout=600
        )
        await connection.execute("UPDATE audit_head SET seq = $1, hash = $2", made[-1]["seq"], made[-1]["hash"])
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('audit_log', 'i_audit'), $1)", made[-1]["i_audit"]
        )
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], *(int(argument) for argument in sys.argv[2:])))
