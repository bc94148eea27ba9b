"""Uploads: files of many rates, sent with a token, taken over in the background."""

from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import NotFound, NotPermitted
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects.switch import method
from xmlrpc_api.services.catalogue.bulk import uploads

TOKEN = Field(
    name="token",
    wire=Wire.STRING,
    required=True,
    limit=uploads.LONGEST_TOKEN,
    doc="The token that getUploadToken answered.",
    example="7.6924f1d0.0f…",
)
URL_DOC = "Where the report can be fetched by GET, with no more than this; nil until the file is processed."
TYPE = Field(
    name="i_upload_type",
    wire=Wire.INT,
    required=True,
    doc="What the file holds: 1 rates. Routes (2) cannot be uploaded; see getDictionary, upload_types.",
    example=1,
)
PROCESS_ON = Field(name="process_on", wire=Wire.DATETIME, doc="When the file is to be taken over; at once if left out.")
EXPIRES_ON = Field(
    name="expires_on",
    wire=Wire.DATETIME,
    doc="Until when the file may be sent and is taken over; a day after process_on if left out, 31 days at most.",
)
PARAMS = Field(
    name="params",
    wire=Wire.STRUCT,
    required=True,
    doc="What is to be done with the file.",
    members=(
        Field(name="i_tariff", wire=Wire.INT, required=True, low=1, doc="The tariff whose rates it holds.", example=5),
        Field(
            name="effective_date",
            wire=Wire.DATETIME,
            doc="When rates begin that have no date of their own; when they are taken over if left out.",
        ),
        Field(
            name="close_missing",
            wire=Wire.BOOLEAN,
            doc="Whether rates of prefixes that the file does not have end at the effective date.",
            example=False,
        ),
        Field(
            name="dry_run", wire=Wire.BOOLEAN, doc="Whether nothing is changed; the report tells all.", example=False
        ),
    ),
)
CHANGES = Field(
    name="changes",
    wire=Wire.STRUCT,
    doc="How many lines mean what: new, dearer, cheaper, changed, forbidden, closed, unchanged. Empty until DONE.",
    example={"new": 3, "dearer": 1},
)
WRONG = Field(
    name="wrong",
    wire=Wire.ARRAY,
    doc="The first hundred lines that are wrong; line 0 is the whole file. Then nothing was changed.",
    members=(
        Field(name="line", wire=Wire.INT, doc="Its number.", example=2),
        Field(name="why", wire=Wire.STRING, doc="What is wrong.", example="price_1 has a decimal comma"),
    ),
)


@method(
    "getUploadToken",
    TYPE,
    PROCESS_ON,
    EXPIRES_ON,
    PARAMS,
    right=Right.TARIFFS_EDIT,
    effect=Effect.WRITE,
    scope=I_CUSTOMER_OWNER,
    returns=(
        TOKEN,
        Field(name="url", wire=Wire.STRING, doc="Where the file is to be sent.", example="https://…/upload/7.69…"),
    ),
    raises=(NotFound, NotPermitted),
)
async def get_upload_token(call: Call, **asked: Any) -> Answer:
    """
    Allow one file of rates to be sent to a URL, by POST or PUT: as the body itself, or as a part of a form.

    Whoever knows the URL may send it; once it is there, the URL is used up. The file is a price list as CSV with the
    names of its columns in the first line: prefix (code), price_1 (price, rate), price_n, interval_1, interval_n (or
    increment: 60/6), forbidden, activation_date (effective date), expiration_date, area_name (destination), in any
    order, with commas, semicolons or tabs between them. All of it is taken over or, where a line is wrong, nothing. At
    that time the customer must still be allowed to change the tariff's rates.
    """
    token = await uploads.create(call, asked)
    return {"token": token, "url": uploads.url_of(call, token)}


@method(
    "getUploadStatus",
    TOKEN,
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=(
        Field(
            name="status",
            wire=Wire.STRING,
            doc="INIT_TOKEN, FILE_UPLOADED, PROCESSING, DONE, or FAIL: then nothing was changed.",
            example="DONE",
        ),
        PROCESS_ON,
        EXPIRES_ON,
        Field(name="status_changed_on", wire=Wire.DATETIME, doc="Since when it is so."),
        Field(name="url", wire=Wire.STRING, nullable=True, doc=URL_DOC, example="https://…/upload/7.69…"),
        Field(name="i_upload", wire=Wire.INT, doc="With what the rates of the file are marked.", example=7),
        Field(name="size", wire=Wire.INT, nullable=True, doc="Bytes of the file.", example=5120),
        Field(name="sha256", wire=Wire.STRING, nullable=True, doc="SHA-256 of the file.", example="9f86d0…"),
        Field(name="lines", wire=Wire.INT, doc="How many of its lines were read so far.", example=100),
        CHANGES,
        WRONG,
        Field(name="wrong_count", wire=Wire.INT, doc="How many lines are wrong.", example=0),
    ),
    raises=(NotFound,),
)
async def get_upload_status(call: Call, *, token: str) -> Answer:
    """Tell what has become of an upload of the caller, or of a customer below it."""
    return await uploads.status(call, token)


@method(
    "getUploadReport",
    TOKEN,
    Field(name="first_line", wire=Wire.INT, low=1, doc="The first line to answer, from 1; 1 if left out.", example=1),
    Field(
        name="lines",
        wire=Wire.INT,
        low=0,
        high=uploads.MOST_LINES,
        doc=f"How many to answer; {uploads.REPORT_LINES} if left out.",
        example=100,
    ),
    right=Right.ANYONE,
    effect=Effect.READ,
    scope=I_CUSTOMER_OWNER,
    returns=(
        Field(name="report", wire=Wire.STRING, doc="CSV, with its header.", example="change,prefix,…"),
        Field(name="total", wire=Wire.INT, doc="How many lines it has in all, besides its header.", example=100),
    ),
    raises=(NotFound,),
)
async def get_upload_report(call: Call, *, token: str, first_line: int = 1, lines: int | None = None) -> Answer:
    """
    Tell what an upload has changed: a notice of new, dearer, cheaper, forbidden and closed prefixes.

    Of one that has failed: its wrong lines, and why. Reports are kept for seven days.
    """
    return await uploads.report(call, token, first_line, lines)
