"""Web users: the logins to the self-care portal; and what they share with accounts, who log in there as well."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Access, Base, Signature, UtcDateTime, customer_of, field, one_default_per_customer
from models.login_key import login_key

LOGIN_LENGTH = 128
PASSWORD_LIMIT = 256


class SelfCare:
    """
    What belongs to a login to the self-care portal, whoever it is of.

    A one-time password is for the login as it was, and for the time until the next password.
    """

    foreign_password: Mapped[str | None] = mapped_column(
        String(255), doc="Hash of another system, until the first login. It counts instead of web_password."
    )
    one_time_password: Mapped[str | None] = mapped_column(Signature("one-time password"), doc="Its signature.")
    one_time_expires: Mapped[datetime | None] = mapped_column(UtcDateTime)
    one_time_used: Mapped[datetime | None] = mapped_column(
        UtcDateTime, doc="When it was used to log in; it still allows one change of the password."
    )

    def _end_one_time_password(self, name: str, value: Any) -> None:
        """Called with each change of login, password or block."""
        if value != getattr(self, name):
            self.one_time_password = self.one_time_expires = self.one_time_used = None
        if name == "web_password":
            self.foreign_password = None


class WebUser(SelfCare, Base):
    """A login to the self-care portal; every customer has one default web user, and may have more."""

    __tablename__ = "web_users"

    i_web_user: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the web user.", example=31
    )
    i_customer: Mapped[int] = customer_of("The customer whose web user this is.")
    is_default: Mapped[bool] = field(
        Boolean,
        default=False,
        access=Access.READ_ONLY,
        doc="Whether this is the login that the customer was created with.",
        example=False,
    )
    web_login: Mapped[str] = field(
        String(LOGIN_LENGTH),
        unique=True,
        access=Access.REQUIRED,
        check="not_empty",
        doc="Login to the self-care portal and to this API; unique, whatever its case and the white space around it.",
        example="acme",
    )
    web_login_key: Mapped[str] = mapped_column(String(3 * LOGIN_LENGTH), unique=True)
    web_password: Mapped[str] = field(
        String(60),
        access=Access.REQUIRED,
        hashed=True,
        limit=PASSWORD_LIMIT,
        check="not_empty",
        doc="Password to the self-care portal, up to 256 characters. Kept as a bcrypt hash.",
        example="s3cret-Pa55",
    )
    i_access_level: Mapped[str] = field(
        ForeignKey("access_levels.i_access_level"),
        default="ADMINISTRATOR",
        doc="What the web user may do in the portal; see getDictionary, access_levels.",
        example="ADMINISTRATOR",
    )
    email: Mapped[str | None] = field(
        String(255), check="email", doc="E-mail address of the web user.", example="ada@example.com"
    )
    description: Mapped[str | None] = field(String(1024), doc="Description.", example="Night shift")
    blocked: Mapped[bool] = field(
        Boolean,
        default=False,
        doc="Whether the web user may not log in. The default one cannot be blocked; its customer can.",
        example=False,
    )
    blocked_by: Mapped[int | None] = field(
        Integer, access=Access.RECORDED, doc="The highest of those who have blocked it; no foreign key."
    )
    second_factor: Mapped[bool] = field(
        Boolean,
        default=False,
        access=Access.READ_ONLY,
        doc="Whether a code is asked for beside the password.",
        example=False,
    )

    totp_seed: Mapped[str | None] = field(
        sealed=True, access=Access.HIDDEN, doc="Of a second factor that is on or about to be."
    )
    totp_step: Mapped[int | None] = mapped_column(BigInteger, doc="The newest time step whose code was accepted.")

    __table_args__ = (one_default_per_customer("web_users"), Base.__table_args__)

    @validates("web_login", "web_password", "blocked")
    def _follow(self, name: str, value: Any) -> Any:
        self._end_one_time_password(name, value)
        if name == "web_login" and value != self.web_login:
            self.web_login_key = login_key(value)
        return value


class RecoveryCode(Base):
    """A code that stands in, once, for one of the second factor."""

    __tablename__ = "recovery_codes"
    __table_args__ = ()

    i_web_user: Mapped[int] = mapped_column(ForeignKey("web_users.i_web_user", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(Signature("recovery code"), primary_key=True, doc="Its signature.")
