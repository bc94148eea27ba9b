"""The dialect of NGNPro: SOAP."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

from models import Account, AccountGroup, Base, Customer, CustomerProperty, SipAlias, SipDomain, Voucher, WebUser
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    Fault,
    InternalError,
    Kind,
    MethodNotFound,
    NotEnoughCredit,
    NotFound,
    NothingToChange,
    NotPermitted,
    Part,
    Thing,
    TooManyAttempts,
    Unavailable,
    WrongReference,
    WrongType,
)
from xmlrpc_api.declaration.fields import Field, Wire
from xmlrpc_api.declaration.registry import Dialect, publish

NGNPRO = Dialect()
OPERATIONS = NGNPRO.methods
operation = partial(publish, NGNPRO)

NAMES: Mapping[type[Base], Mapping[str, str]] = {  # of the attributes that it has, by ours, in its order
    Customer: {
        "i_customer": "id",
        "impersonate": "impersonate",
        "web_login": "username",
        "api_password": "password",
        "first_name": "firstName",
        "last_name": "lastName",
        "company_name": "organization",
        "vat_number": "vatNumber",
        "email": "email",
        "web": "web",
        "phone": "tel",
        "fax": "fax",
        "mobile": "mobile",
        "sip": "sip",
        "enum": "enum",
        "street_addr": "address",
        "postal_code": "postcode",
        "city": "city",
        "state": "state",
        "country": "country",
        "i_lang": "language",
        "bank_account": "bankAccount",
        "billing_address": "billingAddress",
        "billing_email": "billingEmail",
        "balance": "balance",
        "credit_limit": "credit",
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

THINGS: Mapping[Part, str] = {Account: "SIP account"}  # what it calls things, where it is something else

GENERAL = 1
CODES: Mapping[type[Fault] | Kind, int] = {
    WrongType: 100,
    BadParameter: 101,
    WrongReference: 101,
    Kind.REQUIRED: 102,
    NothingToChange: 102,
    InternalError: 200,
    Unavailable: 201,
    MethodNotFound: 900,
    AuthenticationFailed: 901,
    NotPermitted: 902,
    NotEnoughCredit: 1402,
    TooManyAttempts: 1429,
    Conflict: 5002,
    Kind.IN_USE: 5002,
    Kind.TAKEN: 5002,
}
CODES_OF_THINGS: Mapping[tuple[type[Fault] | Kind, Thing], int] = {
    (NotFound, SipDomain): 1000,
    (Kind.TAKEN, SipDomain): 1001,
    (NotFound, Account): 1010,
    (Kind.TAKEN, Account): 1011,
    (NotFound, SipAlias): 1020,
    (Kind.TAKEN, SipAlias): 1021,
    (Kind.TAKEN, AccountGroup): 1030,
    (NotFound, AccountGroup): 1031,
    (NotFound, Voucher): 1050,
    (NotFound, Customer): 5000,
    (Kind.TAKEN, Customer): 5001,
    (Kind.TAKEN, WebUser): 5001,
}


def code_of(fault: Fault) -> int:
    """The code that its clients compare."""
    wrong = fault.kind or type(fault)
    code = CODES_OF_THINGS.get((wrong, fault.thing)) if fault.thing else None
    return code or CODES.get(wrong, GENERAL)


@cache
def words_of(operation: str) -> Mapping[Part, str]:
    """What it calls things and our attributes, where it is something else: those of an operation's parameters."""
    found = dict(THINGS)
    waiting = list(OPERATIONS[operation].params)
    while waiting:
        field = waiting.pop()
        if field.attribute is not None and field.attribute != field.name:
            found[field.attribute] = field.name
        waiting += field.members
    if "web_login" in found:  # a customer here has no name besides
        found["name"] = found["web_login"]
    return found


def struct(name: str, soap_type: str, doc: str, *members: Field) -> Field:
    """A parameter or an answer that is a struct, which is of a named type here."""
    return Field(name=name, wire=Wire.STRUCT, type=soap_type, doc=doc, members=members)


def array(name: str, soap_type: str, doc: str, *members: Field) -> Field:
    """The same of an array of structs."""
    return Field(name=name, wire=Wire.ARRAY, type=soap_type, doc=doc, members=members)


def attributes(entity: Entity) -> dict[str, Field]:
    """The attributes of an entity by their names here; all of them may be left out."""
    return {name: _renamed(entity[own], name) for own, name in NAMES[entity.model].items()}


def _renamed(field: Field, name: str) -> Field:
    check = CHECKS.get(field.check or "", field.check)
    return replace(field, name=name, attribute=field.name, nullable=False, nil_refused=False, check=check)
