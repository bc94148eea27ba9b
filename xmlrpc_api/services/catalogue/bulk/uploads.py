"""
Uploads: the token for one, and what has become of it.

A token is signed: what nobody was given is refused before the database is asked. It is good for one file; until that is
there it may be tried again. It tells which upload it is for, and nothing of it is kept in clear but a random number.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from models import Customer, Upload, UploadPiece
from models.upload import DONE, FAIL, FILE_UPLOADED, INIT_TOKEN, PROCESSING
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.vault import Vault
from xmlrpc_api.declaration.faults import BadParameter, NotFound, NotPermitted
from xmlrpc_api.services.catalogue.tariffs import TARIFFS
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach

RATES = 1
TYPES = {RATES: "rates"}
PURPOSE = b"upload token"
LIFE = timedelta(days=1)
LONGEST_LIFE = timedelta(days=31)
MOST_OPEN = 10
OPEN = (INIT_TOKEN, FILE_UPLOADED, PROCESSING)
LONGEST_TOKEN = 200
FOLDER = "/upload"
REPORT_LINES = 1000
MOST_LINES = 10_000
_TOKEN = re.compile(r"([0-9]{1,10})\.([0-9a-f]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{8})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token says: which upload it is for, and until when it may be sent."""

    i_upload: int
    nonce: str
    expires: int


def token_of(vault: Vault, upload: Upload) -> str:
    """The token of an upload."""
    content = f"{upload.i_upload}.{int(upload.expires_on.timestamp()):x}.{upload.nonce}"
    return f"{content}.{vault.sign(PURPOSE, content.encode()).replace(':', '.')}"


def opened(vault: Vault, token: str) -> Opened | None:
    """What a token says; None if it is not one of ours. The database is not asked."""
    match = _TOKEN.fullmatch(token[:LONGEST_TOKEN])
    if match is None or not vault.signed(PURPOSE, ".".join(match.group(1, 2, 3)).encode(), ":".join(match.group(4, 5))):
        return None
    return Opened(int(match[1]), match[3], int(match[2], 16))


def url_of(call: Call, token: str) -> str:
    """Where a file is sent with this token, and where its report is."""
    return f"{call.origin.site}{FOLDER}/{token}"


async def create(call: Call, values: Mapping[str, Any]) -> str:
    """
    Allow a file to be sent.

    Returns:
        Its token.

    Raises:
        BadParameter: It is of a type that cannot be taken over, or its times cannot be.
        NotFound: The tariff is not there for the caller.
        NotPermitted: Too many of the caller's are under way.
    """
    call.caller.demand_active()
    if values["i_upload_type"] not in TYPES:
        raise BadParameter("i_upload_type", "must be 1 (rates): routes cannot be uploaded")
    about = values["params"]
    await TARIFFS.info(call, about["i_tariff"])
    await _demand_room(call)
    process_on, expires_on = _times(call, values)
    row = new(call, about, status=INIT_TOKEN, process_on=process_on, expires_on=expires_on)
    call.session.add(row)
    await call.session.flush()
    details = {"i_upload_type": RATES, "process_on": process_on, "expires_on": expires_on, **about}
    await audit.event(
        call,
        "UPLOAD_TOKEN",
        object_type=Upload.__tablename__,
        object_id=row.i_upload,
        i_customer=row.i_customer,
        details=details,
    )
    return token_of(call.platform.vault, row)


def new(call: Call, about: Mapping[str, Any], **values: Any) -> Upload:
    """An upload of the caller's that is not written yet; `about` says what is to be done with its file."""
    now = call.now.replace(microsecond=0)
    given = {"process_on": now, "expires_on": now + LIFE, "status_changed_on": now, **values}
    return Upload(
        i_customer=call.caller.i_customer,
        i_upload_type=RATES,
        i_tariff=about["i_tariff"],
        effective_date=about.get("effective_date"),
        close_missing=about.get("close_missing", False),
        dry_run=about.get("dry_run", False),
        nonce=secrets.token_hex(16),
        **given,
    )


async def _demand_room(call: Call) -> None:
    """Nobody fills the database with files. Calls of one customer at the same time may pass together, a few of them."""
    mine = select(func.count()).where(Upload.i_customer == call.caller.i_customer, Upload.status.in_(OPEN))
    if (await call.session.execute(mine)).scalar_one() >= MOST_OPEN:
        raise NotPermitted(f"No more than {MOST_OPEN} uploads can be under way")


def _times(call: Call, values: Mapping[str, Any]) -> tuple[datetime, datetime]:
    now = call.now.replace(microsecond=0)
    process_on = max(now, values.get("process_on") or now)
    expires_on: datetime = values.get("expires_on") or max(now, process_on) + LIFE
    if not process_on <= now + LONGEST_LIFE:
        raise BadParameter("process_on", f"must be within {LONGEST_LIFE.days} days")
    if not process_on < expires_on <= process_on + LONGEST_LIFE:
        raise BadParameter("expires_on", f"must be after process_on, and not more than {LONGEST_LIFE.days} days")
    return process_on, expires_on


async def find(call: Call, token: str) -> Upload:
    """
    The upload of a token.

    Raises:
        NotFound: It is not there for the caller.
    """
    told = opened(call.platform.vault, token)
    wanted = select(Upload).join(Customer, Customer.i_customer == Upload.i_customer)
    wanted = wanted.where(ownership.within(call.caller, Reach.SUBTREE_AND_SELF))
    row = None
    if told is not None:
        mine = wanted.where(Upload.i_upload == told.i_upload, Upload.nonce == told.nonce)
        row = (await call.session.execute(mine)).scalar_one_or_none()
    if row is None:
        raise NotFound(Upload)
    return row


async def status(call: Call, token: str) -> dict[str, Any]:
    """
    What has become of an upload.

    Raises:
        NotFound: It is not there for the caller.
    """
    row = await find(call, token)
    result = json.loads(row.result or "{}")
    return {
        "status": row.status,
        "process_on": row.process_on,
        "expires_on": row.expires_on,
        "status_changed_on": row.status_changed_on,
        "url": url_of(call, token) if row.status in (DONE, FAIL) else None,
        "i_upload": row.i_upload,
        "size": row.size,
        "sha256": row.sha256,
        "lines": row.lines,
        "changes": result.get("changes", {}),
        "wrong": result.get("wrong", []),
        "wrong_count": result.get("wrong_count", 0),
    }


async def report(call: Call, token: str, first: int, count: int | None) -> dict[str, Any]:
    """
    Some lines of the report on an upload, and how many it has, its header not counted.

    Raises:
        NotFound: It is not there for the caller, or not processed yet.
    """
    row = await find(call, token)
    pieces = select(UploadPiece.content).where(UploadPiece.i_upload == row.i_upload, UploadPiece.is_report)
    found = (await call.session.execute(pieces.order_by(UploadPiece.number))).scalars()
    header, *lines = b"".join(found).decode().splitlines(keepends=True) or [""]
    if not header:
        raise NotFound(Upload)
    some = lines[first - 1 : first - 1 + (REPORT_LINES if count is None else count)]
    return {"report": header + "".join(some), "total": len(lines)}
