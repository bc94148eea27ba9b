"""Trusted hosts: from where calls need no credentials, beside what the settings say."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.auth_rule import NETWORK_LENGTH
from models.base import Access, Base, UtcDateTime, customer_of, field


class TrustedHost(Base):
    """An address or network that is trusted without credentials. Each is root's."""

    __tablename__ = "trusted_hosts"

    i_trusted_host: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the row.", example=3
    )
    i_customer: Mapped[int] = customer_of("Root.")
    ip: Mapped[str] = field(
        String(NETWORK_LENGTH),
        unique=True,
        access=Access.REQUIRED,
        check="network",
        doc="Address, or network such as 192.0.2.0/24.",
        example="192.0.2.10",
    )
    description: Mapped[str] = field(String(255), default="", doc="Description.", example="Call router")
    added_on: Mapped[datetime] = field(UtcDateTime, access=Access.READ_ONLY, doc="When it was added.")
    last_used: Mapped[datetime | None] = mapped_column(
        UtcDateTime, doc="When a call last came from there, to the hour; nil: never. It is not part of the history."
    )
