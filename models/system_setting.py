"""Settings that are changed while servers run."""

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped

from models.base import Access, Base, customer_of, field


class SystemSetting(Base):
    """A setting that counts instead of what a server was started with. Each is root's."""

    __tablename__ = "system_settings"

    i_system_setting: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the row.", example=3
    )
    i_customer: Mapped[int] = customer_of("Root.")
    key: Mapped[str] = field(
        String(64), unique=True, access=Access.REQUIRED, doc="Name of the setting.", example="list_limit"
    )
    value: Mapped[str] = field(Text, access=Access.REQUIRED, limit=1024, doc="Its value, as a text.", example="5000")
