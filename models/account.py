"""SIP accounts: phones and trunks, each of one customer, each with a balance of its own."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.ext.associationproxy import AssociationProxy
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, validates

from models.balance import LARGEST_AMOUNT, Balance
from models.base import Access, Base, ChangeTime, Exact, Money, StringList, UtcDateTime, field, through
from models.customer import UTC_TIME_ZONE
from models.sip_domain import DOMAIN_LENGTH
from models.web_user import PASSWORD_LIMIT, SelfCare

USERNAME_LENGTH = 128
ID_KEY_LENGTH = 3 * USERNAME_LENGTH + DOMAIN_LENGTH + 1
EVERYBODYS_PLAN = 1
PRIVACY_SCHEMAS = ("pai", "rpid")
FOLLOWME_MODES = {1: "One after another", 2: "All at once"}
LONGEST_RING = 900  # seconds


def _required(length: int, doc: str, **options: Any) -> Any:
    """A text that must be given, and may be empty."""
    return field(String(length), default="", access=Access.REQUIRED, doc=doc, **{"example": "", **options})


def _text(length: int, doc: str) -> Any:
    """A text that may be empty."""
    return field(String(length), default="", doc=doc, example="")


def _switch(what: str, **options: Any) -> Any:
    """A switch that is on or off."""
    return field(Boolean, doc=f"Whether {what}.", **{"default": False, "example": False, **options})


def _flag(doc: str, **options: Any) -> Any:
    """A switch that the API carries as the integers 0 and 1."""
    return field(Integer, low=0, high=1, doc=doc, **{"default": 0, "access": Access.REQUIRED, "example": 0, **options})


def _option(default: int, doc: str, **bounds: Any) -> Any:
    """A number that a method of its own sets."""
    return field(Integer, default=default, access=Access.READ_ONLY, doc=doc, example=default, **bounds)


class Account(SelfCare, Base):
    """
    A SIP account.

    The order of the attributes is that of the documentation of createAccount, and with it the order in which
    parameters are checked.
    """

    __tablename__ = "accounts"

    i_account: Mapped[int] = field(
        Integer, primary_key=True, access=Access.READ_ONLY, doc="Id of the account.", example=11
    )
    i_customer: Mapped[int] = field(
        ForeignKey("customers.i_customer"),
        access=Access.READ_ONLY,
        doc="The customer to whom it belongs.",
        example=29,
    )
    base_currency: AssociationProxy[str] = through("money", "currency")
    version: Mapped[int] = field(
        Integer,
        default=1,
        access=Access.READ_ONLY,
        doc="Counts the changes of attributes, bookings excepted.",
        example=1,
    )
    created_on: Mapped[datetime] = field(UtcDateTime, access=Access.READ_ONLY, doc="When it was created.")
    updated_on: Mapped[datetime] = field(ChangeTime, access=Access.READ_ONLY, doc="When it was changed last.")
    first_use: Mapped[datetime | None] = field(
        UtcDateTime, access=Access.READ_ONLY, doc="When its first call was; nil: there was none."
    )
    last_login: Mapped[datetime | None] = field(
        UtcDateTime, access=Access.READ_ONLY, doc="When it last logged in to the portal; nil: never."
    )

    username: Mapped[str] = field(
        String(USERNAME_LENGTH),
        unique=True,
        access=Access.REQUIRED,
        check="not_empty",
        doc="Login of the account to the self-care portal; unique, whatever its case and the white space around it. "
        "Without @ it is one with `username@sip_domain`, by the setting as it was when the account was created.",
        example="alice",
    )
    username_key: Mapped[str] = mapped_column(
        String(ID_KEY_LENGTH), unique=True, doc="user@domain; set with each username."
    )
    web_password: Mapped[str] = field(
        String(60),
        access=Access.REQUIRED,
        hashed=True,
        limit=PASSWORD_LIMIT,
        check="not_empty",
        doc="Password to the self-care portal. Kept as a bcrypt hash.",
        example="s3cret-Pa55",
    )
    authname: Mapped[str] = field(
        String(USERNAME_LENGTH),
        unique=True,
        access=Access.REQUIRED,
        check="not_empty",
        doc="Name with which the phone registers, unique.",
        example="alice",
    )
    voip_password: Mapped[str] = field(
        sealed=True,
        access=Access.REQUIRED,
        limit=128,
        check="not_empty",
        doc="Password with which the phone registers. Kept encrypted.",
        example="s3cret-Sip",
    )
    max_sessions: Mapped[int] = field(
        Integer,
        access=Access.REQUIRED,
        low=-1,
        high=10**6,
        default=0,
        doc="Concurrent calls; -1 and 0: no limit.",
        example=2,
    )
    max_credit_time: Mapped[int] = field(
        Integer, access=Access.REQUIRED, low=0, default=3600, doc="Longest call, in seconds.", example=3600
    )
    translation_rule: Mapped[str] = _required(
        255, "Rule that changes called numbers: see applyTranslationRule.", check="translation_rule"
    )
    cli_translation_rule: Mapped[str] = _required(
        255, "Rule that changes calling numbers: see applyTranslationRule.", check="translation_rule"
    )
    credit_limit: AssociationProxy[Decimal] = through("money", "credit_limit", access=Access.REQUIRED)
    i_routing_group: Mapped[int | None] = field(
        ForeignKey("routing_groups.i_routing_group"),
        index=True,
        doc="Routing group, one of the customer's; nil is the customer's own.",
        example=None,
    )
    i_billing_plan: Mapped[int] = field(
        ForeignKey("billing_plans.i_billing_plan"),
        default=EVERYBODYS_PLAN,
        index=True,
        access=Access.REQUIRED,
        doc="Service plan, one of the customer's, or 1, which is everybody's.",
        example=1,
    )
    i_time_zone: Mapped[int] = field(
        ForeignKey("time_zones.i_time_zone"),
        access=Access.REQUIRED,
        default=UTC_TIME_ZONE,
        doc="Time zone; see getDictionary, timezones.",
        example=UTC_TIME_ZONE,
    )
    balance: AssociationProxy[Decimal] = through("money", "balance", access=Access.REQUIRED)
    cpe_number: Mapped[str] = _required(64, "Number of the customer premises equipment.")
    vm_enabled: Mapped[int] = _flag("Whether voice mail is on: 0 or 1.")
    vm_password: Mapped[str] = field(
        sealed=True,
        access=Access.REQUIRED,
        limit=32,
        check="digits",
        doc="Password of the voice mail, digits. Kept encrypted.",
        example="1234",
    )
    blocked: Mapped[int] = _flag("Whether the account is blocked: 0 or 1.")
    blocked_by: Mapped[int | None] = field(
        Integer, access=Access.RECORDED, doc="The highest of those who have blocked it; no foreign key."
    )
    i_lang: Mapped[str] = field(
        ForeignKey("languages.i_lang"),
        access=Access.REQUIRED,
        default="en",
        check="language",
        doc="Two letter language code; see getDictionary, languages.",
        example="en",
    )
    payment_currency: Mapped[str] = field(
        ForeignKey("currencies.code"),
        access=Access.REQUIRED,
        check="currency",
        doc="Currency of payments, ISO 4217.",
        example="USD",
    )
    payment_method: Mapped[int] = field(
        ForeignKey("payment_methods.i_payment_method"),
        access=Access.REQUIRED,
        default=1,
        doc="Preferred payment method; see getDictionary, payment_methods.",
        example=1,
    )
    i_export_type: Mapped[int] = field(
        ForeignKey("export_types.i_export_type"),
        access=Access.REQUIRED,
        default=1,
        doc="Download format; see getDictionary, export_types.",
        example=1,
    )
    lifetime: Mapped[int] = field(
        Integer, access=Access.REQUIRED, low=-1, default=-1, doc="Days from the first use; -1: no end.", example=-1
    )
    preferred_codec: Mapped[int | None] = field(
        Integer,
        access=Access.REQUIRED,
        check="codec",
        doc="Payload type of the codec: 0 G.711u, 3 GSM, 4 G.723, 8 G.711a, 9 G.722, 15 G.728, 18 G.729; nil: any.",
        example=None,
    )
    use_preferred_codec_only: Mapped[bool] = _switch("other codecs are removed", access=Access.REQUIRED)
    reg_allowed: Mapped[int] = _flag("Whether the phone may register: 0 or 1.", default=1, example=1)
    welcome_call_ivr: Mapped[int] = _flag("Whether the first call is a welcome: 0 or 1.")
    on_payment_action: Mapped[int | None] = field(
        Integer,
        access=Access.REQUIRED,
        low=0,
        high=2,
        doc="What a payment does: nil nothing, 0 extend the lifetime, 1 clear the first use, 2 restart billing.",
        example=None,
    )
    min_payment_amount: Mapped[Decimal] = field(
        Money,
        access=Access.REQUIRED,
        default=Decimal(0),
        low=0,
        high=LARGEST_AMOUNT,
        doc="Smallest payment accepted.",
        example=Decimal(10),
    )
    trust_cli: Mapped[bool] = _switch("the calling number is taken as the phone sends it", access=Access.REQUIRED)
    disallow_loops: Mapped[bool] = _switch("calls to the account's own numbers are refused", access=Access.REQUIRED)
    vm_notify_emails: Mapped[str] = _required(1024, "Addresses told of voice mail.", check="emails")
    vm_forward_emails: Mapped[str] = _required(1024, "Addresses sent the voice mail.", check="emails")
    vm_del_after_fwd: Mapped[bool] = _switch("voice mail is deleted once it was sent", access=Access.REQUIRED)
    company_name: Mapped[str] = _required(128, "Company name.")
    salutation: Mapped[str] = _required(32, "Mr., Ms. and so on.")
    first_name: Mapped[str] = _required(64, "First name.", example="Ada")
    last_name: Mapped[str] = _required(64, "Last name.", example="Byron")
    mid_init: Mapped[str] = _required(16, "Middle initials.")
    street_addr: Mapped[str] = _required(255, "Street address.")
    state: Mapped[str] = _required(64, "Province or state.")
    postal_code: Mapped[str] = _required(32, "Postal code.")
    city: Mapped[str] = _required(64, "City.")
    country: Mapped[str] = _required(64, "Country or region.")
    contact: Mapped[str] = _required(128, "Contact.")
    phone: Mapped[str] = _required(64, "Phone.")
    fax: Mapped[str] = _required(64, "Fax.")
    alt_phone: Mapped[str] = _required(64, "Alternative phone.")
    alt_contact: Mapped[str] = _required(128, "Alternative contact.")
    email: Mapped[str] = _required(255, "E-mail address.", check="email", example="ada@example.com")
    cc: Mapped[str] = _required(1024, "E-mail addresses for copies.", check="emails")
    bcc: Mapped[str] = _required(1024, "E-mail addresses for blind copies.", check="emails")
    i_password_policy: Mapped[int] = field(
        ForeignKey("password_policies.i_password_policy"),
        access=Access.REQUIRED,
        default=1,
        doc="Policy for the passwords of the account.",
        example=1,
    )
    i_media_relay_type: Mapped[int] = field(
        Integer,
        access=Access.REQUIRED,
        low=0,
        high=2,
        default=0,
        doc="Media relay: 0 default, 1 off, 2 on; see getDictionary, media_relay_types.",
        example=0,
    )

    i_account_class: Mapped[int | None] = field(Integer, low=1, doc="Account class.", example=None)
    vm_timeout: Mapped[int] = field(
        Integer, low=0, high=900, default=35, doc="When voice mail answers, in seconds.", example=35
    )
    vm_check_number: Mapped[str | None] = field(String(64), doc="Number that leads to the voice mail.", example="*98")
    i_commission_agent: Mapped[int | None] = field(
        ForeignKey("customers.i_customer"), index=True, doc="i_customer of the commission agent.", example=None
    )
    commission_size: Mapped[Decimal] = field(
        Exact, default=Decimal(0), low=0, high=100, doc="Commission in per cent.", example=Decimal("2.5")
    )
    lan_access: Mapped[bool] = _switch("calls stay in the local network")
    batch_tag: Mapped[str | None] = field(String(64), doc="Name of the batch it was made with.", example="spring")
    i_provisioning: Mapped[int | None] = field(
        Integer, low=1, high=1, doc="Automatic provisioning: nil off, 1 Linksys.", example=None
    )
    invoicing_enabled: Mapped[bool] = _switch("the account is sent invoices")
    i_invoice_template: Mapped[int | None] = field(Integer, low=1, doc="Template of its invoices.", example=None)
    i_caller_name_type: Mapped[int] = field(
        Integer,
        low=1,
        high=4,
        default=1,
        doc="Name shown to called parties: 1 as sent, 2 the account's, 3 caller_name, 4 the calling number.",
        example=1,
    )
    caller_name: Mapped[str | None] = field(String(128), doc="Name shown to called parties.", example="Ada Byron")
    followme_enabled: Mapped[bool] = _switch("calls follow to other numbers")
    i_followme_mode: Mapped[int] = _option(1, "How they do; see setFollowMeOptions.", low=1, high=len(FOLLOWME_MODES))
    followme_timeout: Mapped[int] = _option(30, "After how many seconds; see there.", low=0, high=LONGEST_RING)
    vm_dialin_access: Mapped[bool] = _switch("voice mail can be reached from outside")
    hide_own_cli: Mapped[bool] = _switch("the calling number is hidden")
    block_incoming_anonymous: Mapped[bool] = _switch("calls without a calling number are not put through")
    i_incoming_anonymous_action: Mapped[int] = field(
        Integer,
        low=1,
        high=3,
        default=1,
        doc="What becomes of them: 1 refused, 2 refused with a prompt, 3 voice mail.",
        example=1,
    )
    dnd_enabled: Mapped[bool] = _switch("no call is put through")
    description: Mapped[str | None] = field(String(1024), doc="Description.", example="Front desk")
    pass_p_asserted_id: Mapped[bool] = _switch("P-Asserted-Identity is passed on")
    p_assrt_id_translation_rule: Mapped[str | None] = field(
        String(255), doc="Rule that changes P-Asserted-Identity.", check="translation_rule", example=None
    )
    dncl_lookup: Mapped[bool] = _switch("the do-not-call list is looked up")
    generate_ringbacktone: Mapped[bool] = _switch("a ring back tone is made here")
    max_calls_per_second: Mapped[Decimal | None] = field(
        Exact, low=0, high=10**9, doc="Limit of new calls a second; nil is unlimited.", example=Decimal("2.5")
    )
    allow_free_onnet_calls: Mapped[bool] = _switch("calls between accounts cost nothing")
    start_page: Mapped[int] = field(
        Integer, default=1, low=0, high=32767, doc="Page shown after the login: 1 calls, 4 preferences.", example=1
    )
    trust_privacy_hdrs: Mapped[bool] = _switch("privacy headers of the phone are believed")
    privacy_schemas: Mapped[list[str]] = field(
        StringList,
        check="privacy_schemas",
        default=lambda: list(PRIVACY_SCHEMAS),
        doc="Headers that carry the identity: pai, rpid.",
        example=list(PRIVACY_SCHEMAS),
    )

    i_domain: Mapped[int | None] = mapped_column(
        ForeignKey("sip_domains.i_domain"), index=True, doc="The SIP domain that its username names, if there is one."
    )
    owner: Mapped[int | None] = field(
        ForeignKey("customers.i_customer"),
        index=True,
        doc="A customer to whom front ends assign the account; it has no effect.",
        example=None,
    )
    rpid: Mapped[str] = _text(128, "Caller id towards the PSTN.")
    quickdial_prefix: Mapped[str] = _text(64, "Prefix for short numbers.")
    region: Mapped[str] = _text(64, "Region for emergency calls.")
    quota: Mapped[int] = field(
        Integer,
        default=0,
        low=0,
        doc="Monthly limit of PSTN calls in units of the currency; 0: none.",
        example=0,
    )
    quota_by: Mapped[int | None] = field(Integer, access=Access.RECORDED, doc="Who has set the quota; no foreign key.")
    prepaid: Mapped[bool] = field(
        Boolean,
        default=False,
        doc="Whether the account pays ahead.",
        example=False,
    )
    ha1: Mapped[str | None] = field(
        sealed=True,
        access=Access.HIDDEN,
        doc="md5(user:domain:password) and md5(user@domain:domain:password), for the proxies.",
    )
    acl: Mapped[str | None] = mapped_column(Text, doc="JSON: networks from which it may register.")
    properties: Mapped[str | None] = field(
        sealed=True,
        access=Access.HIDDEN,
        doc="JSON: what front ends keep with it, passwords to the portal among them.",
    )

    money: Mapped[Balance] = relationship(
        Balance,
        lazy="raise",
        innerjoin=True,
        uselist=False,
        primaryjoin=lambda: foreign(Balance.i_account) == Account.i_account,
        passive_deletes="all",
    )

    __table_args__ = (Index(None, "i_customer", "i_account"), Base.__table_args__)

    @validates("username", "web_password", "blocked")
    def _follow(self, name: str, value: Any) -> Any:
        self._end_one_time_password(name, value)
        return value
