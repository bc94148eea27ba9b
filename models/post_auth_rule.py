"""Post-authentication rules: what is special about some of an account's calls, by their address and numbers."""

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.auth_rule import NETWORK_LENGTH
from models.base import Access, Base, account_of, customer_of, field
from models.follow_me_entry import NUMBER_LENGTH


class PostAuthRule(Base):
    """A rule for calls that are known to be an account's."""

    __tablename__ = "post_auth_rules"
    thing = "Post-authentication rule"

    i_post_auth_rule: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the rule.", example=3
    )
    i_customer: Mapped[int] = customer_of("The customer whose account it is.")
    i_account: Mapped[int] = account_of("The account whose calls they are.")
    remote_ip: Mapped[str] = field(
        String(NETWORK_LENGTH),
        default="",
        check="network_or_empty",
        doc="Address from which calls come, or network such as 192.0.2.0/24.",
        example="192.0.2.10",
    )
    cli: Mapped[str] = field(String(NUMBER_LENGTH), default="", doc="Calling number.", example="12125550100")
    cld: Mapped[str] = field(String(NUMBER_LENGTH), default="", doc="Called number.", example="")
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

    __table_args__ = (UniqueConstraint("i_account", "remote_ip", "cli", "cld"), Base.__table_args__)
