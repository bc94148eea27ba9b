"""Tariffs: what a customer pays, in which currency."""

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Tariff(Base):
    """A tariff, owned by the customer who assigns it to its sub-customers."""

    __tablename__ = "tariffs"
    __table_args__ = (UniqueConstraint("i_customer", "name"), Base.__table_args__)

    i_tariff: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int] = mapped_column(
        ForeignKey("customers.i_customer", ondelete="CASCADE", use_alter=True),
        doc="The owner: that customer and nobody else assigns it.",
    )
    name: Mapped[str] = mapped_column(String(128))
    currency: Mapped[str] = mapped_column(ForeignKey("currencies.code"))
