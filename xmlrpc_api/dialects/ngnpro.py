"""The dialect of NGNPro: SOAP."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from models import Account, Base, Customer, CustomerProperty, SipAlias, SipDomain
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.declaration.fields import Field
from xmlrpc_api.declaration.registry import Dialect, publish

NGNPRO = Dialect()
OPERATIONS = NGNPRO.methods
operation = partial(publish, NGNPRO)

NAMES: Mapping[type[Base], Mapping[str, str]] = {  # of the attributes that it has, by ours
    Customer: {
        "i_customer": "id",
        "web_login": "username",
        "balance": "balance",
        "credit_limit": "credit",
        "company_name": "organization",
        "first_name": "firstName",
        "last_name": "lastName",
        "street_addr": "address",
        "state": "state",
        "postal_code": "postcode",
        "city": "city",
        "country": "country",
        "phone": "tel",
        "fax": "fax",
        "email": "email",
        "api_password": "password",
        "i_lang": "language",
        "impersonate": "impersonate",
        "vat_number": "vatNumber",
        "web": "web",
        "mobile": "mobile",
        "sip": "sip",
        "enum": "enum",
        "bank_account": "bankAccount",
        "billing_address": "billingAddress",
        "billing_email": "billingEmail",
        "company_code": "companyCode",
        "reseller_active": "resellerActive",
    },
    CustomerProperty: {
        "name": "name",
        "value": "value",
        "category": "category",
        "permission": "permission",
    },
    Account: {
        "voip_password": "password",
        "max_sessions": "callLimit",
        "first_name": "firstName",
        "last_name": "lastName",
        "email": "email",
        "vm_timeout": "timeout",
        "owner": "owner",
        "rpid": "rpid",
        "quickdial_prefix": "quickdialPrefix",
        "region": "region",
        "quota": "quota",
        "prepaid": "prepaid",
    },
    SipDomain: {
        "domain": "domain",
        "i_customer": "customer",
        "certificate": "certificate",
        "private_key": "private_key",
        "match_ip_address": "match_ip_address",
        "match_sip_domain": "match_sip_domain",
        "verify_cert": "verify_cert",
        "require_cert": "require_cert",
    },
    SipAlias: {
        "username": "aliasUsername",
        "target_username": "targetUsername",
        "target_domain": "targetDomain",
        "owner": "owner",
    },
}
CHECKS = {"not_empty": None, "language": "language_or_empty"}  # forms leave out by sending nothing


def attributes(entity: Entity) -> dict[str, Field]:
    """The attributes of an entity by their names here; all of them may be left out."""
    return {name: _renamed(entity[own], name) for own, name in NAMES[entity.model].items()}


def _renamed(field: Field, name: str) -> Field:
    check = CHECKS.get(field.check or "", field.check)
    return replace(field, name=name, attribute=field.name, nullable=False, nil_refused=False, check=check)
