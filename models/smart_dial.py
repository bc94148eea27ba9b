"""Smart dial: numbers called from the phones that an account knows, and where such a call goes at once."""

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Access, Base, account_of, customer_of, field
from models.follow_me_entry import NUMBER_LENGTH


class SmartDial(Base):
    """An access number, and what is dialled for an account that calls it."""

    __tablename__ = "smart_dials"

    i_smart_dial: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the entry.", example=3
    )
    i_customer: Mapped[int] = customer_of("The customer whose account it is.")
    i_account: Mapped[int] = account_of("The account whose entry it is.")
    did: Mapped[str] = field(
        String(64), access=Access.REQUIRED, check="not_empty", doc="Access number that is called.", example="4420555"
    )
    dest: Mapped[str] = field(
        String(NUMBER_LENGTH), access=Access.REQUIRED, check="not_empty", doc="Number dialled.", example="12125550123"
    )
    description: Mapped[str] = field(String(255), default="", doc="Description.", example="Grandma")

    __table_args__ = (UniqueConstraint("i_account", "did"), Base.__table_args__)
