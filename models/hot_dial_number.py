"""Hot dial: keys that stand for numbers, of one account each."""

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Access, Base, account_of, customer_of, field
from models.follow_me_entry import NUMBER_LENGTH


class HotDialNumber(Base):
    """A key of an account, and what is dialled when it is pressed."""

    __tablename__ = "hot_dial_numbers"

    i_hot_dial: Mapped[int] = field(Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the key.", example=3)
    i_customer: Mapped[int] = customer_of("The customer whose account it is.")
    i_account: Mapped[int] = account_of("The account whose key it is.")
    hot_key: Mapped[str] = field(String(32), access=Access.REQUIRED, check="not_empty", doc="The key.", example="1")
    dest: Mapped[str] = field(
        String(NUMBER_LENGTH), access=Access.REQUIRED, check="not_empty", doc="Number.", example="12125550123"
    )
    description: Mapped[str] = field(String(255), default="", doc="Description.", example="Office")

    __table_args__ = (UniqueConstraint("i_account", "hot_key"), Base.__table_args__)
