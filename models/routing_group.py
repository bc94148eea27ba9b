"""Routing groups: over which vendors a customer's calls may go."""

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class RoutingGroup(Base):
    """A routing group, owned by the customer who assigns it to its sub-customers."""

    __tablename__ = "routing_groups"
    __table_args__ = (UniqueConstraint("i_customer", "name"), Base.__table_args__)

    i_routing_group: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int] = mapped_column(
        ForeignKey("customers.i_customer", ondelete="CASCADE", use_alter=True),
        doc="The owner: that customer and nobody else assigns it.",
    )
    name: Mapped[str] = mapped_column(String(128))
