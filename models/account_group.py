"""Groups of accounts."""

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

GROUP_LENGTH = 64


class AccountGroup(Base):
    """A group that an account is in, such as free-pstn. That of the blocked is the attribute `blocked`."""

    __tablename__ = "account_groups"
    thing = "Group"
    __table_args__ = ()

    i_account: Mapped[int] = mapped_column(ForeignKey("accounts.i_account", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(GROUP_LENGTH), primary_key=True, index=True)
    put_by: Mapped[int | None] = mapped_column(
        Integer, doc="The highest of those who have put it there, where that matters; no foreign key."
    )
