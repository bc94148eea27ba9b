"""Extended routing: further ways on which a customer's calls may go, each with its price."""

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped

from models.base import Access, Base, customer_of, field


class ExtendedRouting(Base):
    """A routing group and a tariff that a customer has beside its own."""

    __tablename__ = "extended_routings"

    i_extended_routing: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the pair.", example=3
    )
    i_wholesaler: Mapped[int] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        access=Access.READ_ONLY,
        doc="The customer above, whose tariff and routing group they are.",
        example=7,
    )
    i_customer: Mapped[int] = customer_of("The customer who has them.")
    i_routing_group: Mapped[int] = field(
        ForeignKey("routing_groups.i_routing_group"),
        index=True,
        access=Access.REQUIRED,
        doc="Routing group, one of the caller's.",
        example=5,
    )
    i_tariff: Mapped[int | None] = field(
        ForeignKey("tariffs.i_tariff"),
        index=True,
        doc="Tariff, one of the caller's; nil: that of the customer.",
        example=None,
    )
    description: Mapped[str] = field(String(255), default="", doc="Description.", example="Premium")
