"""Service plans: by what accounts are charged."""

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class BillingPlan(Base):
    """A service plan by which accounts are charged; one without a customer is everybody's."""

    __tablename__ = "billing_plans"

    i_billing_plan: Mapped[int] = mapped_column(Integer, primary_key=True)
    i_customer: Mapped[int | None] = mapped_column(ForeignKey("customers.i_customer"), index=True)
    name: Mapped[str] = mapped_column(String(128))
