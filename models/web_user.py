"""Web users: the logins to the self-care portal."""

from sqlalchemy import Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Access, Base, field, one_default_per_customer

LOGIN_LENGTH = 128
PASSWORD_LIMIT = 256


def login_key(web_login: str) -> str:
    """The form of a login in which two that differ only in case are one."""
    return web_login.casefold()


class WebUser(Base):
    """A login to the self-care portal; every customer has one default web user."""

    __tablename__ = "web_users"

    i_web_user: Mapped[int] = field(Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the web user.")
    i_customer: Mapped[int] = mapped_column(ForeignKey("customers.i_customer", ondelete="CASCADE"), index=True)
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    web_login: Mapped[str] = field(
        String(LOGIN_LENGTH),
        check="not_empty",
        doc="Login to the self-care portal and to this API; unique, whatever the case of its letters.",
        example="acme",
    )
    web_login_key: Mapped[str] = mapped_column(String(3 * LOGIN_LENGTH), unique=True)
    web_password: Mapped[str] = field(
        String(60),
        secret=True,
        hashed=True,
        limit=PASSWORD_LIMIT,
        check="not_empty",
        doc="Password to the self-care portal, up to 256 characters. Kept as a bcrypt hash.",
        example="s3cret-Pa55",
    )
    i_access_level: Mapped[str] = field(
        ForeignKey("access_levels.i_access_level"),
        default="ADMINISTRATOR",
        access=Access.READ_ONLY,
        doc="What the web user may do in the portal.",
        example="ADMINISTRATOR",
    )
    blocked: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (one_default_per_customer("web_users"), Base.__table_args__)

    @validates("web_login")
    def _keep_key(self, _name: str, value: str) -> str:
        self.web_login_key = login_key(value)
        return value
