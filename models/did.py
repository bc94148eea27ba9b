"""DIDs: numbers at which the accounts of a customer are called."""

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Access, Base, ascii_string, customer_of, field

NUMBER_LENGTH = 32
KEY_LENGTH = NUMBER_LENGTH + 2


class Did(Base):
    """
    A number, or a range of numbers, of the customer who has added it to the platform.

    What is allocated from a range lies within it, and belongs to whoever had the range in hand. Of those that are
    allocated from one range, and of those that are from none, no two overlap that are called by the same caller.

    `did_key` and `end_key` are first and last number in the order in which they are counted.
    """

    __tablename__ = "dids"
    thing = "DID"

    i_did: Mapped[int] = field(Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the DID.", example=17)
    i_customer: Mapped[int] = customer_of("The customer who has added it.")
    did: Mapped[str] = field(
        String(NUMBER_LENGTH),
        access=Access.REQUIRED,
        check="did",
        doc="The number, or the first one of a range. Unique on the platform for the callers of its incoming_cli.",
        example="493055501000",
    )
    did_range_end: Mapped[str] = field(
        String(NUMBER_LENGTH),
        default="",
        check="did_or_empty",
        doc="The last number of a range, as long as the first one; empty: it is a single number.",
        example="",
    )
    i_did_allocated_from: Mapped[int | None] = field(
        ForeignKey("dids.i_did"),
        doc="The range from which it is allocated: one that the caller has in hand; nil: from none.",
        example=None,
    )
    incoming_did: Mapped[str] = field(
        String(64),
        access=Access.REQUIRED,
        check="not_empty",
        doc="The number as it arrives from outside.",
        example="493055501000",
    )
    incoming_cli: Mapped[str] = field(
        String(64), default="", doc="Only calls of this caller; empty: of all.", example=""
    )
    description: Mapped[str] = field(String(1024), default="", doc="Description.", example="Front desk")
    i_dids_charging_group: Mapped[int | None] = field(
        ForeignKey("did_groups.i_dids_charging_group", ondelete="SET NULL"),
        index=True,
        doc="By which an account pays for it; nil: it costs nothing.",
        example=None,
    )
    i_vendor: Mapped[int | None] = field(Integer, doc="The vendor from whom it is.", example=None)
    i_connection: Mapped[int | None] = field(
        Integer, doc="The connection of the vendor by which its calls arrive.", example=None
    )
    buying_i_dids_charging_group: Mapped[int | None] = field(
        ForeignKey("did_groups.i_dids_charging_group", ondelete="SET NULL"),
        index=True,
        doc="By which its owner pays the vendor for it.",
        example=None,
    )
    allocated_key: Mapped[int] = mapped_column(Integer, default=0, doc="i_did_allocated_from; 0 for none.")
    did_key: Mapped[str] = mapped_column(ascii_string(KEY_LENGTH))
    end_key: Mapped[str] = mapped_column(ascii_string(KEY_LENGTH))

    __table_args__ = (
        UniqueConstraint("allocated_key", "incoming_cli", "did_key"),
        Index(None, "i_did_allocated_from", "i_did"),
        Index(None, "did_key", "end_key"),
        Base.__table_args__,
    )

    @validates("i_did_allocated_from")
    def _lie_within(self, _name: str, value: int | None) -> int | None:
        self.allocated_key = value or 0
        return value

    @validates("did", "did_range_end")
    def _follow(self, name: str, value: str) -> str:
        first = value if name == "did" else self.did or ""
        last = value if name == "did_range_end" else self.did_range_end
        self.did_key, self.end_key = number_key(first), number_key(last or first)
        return value


class DidDelegation(Base):
    """
    A DID that a customer has from the one directly above it, who has it in hand.

    Each is a step of one way down, so that a DID is at most once on each level of the tree.
    """

    __tablename__ = "did_delegations"
    thing = "DID delegation"

    i_did_delegation: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the delegation.", example=5
    )
    i_customer: Mapped[int] = customer_of("The customer to whom the DID is delegated.")
    i_did: Mapped[int] = field(
        ForeignKey("dids.i_did", ondelete="CASCADE"), access=Access.READ_ONLY, doc="The DID.", example=17
    )
    step: Mapped[int] = mapped_column(Integer, doc="How many delegations lead from the owner of the DID to here.")
    i_dids_charging_group: Mapped[int | None] = field(
        ForeignKey("did_groups.i_dids_charging_group", ondelete="SET NULL"),
        index=True,
        doc="By which the customer pays for it; one of whoever delegates; nil: it costs nothing.",
        example=None,
    )
    description: Mapped[str] = field(String(1024), default="", doc="Description.", example="Berlin office")

    __table_args__ = (
        UniqueConstraint("i_did", "step"),
        Index(None, "i_customer", "i_did"),
        Base.__table_args__,
    )


def number_key(number: str) -> str:
    """A number in a form in which the order of texts is that of numbers: shorter ones first; + counts for nothing."""
    digits = number.removeprefix("+")
    return f"{len(digits):02}{digits}"
