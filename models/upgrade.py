"""Which steps of the data's upgrade are done, so that none is done twice and none is forgotten."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, StringList, UtcDateTime

STEP_NAME_LENGTH = 56


class UpgradeStep(Base):
    """How far one step is."""

    __tablename__ = "upgrade_steps"
    __table_args__ = ()

    name: Mapped[str] = mapped_column(String(STEP_NAME_LENGTH), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger, doc="Key of the last row that is done; 0 before the first.")
    findings: Mapped[list[str]] = mapped_column(StringList, doc="What could not be mended: the first of it.")
    unmended: Mapped[int] = mapped_column(Integer, doc="How much could not be mended, all in all.")
    finished: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When all rows were done.")
