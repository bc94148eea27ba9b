"""SIP domains: what stands behind the @ of SIP addresses, each of one customer."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, ChangeTime, field

DOMAIN_LENGTH = 253
PEM_LIMIT = 65536
FIRST_NUMBER = 1000


class SipDomain(Base):
    """A SIP domain. Its accounts and aliases belong to the same customer."""

    __tablename__ = "sip_domains"
    thing = "SIP domain"

    i_domain: Mapped[int] = mapped_column(Integer, primary_key=True)
    domain: Mapped[str] = field(
        String(DOMAIN_LENGTH),
        unique=True,
        access=Access.REQUIRED,
        check="domain",
        doc="Name of the domain, in lower case.",
        example="sip.example.com",
    )
    i_customer: Mapped[int] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        doc="The customer to whom it belongs; 0: the platform.",
        example=7,
    )
    certificate: Mapped[str] = field(
        Text,
        default="",
        limit=PEM_LIMIT,
        doc="Certificate, in PEM.",
        example="",
    )
    private_key: Mapped[str | None] = field(
        sealed=True,
        limit=PEM_LIMIT,
        doc="Its key, in PEM. Kept encrypted, and never told.",
    )
    match_ip_address: Mapped[str] = field(
        String(255),
        default="",
        doc="Address that the domain is matched by.",
        example="",
    )
    match_sip_domain: Mapped[str] = field(
        String(DOMAIN_LENGTH),
        default="",
        doc="Domain that it is matched by.",
        example="",
    )
    verify_cert: Mapped[bool] = field(
        Boolean,
        default=False,
        doc="Whether certificates of peers are verified.",
        example=False,
    )
    require_cert: Mapped[bool] = field(
        Boolean,
        default=False,
        doc="Whether peers must have one.",
        example=False,
    )
    next_number: Mapped[int] = mapped_column(
        Integer, default=FIRST_NUMBER, doc="The first user name that may be free for an account that asks for any."
    )
    changed: Mapped[datetime] = mapped_column(ChangeTime, doc="When it was changed last.")
