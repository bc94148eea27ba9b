"""Customers: the tree of wholesalers, resellers and end customers."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.ext.associationproxy import AssociationProxy
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, validates

from models.balance import Balance
from models.base import Access, Base, ChangeTime, Exact, Money, ascii_string, field, through
from models.login_key import login_key
from models.web_user import WebUser

ROOT_ID = 1
ROOT_DEPTH = 32
UTC_TIME_ZONE = 370
DEFAULT_PASSWORD_POLICY = 1
NAME_LENGTH = 128
PATH_LENGTH = (ROOT_DEPTH + 1) * 11


def _text(length: int, doc: str, **options: Any) -> Any:
    """A free text that may be nil."""
    return field(String(length), doc=doc, **options)


def _flag(doc: str, **options: Any) -> Any:
    """A right or switch that the API carries as the integers 0 and 1."""
    return field(Integer, doc=doc, low=0, high=1, **{"default": 0, "example": 1, **options})


def _bitmask(what: str) -> Any:
    """A bit mask of management rights: bit 0 add, bit 1 edit, bit 2 delete."""
    doc = f"Rights to manage {what}: the sum of 1 (add), 2 (edit) and 4 (delete)."
    return field(Integer, doc=doc, low=0, high=7, default=0, example=7)


def _feature(what: str) -> Any:
    """A feature that is on or off."""
    return field(Boolean, doc=f"Whether {what}.", default=False, example=True)


class Customer(Base):
    """
    A customer. Who has sub-customers is a reseller; who stands directly below the root, a wholesaler.

    The order of the attributes is that in which parameters are documented and checked.
    """

    __tablename__ = "customers"

    i_customer: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the customer.", example=29
    )
    i_wholesaler: Mapped[int | None] = field(
        ForeignKey("customers.i_customer"),
        access=Access.READ_ONLY,
        doc="Id of the customer directly above; nil for the root.",
        example=1,
    )
    i_web_user: AssociationProxy[int] = through("default_user", "i_web_user")
    i_access_level: AssociationProxy[str] = through("default_user", "i_access_level", access=Access.READ_ONLY)
    base_currency: AssociationProxy[str] = through("money", "currency")
    blocked: Mapped[bool] = field(
        Boolean,
        default=False,
        access=Access.READ_ONLY,
        doc="Whether the customer is blocked. Nobody at or below a blocked customer may log in.",
        example=False,
    )
    blocked_by: Mapped[int | None] = field(
        Integer,
        access=Access.RECORDED,
        doc="The highest of those who have blocked it; no foreign key: they are above, and stay as long as it does.",
    )

    version: Mapped[int] = field(
        Integer,
        default=1,
        access=Access.READ_ONLY,
        doc="Counts the changes of attributes, bookings excepted; see if_version.",
        example=1,
    )

    name: Mapped[str] = field(
        String(NAME_LENGTH),
        access=Access.REQUIRED,
        unique=True,
        check="not_empty",
        doc="Name of the customer; unique, whatever its case and the white space around it.",
        example="acme",
    )
    name_key: Mapped[str] = mapped_column(String(3 * NAME_LENGTH), unique=True)
    web_password: AssociationProxy[str] = through("default_user", "web_password")
    i_tariff: Mapped[int | None] = field(
        ForeignKey("tariffs.i_tariff"),
        index=True,
        access=Access.REQUIRED,
        doc="Tariff, one of the caller's; nil assigns the tariff the caller itself is on.",
        example=None,
    )
    web_login: AssociationProxy[str] = through("default_user", "web_login", access=Access.OPTIONAL)
    i_routing_group: Mapped[int | None] = field(
        ForeignKey("routing_groups.i_routing_group"),
        index=True,
        doc="Routing group, one of the caller's; nil is the caller's own.",
        example=None,
    )
    balance: AssociationProxy[Decimal] = through("money", "balance")
    credit_limit: AssociationProxy[Decimal] = through("money", "credit_limit")
    accounts_mgmt: Mapped[int] = _bitmask("accounts")
    customers_mgmt: Mapped[int] = _bitmask("sub-customers")
    system_mgmt: Mapped[int] = _flag("Right to manage the system: 0 or 1.")
    accounts_matching_rule: Mapped[str | None] = _text(
        255, "Rule by which accounts are matched: see checkMatchRule.", check="match_rule"
    )
    company_name: Mapped[str | None] = _text(128, "Company name.", example="Acme Telecom Ltd.")
    salutation: Mapped[str | None] = _text(32, "Mr., Ms. and so on.", example="Ms.")
    first_name: Mapped[str | None] = _text(64, "First name.", example="Ada")
    last_name: Mapped[str | None] = _text(64, "Last name.", example="Byron")
    mid_init: Mapped[str | None] = _text(16, "Middle initials.")
    street_addr: Mapped[str | None] = _text(255, "Street address.", example="12 Main Street")
    state: Mapped[str | None] = _text(64, "Province or state.")
    postal_code: Mapped[str | None] = _text(32, "Postal code.", example="10115")
    city: Mapped[str | None] = _text(64, "City.", example="Berlin")
    country: Mapped[str | None] = _text(64, "Country or region.", example="Germany")
    contact: Mapped[str | None] = _text(128, "Contact.")
    phone: Mapped[str | None] = _text(64, "Phone.", example="+49305550100")
    fax: Mapped[str | None] = _text(64, "Fax.")
    alt_phone: Mapped[str | None] = _text(64, "Alternative phone.")
    alt_contact: Mapped[str | None] = _text(128, "Alternative contact.")
    email: Mapped[str | None] = _text(255, "E-mail address.", check="email", example="ada@example.com")
    cc: Mapped[str | None] = _text(
        1024, "E-mail addresses for copies, separated by comma or semicolon.", check="emails"
    )
    bcc: Mapped[str | None] = _text(
        1024, "E-mail addresses for blind copies, separated by comma or semicolon.", check="emails"
    )
    mail_from: Mapped[str | None] = _text(
        255,
        'The "From" header of mails to this customer: an address, or a name and an address in <>.',
        check="mailbox",
        example="Acme <billing@example.com>",
    )
    payment_currency: Mapped[str | None] = field(
        ForeignKey("currencies.code"),
        check="currency",
        doc="Currency of payments, ISO 4217.",
        example="EUR",
    )
    payment_method: Mapped[int | None] = field(
        ForeignKey("payment_methods.i_payment_method"),
        doc="Preferred payment method; see getDictionary, payment_methods.",
        example=1,
    )
    min_payment_amount: Mapped[Decimal] = field(
        Money, default=Decimal(0), low=0, high=10**12, doc="Smallest payment accepted.", example=Decimal(10)
    )
    api_access: Mapped[int] = _flag("Whether the customer may use this API: 0 or 1.")
    api_password: Mapped[str | None] = field(
        sealed=True,
        limit=256,
        check="not_empty",
        doc="Password to this API, independent of web_password. Kept encrypted.",
        example="s3cret-Api",
    )
    api_mgmt: Mapped[int] = _flag("Whether the customer may manage API access of its sub-customers: 0 or 1.")
    i_commission_agent: Mapped[int | None] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        doc="i_customer of the commission agent, one of the customers below the caller.",
        example=None,
    )
    commission_size: Mapped[Decimal] = field(
        Exact, default=Decimal(0), low=0, high=100, doc="Commission in per cent.", example=Decimal("2.5")
    )
    tariffs_mgmt: Mapped[int] = _bitmask("tariffs")
    max_depth: Mapped[int] = field(
        Integer,
        low=0,
        high=ROOT_DEPTH,
        default=0,
        doc="How many levels of sub-customers may hang below. Left out at create: one less than the caller's.",
        example=2,
    )
    use_own_tariff: Mapped[int] = _flag(
        "Whether the customer may assign the tariff it is on to its sub-customers: 0 or 1. "
        "Left out at create: as for the caller.",
    )
    vouchers_mgmt: Mapped[int] = _bitmask("vouchers")
    description: Mapped[str | None] = _text(1024, "Description.", example="Main office")
    i_password_policy: Mapped[int] = field(
        ForeignKey("password_policies.i_password_policy"),
        default=DEFAULT_PASSWORD_POLICY,
        doc="Policy for the passwords of the customer and its web users.",
        example=1,
    )
    callshop_enabled: Mapped[bool] = _feature("the call shop is on")
    overcommit_protection: Mapped[bool] = _feature("over-commit protection is on")
    overcommit_limit: Mapped[Decimal] = field(
        Exact,
        default=Decimal(0),
        low=0,
        high=1_000_000,
        doc="Over-commit limit in per cent: by how much more it may hand out than it has. 200 is three times its own.",
        example=Decimal(10),
    )
    did_pool_enabled: Mapped[bool] = _feature("the pool of DIDs is on")
    ivr_apps_enabled: Mapped[bool] = _feature("IVR applications are on")
    asr_acd_enabled: Mapped[bool] = _feature("the customer may see ASR/ACD reports")
    debit_credit_cards_enabled: Mapped[bool] = _feature("the customer may keep debit or credit cards")
    conferencing_enabled: Mapped[bool] = _feature("conferencing is on")
    share_payment_processors: Mapped[bool] = _feature("the customer may share its payment processors")
    dncl_enabled: Mapped[bool] = _feature("the do-not-call list is looked up")
    i_time_zone: Mapped[int] = field(
        ForeignKey("time_zones.i_time_zone"),
        default=UTC_TIME_ZONE,
        doc="Time zone; see getDictionary, timezones.",
        example=UTC_TIME_ZONE,
    )
    i_lang: Mapped[str] = field(
        ForeignKey("languages.i_lang"),
        default="en",
        check="language",
        doc="Two letter language code; see getDictionary, languages.",
        example="en",
    )
    i_export_type: Mapped[int] = field(
        ForeignKey("export_types.i_export_type"),
        default=1,
        doc="Download format; see getDictionary, export_types.",
        example=1,
    )
    start_page: Mapped[int] = field(
        Integer, default=1, low=0, high=32767, doc="Page shown after the login to the portal.", example=1
    )
    css: Mapped[str | None] = field(Text, limit=65536, doc="Body of the CSS style sheet for branding.")
    dns_alias: Mapped[str | None] = _text(
        253,
        "Host name under which the branded portal is reached.",
        check="hostname",
        example="portal.example.com",
    )
    max_sessions: Mapped[int | None] = field(
        Integer, low=0, doc="Limit of concurrent calls; nil is unlimited.", example=100
    )
    max_calls_per_second: Mapped[Decimal | None] = field(
        Exact, low=0, high=10**9, doc="Limit of new calls a second; nil is unlimited.", example=Decimal("2.5")
    )

    impersonate: Mapped[int | None] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        doc="The customer of the same reseller whose rights count instead of its own; set by that one or above.",
        example=None,
    )
    vat_number: Mapped[str | None] = _text(64, "VAT number.")
    web: Mapped[str | None] = _text(255, "Web site.")
    mobile: Mapped[str | None] = _text(64, "Mobile phone.")
    sip: Mapped[str | None] = _text(255, "SIP address.")
    enum: Mapped[str | None] = _text(64, "ENUM number.")
    bank_account: Mapped[str | None] = _text(128, "Bank account.")
    billing_address: Mapped[str | None] = _text(255, "Address for bills.")
    billing_email: Mapped[str | None] = _text(255, "E-mail address for bills.", check="email")
    company_code: Mapped[str | None] = _text(64, "Code of the company.")
    reseller_active: Mapped[bool] = field(
        Boolean,
        default=True,
        doc="Whether a reseller, and everybody below it, may create customers and records.",
        example=True,
    )
    changed: Mapped[datetime | None] = mapped_column(ChangeTime, doc="When an attribute was changed last.")

    path: Mapped[str] = field(
        ascii_string(PATH_LENGTH),
        access=Access.HIDDEN,
        doc="Ids of all customers above, root first, each followed by a dot; empty for the root.",
    )

    money: Mapped[Balance] = relationship(
        Balance,
        lazy="raise",
        innerjoin=True,
        uselist=False,
        primaryjoin=lambda: (foreign(Balance.i_customer) == Customer.i_customer) & Balance.is_default,
        passive_deletes="all",
    )
    default_user: Mapped[WebUser] = relationship(
        WebUser,
        lazy="raise",
        innerjoin=True,
        uselist=False,
        primaryjoin=lambda: (WebUser.i_customer == Customer.i_customer) & WebUser.is_default,
        passive_deletes="all",
    )

    __table_args__ = (
        CheckConstraint("i_wholesaler < i_customer", name="parent_is_older"),
        CheckConstraint("(i_wholesaler IS NULL) = (path = '')", name="only_root_has_no_parent"),
        Index(None, "path"),
        Index(None, "i_wholesaler", "i_customer"),
        Index(None, "changed"),
        Base.__table_args__,
    )

    @validates("name")
    def _follow(self, name: str, value: str) -> str:
        if value != self.name:
            self.name_key = login_key(value)
        return value


class CustomerCount(Base):
    """
    How many customers have one path, which is that of all who stand directly below the same customer.

    Triggers on the table of customers keep it: who lists a hundred of a million is told how many there are in all. It
    is kept in parts, of which each connection changes one, so that hardly anybody waits for another's transaction.
    """

    __tablename__ = "customer_counts"
    __table_args__ = ()

    path: Mapped[str] = mapped_column(ascii_string(PATH_LENGTH), primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    customers: Mapped[int] = mapped_column(
        Integer, doc="How many were added by connections of this part, less removed."
    )


def subtree(path: str, i_customer: int) -> tuple[str, str]:
    """Bounds of `path` for everyone below a customer: from the first, up to but without the second."""
    below = f"{path}{i_customer}"
    return f"{below}.", f"{below}/"  # '/' is the character after '.'


def ancestors(path: str) -> list[int]:
    """Ids of all customers above one with this path, root first."""
    return [int(step) for step in path.split(".")[:-1]]
