"""Follow-me: where the calls of an account go when nobody answers."""

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped

from models.account import LONGEST_RING
from models.base import Access, Base, account_of, customer_of, field

NUMBER_LENGTH = 128


class FollowMeEntry(Base):
    """A number that calls of an account follow to."""

    __tablename__ = "followme_entries"
    thing = "Follow-me entry"

    i_followme_entry: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the entry.", example=3
    )
    i_customer: Mapped[int] = customer_of("The customer whose account it is.")
    i_account: Mapped[int] = account_of("The account whose calls follow.")
    cld: Mapped[str] = field(
        String(NUMBER_LENGTH),
        access=Access.REQUIRED,
        check="not_empty",
        doc="Number or SIP address.",
        example="12125550123",
    )
    preference: Mapped[int] = field(
        Integer, default=1, low=0, high=10**6, doc="Place in the order, the smallest first.", example=1
    )
    description: Mapped[str] = field(String(255), default="", doc="Description.", example="Mobile")
    timeout: Mapped[int] = field(
        Integer, default=30, low=1, high=LONGEST_RING, doc="How long it rings, in seconds.", example=30
    )
