"""What a customer does with a DID that it has in hand."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, validates

from models.base import Access, Base, UtcDateTime, customer_of, field

RULE_LENGTH = 1024
FIRST_MODE = 1  # of forwarding a DID


def _rule(doc: str) -> Mapped[str]:
    rule: Mapped[str] = field(
        String(RULE_LENGTH), default="", check="translation_rule", doc=f"{doc}; empty: it stays.", example=""
    )
    return rule


class DidUse(Base):
    """
    Who is called at a DID: an account or an IVR application, or nobody yet. A DID has one use at most.

    It belongs to the customer who has the DID in hand, and ends when that gives the DID to another, or loses it.
    """

    __tablename__ = "did_uses"
    thing = "DID use"

    i_did_use: Mapped[int] = field(Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the use.", example=9)
    i_customer: Mapped[int] = customer_of("The customer who has the DID in hand.")
    i_did: Mapped[int] = field(
        ForeignKey("dids.i_did", ondelete="CASCADE"), access=Access.READ_ONLY, doc="The DID.", example=17
    )
    translation_rule: Mapped[str] = _rule("How the called number is rewritten before it is looked for")
    cli_translation_rule: Mapped[str] = _rule("How the caller's number is rewritten")
    cld_translation_rule: Mapped[str] = _rule("How the called number is rewritten for whoever is called")
    i_ivr_application: Mapped[int | None] = field(
        ForeignKey("ivr_applications.i_ivr_application"),
        doc="The IVR application that answers; see getDictionary, ivr_applications; nil: none.",
        example=None,
    )
    i_account: Mapped[int | None] = field(
        ForeignKey("accounts.i_account"), doc="The account that is called; nil: none.", example=11
    )
    i_forward_did_mode: Mapped[int] = field(
        Integer,
        default=FIRST_MODE,
        low=FIRST_MODE,
        high=3,
        access=Access.READ_ONLY,
        doc="Which number the account is called with; see getDictionary, forward_did_modes, and updateIncomingRoute.",
        example=FIRST_MODE,
    )
    self_managed: Mapped[bool] = field(
        Boolean,
        default=False,
        access=Access.READ_ONLY,
        doc="Whether who uses the account may change the route; see there.",
        example=False,
    )
    reserved_for: Mapped[str | None] = field(
        String(64), access=Access.READ_ONLY, doc="For what it is reserved, such as an order.", example=None
    )
    reserved_until: Mapped[datetime | None] = field(
        UtcDateTime, access=Access.READ_ONLY, doc="Until when; from then on it is free again.", example=None
    )

    __table_args__ = (
        UniqueConstraint("i_did"),
        Index(None, "i_account", "i_did_use"),
        CheckConstraint("i_account IS NULL OR i_ivr_application IS NULL", name="i_ivr_application"),
        Base.__table_args__,
    )

    @validates("i_account")
    def _begin_anew(self, _name: str, value: int | None) -> int | None:
        """The route to another account is a new one."""
        if value != self.i_account:
            self.i_forward_did_mode, self.self_managed = FIRST_MODE, False
        return value
