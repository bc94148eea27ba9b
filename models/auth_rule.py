"""Authentication rules: whose a call is that comes without a password, by its address and numbers."""

from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, Exact, account_of, ascii_string, customer_of, field
from models.follow_me_entry import NUMBER_LENGTH
from models.sip_domain import DOMAIN_LENGTH

NETWORK_LENGTH = 43  # an IPv6 address, and the number of its bits
SPAN_LENGTH = 33  # of the first or the last address of a network, as texts that the database can compare
PROTOCOLS = {1: "SIP", 2: "H.323", 3: "IAX2", 4: "calling-card PIN"}


class AuthRule(Base):
    """A rule by which calls are an account's. No call is two accounts': what it asks for is asked for once."""

    __tablename__ = "authentications"
    thing = "Authentication rule"

    i_authentication: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the rule.", example=3
    )
    i_customer: Mapped[int] = customer_of("The customer whose account it is.")
    i_account: Mapped[int] = account_of("The account whose calls they are.")
    i_protocol: Mapped[int] = field(
        Integer,
        access=Access.REQUIRED,
        low=min(PROTOCOLS),
        high=max(PROTOCOLS),
        doc="Protocol: 1 SIP, 2 H.323, 3 IAX2, 4 the PIN of a calling card.",
        example=1,
    )
    remote_ip: Mapped[str] = field(
        String(NETWORK_LENGTH),
        default="",
        check="network_or_empty",
        doc="Address from which calls come, or network such as 192.0.2.0/24, which root alone may set.",
        example="192.0.2.10",
    )
    incoming_cli: Mapped[str] = field(String(NUMBER_LENGTH), default="", doc="Calling number.", example="12125550100")
    incoming_cld: Mapped[str] = field(String(NUMBER_LENGTH), default="", doc="Called number.", example="")
    to_domain: Mapped[str] = field(
        String(DOMAIN_LENGTH), default="", check="domain_or_empty", doc="Domain that is called.", example=""
    )
    from_domain: Mapped[str] = field(
        String(DOMAIN_LENGTH), default="", check="domain_or_empty", doc="Domain of the caller.", example=""
    )
    cli_translation_rule: Mapped[str] = field(
        String(255),
        default="",
        check="translation_rule",
        doc="Rule that changes calling numbers; see applyTranslationRule.",
        example="s/^00//",
    )
    cld_translation_rule: Mapped[str] = field(
        String(255),
        default="",
        check="translation_rule",
        doc="Rule that changes called numbers; see applyTranslationRule.",
        example="s/^00//",
    )
    i_tariff: Mapped[int | None] = field(
        ForeignKey("tariffs.i_tariff"),
        index=True,
        doc="Tariff for these calls, one of the customer's; nil: that of the account.",
        example=None,
    )
    i_routing_group: Mapped[int | None] = field(
        ForeignKey("routing_groups.i_routing_group"),
        index=True,
        doc="Routing group for these calls, one of the customer's; nil: that of the account.",
        example=None,
    )
    max_sessions: Mapped[int] = field(
        Integer, default=-1, low=-1, high=10**6, doc="Concurrent calls; -1: no limit.", example=-1
    )
    max_cps: Mapped[Decimal | None] = field(
        Exact, low=0, high=10**9, doc="Limit of new calls a second; nil: none.", example=Decimal("2.5")
    )
    first_address: Mapped[str] = mapped_column(ascii_string(SPAN_LENGTH), default="", doc="Of remote_ip.")
    last_address: Mapped[str] = mapped_column(ascii_string(SPAN_LENGTH), default="")

    __table_args__ = (
        UniqueConstraint(
            *("i_protocol", "first_address", "last_address", "incoming_cli", "incoming_cld", "to_domain"),
            "from_domain",
            name="uq_authentications_calls",
        ),
        Index(None, "first_address", "last_address"),
        Base.__table_args__,
    )
