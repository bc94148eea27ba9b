"""DIDs: numbers at which accounts are called, what they cost, and to whom they are delegated."""

from dataclasses import replace
from functools import partial
from typing import Any

from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import Conflict, NotFound, NotPermitted, WrongReference
from xmlrpc_api.declaration.fields import I_CUSTOMER_OWNER, Field, Wire
from xmlrpc_api.declaration.paging import PAGE, pattern_of, rows_of, sorted_by
from xmlrpc_api.declaration.registry import Answer, Effect
from xmlrpc_api.declaration.rights import Right
from xmlrpc_api.dialects import switch
from xmlrpc_api.services.numbers import delegations, groups, stock, uses, views
from xmlrpc_api.services.numbers.hands import Known

DID, DELEGATION, USE = stock.DID, delegations.DELEGATION, uses.USE
GROUPS = groups.GROUPS
GROUP = GROUPS.entity
FAULTS = (NotFound, NotPermitted, WrongReference, Conflict)
MOST_SECONDS = 7 * 86400
USUAL_SECONDS = 900
method = partial(switch.method, scope=I_CUSTOMER_OWNER)
add = partial(method, right=Right.ACCOUNTS_ADD, effect=Effect.WRITE, raises=FAULTS)
edit = partial(method, right=Right.ACCOUNTS_EDIT, effect=Effect.WRITE, raises=FAULTS)
delete = partial(method, right=Right.ACCOUNTS_DELETE, effect=Effect.WRITE, raises=FAULTS)
read = partial(method, right=Right.ANYONE, effect=Effect.READ)

I_DID, I_DID_DELEGATION = DID.require("i_did"), DELEGATION.require("i_did_delegation")
NUMBER = replace(DID["did"], doc="Without i_did: the number of the DID, or the first one of the range.")
RANGE_END = replace(DID["did_range_end"], doc="Without i_did: the last number of the range.")
KNOWN = (DID["i_did"], NUMBER, RANGE_END)
DELEGATED_TO = Field(
    name="delegated_to", wire=Wire.INT, low=1, doc="A customer directly below whoever has the DID in hand.", example=31
)
PARENT = Field(
    name="parent_i_did_delegation",
    wire=Wire.INT,
    nullable=True,
    doc="The delegation by which the DID is in hand; nil: it is its owner who delegates it.",
    example=None,
)
RESERVED_FOR = replace(
    USE["reserved_for"],
    read_only=False,
    doc="For what the DID is reserved; nothing else may take it.",
)
MADE = (
    replace(
        DELEGATION["i_did_delegation"], nullable=True, doc="The delegation to the next customer; nil: there is none."
    ),
    replace(DELEGATED_TO, nullable=True, low=None, doc="To whom it is delegated; nil: to nobody."),
    replace(PARENT, doc="The delegation by which the caller has it; nil: it is its owner."),
)
RECORD = (
    *DID.some("i_did", "did", "did_range_end", "i_did_allocated_from", "incoming_did"),
    *USE.some("translation_rule", "cli_translation_rule", "cld_translation_rule"),
    DID["description"],
    *USE.some("i_ivr_application", "i_account"),
    *DID.some("i_dids_charging_group", "i_vendor", "i_connection", "buying_i_dids_charging_group"),
    *MADE,
    DID["incoming_cli"],
    *USE.some("reserved_for", "reserved_until"),
)
DIDS = rows_of("dids", "The DIDs, oldest first.", RECORD)
SORT = sorted_by(*views.ORDERS)
NOT_ASSIGNED = Field(
    name="not_assigned",
    wire=Wire.BOOLEAN,
    doc="Whether only those that nobody uses, and that are not delegated on.",
    example=False,
)


def _filter(field: Field, doc: str) -> Field:
    return Field(name=field.name, wire=field.wire, doc=doc, example=field.example)


FILTERS = (
    pattern_of("did", "number"),
    pattern_of("incoming_did", "incoming number"),
    _filter(DELEGATED_TO, "Only those that the caller has delegated to this customer."),
    _filter(USE["i_account"], "Only those at which this account is called."),
    _filter(USE["i_ivr_application"], "Only those at which this IVR application answers."),
    NOT_ASSIGNED,
)


@add("addDID", *DID.create, *USE.create, returns=(I_DID,))
async def add_did(call: Call, **attributes: Any) -> Answer:
    """
    Add a DID, or with did_range_end a range of them, to the platform.

    Root may, and whose did_pool_enabled is on, as for all above it. With i_did_allocated_from it is a part of a range
    that the caller has in hand, be it its own or delegated to it; that anybody may allocate. No two overlap. A DID is
    used by one: an account of the caller, or an IVR application.
    """
    return {"i_did": await stock.add(call, attributes)}


@edit("updateDID", DID["i_did"], *DID.update, *USE.update, RESERVED_FOR, returns=(I_DID,))
async def update_did(
    call: Call,
    *,
    i_did: int | None = None,
    did: str | None = None,
    did_range_end: str | None = None,
    reserved_for: str | None = None,
    **changes: Any,
) -> Answer:
    """
    Change attributes of a DID; at least one must be given. Without i_did, did and did_range_end tell which one.

    i_account nil ends its use. Whoever has it from above changes its description and its use only; whoever has
    delegated it on, not its use. What is reserved is taken with the same reserved_for.
    """
    numbers = {"did": did, "did_range_end": did_range_end}
    if i_did is not None:
        changes |= {name: value for name, value in numbers.items() if value is not None}
    known = Known.by({"i_did": i_did, **numbers})
    return {"i_did": await stock.change(call, known, changes, reserved_for)}


@delete("deleteDID", *KNOWN)
async def delete_did(call: Call, **known: Any) -> None:
    """
    Remove a DID of the caller, or of a customer below it, from the platform.

    It is taken back from everybody to whom it is delegated, and whoever uses it uses it no longer. A range is kept
    while its owner has allocated others from it.
    """
    await stock.remove(call, Known.by(known))


@read("getDIDInfo", *KNOWN, returns=RECORD, raises=(NotFound,))
async def get_did_info(call: Call, **known: Any) -> Answer:
    """
    Tell all attributes of a DID, by i_did, by did, or by did and did_range_end.

    Whoever has it from above is told the charging group by which it pays itself, and nothing of what others pay.
    """
    return await views.info(call, Known.by(known))


@read("getDIDsList", *FILTERS, SORT, *PAGE, returns=DIDS)
async def get_dids_list(call: Call, **asked: Any) -> Answer:
    """List the DIDs of the caller, and those that are delegated to it, in the order of their creation."""
    return await views.page(call, asked)


@read("searchFreeDIDs", *FILTERS[:2], SORT, *PAGE, returns=DIDS)
async def search_free_dids(call: Call, **asked: Any) -> Answer:
    """List those of the DIDs in the caller's hand that nobody uses, that are not delegated on, nor reserved."""
    return await views.page(call, {**asked, "free_at": call.now})


@edit(
    "reserveDID",
    I_DID,
    replace(RESERVED_FOR, required=True, nullable=False),
    Field(
        name="seconds",
        wire=Wire.INT,
        low=1,
        high=MOST_SECONDS,
        doc=f"For how long; {USUAL_SECONDS} if left out.",
        example=USUAL_SECONDS,
    ),
    returns=USE.some("reserved_until"),
)
async def reserve_did(call: Call, *, i_did: int, reserved_for: str, seconds: int = USUAL_SECONDS) -> Answer:
    """
    Keep a free DID for something, such as an order: until then nothing else takes it, and no search finds it.

    For the same thing it may be reserved again, and is kept longer then. It is given away with the same reserved_for.
    """
    return {"reserved_until": await uses.reserve(call, i_did, reserved_for, seconds)}


@edit("releaseDID", I_DID)
async def release_did(call: Call, *, i_did: int) -> None:
    """Keep a DID no longer for what it was reserved for; to do it twice is no error."""
    await uses.release(call, i_did)


@add(
    "addDIDDelegation",
    I_DID,
    DELEGATED_TO.require(),
    PARENT,
    *DELEGATION.create,
    RESERVED_FOR,
    returns=(I_DID_DELEGATION,),
)
async def add_did_delegation(
    call: Call, *, i_did: int, delegated_to: int, reserved_for: str | None = None, **attributes: Any
) -> Answer:
    """
    Delegate a DID to a customer directly below the one who has it in hand, who may use it, or delegate it on.

    It must be in nobody's use. i_dids_charging_group is one of whoever delegates: by it that customer pays.
    """
    return {"i_did_delegation": await delegations.add(call, i_did, delegated_to, attributes, reserved_for)}


@edit(
    "updateDIDDelegation",
    I_DID_DELEGATION,
    *DELEGATION.update,
    replace(DELEGATED_TO, nil_refused=True),
    returns=(I_DID_DELEGATION,),
)
async def update_did_delegation(
    call: Call, *, i_did_delegation: int, delegated_to: int | None = None, **changes: Any
) -> Answer:
    """
    Change a delegation of the caller, or of a customer below it; at least one attribute must be given.

    With another delegated_to the DID is taken back, as by deleteDIDDelegation, whose right it needs, too, and delegated
    to that customer.
    """
    await delegations.change(call, i_did_delegation, delegated_to, changes)
    return {"i_did_delegation": i_did_delegation}


@delete("deleteDIDDelegation", I_DID_DELEGATION)
async def delete_did_delegation(call: Call, *, i_did_delegation: int) -> None:
    """
    Take a DID back that the caller, or a customer below it, has delegated.

    It is taken back from everybody below, too; whoever uses it uses it no longer, and what they have allocated from it
    is gone.
    """
    await delegations.remove(call, i_did_delegation)


@method(
    "createDIDChargingGroup",
    *GROUP.create,
    right=Right.TARIFFS_ADD,
    effect=Effect.WRITE,
    returns=GROUP.some("i_dids_charging_group"),
    raises=(WrongReference, Conflict),
)
async def create_did_charging_group(call: Call, **attributes: Any) -> Answer:
    """Create a charging group: what the caller demands for each DID, once and regularly."""
    return {"i_dids_charging_group": await GROUPS.create(call, attributes)}


@method(
    "updateDIDChargingGroup",
    GROUP.require("i_dids_charging_group"),
    *GROUP.update,
    right=Right.TARIFFS_EDIT,
    effect=Effect.WRITE,
    raises=(NotFound, WrongReference, Conflict),
)
async def update_did_charging_group(call: Call, *, i_dids_charging_group: int, **changes: Any) -> None:
    """Change attributes of a charging group; at least one must be given."""
    await GROUPS.change(call, i_dids_charging_group, changes)


@method(
    "deleteDIDChargingGroup",
    GROUP.require("i_dids_charging_group"),
    right=Right.TARIFFS_DELETE,
    effect=Effect.WRITE,
    raises=(NotFound, Conflict),
)
async def delete_did_charging_group(call: Call, *, i_dids_charging_group: int) -> None:
    """Delete a charging group by which no DID is charged."""
    await groups.remove(call, i_dids_charging_group)


@read(
    "getDIDChargingGroupInfo",
    GROUP.require("i_dids_charging_group"),
    returns=GROUP.read,
    raises=(NotFound,),
)
async def get_did_charging_group_info(call: Call, *, i_dids_charging_group: int) -> Answer:
    """Tell all attributes of a charging group: of the caller, of a customer below, or by which the caller pays."""
    return await groups.info(call, i_dids_charging_group)


@read(
    "listDIDChargingGroups",
    pattern_of("name_pattern", "name"),
    sorted_by("name"),
    *PAGE,
    returns=rows_of("dids_charging_groups", "The groups, oldest first.", GROUP.read),
)
async def list_did_charging_groups(call: Call, **asked: Any) -> Answer:
    """List the charging groups of the caller, in the order of their creation."""
    return await GROUPS.told(call, asked, "dids_charging_groups")
