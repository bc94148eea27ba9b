"""Caller numbers by which accounts are known, of calling cards for example."""

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Access, Base, account_of, customer_of, field
from models.follow_me_entry import NUMBER_LENGTH


class CliMapping(Base):
    """A caller number that is bound to an account, to no other of the same customer's."""

    __tablename__ = "cli_mappings"
    thing = "CLI mapping"

    i_cli_mapping: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the mapping.", example=3
    )
    i_customer: Mapped[int] = customer_of("The customer whose account it is.")
    i_account: Mapped[int] = account_of("The account that the number is bound to.")
    cli: Mapped[str] = field(
        String(NUMBER_LENGTH), access=Access.REQUIRED, check="not_empty", doc="Caller number.", example="12125550123"
    )
    lang: Mapped[str] = field(
        ForeignKey("languages.i_lang"),
        access=Access.REQUIRED,
        check="language",
        doc="Language in which the caller is spoken to: two letters; see getDictionary, languages.",
        example="en",
    )

    __table_args__ = (UniqueConstraint("i_customer", "cli"), Base.__table_args__)
