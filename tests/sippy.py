"""Accounts as createAccount must be given them, with values that are not the defaults."""

from typing import Any

from conftest import WEB_PASSWORD
from harness import unique

from xmlrpc_api.declaration.fields import Wire
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT

REQUIRED = [field.name for field in ACCOUNT.create if field.required]
VALUES: dict[str, Any] = {
    "voip_password": "s3cret-Sip",
    "vm_password": "1234",
    "web_password": WEB_PASSWORD,
    "max_sessions": 3,
    "max_credit_time": 7200,
    "credit_limit": 5.5,
    "i_billing_plan": 1,
    "i_time_zone": 370,
    "balance": 12.25,
    "vm_enabled": 1,
    "blocked": 0,
    "i_lang": "de",
    "payment_currency": "EUR",
    "payment_method": 2,
    "i_export_type": 1,
    "lifetime": 30,
    "preferred_codec": 18,
    "translation_rule": r"s/^<(&)ü/\1/; s/ $//g",
    "cli_translation_rule": r"s/^0(\d+)$/49\1/",
    "p_assrt_id_translation_rule": "+4930#5",
    "reg_allowed": 0,
    "welcome_call_ivr": 1,
    "on_payment_action": 2,
    "min_payment_amount": 1.5,
    "email": "ada@example.com",
    "cc": "a@example.com, b@example.com",
    "bcc": "c@example.com",
    "vm_notify_emails": "d@example.com",
    "vm_forward_emails": "e@example.com;f@example.com",
    "i_password_policy": 1,
    "i_media_relay_type": 2,
    "i_routing_group": None,
    "i_account_class": 4,
    "vm_timeout": 20,
    "i_commission_agent": None,
    "commission_size": 2.5,
    "i_provisioning": 1,
    "i_invoice_template": 3,
    "i_caller_name_type": 3,
    "i_incoming_anonymous_action": 3,
    "max_calls_per_second": 0.5,
    "start_page": 4,
    "privacy_schemas": ["rpid"],
}


def value_of(name: str) -> Any:
    """A value that is not the default."""
    if name in VALUES:
        return VALUES[name]
    return True if ACCOUNT[name].wire is Wire.BOOLEAN else f"<{name[:8]}> & ü"


def new(**attributes: Any) -> dict[str, Any]:
    """What createAccount must be given, and what else is asked for."""
    values = {name: value_of(name) for name in REQUIRED}
    names = {"username": unique("account"), "authname": unique("auth")}
    return {**values, "balance": 0, "credit_limit": 0, **names, **attributes}
