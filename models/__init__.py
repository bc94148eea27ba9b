"""The shared customer/reseller model: one entity a file, re-exported here. Imports nothing of ours."""

from models.account import EVERYBODYS_PLAN, FOLLOWME_MODES, PRIVACY_SCHEMAS, Account
from models.account_group import AccountGroup
from models.audit import AuditEntry, AuditHead
from models.auth_rule import SPAN_LENGTH, AuthRule
from models.balance import LARGEST_AMOUNT, Balance, ExchangeRate, LedgerEntry
from models.base import (
    SCALE,
    Access,
    Base,
    ChangeTime,
    Exact,
    Factor,
    FieldInfo,
    Money,
    Price,
    Sealed,
    Signature,
    StringList,
    UtcDateTime,
    columns_of,
    field_info,
    model_of,
    place_of,
    proxied_column,
    purpose_of,
)
from models.billing_plan import BIWEEKLY, MONTHLY, WEEKLY, BillingPlan
from models.cli_mapping import CliMapping
from models.customer import (
    DEFAULT_PASSWORD_POLICY,
    ROOT_DEPTH,
    ROOT_ID,
    Customer,
    CustomerCount,
    ancestors,
    subtree,
)
from models.did import Did, DidDelegation, number_key
from models.did_charging_group import DidChargingGroup
from models.did_use import DidUse
from models.event import LOW_BALANCE, PLAN_RESUMED, PLAN_SUSPENDED, Event
from models.extended_routing import ExtendedRouting
from models.follow_me_entry import FollowMeEntry
from models.hot_dial_number import HotDialNumber
from models.idempotency import KEY_LENGTH, IdempotencyKey
from models.login_key import account_key, exact_key, login_key
from models.lookups import (
    AccessLevel,
    Currency,
    DictionaryEntry,
    ExportType,
    IvrApplication,
    Language,
    PasswordPolicy,
    PaymentMethod,
    TimeZone,
)
from models.mail import Mail
from models.minute_plan import MinutePlan, MinuteUse
from models.plan_span import BY_MINUTE_PLAN, BY_PLAN, PlanCharge, PlanSpan
from models.post_auth_rule import PostAuthRule
from models.property import CustomerProperty
from models.rate import PREFIX_LENGTH, Rate
from models.routing_group import RoutingGroup
from models.sip_alias import SipAlias
from models.sip_domain import SipDomain
from models.smart_dial import SmartDial
from models.system_setting import SystemSetting
from models.tariff import Tariff
from models.throttle import Throttle
from models.trusted_host import TrustedHost
from models.upgrade import STEP_NAME_LENGTH, UpgradeStep
from models.upload import Upload, UploadPiece
from models.voucher import Voucher
from models.web_user import RecoveryCode, SelfCare, WebUser

__all__ = [
    "BIWEEKLY",
    "BY_MINUTE_PLAN",
    "BY_PLAN",
    "DEFAULT_PASSWORD_POLICY",
    "EVERYBODYS_PLAN",
    "FOLLOWME_MODES",
    "KEY_LENGTH",
    "LARGEST_AMOUNT",
    "LOW_BALANCE",
    "MONTHLY",
    "PLAN_RESUMED",
    "PLAN_SUSPENDED",
    "PREFIX_LENGTH",
    "PRIVACY_SCHEMAS",
    "ROOT_DEPTH",
    "ROOT_ID",
    "SCALE",
    "SPAN_LENGTH",
    "STEP_NAME_LENGTH",
    "WEEKLY",
    "Access",
    "AccessLevel",
    "Account",
    "AccountGroup",
    "AuditEntry",
    "AuditHead",
    "AuthRule",
    "Balance",
    "Base",
    "BillingPlan",
    "ChangeTime",
    "CliMapping",
    "Currency",
    "Customer",
    "CustomerCount",
    "CustomerProperty",
    "DictionaryEntry",
    "Did",
    "DidChargingGroup",
    "DidDelegation",
    "DidUse",
    "Event",
    "Exact",
    "ExchangeRate",
    "ExportType",
    "ExtendedRouting",
    "Factor",
    "FieldInfo",
    "FollowMeEntry",
    "HotDialNumber",
    "IdempotencyKey",
    "IvrApplication",
    "Language",
    "LedgerEntry",
    "Mail",
    "MinutePlan",
    "MinuteUse",
    "Money",
    "PasswordPolicy",
    "PaymentMethod",
    "PlanCharge",
    "PlanSpan",
    "PostAuthRule",
    "Price",
    "Rate",
    "RecoveryCode",
    "RoutingGroup",
    "Sealed",
    "SelfCare",
    "Signature",
    "SipAlias",
    "SipDomain",
    "SmartDial",
    "StringList",
    "SystemSetting",
    "Tariff",
    "Throttle",
    "TimeZone",
    "TrustedHost",
    "UpgradeStep",
    "Upload",
    "UploadPiece",
    "UtcDateTime",
    "Voucher",
    "WebUser",
    "account_key",
    "ancestors",
    "columns_of",
    "exact_key",
    "field_info",
    "login_key",
    "model_of",
    "number_key",
    "place_of",
    "proxied_column",
    "purpose_of",
    "subtree",
]
