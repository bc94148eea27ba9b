"""Reference tables every customer may point at: time zones, languages, currencies and the like."""

from sqlalchemy import Boolean, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class TimeZone(Base):
    """An IANA time zone; the ids of old switches are kept, so that clients with fixed ids work."""

    __tablename__ = "time_zones"
    __table_args__ = ()

    i_time_zone: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class Language(Base):
    """A language by its ISO 639-1 code."""

    __tablename__ = "languages"
    __table_args__ = ()

    i_lang: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    web: Mapped[bool] = mapped_column(Boolean, default=False)
    ivr: Mapped[bool] = mapped_column(Boolean, default=False)


class Currency(Base):
    """A currency by its ISO 4217 code."""

    __tablename__ = "currencies"
    __table_args__ = ()

    code: Mapped[str] = mapped_column(String(3), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))


class ExportType(Base):
    """A format in which the self-care portal offers downloads."""

    __tablename__ = "export_types"
    __table_args__ = ()

    i_export_type: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class PasswordPolicy(Base):
    """A set of demands on passwords, chosen per customer. Operators may add rows of their own."""

    __tablename__ = "password_policies"
    __table_args__ = ()

    i_password_policy: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    minimum_length: Mapped[int] = mapped_column(Integer, default=1, doc="In characters.")
    needs_lower: Mapped[bool] = mapped_column(Boolean, default=False, doc="A lower case letter.")
    needs_upper: Mapped[bool] = mapped_column(Boolean, default=False, doc="An upper case letter.")
    needs_digit: Mapped[bool] = mapped_column(Boolean, default=False)
    needs_symbol: Mapped[bool] = mapped_column(Boolean, default=False, doc="Anything that is no letter and no digit.")
    differs_from_login: Mapped[bool] = mapped_column(Boolean, default=False, doc="Whatever the case of its letters.")
    minimum_score: Mapped[int] = mapped_column(Integer, default=0, doc="Of zxcvbn, 0 to 4; 0 does not ask it.")


class PaymentMethod(Base):
    """A way in which a customer prefers to pay."""

    __tablename__ = "payment_methods"
    __table_args__ = ()

    i_payment_method: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class AccessLevel(Base):
    """What a web user may do in the self-care portal; the portal enforces it."""

    __tablename__ = "access_levels"
    __table_args__ = ()

    i_access_level: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))


class IvrApplication(Base):
    """What answers a call where no account does, such as the voice mail."""

    __tablename__ = "ivr_applications"
    __table_args__ = ()

    i_ivr_application: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class DictionaryEntry(Base):
    """A row of a dictionary that no other table points at, such as the media relay types."""

    __tablename__ = "dictionary_entries"
    __table_args__ = ()

    dictionary: Mapped[str] = mapped_column(String(32), primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(64))
