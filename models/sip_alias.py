"""SIP aliases: further addresses that lead to an account."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.account import ID_KEY_LENGTH, USERNAME_LENGTH
from models.base import Access, Base, ChangeTime, field
from models.sip_domain import DOMAIN_LENGTH


class SipAlias(Base):
    """A SIP id that stands for another one. It belongs to the customer of its domain."""

    __tablename__ = "sip_aliases"
    thing = "SIP alias"

    i_alias: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_domain: Mapped[int] = mapped_column(ForeignKey("sip_domains.i_domain"), index=True)
    username: Mapped[str] = field(
        String(USERNAME_LENGTH), access=Access.REQUIRED, doc="User name of the alias.", example="sales"
    )
    alias_key: Mapped[str] = mapped_column(String(ID_KEY_LENGTH), unique=True, doc="user@domain, whatever its case.")
    target_username: Mapped[str] = field(
        String(USERNAME_LENGTH), access=Access.REQUIRED, doc="User name that it leads to.", example="alice"
    )
    target_domain: Mapped[str] = field(
        String(DOMAIN_LENGTH),
        index=True,
        access=Access.REQUIRED,
        doc="Domain that it leads to.",
        example="example.com",
    )
    owner: Mapped[int | None] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        doc="A customer to whom front ends assign the alias; it has no effect.",
        example=None,
    )
    changed: Mapped[datetime] = mapped_column(ChangeTime, doc="When it was changed last.")
