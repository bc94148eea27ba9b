"""Events: what happened that somebody may want to act on, such as a balance that runs low."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Access, Base, UtcDateTime, ascii_string, field
from models.customer import PATH_LENGTH

LOW_BALANCE = "low_balance"
PLAN_SUSPENDED, PLAN_RESUMED = "plan_suspended", "plan_resumed"


class Event(Base):
    """One event, for those at or above the customer it concerns."""

    __tablename__ = "events"

    i_event: Mapped[int] = field(
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        access=Access.READ_ONLY,
        doc="Id of the event.",
        example=3,
    )
    i_customer: Mapped[int] = field(Integer, access=Access.READ_ONLY, doc="Whom it concerns.", example=29)
    scope: Mapped[str] = mapped_column(ascii_string(PATH_LENGTH), doc="As in the change history.")
    kind: Mapped[str] = field(String(32), access=Access.READ_ONLY, doc="What happened.", example=LOW_BALANCE)
    created: Mapped[datetime] = field(UtcDateTime, access=Access.READ_ONLY, doc="When it happened.")
    details: Mapped[str] = mapped_column(Text, doc="JSON.")

    __table_args__ = (Index(None, "scope", "i_event"), Base.__table_args__)
