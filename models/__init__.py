"""The shared customer/reseller model: one entity a file, re-exported here. Imports nothing of ours."""

from models.audit import AuditEntry, AuditHead
from models.balance import Balance, LedgerEntry
from models.base import SCALE, Access, Base, Exact, FieldInfo, Money, UtcDateTime, field_info, proxied_column
from models.customer import ROOT_DEPTH, ROOT_ID, Customer, ancestors, subtree
from models.reference import (
    AccessLevel,
    Currency,
    DictionaryEntry,
    ExportType,
    Language,
    PasswordPolicy,
    PaymentMethod,
    TimeZone,
)
from models.routing_group import RoutingGroup
from models.tariff import Tariff
from models.web_user import WebUser, login_key

__all__ = [
    "ROOT_DEPTH",
    "ROOT_ID",
    "SCALE",
    "Access",
    "AccessLevel",
    "AuditEntry",
    "AuditHead",
    "Balance",
    "Base",
    "Currency",
    "Customer",
    "DictionaryEntry",
    "Exact",
    "ExportType",
    "FieldInfo",
    "Language",
    "LedgerEntry",
    "Money",
    "PasswordPolicy",
    "PaymentMethod",
    "RoutingGroup",
    "Tariff",
    "TimeZone",
    "UtcDateTime",
    "WebUser",
    "ancestors",
    "field_info",
    "login_key",
    "proxied_column",
    "subtree",
]
