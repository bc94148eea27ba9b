"""Properties: what front ends keep with a customer beside its attributes."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, field

VALUE_LIMIT = 4096


class CustomerProperty(Base):
    """A named value of a customer, and who may change it."""

    __tablename__ = "customer_properties"
    __table_args__ = ()

    i_customer: Mapped[int] = mapped_column(ForeignKey("customers.i_customer", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = field(String(128), primary_key=True, check="not_empty", doc="Name.", example="sip_credit")
    value: Mapped[str] = field(Text, limit=VALUE_LIMIT, doc="Value.", example="10")
    category: Mapped[str] = field(String(64), default="", doc="Where front ends show it.", example="credit")
    permission: Mapped[str] = field(
        String(32),
        default="customer",
        doc="Who may change it: admin, reseller (and admin), or anything else: the customer itself as well.",
        example="admin",
    )
